// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/leading.hpp>

#include <doctest/doctest.h>

#include "raft/support/group.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace leading_test {

using namespace support;

namespace {

/// Whether a message carries a configuration of which `is` holds.
template <class Predicate> bool carries(const mail& m, Predicate is) {
  const auto* a = m.as<append_entries>();
  return a && std::ranges::any_of(a->entries, [&](const entry& e) {
           const auto* c = e.as<configuration_ptr>();
           return c && is(**c);
         });
}

bool is_caught_up(group& g, std::uint64_t leader, std::uint64_t id) {
  const auto view = g.told<core_view>(leader).back();
  return std::ranges::any_of(
      view.peers, [&](const peer_progress& p) { return p.id.value == id && p.caught_up; });
}

errc code_of(const change_taken& taken) {
  return taken.index ? errc::none : taken.index.error().code;
}

} // namespace

// -- proposals ------------------------------------------------------------------------------------

TEST_CASE("a batch of proposals is told where it stands in the log") {
  group g{made_of({1}, {1})};
  g.elect(1);
  g.tell(1, propose{.batch = {7}, .what = {share(no_op{}), share(no_op{})}});
  const auto said = g.told<proposed>(1).back();
  CHECK(said.batch == generation{7});
  CHECK(said.first == log_index{3});
  CHECK(said.count == 2);
  CHECK(said.why.code == errc::none);
}

TEST_CASE("beyond its limit a leader takes no more proposals until some are committed (I15)") {
  core_options o;
  o.uncommitted_bytes_max = 3 * 65;
  group g{made_of({1, 2}, {1, 2}), o};
  g.elect(1);
  g.part({1});
  for (int i = 0; i < 5; ++i)
    g.propose(1, "x");
  CHECK(g.told<proposed>(1).at(2).count == 1);
  CHECK(g.told<proposed>(1).at(3).count == 0);
  CHECK(g.told<proposed>(1).at(3).why.code == errc::overloaded);
  g.heal();
  g.pass_time(100ms);
  g.propose(1, "y");
  CHECK(g.told<proposed>(1).back().count == 1);
}

TEST_CASE("who does not lead says so, and who does") {
  group g{made_of({1, 2}, {1, 2})};
  g.elect(1);
  g.propose(2, "x");
  CHECK(g.told<proposed>(2).back().why == failure{errc::not_leader, {}, {1}});
  CHECK(code_of(g.change_voters(2, {2})) == errc::not_leader);
  g.tell(2, read_request{{1}});
  CHECK(g.told<read_ready>(2).back().code == errc::not_leader);
}

TEST_CASE("log time goes on from where the log left it, and never back") {
  group g{made_of({1, 2}, {1, 2})};
  g.elect(1);
  g.pass_time(500ms);
  g.propose(1, "x");
  g.exchange();
  const auto before = g[1].log().last_stamp();
  CHECK(before.since_founding >= 500ms);
  g.elect(2);
  CHECK(g[2].log().last_stamp() == before);
  g.pass_time(200ms);
  g.propose(2, "y");
  CHECK(g[2].log().last_stamp() - before >= 200ms);
  CHECK(g[2].log().last_stamp() - before <= 300ms);
}

// -- reads ----------------------------------------------------------------------------------------

TEST_CASE("a new leader answers no read before an entry of its own is committed (C1)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.hold([](const mail& m) { return m.as<append_entries>() != nullptr; });
  g.elect(1);
  g.tell(1, read_request{{1}});
  g.pass_time(100ms);
  CHECK(g.told<read_ready>(1).empty());
  g.release();
  g.pass_time(100ms);
  REQUIRE(g.told<read_ready>(1).size() == 1);
  CHECK(g.told<read_ready>(1)[0].index == log_index{2});
}

TEST_CASE("a leader that was paused answers no read from before others went on (C2)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.tell(1, read_request{{1}});
  g.exchange();
  CHECK(g.told<read_ready>(1).size() == 1);
  g.part({1}); // and it does not notice that time passes
  g.elect(2);
  g.propose(2, "x");
  g.exchange();
  g.tell(1, read_request{{2}});
  g.exchange();
  CHECK(g.told<read_ready>(1).size() == 1);
  g.heal();
  g.pass_time(200ms);
  REQUIRE(g.told<read_ready>(1).size() == 2);
  CHECK(g.told<read_ready>(1)[1].code == errc::not_leader);
}

