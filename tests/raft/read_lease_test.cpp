// SPDX-License-Identifier: BSL-1.0

// Reads without a round, and what everyone else owes a leader that answers them: each rule by a
// case that fails without it.

#include <understudy/raft/core.hpp>
#include <understudy/raft/read_lease.hpp>

#include <doctest/doctest.h>

#include "raft/support/group.hpp"

#include <cstdint>
#include <initializer_list>

namespace read_lease_test {

using namespace support;

namespace {

/// Voters under leader 1, with a lease of 100 ms: nobody votes for 300 ms.
struct leased : group {
  explicit leased(std::initializer_list<std::uint64_t> all = {1, 2, 3}) : group{made_of(all, all)} {
    elect(1);
    set_lease(100);
    pass_time(200ms);
  }

  void set_lease(std::uint32_t ms) {
    auto rules = (*this)[1].newest().content->rules;
    rules.lease_ms = ms;
    tell(1, change_roster{.what = set_rules{rules}});
  }

  /// Whether a leader answers a question here and now, before any message travels.
  bool answers(std::uint64_t leader = 1) {
    const auto before = told<read_ready>(leader).size();
    tell(leader, read_request{{++asked_}});
    const auto all = told<read_ready>(leader);
    return all.size() > before && all.back().code == errc::none;
  }

  /// Node 1 is cut off, and both others see that their links to it broke.
  void break_links() {
    part({1});
    for (const std::uint64_t id : {2u, 3u})
      tell(id, peer_lost{{1}, true});
  }

  /// What `id` says when it is asked for its vote by another with the same log.
  verdict asked_for_vote(std::uint64_t id, std::uint64_t candidate, enum round round) {
    const auto term = (*this)[id].vote().term.next();
    verdict said{};
    hold([&](const mail& m) {
      if (const auto* v = m.as<vote_reply>(); v && m.from.value == id)
        said = v->verdict;
      return true;
    });
    receive(id, candidate,
            request_vote{.term = term, .round = round, .last = (*this)[id].log().last()});
    exchange();
    drop();
    return said;
  }

