// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/schedule.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

namespace schedule_test {

using namespace understudy;
using support::made_of;

TEST_CASE("voters stand in join order, the lost leader left out") {
  const auto in = made_of({1, 2, 3, 4, 5}, {5, 1, 4});
  CHECK(campaign_place(in, {1}, {}) == 0);
  CHECK(campaign_place(in, {4}, {}) == 1);
  CHECK(campaign_place(in, {5}, {}) == 2);
  CHECK(campaign_place(in, {4}, {1}) == 0);
  CHECK(campaign_place(in, {5}, {1}) == 1);
  CHECK(campaign_place(in, {1}, {5}) == 0);
}

TEST_CASE("who does not vote has no place") {
  CHECK_FALSE(campaign_place(made_of({1, 2, 3}, {1, 2}), {3}, {}).has_value());
  CHECK_FALSE(campaign_place(made_of({1, 2, 3}, {1, 2}), {9}, {}).has_value());
}

TEST_CASE("while joint the voters of both halves stand in one line") {
  auto in = made_of({1, 2, 3, 4}, {4, 2});
  in.outgoing = support::ids({1, 2});
  CHECK(campaign_place(in, {1}, {}) == 0);
  CHECK(campaign_place(in, {2}, {}) == 1);
  CHECK(campaign_place(in, {4}, {}) == 2);
}

TEST_CASE("a voter that the roster has lost comes last") {
  auto in = made_of({1, 2}, {1, 2});
  in.voters.push_back({7});
  CHECK(campaign_place(in, {7}, {}) == 2);
}

TEST_CASE("the listener that would have the lost leader's seat comes first (S5)") {
  const auto in_force = made_of({1, 2, 3, 4, 5}, {1, 2, 3});
  CHECK(understudy_of(in_force, in_force, {1}) == member_id{4});
  const auto six = made_of({1, 2, 3, 4, 5, 6}, {1, 2, 3});
  CHECK(understudy_of(six, six, {2}) == member_id{4});
  auto limited = six;
  limited.rules.max_voters = 3;
  CHECK(understudy_of(limited, limited, {2}) == member_id{4});
  limited.members[3].pinned = true;
  CHECK(understudy_of(limited, limited, {2}) == member_id{5});
  limited.members[4].status = standing::evicted;
  CHECK(understudy_of(limited, limited, {2}) == member_id{6});
  CHECK(campaign_place(in_force, {1}, {}, 1) == 1);
  CHECK(campaign_place(in_force, {3}, {1}, 1) == 2);
}

TEST_CASE("nobody comes before the voters while every seat is taken without the leader") {
  const auto pair = made_of({1, 2}, {1});
  CHECK(understudy_of(pair, pair, {1}) == member_id{2});
  const auto four = made_of({1, 2, 3, 4}, {1, 2, 3});
  CHECK(understudy_of(four, four, {1}) == member_id{4});
  CHECK(understudy_of(four, four, {4}) == member_id{});
}

} // namespace schedule_test