TEST_CASE("an echo that is late by a leadership vouches for nothing (C2)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.hold([](const mail& m) { return m.as<append_reply>() != nullptr; });
  g.tell(1, read_request{{1}});
  g.exchange();
  const auto late = g.held;
  REQUIRE(late.size() == 2);
  g.drop();
  g.part({1});
  g.elect(2);
  g.heal();
  g.pass_time(100ms);
  g.elect(1); // again, in a later term
  g.part({1});
  g.tell(1, read_request{{2}});
  for (const auto& m : late)
    g.pass(m);
  CHECK(g[1].leads());
  CHECK(std::ranges::none_of(g.told<read_ready>(1),
                             [](const read_ready& r) { return r.code == errc::none; }));
}

// -- transfer -------------------------------------------------------------------------------------

TEST_CASE("a transfer hands over without losing a write, and without waiting for a timeout (E16)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.propose(1, "a");
  g.exchange();
  g.tell(1, transfer_leadership{{3}});
  g.exchange();
  CHECK(g.leader() == 3);
  CHECK_FALSE(g[1].leads());
  g.propose(3, "b");
  g.exchange();
  CHECK(g.applied(1) == "ab");
}

TEST_CASE("proposals wait during a transfer, and are taken when it fails (E16)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.hold<timeout_now>(1, 3);
  g.forget_told();
  g.tell(1, transfer_leadership{{3}});
  g.tell(1, transfer_leadership{{2}}); // one at a time
  g.propose(1, "a");
  g.exchange();
  CHECK(g.told<proposed>(1).empty());
  SUBCASE("its time is up") {
    g.pass_time(60ms);
  }
  SUBCASE("the link to the target breaks") {
    g.tell(1, peer_lost{{3}});
  }
  REQUIRE(g.told<proposed>(1).size() == 1);
  CHECK(g.told<proposed>(1)[0].count == 1);
  g.exchange();
  CHECK(g.applied(2) == "a");
  CHECK(g[1].leads());
}

TEST_CASE("proposals that waited for a transfer that succeeded are certainly not applied") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.hold<timeout_now>(1, 3);
  g.tell(1, transfer_leadership{{3}});
  g.exchange();
  g.forget_told();
  g.propose(1, "a");
  g.release();
  REQUIRE(g.leader() == 3);
  REQUIRE(g.told<proposed>(1).size() == 1);
  CHECK(g.told<proposed>(1)[0].count == 0);
  CHECK(g.told<proposed>(1)[0].why.code == errc::not_leader);
}

TEST_CASE("a target that lags is asked when it has caught up") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.hold<append_entries>(1, 3);
  g.propose(1, "a");
  g.exchange();
  g.tell(1, transfer_leadership{{3}});
  g.exchange();
  CHECK(g[1].leads());
  g.release();
  CHECK(g.leader() == 3);
}

TEST_CASE("a leader whose machine fails hands over") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.tell(1, machine_failed{.index = {2}});
  g.exchange();
  g.pass_time(1ms);
  CHECK(g.leader() > 1);
}

TEST_CASE("D14: a leader whose disk stands still hands over, and what was proposed is committed") {
  core_options o;
  o.volatile_log = false;
  group g{made_of({1, 2, 3}, {1, 2, 3}), o};
  g.elect(1);
  g.pass_time(200ms);
  g.stall_disk(1);
  g.propose(1, "a");
  g.pass_time(200ms);
  CHECK(g[1].leads()); // slow is not hung
  g.pass_time(1s);
  REQUIRE(g.leader() > 1);
  CHECK(g.applied(g.leader()) == "a");
  const auto leader = g.leader();
  g.finish_disk(1);
  g.pass_time(1s);
  CHECK(g.leader() == leader);
  CHECK(g.applied(1) == "a");
}

TEST_CASE("D14: a leader whose disk is needed keeps its place, however long that hangs") {
  core_options o;
  o.volatile_log = false;
  group g{made_of({1, 2, 3}, {1, 2, 3}), o};
  g.elect(1);
  g.pass_time(200ms);
  g.stall_disk(1);
  g.stall_disk(3);
  g.propose(1, "a");
  g.pass_time(5s);
  CHECK(g[1].vote().term == g[2].vote().term);
  g.finish_disk(1);
  g.finish_disk(3);
  g.pass_time(2s);
  CHECK(g.applied(g.leader()) == "a");
}

