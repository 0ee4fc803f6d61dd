// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/claimants.hpp>

#include <doctest/doctest.h>

#include "group.hpp"

namespace claimants_test {

using namespace understudy;
using membership_test::at;
using membership_test::group;
using membership_test::ids;

TEST_CASE("those with a claim that do not vote may take an open seat, by rank") {
  CHECK(open_seats(group(5, {1})) == 4);
  CHECK(claimants(group(5, {1})) == ids({2, 3, 4, 5}));
  CHECK(claimants(group(5, {1, 4})) == ids({2, 3, 5}));
}

TEST_CASE("S9: a temporary listener may not, until the count is odd") {
  CHECK(claimants(group(2, {1})).empty());
  CHECK(claimants(group(4, {1})) == ids({2, 3}));
  CHECK(claimants(group(4, {1, 2, 3})).empty());
  CHECK(claimants(group(5, {1, 2, 3})) == ids({4, 5}));
}

TEST_CASE("nobody may where all seats are taken, whoever sits there") {
  CHECK(open_seats(group(5, {2, 3, 4}, 3)) == 0);
  CHECK(claimants(group(5, {2, 3, 4}, 3)).empty());
}

TEST_CASE("S3: the mark of a voter opens its seat to the next in line") {
  auto now = group(4, {1, 2, 3}, 3);
  CHECK(claimants(now).empty());
  at(now, 2).status = standing::evicted;
  CHECK(claimants(now) == ids({4}));
}

TEST_CASE("where a claimant is passed over the next in line may ask") {
  const auto now = group(6, {1, 2}, 3);
  const auto three = [](member_id id) { return id == member_id{3}; };
  CHECK(claimants(now) == ids({3}));
  CHECK(claimants(now, three) == ids({4}));
  const auto all_but_six = [](member_id id) { return id < member_id{6}; };
  CHECK(claimants(now, all_but_six) == ids({6}));
  // A voter is never passed over, and a temporary listener may step up.
  CHECK(claimants(group(4, {1, 2}), three) == ids({4}));
}

TEST_CASE("everyone without a vote can be told why") {
  auto now = group(6, {1, 2, 3});
  CHECK(why_not_voter(now, {1}).empty());
  CHECK(why_not_voter(now, {9}) == "is not in the roster");
  CHECK(why_not_voter(now, {4}) == "rank 4 of 6: takes a seat once it has caught up");
  CHECK(why_not_voter(now, {6}) == "rank 6 of 6: at most 5 may vote");
  at(now, 4).status = standing::leaving;
  CHECK(why_not_voter(now, {4}) == "is leaving");
  at(now, 4).status = standing::evicted;
  CHECK(why_not_voter(now, {4}) == "was evicted");
  at(now, 5).pinned = true;
  CHECK(why_not_voter(now, {5}) == "is pinned as a listener");
  CHECK(why_not_voter(now, {6})
        == "rank 4 of 4: the count is even; becomes a voter when the next one enters");
  CHECK(why_not_voter(group(9, {1, 2, 3}, 4), {4})
        == "rank 4 of 9: at most 4 may vote, and an even group is no safer");
  CHECK(why_not_voter(group(5, {2, 3, 4}, 3), {1}) == "rank 1 of 5: all 3 seats are taken");
}

} // namespace claimants_test
