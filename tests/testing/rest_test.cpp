// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/rest.hpp>
#include <understudy/testing/workload.hpp>

#include <doctest/doctest.h>

#include "testing/scripted_cluster.hpp"

#include <cstdint>
#include <initializer_list>

namespace rest_test {

using namespace understudy;
using namespace understudy::testing;
using test_support::scripted_cluster;

namespace {

configuration voting(std::uint64_t count, std::initializer_list<std::uint64_t> marked = {}) {
  configuration in;
  for (std::uint64_t i = 1; i <= count; ++i) {
    in.members.push_back({.id = {i}});
    in.voters.push_back({i});
  }
  for (const auto id : marked)
    in.members.at(id - 1).status = standing::leaving;
  return in;
}

bool stays(const configuration& in, std::initializer_list<std::uint64_t> alive) {
  return majority_stays(in, [&](member_id id) { return std::ranges::count(alive, id.value) > 0; });
}

} // namespace

TEST_CASE("of the voters that are not marked a majority must live") {
  CHECK(stays(voting(3), {1, 2}));
  CHECK_FALSE(stays(voting(3), {1}));
  CHECK_FALSE(stays(voting(4), {1, 2}));
  // The marked one lives, and is of no help once its vote is gone.
  CHECK_FALSE(stays(voting(3, {3}), {1, 3}));
  CHECK(stays(voting(3, {3}), {1, 2}));
  CHECK(stays(voting(1, {1}), {}));
}

TEST_CASE("a cluster can do without whoever leaves it a majority, and not without more") {
  scripted_cluster x{3};
  CHECK(can_do_without(x.run, x.a));
  CHECK(can_do_without(x.run, x.c));
  x.run.crash(x.c);
  CHECK_FALSE(can_do_without(x.run, x.a));
  CHECK_FALSE(can_do_without(x.run, x.b));
}

TEST_CASE("a single node is never done without") {
  scripted_cluster x{1};
  CHECK_FALSE(can_do_without(x.run, x.a));
}

TEST_CASE("a leader without a majority leads nobody") {
  scripted_cluster x{3};
  CHECK(is_led(x.run));
  x.run.partition({{x.a}, {x.b, x.c}});
  x.wait_for_leader_besides({x.a});
  CHECK(is_led(x.run));
  x.run.crash(x.run.leader());
  REQUIRE(x.run.leader() != x.b);
  REQUIRE(x.run.leader() != x.c);
  CHECK_FALSE(is_led(x.run));
}

TEST_CASE("unrest says what is not at rest, until it is") {
  scripted_cluster x{4};
  CHECK(unrest(x.run).empty());
  x.run.crash(x.a);
  CHECK(unrest(x.run) == "nobody leads");
  x.wait_for_leader_besides({x.a});
  CHECK_FALSE(unrest(x.run).empty()); // its seat is not taken yet
  x.rest();
  const auto& in = *x.run.look(x.run.leader()).newest.content;
  CHECK(in.voters == std::vector{x.b, x.c, x.d});
  CHECK(seats_amiss(x.run, in).empty());
}

TEST_CASE("seats are amiss while they are empty, or the dead sit on them") {
  scripted_cluster x{4};
  auto in = *x.run.look(x.a).newest.content;
  REQUIRE(seats_amiss(x.run, in).empty());
  auto empty = in;
  empty.voters = {x.a};
  CHECK(seats_amiss(x.run, empty) == "seats are empty, and there are members to take them");
  x.run.crash(x.c);
  CHECK(seats_amiss(x.run, in) == "c is dead, and still votes");
  in.voters = {x.a, x.b, x.d};
  CHECK(seats_amiss(x.run, in) == "c is dead, and still in the roster");
}

TEST_CASE("a seat is missing when a voter has died and a listener could take its place") {
  scripted_cluster x{4};
  const auto in = *x.run.look(x.a).newest.content;
  CHECK(seats_missing(x.run, in) == 0);
  x.run.crash(x.c);
  CHECK(seats_missing(x.run, in) == 1);
  auto after = in;
  after.voters = {x.a, x.b, x.d};
  CHECK(seats_missing(x.run, after) == 0);
  after.outgoing = in.voters;
  CHECK(seats_missing(x.run, after) > 0);
}

TEST_CASE("of three voters without a listener, two that live are as many as there can be") {
  scripted_cluster x{3};
  const auto in = *x.run.look(x.a).newest.content;
  x.run.crash(x.c);
  CHECK(seats_missing(x.run, in) == 0);
}

TEST_CASE("L2: a node that takes no snapshot though its log has grown is found") {
  simulation_options options;
  options.core.volatile_log = false;
  options.core.snapshot_after_bytes = 1'000;
  options.core.retain_entries = 0;
  scripted_cluster x{3, options};
  const auto due = [&](member_id id) { return compaction_due(x.run.part<raft_core>(id)); };
  x.run.stall(x.b, place_of::snapshots, std::chrono::hours{1});
  x.bump_often(x.a, 100);
  x.rest();
  CHECK(due(x.a).empty());
  CHECK(due(x.b).ends_with("bytes of log above its newest snapshot, and 1000 call for another"));
}

} // namespace rest_test