TEST_CASE("D5: with all disks full a leader stays, reads go on, and what is written is refused") {
  core_options o;
  o.volatile_log = false;
  group g{made_of({1, 2, 3}, {1, 2, 3}), o};
  g.elect(1);
  g.pass_time(200ms);
  for (const auto id : {1, 2, 3})
    g.fill_disk(static_cast<std::uint64_t>(id));
  g.propose(1, "a");
  g.pass_time(5s);
  CHECK(g.leader() == 1);
  CHECK(g[1].vote().term == g[2].vote().term);
  g.tell(1, read_request{{7}});
  g.pass_time(100ms);
  CHECK(g.told<read_ready>(1).back().ask == generation{7});
  CHECK(g.told<read_ready>(1).back().code == errc::none);
  g.propose(1, "b");
  CHECK(g.told<proposed>(1).back().count == 0);
  CHECK(g.told<proposed>(1).back().why.code == errc::storage_full);
  CHECK(g.applied(1).empty());
  g.finish_disk(2);
  g.finish_disk(3);
  g.pass_time(200ms);
  CHECK(g.applied(1) == "a"); // two of three are enough
  g.pass_time(2s);            // and one of them leads by now (D14)
  REQUIRE(g.leader() > 1);
  g.propose(g.leader(), "c");
  g.pass_time(200ms);
  CHECK(g.applied(g.leader()) == "ac");
}

TEST_CASE("D5: a voter whose disk is full counts for reads, and for nothing that takes room") {
  core_options o;
  o.volatile_log = false;
  group g{made_of({1, 2, 3, 4}, {1, 2, 3}), o};
  g.elect(1);
  g.pass_time(200ms);
  g.fill_disk(2);
  g.part({3});
  g.propose(1, "a");
  g.pass_time(5s);
  CHECK(g.leader() == 1);
  const auto peers = g.told<core_view>(1).back().peers;
  const auto seen = std::ranges::find(peers, member_id{2}, &peer_progress::id);
  CHECK_FALSE(seen->in_contact); // so it can be replaced
  CHECK_FALSE(seen->caught_up);
  CHECK(code_of(g.change_voters(1, {1, 2, 4})) == errc::busy);
  g.tell(1, transfer_leadership{.to = {2}});
  g.propose(1, "b");
  CHECK(g.told<proposed>(1).back().why.code != errc::not_leader);
  g.pass_time(1s);
  CHECK(g.leader() == 1);
}

TEST_CASE("leadership goes to whose machine runs, and stays where it is if there is nobody") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.tell(2, machine_failed{.index = {2}});
  g.pass_time(200ms); // a heartbeat asks node 2, and learns of it
  g.tell(1, machine_failed{.index = {2}});
  g.pass_time(200ms);
  REQUIRE(g.leader() == 3);
  const auto term = g[3].vote().term;
  g.tell(3, machine_failed{.index = {2}});
  g.pass_time(3s);
  CHECK(g.leader() == 3); // nobody is the better for it if they take turns
  CHECK(g[3].vote().term == term);
}

TEST_CASE("a claimant whose machine has stopped counts as one that has not caught up") {
  group g{made_of({1, 2, 3}, {1})};
  g.elect(1);
  g.tell(1, track_members{{{2}, {3}}});
  g.tell(3, machine_failed{.index = {2}});
  g.pass_time(200ms);
  const auto peers = g.told<core_view>(1).back().peers;
  const auto caught_up = [&](std::uint64_t id) {
    return std::ranges::find(peers, member_id{id}, &peer_progress::id)->caught_up;
  };
  CHECK(caught_up(2));
  CHECK_FALSE(caught_up(3));
}

TEST_CASE("a leader whose machine has failed takes no proposals") {
  group g{made_of({1}, {1})};
  g.elect(1);
  g.tell(1, machine_failed{.index = {2}});
  g.propose(1, "x");
  CHECK(g.told<proposed>(1).back().count == 0);
  CHECK(g.told<proposed>(1).back().why.code == errc::machine_stopped);
  CHECK(g[1].leads()); // there is nobody else
}

// -- configurations -------------------------------------------------------------------------------

