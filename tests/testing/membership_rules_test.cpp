// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/membership_rules.hpp>

#include <doctest/doctest.h>

#include <set>
#include <utility>
#include <vector>

namespace membership_rules_test {

using namespace understudy;
using namespace understudy::testing;

namespace {

/// Members 1 to `count`; `voters` vote, with `outgoing` on their way out.
configuration made(std::uint64_t count, std::vector<std::uint64_t> voters,
                   std::vector<std::uint64_t> outgoing = {}) {
  configuration in{.cluster = cluster_id{1}};
  for (std::uint64_t i = 1; i <= count; ++i)
    in.members.push_back({.id = member_id{i}});
  for (const auto id : voters)
    in.voters.push_back(member_id{id});
  for (const auto id : outgoing)
    in.outgoing.push_back(member_id{id});
  return in;
}

} // namespace

TEST_CASE("a quorum is more than half of each half") {
  const auto among = [](const configuration& in, std::set<std::uint64_t> who) {
    return quorum_among(in, [&](member_id id) { return who.contains(id.value); });
  };
  CHECK(among(made(3, {1, 2, 3}), {1, 2}));
  CHECK_FALSE(among(made(4, {1, 2, 3, 4}), {1, 2}));
  CHECK(among(made(5, {3, 4, 5}, {1, 2, 3}), {3, 4, 1}));
  CHECK_FALSE(among(made(5, {3, 4, 5}, {1, 2, 3}), {3, 4, 5}));
  CHECK_FALSE(among(made(5, {3, 4, 5}, {1, 2, 3}), {1, 2, 3}));
}

TEST_CASE("a change of the voters goes by way of a joint configuration, and on or back from it") {
  const auto one = made(3, {1});
  const auto joint = made(3, {1, 2, 3}, {1});
  CHECK_FALSE(wrong_voter_change(one, joint));
  CHECK_FALSE(wrong_voter_change(joint, made(3, {1, 2, 3})));
  CHECK_FALSE(wrong_voter_change(joint, made(3, {1})));
  CHECK(wrong_voter_change(one, made(3, {1, 2, 3})));
  CHECK(wrong_voter_change(joint, made(3, {1, 2})));
  CHECK(wrong_voter_change(joint, made(3, {1, 2, 3}, {1, 2})));
}

TEST_CASE("growth lands on odd numbers, within max_voters, and unseats nobody") {
  CHECK(wrong_voter_change(made(2, {1}), made(2, {1, 2}, {1})));
  CHECK(wrong_voter_change(made(7, {1, 2, 3}), made(7, {1, 2, 3, 4, 5, 6, 7}, {1, 2, 3})));
  CHECK(wrong_voter_change(made(5, {1, 2, 3}), made(5, {3, 4, 5}, {1, 2, 3})));
  CHECK_FALSE(wrong_voter_change(made(5, {1, 2, 3}), made(5, {1, 2, 3, 4, 5}, {1, 2, 3})));
}

TEST_CASE("a marked voter may be swapped for a member with a rank, also to an even number") {
  auto from = made(4, {1, 2, 3});
  from.members[0].status = standing::leaving;
  auto swap = from;
  swap.outgoing = from.voters;
  swap.voters = {member_id{2}, member_id{3}, member_id{4}};
  CHECK_FALSE(wrong_voter_change(from, swap));
  swap.voters = {member_id{2}, member_id{3}};
  CHECK_FALSE(wrong_voter_change(from, swap));
  from.members[3].pinned = swap.members[3].pinned = true;
  swap.voters = {member_id{2}, member_id{3}, member_id{4}};
  CHECK(wrong_voter_change(from, swap));
}

TEST_CASE("a roster grows at its end, and nobody overtakes anybody") {
  const auto three = made(3, {1});
  const std::set<member_id> ever{member_id{1}, member_id{2}, member_id{3}};
  CHECK_FALSE(wrong_roster_change(three, made(4, {1}), ever));
  auto next = three;
  std::swap(next.members[1], next.members[2]);
  CHECK(wrong_roster_change(three, next, ever));
  next = three;
  next.members.erase(next.members.begin() + 1);
  CHECK_FALSE(wrong_roster_change(three, next, ever));
  CHECK(wrong_roster_change(next, three, ever));
}

TEST_CASE("U1: a version that is used is known to all who were not sent away, and stays") {
  auto in = made(3, {1, 2});
  CHECK_FALSE(wrong_by_itself(in));
  in.machine_version = 2;
  CHECK(wrong_by_itself(in));
  in.members[0].machine_version = in.members[1].machine_version = 2;
  CHECK(wrong_by_itself(in)); // a listener counts
  in.members[2].status = standing::leaving;
  CHECK(wrong_by_itself(in));
  in.members[2].status = standing::evicted;
  CHECK_FALSE(wrong_by_itself(in));

  auto older = in;
  older.machine_version = 1;
  CHECK(wrong_roster_change(in, older, {}));
  CHECK_FALSE(wrong_roster_change(older, in, {}));
}

TEST_CASE("marks stay, and a member stays the process that it was") {
  auto from = made(2, {1});
  from.members[1].status = standing::leaving;
  auto to = from;
  to.members[1].status = standing::evicted;
  CHECK_FALSE(wrong_roster_change(from, to, {}));
  CHECK(wrong_roster_change(to, from, {}));
  to = from;
  to.members[0].start = 9;
  CHECK(wrong_roster_change(from, to, {}));
}

} // namespace membership_rules_test
