// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/evicting.hpp>

#include <doctest/doctest.h>

#include "drill.hpp"

namespace evicting_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::drill;
using membership_test::ids;
using membership_test::named;

namespace {

/// Member `id` comes back under its id: it is durable.
void make_durable(drill& b, std::uint64_t id) {
  auto next = b.content();
  membership_test::at(next, id).durable = true;
  b.put(next);
}

/// The node gives no sign any more; that is all the others know.
void fall_silent(drill& b, std::uint64_t id) {
  b.silent.insert({id});
  b.show_all();
}

void come_back(drill& b, std::uint64_t id) {
  b.silent.erase({id});
  b.show_all();
}

} // namespace

TEST_CASE("S4: a memory node known to be gone is marked at once, and the next in line is seated") {
  drill b{4, 3};
  b.crash(2);
  b.run(10ms);
  CHECK(b.voters() == ids({1, 3, 4}));
  CHECK_FALSE(b.listed(2)); // without a vote it is dropped
  CHECK(b.line(1, decision::eviction) == "member 2 is gone: its process has ended");
  CHECK(b.lines(1, decision::drop) == 1);
}

TEST_CASE(
    "a crash of 3 in {1,2,3} with no listener keeps it listed, and the next to enter replaces "
    "it (M10)") {
  drill b{3};
  b.crash(3);
  b.run(1h);
  CHECK(b.voters() == ids({1, 2, 3}));
  CHECK(find(b.content(), {3})->status == standing::evicted);
  CHECK(b.plan_of(1).reason == plan_reason::keeps_floor);
  b.enter(4, 4);
  CHECK(b.voters() == ids({1, 2, 4}));
  CHECK_FALSE(b.listed(3));
}

TEST_CASE("five voters of which two crash with no listener become three") {
  drill b{5};
  REQUIRE(b.voters() == ids({1, 2, 3, 4, 5}));
  b.crash(4);
  b.crash(5);
  b.run(10ms);
  CHECK(b.voters() == ids({1, 2, 3}));
  CHECK(b.content().members.size() == 3);
}

TEST_CASE("M10: from five, one by one without a listener, the group ends at the floor") {
  drill b{5};
  b.crash(5);
  b.run(1min);
  b.crash(4);
  b.run(1min);
  CHECK(b.voters() == ids({1, 2, 3}));
  b.crash(3);
  b.run(1min);
  CHECK(b.voters() == ids({1, 2, 3})); // two that live, of three
}

TEST_CASE("M11: seats are counted on the roster, not on who is in sight") {
  drill b{3};
  fall_silent(b, 2);
  fall_silent(b, 3);
  b.run(1h);
  CHECK(b.voters() == ids({1, 2, 3}));
  CHECK(b.lines(1, decision::eviction) == 0);
}