TEST_CASE("voters change by way of both, and only then") {
  group g{made_of({1, 2, 3, 4}, {1, 2, 3})};
  g.elect(1);
  g.catch_up(1, {4});
  g.hold([](const mail& m) { return m.to.value > 1; });
  CHECK(code_of(g.change_voters(1, {1, 2, 4})) == errc::none);
  g.exchange();
  CHECK(g[1].newest().content->joint());
  CHECK(g[1].newest().index > g[1].commit());
  g.release();
  CHECK_FALSE(g[1].newest().content->joint());
  CHECK(g[1].newest().content->voters == ids({1, 2, 4}));
  CHECK(g[1].newest().index == g[1].commit());
}

TEST_CASE("a leader that was stopped does not take old answers for contact") {
  group g{made_of({1, 2}, {1})};
  g.elect(1);
  g.tell(1, track_members{ids({2})});
  g.pass_time(200ms);
  g.hold<append_reply>(2, 1);
  g.pass_time(60ms);
  REQUIRE_FALSE(g.held.empty());
  const auto on_their_way = std::exchange(g.held, {});
  g.part({2}); // it dies,
  g.now += 1s; // and the leader is stopped for a while
  for (const auto& m : on_their_way)
    g.receive(1, 2, *m.as<append_reply>());
  CHECK(code_of(g.change_voters(1, {2})) == errc::busy);
  g.release();
  g.heal();
  g.pass_time(200ms);
  CHECK(code_of(g.change_voters(1, {2})) == errc::none);
}

TEST_CASE("no voters are changed before an entry of the own term is committed (M1)") {
  group g{made_of({1, 2, 3, 4}, {1, 2, 3, 4})};
  g.hold([](const mail& m) { return m.as<append_entries>() != nullptr; });
  g.elect(1);
  CHECK(code_of(g.change_voters(1, {1, 2, 3})) == errc::busy);
  g.release();
  g.exchange();
  CHECK(code_of(g.change_voters(1, {1, 2, 3})) == errc::none);
}

TEST_CASE("one change of the voters at a time, and on the configuration it was planned for (M1)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.part({1});
  const auto planned_for = g[1].newest().index;
  CHECK(code_of(g.change_voters(1, {1, 2})) == errc::none);
  CHECK(code_of(g.change_voters(1, {1, 3})) == errc::busy);
  g.heal();
  g.pass_time(100ms);
  g.tell(1, change_voters{.base = planned_for, .voters = ids({1, 3})});
  CHECK(code_of(g.told<change_taken>(1).back()) == errc::busy);
  CHECK(code_of(g.change_voters(1, {})) == errc::invalid_option);
  CHECK(code_of(g.change_voters(1, {1, 9})) == errc::invalid_option);
}

TEST_CASE("changes of the roster are pipelined, and a retry changes nothing (B12)") {
  group g{made_of({1, 2}, {1, 2})};
  g.elect(1);
  g.part({1});
  g.tell(1, change_roster{enter_member{{.id = {8}}}});
  g.tell(1, change_roster{enter_member{{.id = {9}}}});
  const auto at = g[1].newest().index;
  g.tell(1, change_roster{enter_member{{.id = {9}}}});
  CHECK(*g.told<change_taken>(1).back().index == at);
  CHECK(g[1].newest().index == at);
  CHECK(g[1].newest().content->members.size() == 4);
  CHECK(g[1].newest().content->voters == ids({1, 2}));
}

TEST_CASE("a claimant is sent everything, counts nowhere, and is caught up when it is (M4, M16)") {
  group g{made_of({1, 2, 3}, {1, 2})};
  g.elect(1);
  g.part({2});
  g.tell(1, track_members{ids({3})});
  g.propose(1, "x");
  g.pass_time(60ms);
  CHECK(g[3].log().last() == g[1].log().last());
  CHECK(is_caught_up(g, 1, 3));
  CHECK(g[1].commit() == log_index{2}); // 1 and 3 are no majority of 1 and 2
  g.heal();
  g.part({3});
  g.pass_time(400ms);
  CHECK(g[1].commit() == log_index{3});
  CHECK_FALSE(is_caught_up(g, 1, 3));
}

