// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/core.hpp>
#include <understudy/recovery/refounding.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <chrono>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace refounding_test {

using namespace understudy;
using support::entry_of;
using support::ids;
using support::made_of;

namespace {

/// Remembers what it was told, and has one word that it can not stand.
struct diary {
  struct note {
    using reply = int;
    std::string text;
    template <class Archive> void serialize(Archive& archive) { archive(text); }
  };
  using commands = understudy::commands<note>;

  int apply(const note& n) {
    if (n.text == "poison")
      throw std::runtime_error{"it can not stand that"};
    notes.push_back(n.text);
    return static_cast<int>(notes.size());
  }

  std::vector<std::string> notes;
  template <class Archive> void serialize(Archive& archive) { archive(notes); }
};

/// The same, with a copy for whoever writes it down.
struct frozen_diary : diary {
  [[nodiscard]] frozen_diary freeze() const { return *this; }
};
static_assert(freezable<frozen_diary> && !freezable<diary>);

const member founder{.id = {9}, .name = "i", .start = 4};

/// The log of a member of 1 (its voter), 2 and 3. Session 2 is a client's.
struct old_log {
  remains left{.node = {2}};

  old_log() {
    auto members = made_of({1, 2, 3}, {1});
    for (auto& m : members.members)
      m.entered = {m.id.value == 1 ? 1u : 0u};
    members.rules.sessions_max = 7;
    left.kept.entries.push_back(entry_of(1, 1, members));
    add(open_session{});
  }

  template <class T> void add(T what) {
    const auto last = left.last();
    left.kept.entries.push_back({last.index.next(),
                                 {3},
                                 log_time{interval{static_cast<std::int64_t>(last.index.value)}},
                                 share(std::move(what))});
  }

  void note(std::uint64_t number, std::string text) {
    add(command{.session = {2},
                .number = {number},
                .answered_below = {},
                .body = encode_command<diary>(diary::note{std::move(text)})});
  }
};

/// The state that a snapshot holds.
replica<diary> state_of(const recovered_state& found) {
  replica<diary> r;
  outbox out;
  restore_snapshot all{found.base};
  r.on(all, {}, out);
  REQUIRE_FALSE(r.stopped());
  return r;
}

recovered_state refounded(const remains& from) {
  auto made = refound<diary>(from, founder, {55});
  REQUIRE_MESSAGE(made, made.error().detail);
  return *made;
}

} // namespace

TEST_CASE("all that the log has is in the new cluster, committed or not") {
  old_log log;
  log.note(1, "a");
  log.note(2, "b");
  log.left.committed = {3};
  const auto made = refounded(log.left);
  CHECK(state_of(made).machine().notes == std::vector<std::string>{"a", "b"});
  CHECK(made.entries.empty());
  CHECK(made.base->intact());
}

TEST_CASE("a snapshot and what follows it are in it likewise") {
  old_log log;
  log.note(1, "a");
  replica<diary> before;
  outbox out;
  apply_entries all{.entries = log.left.kept.entries};
  before.on(all, {}, out);
  take_snapshot order;
  before.on(order, {}, out);
  auto& taken = std::get<snapshot_taken>(out.notices.back());
  const auto digest = digest_of(taken.image.view());
  log.left.kept.base = std::make_shared<snapshot>(snapshot{.at = taken.at,
                                                           .stamp = taken.stamp,
                                                           .members = log.left.members(),
                                                           .image = taken.image,
                                                           .digest = digest});
  log.left.kept.entries.clear();
  log.note(2, "b");
  CHECK(state_of(refounded(log.left)).machine().notes == std::vector<std::string>{"a", "b"});
}

TEST_CASE("the founder is alone in a cluster of another name, with the settings of the old one") {
  old_log log;
  const auto made = refounded(log.left);
  const auto& first = *made.base->members.content;
  CHECK(first.cluster == cluster_id{55});
  CHECK(first.voters == ids({9}));
  REQUIRE(first.members.size() == 1);
  CHECK(first.members[0].id == founder.id);
  CHECK(first.members[0].start == founder.start);
  CHECK(first.members[0].entered == made.base->members.index);
  CHECK(first.rules.sessions_max == 7);
  CHECK(made.base->members.index == made.base->at.index);
  CHECK(made.base->at > log.left.last());
}

