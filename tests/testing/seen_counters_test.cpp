// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/seen_counters.hpp>

#include <doctest/doctest.h>

#include <initializer_list>

namespace seen_counters_test {

using namespace understudy;
using testing::seen_counters;

namespace {

constexpr member_id leader{1};

configuration voting(std::initializer_list<std::uint64_t> voters,
                     std::initializer_list<std::uint64_t> outgoing = {}) {
  configuration in;
  for (const auto id : voters)
    in.voters.push_back({id});
  for (const auto id : outgoing)
    in.outgoing.push_back({id});
  return in;
}

/// A change from `before` to `after` by way of the joint configuration, and how it ended.
seen_counters seen(std::initializer_list<std::uint64_t> before,
                   std::initializer_list<std::uint64_t> after, bool given_up = false) {
  seen_counters count;
  const auto joint = voting(after, before);
  count.count_change(voting(before), joint, leader);
  count.count_change(joint, given_up ? voting(before) : voting(after), leader);
  CHECK(count.joint == 1);
  CHECK(count.growth + count.swaps + count.shrinking + count.abandoned == 1);
  return count;
}

} // namespace

TEST_CASE("a change of the voters is counted as what it comes to") {
  CHECK(seen({1}, {1, 2, 3}).growth == 1);
  CHECK(seen({1, 2, 3}, {1, 2, 4}).swaps == 1);
  CHECK(seen({1, 2, 3, 4, 5}, {1, 2, 6}).swaps == 1);
  CHECK(seen({1, 2, 3}, {1, 2}).shrinking == 1);
  CHECK(seen({1}, {1, 2, 3}, true).abandoned == 1);
}

TEST_CASE("a step-in is counted by what became of the one whose place it was") {
  auto joint = voting({1, 2, 4}, {1, 2, 3});
  joint.members = {{.id = {1}}, {.id = {2}}, {.id = {3}}, {.id = {4}}};
  auto end = joint;
  end.outgoing.clear();
  auto& lost = end.members[2];
  seen_counters count;
  SUBCASE("it died") {
    lost.status = standing::evicted;
    count.count_change(joint, end, leader);
    CHECK(count.steps_for_dead == 1);
  }
  SUBCASE("it leaves") {
    lost.status = standing::leaving;
    count.count_change(joint, end, leader);
    CHECK(count.steps_for_leaving == 1);
  }
  SUBCASE("it is to be a listener") {
    lost.pinned = true;
    count.count_change(joint, end, leader);
    CHECK(count.steps_for_pinned == 1);
  }
  CHECK(count.steps_for_dead + count.steps_for_leaving + count.steps_for_pinned == 1);
  CHECK(count.leaders_seated == 0);
}

TEST_CASE("a leader that had no vote and gets one is counted") {
  seen_counters count;
  count.count_change(voting({1, 2, 4}, {1, 2, 3}), voting({1, 2, 4}), {4});
  CHECK(count.leaders_seated == 1);
}

TEST_CASE("a change of anything else is none of the voters") {
  seen_counters count;
  count.count_change(voting({1, 2}), voting({1, 2}), leader);
  count.count_change(voting({1, 2}, {1}), voting({1, 2}, {1}), leader); // a mark in the midst
  CHECK(count.joint + count.growth + count.swaps + count.shrinking + count.abandoned == 0);
}

TEST_CASE("what several runs have seen adds up") {
  auto all = seen({1}, {1, 2, 3});
  all += seen({1, 2, 3}, {1, 2, 4});
  all += seen_counters{.elections = 2, .listener_elections = 1, .lease_reads = 3};
  CHECK(all.joint == 2);
  CHECK(all.growth == 1);
  CHECK(all.swaps == 1);
  CHECK(all.elections == 2);
  CHECK(all.listener_elections == 1);
  CHECK(all.lease_reads == 3);
}

} // namespace seen_counters_test