TEST_CASE("a change that needs an heir is taken while that one could take a seat (M10)") {
  group g{made_of({1, 2, 3, 4}, {1, 2, 3})};
  g.elect(1);
  g.tell(1, track_members{ids({4})});
  g.part({4});
  const change_roster wanted{.what = mark_member{{3}, standing::evicted}, .heir = {4}};
  g.pass_time(60ms);
  REQUIRE_FALSE(is_caught_up(g, 1, 4));
  g.tell(1, wanted);
  CHECK(code_of(g.told<change_taken>(1).back()) == errc::busy);
  CHECK(find(*g[1].newest().content, {3})->status == standing::present);
  g.heal();
  g.pass_time(100ms);
  REQUIRE(is_caught_up(g, 1, 4));
  g.tell(1, wanted);
  CHECK(g.told<change_taken>(1).back().index);
  CHECK(find(*g[1].newest().content, {3})->status == standing::evicted);
}

TEST_CASE("who is to vote has to be ready when the change is made, not when it was planned (M4)") {
  group g{made_of({1, 2, 3, 4}, {1, 2, 3})};
  g.elect(1);
  CHECK(code_of(g.change_voters(1, {1, 2, 4})) == errc::busy); // nobody has looked at it
  g.catch_up(1, {4});
  REQUIRE(is_caught_up(g, 1, 4));
  g.part({4});
  g.pass_time(400ms);
  REQUIRE_FALSE(is_caught_up(g, 1, 4));
  const auto refused = g.change_voters(1, {1, 2, 4});
  REQUIRE(code_of(refused) == errc::busy);
  CHECK(refused.index.error().detail == "member 4 is not ready to vote");
  CHECK_FALSE(g[1].newest().content->joint());
  CHECK(code_of(g.change_voters(1, {1})) == errc::none); // those that stay are not asked
  g.heal();
  g.pass_time(100ms);
  REQUIRE(g[1].newest().content->voters == ids({1}));
  g.catch_up(1, {2, 4});
  CHECK(code_of(g.change_voters(1, {1, 2, 4})) == errc::none);
}

TEST_CASE("a claimant far behind is not caught up (M4)") {
  core_options o;
  o.catch_up_gap = 5;
  o.window_entries = 1;
  o.append_entries_max = 1;
  group g{made_of({1, 2}, {1}), o};
  g.elect(1);
  for (int i = 0; i < 20; ++i)
    g.propose(1, "x");
  int answers = 0;
  g.hold([&](const mail& m) { return m.from.value == 2 && ++answers > 8; });
  g.tell(1, track_members{ids({2})});
  g.pass_time(100ms);
  CHECK_FALSE(is_caught_up(g, 1, 2));
  g.release();
  g.pass_time(60ms);
  CHECK(is_caught_up(g, 1, 2));
}

TEST_CASE("an uncommitted configuration is rolled back with its entry (M9)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.part({1});
  g.change_voters(1, {1});
  g.exchange();
  REQUIRE(g[1].newest().content->joint());
  g.elect(2);
  g.propose(2, "x");
  g.heal();
  g.pass_time(200ms);
  CHECK(g[1].newest().index == log_index{1});
  CHECK_FALSE(g[1].newest().content->joint());
  CHECK(g.agree({1, 2, 3}));
}

TEST_CASE("a leader that takes its own vote away finishes the change, and hands over (M6)") {
  group g{made_of({1, 2, 3, 4}, {1, 2, 3})};
  g.elect(1);
  g.catch_up(1, {4});
  g.change_voters(1, {2, 3, 4});
  g.exchange();
  CHECK_FALSE(g[1].leads());
  CHECK(g.leader() > 1);
  g.pass_time(60ms);
  CHECK(g.agree({2, 3, 4}));
  CHECK(g[2].newest().content->voters == ids({2, 3, 4}));
}

TEST_CASE("of two the one that stays leads, though it never hears that the other left (M7)") {
  group g{made_of({1, 2}, {1, 2})};
  g.elect(1);
  g.hold([](const mail& m) {
    const auto* a = m.as<append_entries>();
    return m.as<timeout_now>() || (a && a->entries.empty());
  });
  g.change_voters(1, {2});
  g.exchange();
  CHECK_FALSE(g[1].leads());
  g.drop();
  g.part({1});
  g.pass_time(1s);
  CHECK(g.leader() == 2);
  CHECK(g[2].commit() == g[2].log().last().index);
}

TEST_CASE("a change whose newcomer dies is taken back by the leader that began it") {
  group g{made_of({1, 2}, {1})};
  g.elect(1);
  g.tell(1, track_members{ids({2})});
  g.pass_time(60ms);
  g.part({2});
  g.change_voters(1, {1, 2});
  CHECK(g[1].newest().content->joint());
  g.pass_time(400ms);
  CHECK_FALSE(g[1].newest().content->joint());
  CHECK(g[1].newest().content->voters == ids({1}));
  CHECK(g[1].commit() == g[1].log().last().index);
  CHECK(g[1].leads());
}

