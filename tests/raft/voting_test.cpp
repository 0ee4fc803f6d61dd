// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/voting.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <chrono>
#include <optional>

namespace voting_test {

using namespace understudy;
using namespace std::chrono_literals;
using support::entry_of;
using support::made_of;

namespace {

const auto start = instant{} + 1h;

/// A voter whose log ends at (3, term 2), in term 5, of the group {1, 2, 3}.
struct voter {
  voter() {
    state.append(entry_of(1, 1, made_of({1, 2, 3}, {1, 2, 3})));
    state.append(entry_of(2, 2));
    state.append(entry_of(3, 2));
    state.advance_commit({3});
    state.raise_term({5});
  }

  static request_vote ask(std::uint64_t term, enum round round = round::vote) {
    return {.term = {term}, .round = round, .last = {{3}, {2}}, .entered = {1}};
  }

  verdict answer(std::uint64_t from, const request_vote& m, bool hears_leader = false) {
    sent.clear();
    state.next.reset();
    return box.answer({from}, m, hears_leader, state, start, sent);
  }

  const vote_reply& reply() const { return std::get<vote_reply>(sent.letters.at(0).what); }

  core_state state{{3}, {}, 1};
  ballot_box box;
  outbox sent;
};

} // namespace

TEST_CASE("a vote is given once in a term, and again only to the same candidate (E1)") {
  voter v;
  CHECK(v.answer(1, voter::ask(6)) == verdict::granted);
  CHECK(v.answer(2, voter::ask(6)) == verdict::refused);
  CHECK(v.answer(1, voter::ask(6)) == verdict::granted);
  CHECK(v.state.vote() == ballot{{6}, {1}});
  CHECK(v.answer(2, voter::ask(7)) == verdict::granted);
}

TEST_CASE("a candidate of an earlier term is refused and told the term (E7)") {
  voter v;
  CHECK(v.answer(1, voter::ask(4)) == verdict::refused);
  CHECK(v.reply().term == term_number{5});
  CHECK(v.answer(1, voter::ask(4, round::pre_vote)) == verdict::refused);
  CHECK(v.reply().term == term_number{5});
}

TEST_CASE("a log is newer by its last term first, and only then by its length (E3)") {
  voter v;
  auto m = voter::ask(6, round::pre_vote);
  m.last = {{1}, {3}};
  CHECK(v.answer(1, m) == verdict::granted); // short, but of a newer term
  m.last = {{99}, {1}};
  CHECK(v.answer(1, m) == verdict::newer_log);
  m.last = {{2}, {2}};
  CHECK(v.answer(1, m) == verdict::newer_log);
  m.last = {{3}, {2}};
  CHECK(v.answer(1, m) == verdict::granted);
}

TEST_CASE("a refusal for the log still takes over the candidate's term") {
  voter v;
  auto m = voter::ask(9);
  m.last = {};
  CHECK(v.answer(1, m) == verdict::newer_log);
  CHECK(v.state.vote() == ballot{{9}, {}});
  CHECK(v.state.next.has_value());
}

TEST_CASE("a pre-vote changes nothing at the voter, and can be given to many (E15)") {
  voter v;
  const auto before = v.state.vote();
  CHECK(v.answer(1, voter::ask(6, round::pre_vote)) == verdict::granted);
  CHECK(v.answer(2, voter::ask(6, round::pre_vote)) == verdict::granted);
  CHECK(v.state.vote() == before);
  CHECK_FALSE(v.state.next.has_value());
  CHECK(v.reply().asked == term_number{6});
  CHECK(v.reply().round == round::pre_vote);
}

TEST_CASE("a pre-vote for a term in which the vote is gone is refused") {
  voter v;
  v.answer(1, voter::ask(6));
  CHECK(v.answer(2, voter::ask(6, round::pre_vote)) == verdict::refused);
  CHECK(v.answer(2, voter::ask(7, round::pre_vote)) == verdict::granted);
}

TEST_CASE("who hears a leader votes for nobody else, and keeps its term (E6)") {
  voter v;
  CHECK(v.answer(1, voter::ask(9), true) == verdict::hears_leader);
  CHECK(v.answer(1, voter::ask(9, round::pre_vote), true) == verdict::hears_leader);
  CHECK(v.state.vote() == ballot{{5}, {}});
}

TEST_CASE("a candidate that the leader itself sent is heard (E16)") {
  voter v;
  auto m = voter::ask(6);
  m.by_transfer = true;
  CHECK(v.answer(1, m, true) == verdict::granted);
}

TEST_CASE("a node that does not know yet that it votes gives its vote (E5)") {
  core_state state{{7}, {}, 1}; // in no configuration that it knows of
  ballot_box box;
  outbox out;
  CHECK(box.answer({1}, voter::ask(6), false, state, start, out) == verdict::granted);
}

TEST_CASE("who has left the committed roster is told so, and its term is ignored (E6)") {
  voter v;
  v.state.append(entry_of(4, 5, made_of({1, 3}, {1, 3})));
  auto m = voter::ask(9);
  m.last = {{99}, {8}};
  SUBCASE("not before the removal is committed") {
    CHECK(v.answer(2, m) == verdict::granted);
  }
  SUBCASE("once it is committed") {
    v.state.advance_commit({4});
    CHECK(v.answer(2, m) == verdict::removed);
    CHECK(v.state.term() == term_number{5});
  }
  SUBCASE("but not one who came in later than this node knows") {
    v.state.advance_commit({4});
    m.entered = {8};
    CHECK(v.answer(2, m) == verdict::granted);
  }
  SUBCASE("nor one who does not say when it came in") {
    v.state.advance_commit({4});
    m.entered = {};
    CHECK(v.answer(2, m) == verdict::granted);
  }
}

TEST_CASE("a vote leaves when it is durable, a refusal at once (E2)") {
  core_state state{{3}, {.volatile_log = false}, 1};
  ballot_box box;
  outbox out;
  CHECK(box.answer({1}, voter::ask(6), false, state, start, out) == verdict::granted);
  CHECK(out.letters.empty());
  box.answer({2}, voter::ask(6), false, state, start, out);
  CHECK(out.letters.size() == 1);
  state.durable.flush(start, out);
  state.durable.confirmed({std::get<store_write>(out.notices.at(0)).write}, start, out);
  CHECK(out.letters.size() == 2);
}

TEST_CASE("D5: with a full disk a vote leaves when the ballot is stored, before the log is (E2)") {
  core_state state{{3}, {.volatile_log = false}, 1};
  ballot_box box;
  outbox out;
  state.append(entry_of(1, 2));
  state.durable.flush(start, out);
  state.durable.confirmed({.write = {}, .ballots = {1}}, start, out);
  REQUIRE(state.durable.is_full());
  CHECK(box.answer({1}, voter::ask(6), false, state, start, out) == verdict::granted);
  state.durable.flush(start, out);
  CHECK(out.letters.empty());
  state.durable.confirmed({.write = {}, .ballots = {2}}, start, out);
  CHECK(out.letters.size() == 1);
  CHECK(state.durable.durable() == log_index{0});
}

TEST_CASE("a candidate that was refused for the leader's sake is answered again if it is lost") {
  voter v;
  v.answer(1, voter::ask(6, round::pre_vote), true);
  outbox out;
  SUBCASE("within a step") {
    v.box.leader_lost(v.state, start + 5ms, out);
    REQUIRE(out.letters.size() == 1);
    CHECK(std::get<vote_reply>(out.letters[0].what).verdict == verdict::granted);
    v.box.leader_lost(v.state, start + 5ms, out);
    CHECK(out.letters.size() == 1);
  }
  SUBCASE("not later") {
    v.box.leader_lost(v.state, start + 6ms, out);
    CHECK(out.letters.empty());
  }
}

} // namespace voting_test