TEST_CASE("a silent voter keeps its place until it was silent for evict_after") {
  drill b{4, 3};
  fall_silent(b, 2);
  b.run(9'900ms);
  CHECK(b.voters() == ids({1, 2, 3}));
  b.run(200ms);
  CHECK(b.voters() == ids({1, 3, 4}));
  CHECK(b.line(1, decision::eviction)
        == "member 2 was silent for 10000 ms, and member 4 is ready to take its seat");
  const auto& asked = b.node(1).roster_changes; // of the core, which looks again
  CHECK(std::ranges::count(asked, member_id{4}, &change_roster::heir) == 1);
}

TEST_CASE("a silent voter is replaced by who is caught up, however long that takes") {
  drill b{4, 3};
  b.lagging = {{4}};
  fall_silent(b, 2);
  b.run(15s);
  CHECK(b.voters() == ids({1, 2, 3}));
  CHECK(find(b.content(), {2})->status == standing::present);
  CHECK(b.log().tracked == ids({4})); // the leader has it brought up to date, unasked
  b.lagging.clear();
  b.show_all();
  b.run(10ms);
  CHECK(b.voters() == ids({1, 3, 4}));
  CHECK(b.log().tracked.empty());
}

TEST_CASE("when the successor of a silent voter never catches up, the one behind it counts") {
  drill b{5, 3};
  b.lagging = {{4}};
  fall_silent(b, 2);
  b.run(14s);
  CHECK(find(b.content(), {2})->status == standing::present);
  b.run(2s); // catch_up_limit after evict_after / 2
  CHECK(find(b.content(), {2})->status == standing::evicted);
  b.run(11s); // and once more, for the seat that is open now
  CHECK(b.voters() == ids({1, 3, 5}));
}

TEST_CASE("of two silent voters one is marked when one successor is ready") {
  drill b{10, 7};
  REQUIRE(b.voters().size() == 7);
  b.lagging = {{9}, {10}};
  fall_silent(b, 6);
  fall_silent(b, 7);
  b.run(12s);
  CHECK(b.voters() == ids({1, 2, 3, 4, 5, 7, 8}));
  CHECK(find(b.content(), {7})->status == standing::present);
  b.lagging.clear();
  b.show_all();
  b.run(10ms);
  CHECK(b.voters() == ids({1, 2, 3, 4, 5, 8, 9}));
}

TEST_CASE(
    "a voter whose machine has stopped is replaced, but not before others had time to stop too") {
  drill b{5, 3};
  b.unfit = {{2}};
  b.show_all();
  b.run(9'900ms);
  CHECK(b.voters() == ids({1, 2, 3}));
  b.run(200ms);
  CHECK(b.voters() == ids({1, 3, 4}));
  CHECK(b.line(1, decision::eviction)
        == "member 2 has a machine that stopped, and member 4 is ready to take its seat");
}

TEST_CASE("a leader whose machine has stopped, and who finds nobody to lead, gives its seat away") {
  drill b{3, 1};
  b.unfit = {{1}, {2}}; // the next in line is no better
  b.show_all();
  b.run(1min);
  CHECK(b.voters() == ids({3}));
  CHECK_FALSE(b.listed(1));
}

TEST_CASE("a seat that parity leaves empty keeps nobody from that of an unfit voter") {
  drill b{2};
  b.lagging = {{3}};
  b.enter(3, 3);
  REQUIRE(b.voters() == ids({1}));
  b.unfit = {{1}};
  b.show_all();
  b.run(1min);
  CHECK(b.voters() == ids({1, 2})); // the floor keeps the first one's vote, and it votes on
  CHECK(b.leader() == member_id{2});
}

TEST_CASE("a leader without a vote whose machine has stopped stands in nobody's way") {
  drill b{5, 3};
  b.transfers = false;
  b.unfit = {{2}, {3}, {4}};
  b.silent.insert({1});
  b.lead(4);
  b.show_all();
  b.run(2min);
  CHECK_FALSE(b.listed(1));
  CHECK(std::ranges::count(b.voters(), member_id{5}) == 1);
}

TEST_CASE("an unfit voter that is one too many needs no successor") {
  drill b{3};
  b.order_at(1, set_rules{{.max_voters = 2, .min_voters = 1}});
  b.run(1s);
  REQUIRE(b.voters() == ids({1, 2}));
  b.unfit = {{2}};
  b.show_all();
  b.run(11s);
  CHECK(b.voters() == ids({1}));
}

TEST_CASE("a newcomer takes the seat of an unfit voter only when it has stayed well") {
  drill b{3};
  b.unfit = {{1}, {2}, {3}};
  b.show_all();
  b.run(1min);
  for (std::uint64_t id = 4; id < 9; ++id) { // each is stopped by what stopped the others
    b.enter(id, id);
    b.unfit.insert({id});
    b.show_all();
    b.run(12s);
  }
  CHECK(b.voters() == ids({1, 2, 3}));
  CHECK(b.lines(1, decision::eviction) == 0);
  b.enter(9, 9);
  b.run(1min);
  CHECK(std::ranges::count(b.voters(), member_id{9}) == 1);
}

TEST_CASE("when all machines have stopped nobody is sent away") {
  drill b{5, 3};
  b.unfit = {{1}, {2}, {3}, {4}, {5}};
  b.show_all();
  b.run(1h);
  CHECK(b.voters() == ids({1, 2, 3}));
  CHECK(b.content().members.size() == 5);
}

TEST_CASE("D14: a voter that gives signs but stores nothing is replaced by one that does") {
  drill b{5, 3};
  b.unheard = {{2}}; // its core does not answer the leader's
  b.show_all();
  b.run(14s); // it gives its sign by letters, so it is not silent
  CHECK(b.voters() == ids({1, 2, 3}));
  b.run(1500ms);
  CHECK(b.voters() == ids({1, 3, 4}));
  CHECK(b.line(1, decision::eviction).find("member 2 gives signs, but has stored nothing") == 0);
}

TEST_CASE("D14: a voter that stores again in time keeps its seat") {
  drill b{5, 3};
  for (int i = 0; i < 5; ++i) {
    b.unheard = {{2}};
    b.show_all();
    b.run(9s);
    b.unheard.clear();
    b.show_all();
    b.run(1s);
  }
  CHECK(b.voters() == ids({1, 2, 3}));
  CHECK(b.lines(1, decision::eviction) == 0);
}

TEST_CASE("D14: where no disk works nobody is sent away") {
  drill b{5, 3};
  b.unheard = {{2}, {3}, {4}, {5}};
  b.show_all();
  b.run(1h);
  CHECK(b.voters() == ids({1, 2, 3}));
  CHECK(b.lines(1, decision::eviction) == 0);
}

TEST_CASE("a silent voter that is one too many needs no successor") {
  drill b{5};
  b.order_at(1, set_rules{{.max_voters = 4, .min_voters = 3}});
  b.run(1s);
  REQUIRE(b.voters() == ids({1, 2, 3, 4})); // of which parity would seat three
  fall_silent(b, 2);
  b.run(11s);
  CHECK(b.voters() == ids({1, 3, 4}));
  CHECK(b.line(1, decision::eviction)
        == "member 2 was silent for 10000 ms, and more vote than there are seats");
}

TEST_CASE("marked voters that the floor holds take no successor away from a silent one") {
  drill b{7, 7};
  b.order_at(1, set_rules{{.max_voters = 7, .min_voters = 7}});
  b.run(1s);
  b.crash(6);
  b.crash(7);
  b.run(1s);
  REQUIRE(b.voters() == ids({1, 2, 3, 4, 5, 6, 7}));
  b.enter(8, 8); // five sit on five seats: it is for nobody's but a sitting one's
  REQUIRE(b.voters() == ids({1, 2, 3, 4, 5, 6, 7}));
  fall_silent(b, 2);
  b.run(11s);
  CHECK(find(b.content(), {2})->status == standing::evicted);
  CHECK(b.voters() == ids({1, 2, 3, 4, 5, 6, 8}));
}

TEST_CASE("a successor is for the seat that is open before it is for one that is only silent") {
  drill b{7, 5};
  b.lagging = {{7}};
  b.crash(5);
  fall_silent(b, 4);
  b.run(12s);
  CHECK(b.voters() == ids({1, 2, 3, 4, 6}));
  CHECK(find(b.content(), {4})->status == standing::present);
}

TEST_CASE("a silent voter that comes back is no longer watched") {
  drill b{4, 3};
  fall_silent(b, 2);
  b.run(6s);
  CHECK(b.log().tracked == ids({4}));
  come_back(b, 2);
  b.run(2s);
  CHECK(b.log().tracked.empty());
  b.run(1h);
  CHECK(b.voters() == ids({1, 2, 3}));
}

TEST_CASE("M18: a voter that flaps, one second up and one down, is never evicted") {
  drill b{5, 3};
  const auto entries = b.log().entries.size();
  for (int i = 0; i < 1'800; ++i) {
    if (i % 2 == 0)
      fall_silent(b, 2);
    else
      come_back(b, 2);
    b.run(1s);
  }
  CHECK(b.log().entries.size() == entries);
  CHECK(b.leader() == member_id{1});
}

TEST_CASE("M17: a listener that is silent for evict_after is evicted and dropped") {
  drill b{5, 3};
  fall_silent(b, 5);
  b.run(8'900ms);
  CHECK(b.listed(5));
  b.run(1'200ms);
  CHECK_FALSE(b.listed(5));
  CHECK(b.listed(4));
  CHECK(b.voters() == ids({1, 2, 3}));
  CHECK(b.line(1, decision::eviction) == "member 5 was silent for 10000 ms, and does not vote");
}

TEST_CASE("a durable node known to be gone may come back: only silence counts") {
  drill b{5, 3};
  make_durable(b, 2);
  make_durable(b, 5);
  b.crash(2);
  b.crash(5);
  b.run(8s);
  CHECK(b.content().members.size() == 5);
  b.run(3s);
  CHECK(b.voters() == ids({1, 3, 4}));
  CHECK(b.content().members.size() == 3);
}

TEST_CASE("an older start of the same name counts as gone as soon as it is silent") {
  drill b;
  b.start(named(1, "a"));
  b.start(named(2, "b"));
  b.start(named(3, "c"));
  b.run(1s);
  REQUIRE(b.voters() == ids({1, 2, 3}));
  b.start(named(4, "c")); // both live: that is no reason
  b.run(1min);
  CHECK(b.voters() == ids({1, 2, 3}));
  fall_silent(b, 3);
  b.run(200ms);
  CHECK(b.voters() == ids({1, 2, 3}));
  b.run(200ms);
  CHECK(b.voters() == ids({1, 2, 4}));
  CHECK(b.line(1, decision::eviction).starts_with("member 3 is gone: c has entered anew"));
}

TEST_CASE("a listener's older start is not taken for silent between two signs") {
  drill b{3, 3};
  b.start(named(4, "d"));
  b.start(named(5, "d"));
  b.run(1min);
  CHECK(b.listed(4));
  fall_silent(b, 4);
  b.run(2s);
  CHECK_FALSE(b.listed(4));
  CHECK(b.listed(5));
}

TEST_CASE("nodes without a name are never taken for the same") {
  drill b{4, 3};
  fall_silent(b, 3);
  b.run(5s);
  CHECK(b.voters() == ids({1, 2, 3}));
}

TEST_CASE("a new leader gives everybody fresh grace") {
  drill b{5, 3};
  fall_silent(b, 3);
  fall_silent(b, 5);
  b.run(9s);
  b.lead(2);
  b.run(9s);
  CHECK(b.content().members.size() == 5);
  CHECK(b.voters() == ids({1, 2, 3}));
  b.run(1'100ms);
  CHECK(b.voters() == ids({1, 2, 4}));
  CHECK_FALSE(b.listed(5));
}

TEST_CASE("S5: whoever leads next knows who is gone, also if it did not lead when it happened") {
  drill b{4, 3};
  b.leaderless();
  b.crash(1);
  b.run(10ms);
  b.lead(2);
  b.run(10ms);
  CHECK(b.voters() == ids({2, 3, 4}));
}

TEST_CASE("S5: a listener that won the election is ready for the seat of the one that died") {
  drill b{4, 3};
  b.leaderless();
  b.crash(1);
  b.lead(4);
  b.run(10ms);
  CHECK(b.voters() == ids({2, 3, 4}));
  CHECK(b.leader() == member_id{4});
}

TEST_CASE("S5: it also takes the seat of a voter that is only silent") {
  drill b{4, 3};
  b.transfers = false; // it would hand back at once
  b.lead(4);
  fall_silent(b, 1);
  b.run(9s);
  CHECK(b.voters() == ids({1, 2, 3}));
  b.run(2s);
  CHECK(b.voters() == ids({2, 3, 4}));
}

TEST_CASE("M22: one mark at a time, and none before the newest configuration is committed") {
  drill b{7, 5};
  b.commits = false;
  b.crash(4);
  b.crash(5);
  b.run(1min);
  const auto& now = *b.log().newest().content;
  CHECK(std::ranges::count(now.members, standing::evicted, &member::status) == 1);
  CHECK(b.voters() == ids({1, 2, 3, 4, 5}));
  b.commits = true;
  b.commit();
  b.run(1s);
  CHECK(b.voters() == ids({1, 2, 3, 6, 7}));
  CHECK(b.content().members.size() == 5);
}

TEST_CASE("M1: a leader evicts nobody before an entry of its own term is committed") {
  drill b{4, 3};
  b.leaderless();
  b.crash(3);
  b.log().term_committed = false;
  b.lead(2);
  b.run(1min);
  CHECK(b.lines(2, decision::eviction) == 0);
  b.log().term_committed = true;
  b.show_all();
  b.run(10ms);
  CHECK(b.lines(2, decision::eviction) == 1);
}

TEST_CASE("a mark that the core refuses is tried again later, not in a loop") {
  drill b{4, 3};
  b.refuses_roster = true;
  const auto before = b.node(1).roster_changes.size();
  b.crash(2);
  b.run(1s);
  const auto tries = b.node(1).roster_changes.size() - before;
  CHECK(tries >= 9);
  CHECK(tries <= 11);
  b.refuses_roster = false;
  b.run(1s);
  CHECK(b.voters() == ids({1, 3, 4}));
}

TEST_CASE("B5: a newcomer that still catches up to its own entry is not silent") {
  drill b{3, 3};
  b.blind = {{4}}; // its log does not show it yet
  b.start(membership_test::bench::options(4, {1}));
  b.run(1min);
  CHECK(b.listed(4));
  CHECK(b.state(4) == membership::entering);
}

TEST_CASE("a newcomer whose process ends before it has its place does not stay") {
  drill b{3, 3};
  b.commits = false;
  b.start(membership_test::bench::options(4, {1}));
  b.run(10ms);
  b.crash(4);
  b.commits = true;
  b.commit();
  b.run(1s);
  CHECK_FALSE(b.listed(4));
}

TEST_CASE("M22: two die at once; of the listeners the two next by rank take the seats, and no more "
          "than the seats allow") {
  drill b{8, 5};
  b.crash(1 + 1);
  b.crash(3);
  b.run(10ms);
  CHECK(b.voters() == ids({1, 4, 5, 6, 7}));
  CHECK(b.plan_of(1).reason == plan_reason::settled);
}

} // namespace evicting_test
