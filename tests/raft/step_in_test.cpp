// SPDX-License-Identifier: BSL-1.0

// A listener steps in for a lost leader (S5): each rule that keeps this safe, by a case that fails
// without it. Where the rules come from is in thesis §4.2.2 and docs/membership.md.

#include <understudy/raft/core.hpp>

#include <doctest/doctest.h>

#include "raft/support/group.hpp"

#include <cstdint>

namespace step_in_test {

using namespace support;

namespace {

/// Three voters under leader 1, and listener 4 that has pulled all there is. Its claim is `voter`
/// once node 1 is left out.
struct cluster : group {
  explicit cluster(const core_options& options = {})
      : group{made_of({1, 2, 3, 4}, {1, 2, 3}), options} {
    elect(1);
    pull(4);
  }

  /// `who` pulls everything that the leader has committed, and hears of the leader.
  void pull(std::uint64_t who) {
    auto& core = (*this)[1];
    const auto from = (*this)[who].commit();
    tell(who, pulled_entries{{from, *(*this)[who].log().term_at(from)},
                             core.log().slice(from.next(), core.commit(), 1'000, 1 << 20),
                             core.commit(),
                             core.vote().term});
    hear_of_leader(who);
    exchange();
  }

  void hear_of_leader(std::uint64_t who) {
    now += 1ms;
    tell(who, leader_hint{{1}, (*this)[1].vote().term, now});
  }

  /// Node 1's process ends, and all others see it.
  void lose_leader() {
    part({1});
    now += 1ms;
    for (const std::uint64_t id : {4u, 2u, 3u})
      tell(id, peer_lost{{1}, true});
    exchange();
  }
};

} // namespace

TEST_CASE("S5: the listener whose turn it is asks first, and leads without a vote of its own") {
  cluster g;
  g.lose_leader();
  g.pass_time(3ms); // the first voter's turn comes later
  REQUIRE(g.leader() == 4);
  CHECK_FALSE(has_vote(*g[4].newest().content, {4}));
  g.propose(4, "x");
  g.exchange();
  CHECK(g.agree({2, 3, 4}));
  CHECK(g.applied(3) == "x");
}

TEST_CASE("S5: when the listener and a voter split the votes, nobody waits for a timeout") {
  cluster g;
  g.hold([](const mail& m) { return m.as<request_vote>() != nullptr; });
  g.lose_leader();
  g.pass_time(7ms); // both have asked for pre-votes before either has heard of the other
  REQUIRE(g[4].campaigning_now());
  REQUIRE(g[2].campaigning_now());
  g.release();
  REQUIRE(g[2].vote() == ballot{g[4].vote().term, {2}});
  REQUIRE(g[3].vote() == g[4].vote()); // one vote each: it takes two
  REQUIRE(g.leader() == 1);            // as it believes itself
  CHECK_FALSE(g[2].campaigning_now()); // and the third is gone, so there is nothing to wait for
  CHECK_FALSE(g[4].campaigning_now());
  g.pass_time(60ms);
  CHECK(g.leader() != 1);
}

TEST_CASE("S5: who gives a pre-vote stands back for a while, but not for good") {
  cluster g;
  g.hold([](const mail& m) {
    return m.as<vote_reply>() || (m.as<request_vote>() && m.from != member_id{4});
  });
  SUBCASE("given at once") {
    g.lose_leader();
    g.pass_time(1ms);
  }
  SUBCASE("given when the leader was lost here as well") {
    g.part({1});
    g.tell(4, peer_lost{{1}, true});
    g.pass_time(1ms);
    REQUIRE(g.held.size() == 2); // the voters hear the leader
    for (const std::uint64_t id : {2u, 3u})
      g.tell(id, peer_lost{{1}, true});
  }
  g.pass_time(8ms); // the first voter's turn has come
  CHECK_FALSE(g[2].campaigning_now());
  CHECK_FALSE(g[3].campaigning_now());
  g.pass_time(4ms);
  CHECK(g[2].campaigning_now());
  CHECK_FALSE(g[3].campaigning_now()); // they keep their distance
  g.pass_time(5ms);
  CHECK(g[3].campaigning_now());
}

TEST_CASE("S5: silence alone is enough, as the sources of its pulls report it") {
  cluster g;
  g.part({1});
  g.pass_time(290ms);
  CHECK(g.leader() == 1);
  g.pass_time(30ms);
  CHECK(g.leader() == 4);
}

TEST_CASE("S5: what goes from mouth to mouth is no sign of life of a leader") {
  cluster g;
  const auto term = g[1].vote().term;
  g.part({1});
  for (int i = 0; i < 33; ++i) {
    g.tell(4, leader_hint{{1}, term, g.now - known_leader::hearsay});
    g.pass_time(10ms);
  }
  CHECK(g.leader() == 4);

  // Nor is it handed on as one.
  g.add(9);
  g.tell(9, pulled_entries{{}, {g[2].log().at({1})}, {1}, term});
  g.tell(9, leader_hint{{1}, g[4].vote().term, g.now});
  auto roster = made_of({9}, {9});
  g.receive(
      9, 1,
      append_entries{.term = {1}, .previous = {{1}, {1}}, .entries = {entry_of(2, 1, roster)}});
  g.hold([](const mail& m) { return m.as<pull_reply>() != nullptr; });
  g.receive(9, 4, pull_request{.cluster = {77}, .from = {{1}, {1}}, .wait = 0ms});
  g.pass_time(1ms);
  REQUIRE(g.held.size() == 1);
  CHECK(g.held[0].as<pull_reply>()->leader == member_id{1});
  CHECK(g.held[0].as<pull_reply>()->leader_silent >= 300ms);
}

TEST_CASE("S5: a leader that is only lost to the listener is not disturbed") {
  cluster g;
  g.tell(4, peer_lost{{1}});
  const auto term = g[1].vote().term;
  g.pass_time(3s);
  CHECK(g.leader() == 1);
  CHECK(g[1].vote().term == term);
  CHECK(g[4].vote().term == term);
}

TEST_CASE("S5: a listener that hears of the leader again does not ask any more") {
  cluster g;
  g.cut(4, 2);
  g.cut(4, 3);
  g.lose_leader(); // its questions reach nobody
  g.pass_time(2ms);
  g.heal();
  g.pass_time(50ms);
  const auto leader = g.leader();
  REQUIRE(leader == 2);
  const auto term = g[2].vote().term;
  for (int i = 0; i < 40; ++i) {
    g.tell(4, leader_hint{{2}, term, g.now});
    g.pass_time(50ms);
    CHECK_FALSE(g[4].campaigning_now());
  }
}

TEST_CASE("S5: a listener that asks counts itself nowhere") {
  cluster g;
  g.part({1});
  g.part({3});
  g.lose_leader();
  g.pass_time(3s); // node 2 alone is no majority of three, and the listener none of it
  CHECK_FALSE(g[4].leads());
  CHECK_FALSE(g[2].leads());
}

TEST_CASE("S5: a listener that leads counts its own log nowhere") {
  cluster g;
  g.lose_leader();
  g.pass_time(3ms);
  REQUIRE(g.leader() == 4);
  g.propose(4, "before");
  g.exchange();
  const auto commit = g[4].commit();
  g.part({2});
  g.propose(4, "after");
  g.exchange();
  CHECK(g[3].log().last() == g[4].log().last());
  CHECK(g[4].commit() == commit);
}

TEST_CASE("S5: voters refuse a listener whose log is older, and go on without waiting for it") {
  cluster g;
  g.propose(1, "not pulled yet");
  g.exchange();
  g.lose_leader();
  g.pass_time(3ms);
  CHECK(g.leader() == 2);
  CHECK(g.applied(2) == "not pulled yet");
}

TEST_CASE("S5: while joint a listener needs a majority of both halves") {
  group g{made_of({1, 2, 3, 4, 5, 6, 7}, {1, 2, 3})};
  g.elect(1);
  g.tell(1, track_members{ids({4, 5, 6})});
  g.exchange();
  REQUIRE(g.change_voters(1, {4, 5, 6}).index);
  const auto joint = g[1].newest();
  g.hold([&](const mail& m) {
    const auto* a = m.as<append_reply>();
    return a && a->match >= joint.index && m.from.value >= 4;
  });
  g.exchange(); // all have the joint configuration; it can not be committed
  REQUIRE(g[4].newest().content->joint());
  g.drop();
  // The last in line was sent it as well, as a claimant is.
  g.receive(7, 1,
            append_entries{.term = g[1].vote().term,
                           .previous = {{1}, {1}},
                           .entries = g[1].log().slice({2}, joint.index, 10, 1 << 20),
                           .commit = {2}});
  REQUIRE(g[7].newest().index == joint.index);
  SUBCASE("the new half is cut off") {
    g.part({1, 4, 5, 6});
  }
  SUBCASE("the old half is cut off") {
    g.part({1, 2, 3});
  }
  g.tell(7, peer_lost{{1}});
  g.now += 1s;
  g.pass_time(2s);
  CHECK_FALSE(g[7].leads());
}

TEST_CASE("S5: the newest configuration in its log counts, committed or not") {
  auto roster = made_of({1, 2, 3, 4, 5, 6}, {1, 2, 3});
  roster.members[2].pinned = true;
  group g{roster};
  g.elect(1);
  // Node 5 holds an entry, not committed, by which others vote.
  auto next = roster;
  next.voters = ids({2, 4, 6});
  g.receive(5, 1,
            append_entries{.term = g[1].vote().term,
                           .previous = {{1}, {1}},
                           .entries = {entry_of(2, 2), entry_of(3, 2, next)},
                           .commit = {2}});
  REQUIRE(g[5].newest().index == log_index{3});
  g.part({1, 4, 6}); // nodes 2 and 3 are a majority of the older one only
  g.tell(5, peer_lost{{1}});
  g.pass_time(250ms);
  CHECK_FALSE(g[5].leads());
  g.heal();
  g.part({1, 2, 3}); // nodes 4 and 6 are one of the newest only
  g.pass_time(2s);
  CHECK(g[5].leads());
}

TEST_CASE("S5: a listener that led may stand again for what only it has") {
  group g{made_of({1, 2, 3, 4, 5}, {1, 2, 3})};
  g.elect(1);
  g.know(5, g[1].log().slice({1}, g[1].commit(), 10, 1 << 20), g[1].commit().value);
  g.catch_up(1, {5});
  REQUIRE(g.change_voters(1, {1, 2, 5}).index.has_value());
  const auto joint = g[1].newest().index;
  g.hold([&](const mail& m) {
    return m.as<append_entries>() && m.as<append_entries>()->previous.index >= joint;
  });
  g.exchange();
  REQUIRE(g[1].commit() == joint);
  g.know(4, g[1].log().slice({1}, joint, 10, 1 << 20), joint.value);
  g.tell(4, leader_hint{{1}, g[1].vote().term, g.now});

  // Node 4 leads, and node 5 is lost before what node 4 has begun with is committed.
  g.drop();
  g.hold<append_reply>(3, 4);
  g.part({1});
  g.now += 1ms;
  for (const std::uint64_t id : {4u, 2u, 3u, 5u})
    g.tell(id, peer_lost{{1}, true});
  g.exchange();
  g.pass_time(3ms);
  REQUIRE(g.leader() == 4);
  g.part({1, 5});
  g.pass_time(450ms);
  REQUIRE(g[4].newest().content->joint());

  // So it takes the change back, and nobody hears of that.
  const auto replies = std::exchange(g.held, {});
  g.hold([](const mail& m) { return m.to.value == 4 || m.from.value == 4; });
  for (const auto& reply : replies)
    g.pass(reply);
  REQUIRE_FALSE(g[4].newest().content->joint());
  REQUIRE(g[4].newest().index > g[4].commit());
  const auto taken_back = g[4].log().last();
  g.pass_time(2s);
  REQUIRE_FALSE(g[4].leads());
  REQUIRE(g[2].newest().content->joint());

  // It would not stand for the leader that it missed last: that one's seat is not for it.
  g.tell(4, leader_hint{{5}, g[4].vote().term, g.now});
  g.drop();
  g.pass_time(5s);
  CHECK(g.leader() == 4);
  CHECK(g[2].log().term_at(taken_back.index) == taken_back.term);
  CHECK_FALSE(g[2].newest().content->joint());
}

TEST_CASE("S5: a listener that led may stand again for the seat it took back") {
  cluster g;
  g.lose_leader();
  g.pass_time(3ms);
  REQUIRE(g.leader() == 4);
  g.tell(4, change_roster{.what = mark_member{{2}}}); // from now on it has no claim to the seat
  g.exchange();
  g.pass_time(100ms);
  REQUIRE(g.change_voters(4, {1, 3, 4}).index.has_value());
  g.hold([](const mail& m) { return m.to.value == 4; });
  g.exchange(); // the others have the change, which needs node 4 now that node 1 is gone
  g.hold([](const mail& m) { return m.to.value == 4 || m.from.value == 4; });
  g.pass_time(450ms);
  REQUIRE_FALSE(g[4].newest().content->joint()); // and node 4 took it back
  const auto taken_back = g[4].log().last();
  REQUIRE(g[2].newest().content->joint());
  g.pass_time(1s);
  REQUIRE_FALSE(g[4].leads());
  g.drop();
  g.pass_time(5s);
  CHECK(g.leader() == 4);
  CHECK(g[2].log().term_at(taken_back.index) == taken_back.term);
  CHECK_FALSE(g[2].newest().content->joint());
}

TEST_CASE("S5: a listener without its own enter entry does not ask") {
  cluster g;
  g.tell(4, entered_cluster{.cluster = {77}, .entered = {9}});
  g.lose_leader();
  g.pass_time(20ms);
  CHECK(g.leader() == 2);
  CHECK(g[4].vote().vote != member_id{4});
}

TEST_CASE("S5: a listener that holds half a snapshot does not ask") {
  cluster g;
  snapshot image;
  image.at = {{9}, {2}};
  image.members = g[1].newest();
  image.image = bytes{"a state"};
  image.digest = digest_of(image.image.view());
  g.tell(4, pulled_chunk{chunk_of(image, 0, 3), g[1].vote().term});
  g.lose_leader();
  g.pass_time(20ms);
  CHECK(g.leader() == 2);
}

TEST_CASE("S5: who is marked, pinned or further back in line does not ask") {
  auto roster = made_of({1, 2, 3, 4, 5, 6}, {1, 2, 3});
  SUBCASE("marked") {
    roster.members[3].status = standing::leaving;
  }
  SUBCASE("pinned") {
    roster.members[3].pinned = true;
  }
  SUBCASE("too far back") {
    roster.rules.max_voters = 3;
    roster.members.insert(roster.members.begin() + 3, {.id = {7}, .entered = {1}});
  }
  group g{roster};
  g.elect(1);
  g.part({1, 5, 6});
  g.tell(4, leader_hint{{1}, g[1].vote().term, g.now});
  g.tell(4, peer_lost{{1}});
  g.pass_time(2s);
  CHECK_FALSE(g[4].leads());
  CHECK(g[4].vote().vote != member_id{4});
}

TEST_CASE("E4: a listener refuses to be told to stand") {
  cluster g;
  g.receive(4, 1, append_entries{.term = g[1].vote().term, .previous = g[1].log().last()});
  const auto before = g[4].vote();
  g.receive(4, 1, timeout_now{g[1].vote().term});
  g.exchange();
  CHECK(g[4].vote() == before);
  CHECK(g.leader() == 1);
}

TEST_CASE("E2 S5: a listener's term and vote are durable before it asks anyone") {
  cluster g{{.volatile_log = false}};
  g.stall_disk(4);
  g.hold([](const mail& m) {
    const auto* asked = m.as<request_vote>();
    return asked && asked->round == round::vote && m.from == member_id{4};
  });
  g.lose_leader();
  g.pass_time(2ms);
  REQUIRE(g[4].vote().vote == member_id{4});
  CHECK(g.held.empty());
  g.finish_disk(4);
  g.exchange();
  CHECK_FALSE(g.held.empty());
}

TEST_CASE("S5: a listener that leads is seated like anyone else, and goes on leading") {
  cluster g;
  g.lose_leader();
  g.pass_time(3ms);
  REQUIRE(g.leader() == 4);
  g.exchange();
  const auto term = g[4].vote().term;
  REQUIRE(g.change_voters(4, {2, 3, 4}).index);
  g.exchange();
  g.pass_time(1s);
  CHECK(g.leader() == 4);
  CHECK(g[4].vote().term == term);
  CHECK(g[2].newest().content->voters == ids({2, 3, 4}));
}

TEST_CASE("S5: a listener that leads hands over when it is told to, and is a listener again") {
  cluster g;
  g.lose_leader();
  g.pass_time(3ms);
  REQUIRE(g.leader() == 4);
  g.heal();
  g.pass_time(100ms);
  g.tell(4, transfer_leadership{});
  g.exchange();
  g.pass_time(20ms);
  CHECK(g.leader() != 4);
  CHECK(g.leader() != 0);
  CHECK_FALSE(g[4].campaigning_now());
}

TEST_CASE("a transfer to nobody in particular goes to a voter that stays") {
  auto roster = made_of({1, 2, 3}, {1, 2, 3});
  roster.members[1].status = standing::leaving;
  group g{roster};
  g.elect(1);
  g.tell(1, transfer_leadership{});
  g.exchange();
  CHECK(g.leader() == 3);
}

} // namespace step_in_test