TEST_CASE("the new term is above all that the survivor has seen") {
  old_log log;
  log.left.kept.vote = {{8}, {1}};
  CHECK(refounded(log.left).base->at.term == term_number{9});
}

TEST_CASE("sessions end: a request is not taken again, and its fate can be asked") {
  old_log log;
  log.note(1, "a");
  auto state = state_of(refounded(log.left));
  const auto* session = state.sessions().find({2});
  REQUIRE(session);
  CHECK_FALSE(session->open);
  CHECK(state.sessions().open_portable().empty());
  auto table = state.sessions();
  const auto again = table.decide({.session = {2},
                                   .number = {2},
                                   .answered_below = {},
                                   .body = encode_command<diary>(diary::note{"b"})});
  REQUIRE(again.answer);
  CHECK(again.answer->error().code == errc::session_unknown);
  CHECK(table.settle({.session = {2}, .number = {1}}, {}).has_value());
  CHECK(table.settle({.session = {2}, .number = {2}}, {}).error().code == errc::not_applied);
  CHECK(table.find({1})->open == false);            // the old leader's own
  CHECK(table.find({state.applied().value})->open); // the founder's
}

TEST_CASE("no session of another history can be taken for one of this") {
  old_log log;
  const auto last = log.left.last().index;
  std::set<log_index> begins;
  for (std::uint64_t cluster = 1; cluster <= 100; ++cluster)
    begins.insert(begin_of_history(last, {cluster * 7919}));
  CHECK(begins.size() == 100);
  CHECK(*begins.begin() - last >= std::uint64_t{1} << 40); // so long may the old one go on
  CHECK(*begins.rbegin() - last <= std::uint64_t{1} << 56);
  CHECK(refounded(log.left).base->at.index > begin_of_history(last, {55}));
}

TEST_CASE("what was recovered can be lost and recovered again") {
  old_log log;
  log.note(1, "a");
  remains left = log.left;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const member next{.id = {100 + i}, .name = "i", .start = 4};
    auto made = refound<diary>(left, next, {1'000 + i});
    REQUIRE_MESSAGE(made, made.error().detail);
    left = {.node = next.id, .kept = *made};
  }
  CHECK(state_of(left.kept).machine().notes == std::vector<std::string>{"a"});
}

TEST_CASE("a core that starts with it leads by itself, and knows nobody of the old cluster") {
  old_log log;
  log.note(1, "a");
  const auto made = refounded(log.left);
  for (const bool forgets : {true, false}) {
    core_options options;
    options.volatile_log = forgets;
    raft_core core{founder.id, options, 1, made};
    auto now = instant{} + std::chrono::seconds{1};
    generation written;
    for (int i = 0; i < 500 && !core.leads(); ++i) {
      outbox out;
      core.wake(now, out);
      core.settle(now, out);
      CHECK(out.letters.empty());
      for (const auto& n : out.notices)
        if (const auto* write = std::get_if<store_write>(&n))
          written = write->write;
      store_written done{written};
      if (!forgets)
        core.on(done, now, out);
      now += std::chrono::milliseconds{10};
    }
    CHECK(core.leads());
    CHECK(core.vote().term > made.base->at.term);
    CHECK(core.commit() >= made.base->at.index);
  }
}

TEST_CASE("a machine that is frozen for its snapshots leaves the same behind") {
  old_log log;
  log.note(1, "a");
  const auto plain = refounded(log.left);
  const auto frozen = refound<frozen_diary>(log.left, founder, {55});
  REQUIRE(frozen);
  CHECK(frozen->base->image == plain.base->image);
  CHECK(frozen->base->intact());
}

TEST_CASE("a machine that can not apply the log founds nothing") {
  old_log log;
  log.note(1, "poison");
  const auto made = refound<diary>(log.left, founder, {55});
  REQUIRE_FALSE(made);
  CHECK(made.error().code == errc::machine_stopped);
  CHECK(made.error().detail.find("it can not stand that") != std::string::npos);
}

TEST_CASE("who knows of no cluster founds nothing from it") {
  const auto made = refound<diary>(remains{.node = {2}}, founder, {55});
  REQUIRE_FALSE(made);
  CHECK(made.error().code == errc::invalid_option);
}

} // namespace refounding_test
