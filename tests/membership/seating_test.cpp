// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/seating.hpp>

#include <doctest/doctest.h>

#include "bench.hpp"

namespace seating_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::bench;
using membership_test::ids;

namespace {

/// Node 1 founds with T seats; 2 to `n` enter.
bench cluster_of(std::uint64_t n, std::uint32_t max_voters = 5,
                 std::initializer_list<std::uint64_t> lagging = {}) {
  bench b;
  for (auto id : ids(lagging))
    b.lagging.insert(id);
  b.start(bench::founder(1, max_voters));
  for (std::uint64_t id = 2; id <= n; ++id)
    b.start(bench::options(id, {1}));
  b.run(1s);
  REQUIRE(b.content().members.size() == n);
  return b;
}

} // namespace

TEST_CASE("S9: a temporary listener asks for nothing until the count is odd") {
  auto b = cluster_of(2);
  b.run(10s);
  CHECK(b.node(2).seat_requests == 0);
  CHECK(b.content().voters == ids({1}));
  b.start(bench::options(3, {1}));
  b.run(1s);
  CHECK(b.node(2).seat_requests > 0);
  CHECK(b.content().voters == ids({1, 2, 3}));
}

TEST_CASE("S10: a listener beyond the seats asks for nothing") {
  auto b = cluster_of(5, 3);
  b.run(1min);
  CHECK(b.node(4).seat_requests == 0);
  CHECK(b.node(5).seat_requests == 0);
  CHECK(b.content().voters == ids({1, 2, 3}));
}

TEST_CASE("a seat request is repeated until the seat is given") {
  auto b = cluster_of(3, 3, {3});
  CHECK(b.content().voters == ids({1}));
  const auto before = b.node(3).seat_requests;
  b.run(1s);
  CHECK(b.node(3).seat_requests - before == 10);
  CHECK(b.plan_of(1).reason == plan_reason::awaits_pair);
  CHECK(b.log().tracked == ids({2, 3}));
  b.lagging.clear();
  b.show_all();
  CHECK(b.content().voters == ids({1, 2, 3}));
  const auto after = b.node(3).seat_requests;
  b.run(1s);
  CHECK(b.node(3).seat_requests == after);
  CHECK(b.log().tracked.empty());
  CHECK(b.plan_of(1).reason == plan_reason::settled);
}

TEST_CASE(
    "M4: who has not asked is not brought up to date, and who is not up to date gets no seat") {
  bench b;
  b.start(bench::founder(1, 3));
  b.loses = [](const letter& l) { return std::holds_alternative<seat_request>(l.what); };
  b.start(bench::options(2, {1}));
  b.start(bench::options(3, {1}));
  b.run(1s);
  CHECK(b.log().tracked.empty());
  CHECK(b.content().voters == ids({1}));
  CHECK(b.plan_of(1).reason == plan_reason::awaits_claimants);
}

TEST_CASE("S3 S4: the mark of a follower makes the next listener ask, and one swap seats it") {
  auto b = cluster_of(4, 3);
  REQUIRE(b.content().voters == ids({1, 2, 3}));
  b.stop(2);
  b.change(mark_member{{2}, standing::evicted});
  b.run(10ms);
  CHECK(b.node(4).seat_requests == 1);
  CHECK(b.content().voters == ids({1, 3, 4}));
}

TEST_CASE("a new leader is asked at once") {
  auto b = cluster_of(3, 3, {2, 3});
  b.run(50ms); // in the middle of a pause
  const auto before = b.node(3).seat_requests;
  b.lead(2);
  CHECK(b.node(3).seat_requests == before + 1);
}

