// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/whatif.hpp>

#include <doctest/doctest.h>

#include "drill.hpp"

#include <memory>

namespace whatif_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::at;
using membership_test::drill;
using membership_test::group;
using membership_test::ids;

namespace {

plan_input all_ready(const configuration& now) {
  plan_input in{.self = {1}, .newest = std::make_shared<const configuration>(now)};
  for (const auto& m : now.members)
    in.outlooks.push_back({.id = m.id, .asked = true, .caught_up = true, .in_contact = true});
  return in;
}

/// Of three members and so on: what becomes of the voters if `who` leaves.
forecast if_leaves(const configuration& now, std::uint64_t who) {
  return plan_if(all_ready(now), {{{who}, fate::leaves}});
}

} // namespace

TEST_CASE("without a supposition it is the plan itself, to its end") {
  const auto then = plan_if(all_ready(group(5, {1})), {});
  REQUIRE(then.steps.size() == 2);
  CHECK(then.steps[0].reason == plan_reason::change);
  CHECK(then.steps[1].reason == plan_reason::settled);
  CHECK(then.voters == ids({1, 2, 3, 4, 5}));
  CHECK(then.majority);
  CHECK(then.complete);
}

TEST_CASE("who leaves is replaced by the next in line, the leader too") {
  for (std::uint64_t who : {1u, 2u}) {
    const auto then = if_leaves(group(4, {1, 2, 3}, 3), who);
    CHECK(then.voters == (who == 1 ? ids({2, 3, 4}) : ids({1, 3, 4})));
    CHECK(then.complete);
  }
  CHECK(if_leaves(group(2, {1}), 1).voters == ids({2}));
}

TEST_CASE("without a listener, three become two when one leaves, and stay three when one dies") {
  auto now = group(3, {1, 2, 3});
  CHECK(if_leaves(now, 3).voters == ids({1, 2}));
  const auto then = plan_if(all_ready(now), {{{3}, fate::dies}});
  CHECK(then.voters == ids({1, 2, 3}));
  CHECK(then.steps.back().reason == plan_reason::keeps_floor);
  CHECK(then.majority);
}

TEST_CASE("when the majority dies there is no plan, and no majority") {
  const auto then = plan_if(all_ready(group(4, {1, 2, 3})), {{{1}, fate::dies}, {{2}, fate::dies}});
  CHECK(then.voters == ids({1, 2, 3}));
  CHECK_FALSE(then.majority);
  CHECK(then.steps.back().reason != plan_reason::change);
}

TEST_CASE("of one voter that dies nobody can take the place") {
  const auto then = plan_if(all_ready(group(2, {1})), {{{1}, fate::dies}});
  CHECK_FALSE(then.majority);
  CHECK(then.voters == ids({1}));
}

TEST_CASE("a change that is under way is taken to succeed") {
  auto joint = group(4, {2, 3, 4}, 3);
  joint.outgoing = ids({1, 2, 3});
  CHECK(plan_if(all_ready(joint), {}).voters == ids({2, 3, 4}));
}

TEST_CASE("a mark that is there already is not lessened") {
  auto now = group(4, {1, 2, 3}, 3);
  at(now, 2).status = standing::evicted;
  const auto then = if_leaves(now, 2);
  CHECK(then.voters == ids({1, 3, 4}));
  auto three = group(3, {1, 2, 3});
  at(three, 3).status = standing::evicted;
  CHECK(if_leaves(three, 3).voters == ids({1, 2, 3})); // the floor holds it still
  CHECK(plan_if(all_ready(now), {{{9}, fate::dies}}).voters == ids({1, 3, 4})); // a stranger
}

TEST_CASE("safe to stop: whoever has a successor, or leaves enough behind") {
  CHECK(is_safe_to_stop(all_ready(group(4, {1, 2, 3}, 3)), {2}));
  CHECK(is_safe_to_stop(all_ready(group(4, {1, 2, 3}, 3)), {4}));
  CHECK(is_safe_to_stop(all_ready(group(2, {1})), {1}));
  CHECK(is_safe_to_stop(all_ready(group(3, {1, 2, 3})), {3}));
  CHECK_FALSE(is_safe_to_stop(all_ready(group(1, {1})), {1}));
}

TEST_CASE("not safe to stop: while the successor is not ready, or the rest is no majority") {
  auto in = all_ready(group(4, {1, 2, 3}, 3));
  in.outlooks[3].caught_up = false;
  CHECK_FALSE(is_safe_to_stop(in, {2}));
  in = all_ready(group(3, {1, 2, 3}));
  in.outlooks[2] = {.id = {3}};
  CHECK_FALSE(is_safe_to_stop(in, {2}));
  CHECK(is_safe_to_stop(in, {3})); // it is dead already, and two are left of two
}

TEST_CASE("the leader answers such questions, and takes listeners that it hears to be ready") {
  drill b{5, 3};
  const auto& m = *b.node(1).it;
  CHECK(m.safe_to_stop({2}).value());
  CHECK(m.safe_to_stop({1}).value());
  CHECK(m.what_if({{{2}, fate::dies}, {{3}, fate::leaves}}).value().voters == ids({1, 4, 5}));
  b.silent = {{4}, {5}};
  b.run(5s);
  CHECK_FALSE(m.safe_to_stop({2}).value());
  CHECK(m.what_if({{{2}, fate::dies}}).value().steps.back().reason
        == plan_reason::awaits_claimants);
  CHECK(m.safe_to_stop({9}).error().code == errc::removed);
  CHECK(b.node(2).it->safe_to_stop({3}).error() == failure{errc::not_leader, {}, {1}});
  CHECK(b.node(2).it->what_if({}).error().code == errc::not_leader);
}

TEST_CASE("asking changes nothing") {
  drill b{4, 3};
  const auto entries = b.log().entries.size();
  for (std::uint64_t id : {1u, 2u, 3u, 4u})
    CHECK(b.node(1).it->safe_to_stop({id}).value());
  b.run(1min);
  CHECK(b.log().entries.size() == entries);
  CHECK(b.voters() == ids({1, 2, 3}));
}

} // namespace whatif_test