TEST_CASE("M3: a change is not begun while too few of either half answer, grace or not") {
  group g{made_of({1, 2, 3, 4}, {1, 2, 3})};
  g.elect(1);
  g.tell(1, track_members{ids({4})});
  g.exchange();
  SUBCASE("of the new") {
    g.part({3, 4});
    g.pass_time(200ms);
    CHECK(g.change_voters(1, {1, 3, 4}).index.error().code == errc::busy);
    CHECK(g.change_voters(1, {1, 2, 4}).index);
  }
  SUBCASE("of the old") {
    g.part({1, 4});
    g.pass_time(200ms);
    REQUIRE(g[1].leads());
    CHECK(g.change_voters(1, {1, 4}).index.error().code == errc::busy);
  }
  SUBCASE("of those that have not answered this leader at all") {
    g.add(5);
    g.tell(1, change_roster{.what = enter_member{{.id = {5}}}});
    g.exchange();
    CHECK(g.change_voters(1, {5}).index.error().code == errc::busy);
  }
}

TEST_CASE("leadership is not handed over in the middle of a change") {
  group g{made_of({1, 2, 3, 4}, {1, 2, 3})};
  g.elect(1);
  g.tell(1, track_members{ids({4})});
  g.exchange();
  g.hold([](const mail& m) { return m.as<append_entries>() && m.to.value > 2; });
  REQUIRE(g.change_voters(1, {2, 3, 4}).index);
  g.tell(1, transfer_leadership{{2}});
  g.exchange();
  g.pass_time(40ms);
  CHECK(g.leader() == 1);
  CHECK_FALSE(g[2].campaigning_now());
  g.release();
  g.pass_time(100ms);
  CHECK(g.leader() != 0);
  CHECK(g[2].newest().content->voters == ids({2, 3, 4}));
}

TEST_CASE("a leader takes back another's change only once it is committed in its own term") {
  group g{made_of({1, 2, 3, 4, 5}, {1, 2, 3})};
  g.elect(1);
  g.tell(1, track_members{ids({4, 5})});
  g.exchange();
  g.cut(2, 1);
  g.cut(3, 1);
  REQUIRE(g.change_voters(1, {3, 4, 5}).index);
  g.exchange();
  for (std::uint64_t id : {2u, 3u, 4u, 5u})
    REQUIRE(g[id].newest().content->joint());
  g.part({1});
  g.hold([](const mail& m) { return m.as<append_reply>() != nullptr; });
  g.elect(2); // by 2 and 3 of the old voters, by 3, 4 and 5 of the new
  // Two of the new voters have stored the new leader's entry, and are gone; the old have not.
  for (const auto& m : g.held)
    if (m.from.value > 3) {
      g.pass(m);
      g.tell(2, peer_lost{m.from});
    }
  CHECK(g[2].newest().content->joint());
  for (const auto& m : g.held)
    if (m.from.value == 3)
      g.pass(m);
  CHECK(g[2].newest().content->voters == ids({1, 2, 3}));
  g.drop();
  g.part({1, 4, 5});
  g.pass_time(100ms);
  CHECK(g[2].leads());
  CHECK(g[2].commit() == g[2].log().last().index);
}

TEST_CASE("going back is out of the question for who has the new voters already") {
  group g{made_of({1, 2, 3, 4}, {1, 2, 3})};
  g.elect(1);
  g.catch_up(1, {4});
  // Node 4 is told of the end of the change, and nobody else is.
  g.hold([](const mail& m) {
    return m.to.value != 4 && carries(m, [](const configuration& c) {
             return !c.joint() && c.voters == ids({1, 2, 4});
           });
  });
  g.change_voters(1, {1, 2, 4});
  g.exchange();
  REQUIRE_FALSE(g[4].newest().content->joint());
  REQUIRE(g[2].newest().content->joint());
  g.drop();
  g.part({1});
  g.pass_time(2s);
  REQUIRE(g.leader() != 0);
  g.heal();
  g.pass_time(1s);
  CHECK(g.agree({1, 2, 4}));
  CHECK_FALSE(g[2].newest().content->joint());
}

} // namespace leading_test