TEST_CASE("a claimant that never catches up is passed over, and the next in line takes the seat") {
  auto b = cluster_of(3, 3);
  REQUIRE(b.content().voters == ids({1, 2, 3}));
  b.lagging = {{4}};
  b.start(bench::options(4, {1}));
  b.start(bench::options(5, {1}));
  b.run(1s);
  b.stop(2);
  b.change(mark_member{{2}, standing::evicted});
  b.run(9'900ms);
  CHECK(b.node(5).seat_requests == 0);
  CHECK(b.content().voters == ids({1, 2, 3}));
  b.run(500ms);
  CHECK(b.content().voters == ids({1, 3, 5}));
  CHECK(b.log().tracked.empty()); // no seat is open: nobody is brought up to date for one
  const auto& lines = b.node(1).it->journal().lines();
  CHECK(std::ranges::count(lines, decision::passed_over, &journal_line::what) == 1);
  // Caught up too late, it waits for the next seat.
  b.lagging.clear();
  b.run(1s);
  CHECK(b.content().voters == ids({1, 3, 5}));
  b.stop(3);
  b.change(mark_member{{3}, standing::evicted});
  b.run(1s);
  CHECK(b.content().voters == ids({1, 4, 5}));
}

TEST_CASE("a claimant that waited for its pair has not used up its time") {
  auto b = cluster_of(3, 5, {3});
  b.run(9s); // 2 is ready all the while, 3 is not
  REQUIRE(b.plan_of(1).reason == plan_reason::awaits_pair);
  b.lagging = {{2}};
  b.show_all();
  b.run(5s);
  CHECK(b.plan_of(1).detail == "1 sit, 2 open; unpaired 3; awaited 2");
}

TEST_CASE("M22: one change of the voters at a time") {
  bench b;
  b.start(bench::founder(1, 5));
  for (std::uint64_t id = 2; id <= 4; ++id)
    b.start(bench::options(id, {1}));
  b.loses = [](const letter& l) { return std::holds_alternative<seat_request>(l.what); };
  b.run(1s);
  b.loses = {};
  b.commits = false;
  b.run(1s);
  REQUIRE(b.log().newest().content->joint());
  CHECK(b.node(1).asked_changes.size() == 1);
  CHECK(b.plan_of(1).reason == plan_reason::under_way);
  // Those whose seats are on their way ask no more.
  const auto requests = b.node(2).seat_requests;
  b.run(1s);
  CHECK(b.node(2).seat_requests == requests);
  b.commit();
  b.commits = true;
  b.run(1s);
  CHECK(b.content().voters == ids({1, 2, 3}));
  CHECK(b.node(1).asked_changes.size() == 1);
}

TEST_CASE("a change that the core refuses is tried again later, not in a loop") {
  bench b;
  b.start(bench::founder(1, 3));
  b.run(0ms);
  auto& giver = b.node(1);
  b.start(bench::options(2, {1}));
  b.start(bench::options(3, {1}));
  // The core has gone on to another configuration than the monitor has seen.
  b.refuses_changes = true;
  b.run(1s);
  CHECK(giver.asked_changes.size() >= 9);
  CHECK(giver.asked_changes.size() <= 11);
  b.refuses_changes = false;
  b.run(1s);
  CHECK(b.content().voters == ids({1, 2, 3}));
}

TEST_CASE("a link that broke counts at once, before the core says so") {
  auto b = cluster_of(3, 3, {3});
  b.lose_link(1, 2);
  CHECK(b.plan_of(1).reason == plan_reason::awaits_claimants);
  b.show_all();
  CHECK(b.plan_of(1).reason == plan_reason::awaits_pair);
}

TEST_CASE("seat requests mean nothing to a node that does not lead, and of strangers to none") {
  auto b = cluster_of(3, 3, {2, 3});
  const auto changes = b.node(1).asked_changes.size();
  b.tell(9, 1, seat_request{});
  b.tell(3, 2, seat_request{});
  CHECK(b.log().tracked == ids({2, 3}));
  CHECK(b.node(1).asked_changes.size() == changes);
  CHECK_FALSE(b.node(2).it->status().plan.has_value());
}

TEST_CASE("a new leader begins with nobody asking, and tells its core so") {
  auto b = cluster_of(3, 3);
  b.start(bench::options(4, {1}));
  b.run(1s);
  b.log().tracked = ids({4}); // left over
  b.lead(2);
  CHECK(b.log().tracked.empty());
  CHECK(b.plan_of(2).reason == plan_reason::settled);
  CHECK_FALSE(b.node(1).it->status().plan.has_value());
  for (int i = 0; i < 2; ++i) { // once more, and then in the next term at once
    b.log().tracked = ids({4});
    b.lead(1);
    CHECK(b.log().tracked.empty());
  }
}

TEST_CASE("a request that arrives together with the news of the own leadership is kept") {
  const auto o = std::make_shared<const monitor_options>(bench::founder(1));
  seat_giver giver{o};
  auto known = membership_test::group(4, {1, 2});
  known.rules.max_voters = 3;
  core_view view{.term = {3}, .leader = {1}, .leads = true};
  view.committed = view.newest = {{9}, std::make_shared<const configuration>(std::move(known))};
  giver.asked({3}, view); // before anything was done in this term
  signs_of_life signs;
  ticket_line tickets{7};
  journal notes;
  outbox out;
  giver.pump({{1}, view, signs, instant{1s}, tickets, notes, out}, {}, false);
  const auto told = std::ranges::find_if(out.notices, [](const sibling_message& n) {
    return std::holds_alternative<track_members>(n);
  });
  REQUIRE(told != out.notices.end());
  CHECK(std::get<track_members>(*told).claimants == ids({3}));
}

TEST_CASE("what was asked of a leader in one term is not asked in the next") {
  auto b = cluster_of(3, 3, {2, 3});
  REQUIRE(b.log().tracked == ids({2, 3}));
  b.loses = [](const letter& l) { return std::holds_alternative<seat_request>(l.what); };
  b.run(1ms);
  b.lead(1);
  CHECK(b.log().tracked.empty());
}

TEST_CASE("a change of the voters does not collide with a mark that is on its way") {
  auto b = cluster_of(5, 3);
  b.lagging = {{4}};
  b.stop(2);
  b.change(mark_member{{2}, standing::evicted});
  b.run(1s);
  const auto changes = b.node(1).asked_changes.size();
  b.lagging.clear();
  b.crash(5); // one thing to mark, and one seat to give, at the same moment
  b.run(10ms);
  CHECK(b.content().voters == ids({1, 3, 4}));
  CHECK(b.node(1).asked_changes.size() == changes + 1); // none was refused
}

TEST_CASE("a leaving voter's seat is not kept for a claimant beyond its bound") {
  bench b;
  auto o = bench::founder(1, 3);
  o.leave_limit = 3s; // less than a claimant is given to catch up
  b.start(o);
  b.run(0ms);
  for (std::uint64_t id = 2; id <= 4; ++id)
    b.start(bench::options(id, {1}));
  b.run(1s);
  b.lagging = {{4}};
  b.change(mark_member{{2}, standing::leaving});
  b.run(2'900ms);
  CHECK(b.content().voters == ids({1, 2, 3}));
  b.loses = [](const letter&) { return true; }; // nothing arrives that could wake the leader
  b.run(200ms);
  CHECK(b.content().voters == ids({1, 3}));
}

TEST_CASE("M22: while the core has not answered, the same change is not asked for again") {
  monitor m{bench::founder(1), random_source{1}};
  const auto now = std::make_shared<const configuration>(membership_test::group(3, {1}));
  core_view view{.term = {1}, .leader = {1}, .leads = true, .term_committed = true};
  view.committed = view.newest = {log_index{3}, now};
  for (std::uint64_t id : {2u, 3u})
    view.peers.push_back({.id = {id}, .caught_up = true, .in_contact = true});
  outbox out;
  for (int i = 0; i < 3; ++i) {
    auto again = view;
    m.on(again, bench{}.now(), out);
    seat_request please;
    m.on(member_id{2}, please, bench{}.now(), out);
    m.on(member_id{3}, please, bench{}.now(), out);
    m.settle(bench{}.now(), out);
  }
  const auto changes = std::ranges::count_if(out.notices, [](const sibling_message& n) {
    return std::holds_alternative<change_voters>(n);
  });
  CHECK(changes == 1);
}

} // namespace seating_test