  std::uint64_t asked_ = 0;
};

} // namespace

TEST_CASE("without a lease each question takes a round") {
  leased g;
  g.set_lease(0);
  g.pass_time(200ms);
  CHECK_FALSE(g.answers());
  g.exchange();
  CHECK(g.told<read_ready>(1).size() == 1);
  CHECK(g[1].state().counts.lease_reads == 0);
}

TEST_CASE("under a lease a question is answered at once, up to what is committed by then") {
  leased g;
  g.propose(1, "x");
  g.exchange();
  CHECK(g.answers());
  CHECK(g.told<read_ready>(1).back().index == g[1].commit());
  CHECK(g[1].state().counts.lease_reads == 1);
}

TEST_CASE("C1: a new leader has no lease before an entry of its own is committed") {
  leased g;
  g.hold([](const mail& m) {
    const auto* a = m.as<append_entries>();
    return a && !a->entries.empty();
  });
  g.part({1});
  g.pass_time(500ms); // its heartbeats are echoed
  const auto next = g.leader();
  REQUIRE(next != 1);
  g.tell(next, read_request{{1}});
  CHECK(g.told<read_ready>(next).empty());
  g.release();
  CHECK(g.told<read_ready>(next).size() == 1);
}

TEST_CASE("C3: a lease runs from the sending of the round, not from its answers") {
  leased g;
  g.hold<append_entries>(1, 2);
  g.cut(1, 3);
  while (g.held.empty())
    g.pass_time(1ms);
  const auto sent = g.now;
  g.pass_time(40ms);
  g.release();
  g.part({1});
  CHECK(g.answers());
  g.now = sent + 99ms;
  CHECK(g.answers());
  g.now = sent + 100ms;
  CHECK_FALSE(g.answers());
}

TEST_CASE("C3: a process that stood still finds its lease over") {
  leased g;
  g.part({1});
  CHECK(g.answers());
  g.now += 100ms;
  CHECK_FALSE(g.answers());
}

TEST_CASE("the lease ends for good when another node is told to stand") {
  leased g;
  g.hold<timeout_now>(1, 2);
  g.tell(1, transfer_leadership{.to = {2}});
  g.exchange();
  REQUIRE(g.held.size() == 1);
  CHECK_FALSE(g.answers());
  g.pass_time(200ms); // the transfer has failed, and the leader goes on
  REQUIRE(g[1].leads());
  CHECK_FALSE(g.answers());
  g.exchange();
  CHECK(g.told<read_ready>(1).back().code == errc::none); // a round takes its place
  CHECK(g[1].state().counts.lease_reads == 0);
  g.release(); // however late, node 2 stands, and nobody waits
  CHECK(g[2].leads());
}

TEST_CASE("a hand-over takes no longer for a lease") {
  leased g;
  g.tell(1, transfer_leadership{.to = {3}});
  g.exchange();
  CHECK(g[3].leads());
  g.pass_time(100ms);
  g.tell(3, read_request{{1}});
  CHECK(g.told<read_ready>(3).size() == 1);
}

TEST_CASE("who has not confirmed the newest configuration does not count") {
  leased g;
  g.hold([](const mail& m) {
    const auto* a = m.as<append_entries>();
    return a && m.to.value == 3 && !a->entries.empty();
  });
  g.set_lease(200);
  g.exchange(); // node 2 has it, so it is committed
  REQUIRE(g[1].newest().index == g[1].commit());
  CHECK(g.answers());
  g.cut(2, 1);
  g.pass_time(250ms); // node 3 echoes every round, with the settings of before
  REQUIRE(g[3].newest().content->rules.lease_ms == 100);
  CHECK_FALSE(g.answers());
  g.release();
  g.pass_time(100ms);
  CHECK(g.answers());
}

TEST_CASE(
    "a lease is not used before the settings are committed, and not after they are replaced") {
  leased g;
  g.part({1});
  g.set_lease(200);
  CHECK_FALSE(g.answers());
  g.heal();
  g.pass_time(200ms);
  CHECK(g.answers());
  g.part({1});
  g.set_lease(0);
  CHECK_FALSE(g.answers());
}

TEST_CASE("C3: nobody votes or stands before an election timeout has passed, link down or not") {
  leased g;
  g.break_links();
  CHECK(g.asked_for_vote(2, 3, round::pre_vote) == verdict::hears_leader);
  CHECK(g.asked_for_vote(2, 3, round::vote) == verdict::hears_leader);
  const auto term = g[2].vote().term;
  g.pass_time(245ms); // the leader's last message is not older than a heartbeat
  CHECK_FALSE(g[2].campaigning_now());
  CHECK_FALSE(g[3].campaigning_now());
  CHECK(g[2].vote().term == term);
  g.pass_time(100ms);
  CHECK(g.leader() != 1);
  CHECK(g[g.leader()].leads());
}

TEST_CASE("C3: a voter keeps its promise in a later term as well") {
  leased g;
  g.receive(3, 2, vote_reply{.term = {g[3].vote().term.value + 5}});
  CHECK(g.asked_for_vote(3, 2, round::pre_vote) == verdict::hears_leader);
  CHECK(g.asked_for_vote(3, 2, round::vote) == verdict::hears_leader);
}

TEST_CASE("where the lease is switched off a broken link is enough again") {
  leased g;
  g.set_lease(0);
  g.pass_time(200ms);
  g.break_links();
  g.pass_time(20ms);
  CHECK(g.leader() != 1);
}

TEST_CASE("C3: a voter that comes back does not know what it has promised, and waits") {
  auto first = made_of({1, 2, 3}, {1, 2, 3});
  first.rules.lease_ms = 100;
  const recovered_state found{.vote = {{1}, {}}, .entries = {entry_of(1, 1, first)}};
  raft_core core{{3}, {}, 1, found};
  auto now = instant{} + 1h;
  const auto ask = [&] {
    outbox out;
    request_vote m{.term = {2}, .last = {{1}, {1}}};
    core.on({2}, m, now, out);
    core.settle(now, out);
    for (const auto& l : out.letters)
      if (const auto* said = std::get_if<vote_reply>(&l.what))
        return said->verdict;
    return verdict::removed;
  };
  CHECK(ask() == verdict::hears_leader); // even before it was woken for the first time
  for (const auto end = now + 299ms; now < end; now += 13ms) {
    outbox out;
    core.wake(now, out);
    CHECK(ask() == verdict::hears_leader);
    CHECK_FALSE(core.campaigning_now());
  }
  now += 13ms;
  CHECK(ask() == verdict::granted);
}

TEST_CASE("a voter whose log ends with a tail in which there is no lease does not count") {
  leased g{{1, 2, 3, 4, 5}};
  for (const std::uint64_t id : {2u, 4u, 5u})
    g.cut(1, id);
  g.set_lease(0); // which node 3 alone gets to know, and nobody commits
  g.exchange();
  g.part({1, 3});
  g.pass_time(700ms);
  const auto next = g.leader();
  REQUIRE(next != 1);
  g.heal();
  g.part({1});
  const std::uint64_t other = next == 2 ? 4 : 2;
  for (const std::uint64_t id : {2u, 4u, 5u})
    if (id != other)
      g.cut(id, next);
  g.hold([](const mail& m) {
    const auto* a = m.as<append_entries>();
    return a && m.to.value == 3 && !a->entries.empty();
  });
  g.pass_time(250ms); // node 3 echoes every round, and is one of a quorum
  REQUIRE(g[next].leads());
  REQUIRE(g[3].newest().content->rules.lease_ms == 0);
  CHECK_FALSE(g.answers(next));
  g.release();
  g.pass_time(100ms);
  CHECK(g[3].newest().content->rules.lease_ms == 100);
  CHECK(g.answers(next));
}

TEST_CASE("a group of one answers at once, lease or not") {
  auto alone = made_of({1}, {1});
  alone.rules.lease_ms = 100;
  group g{alone};
  g.pass_time(1'000ms);
  REQUIRE(g[1].leads());
  g.tell(1, read_request{{1}});
  CHECK(g.told<read_ready>(1).size() == 1);
}

} // namespace read_lease_test
