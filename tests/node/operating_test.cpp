// SPDX-License-Identifier: BSL-1.0

// What an operator does with nodes, and what becomes of a cluster whose members come and go.

#include <understudy/actors/node_faults.hpp>
#include <understudy/node.hpp>

#include <doctest/doctest.h>

#include <support/nodes.hpp>

#include <algorithm>
#include <future>
#include <string>
#include <utility>

namespace operating_test {

using namespace understudy;
using namespace std::chrono_literals;
using test_support::code;
using test_support::inventory;
using test_support::inventory_node;
using test_support::is_over;
using test_support::patience;
using test_support::value;

namespace {

struct fixture : test_support::node_fixture {
  /// The nodes that are left, once all know of all, and `voters` of them vote.
  void settle(std::size_t voters) const {
    for (const auto& n : nodes)
      wait(n, [&](const node_status& s) {
        return s.ready && s.members.size() == nodes.size() && s.voters.size() == voters
               && !s.changing;
      });
  }

  /// Takes a node out of those that are looked at.
  inventory_node without(const inventory_node& which) {
    auto gone = which;
    std::erase_if(nodes, [&](const inventory_node& n) { return n.id() == gone.id(); });
    return gone;
  }

  static leave_outcome outcome(std::future<expected<leave_result>> result) {
    auto got = result.get();
    REQUIRE_MESSAGE(got, got.error());
    return got->how;
  }

  template <class Result> static errc refusal(std::future<expected<Result>> result) {
    const auto got = result.get();
    return got ? errc::none : got.error().code;
  }
};

} // namespace

TEST_CASE_FIXTURE(fixture, "S3 S4: a follower leaves, and the next in line has its seat") {
  grow_to(4, 3);
  CHECK(value(nodes[0].submit(inventory::restock{"apple", 3})) == 3);
  const auto leaver = without(follower());
  CHECK(outcome(leaver.leave()) == leave_outcome::left);
  settle(3);
  CHECK(is_over(leaver.body().over));
  CHECK(code(leaver.submit(inventory::restock{"apple", 1})) == errc::stopped);
  CHECK(value(nodes[0].submit(inventory::restock{"apple", 1})) == 4);
  CHECK(warnings->load() == 0);
}

TEST_CASE_FIXTURE(fixture, "the leader leaves: first its leadership goes, then its seat") {
  grow_to(4, 3);
  const auto leaver = without(leader());
  CHECK(outcome(leaver.leave()) == leave_outcome::left);
  settle(3);
  CHECK(nodes[0].status().leader != leaver.id());
  CHECK(value(nodes[0].submit(inventory::restock{"apple", 1})) == 1);
}

TEST_CASE_FIXTURE(fixture, "nodes leave one after the other, down to the last") {
  grow_to(3, 3);
  while (nodes.size() > 1) {
    CHECK(outcome(without(leader()).leave()) == leave_outcome::left);
    settle(nodes.size() == 2 ? 2 : 1);
    static_cast<void>(value(nodes[0].submit(inventory::restock{"apple", 1})));
  }
  CHECK(outcome(nodes[0].leave()) == leave_outcome::last_member);
  CHECK(is_over(nodes[0].body().over));
}

TEST_CASE_FIXTURE(fixture, "a node that is asked twice to leave leaves once") {
  grow_to(4, 3);
  const auto leaver = without(follower());
  auto first = leaver.leave();
  auto second = leaver.leave();
  CHECK(outcome(std::move(first)) == leave_outcome::left);
  CHECK(outcome(std::move(second)) == leave_outcome::left);
  REQUIRE(is_over(leaver.body().over));
  CHECK(refusal(leaver.leave()) == errc::stopped);
}

TEST_CASE_FIXTURE(fixture, "while a node leaves it is not ready, and its calls are answered") {
  grow_to(4, 3);
  const auto leaver = without(follower());
  std::vector<std::future<expected<int>>> calls;
  for (int i = 0; i < 100; ++i)
    calls.push_back(leaver.submit(inventory::restock{"apple", 1}));
  auto left = leaver.leave();
  const auto seen = leaver.wait_until(
      [](const node_status& s) { return s.leaving != leave_step::none; }, patience);
  CHECK((!seen || !seen->ready));
  int applied = 0;
  for (auto& c : calls)
    applied += code(std::move(c)) == errc::none ? 1 : 0;
  CHECK(outcome(std::move(left)) == leave_outcome::left);
  CHECK(value(nodes[0].query(inventory::in_stock{"apple"})) == applied);
}

TEST_CASE_FIXTURE(fixture, "S3 S4: a follower whose process ends is replaced at once") {
  grow_to(4, 3);
  const auto dead = without(follower());
  testing::crash(dead);
  settle(3);
  CHECK(value(nodes[0].submit(inventory::restock{"apple", 1})) == 1);
}

TEST_CASE_FIXTURE(fixture, "S5: the leader's process ends, and the listener has its seat") {
  grow_to(4, 3);
  for (const auto& n : nodes)
    wait(n, [&](const node_status& s) { return s.last == nodes[0].status().last; });
  const auto dead = without(leader());
  testing::crash(dead);
  settle(3);
  CHECK(value(nodes[0].submit(inventory::restock{"apple", 1})) == 1);
}

TEST_CASE_FIXTURE(fixture, "an operator at any node sends a member away, and it hears of it") {
  grow_to(4, 3);
  const auto away = without(follower());
  const auto done = nodes.back().evict(away.id()).get();
  REQUIRE_MESSAGE(done, done.error());
  settle(3);
  const auto seen = away.wait_until(
      [](const node_status& s) { return s.obstacle.code == errc::removed; }, patience);
  CHECK(seen);
  CHECK(warnings->load() > 0);
}

TEST_CASE_FIXTURE(fixture, "a pinned member gives up its seat, and may have one again") {
  grow_to(4, 3);
  const auto who = follower().id();
  REQUIRE(nodes[0].pin(who).get());
  const auto& own = *std::ranges::find(nodes, who, &inventory_node::id);
  wait(own, [](const node_status& s) { return s.role == role::listener && !s.changing; });
  CHECK(own.status().why_not_voter.find("pinned") != std::string::npos);
  REQUIRE(nodes[0].unpin(who).get());
  wait(own, [&](const node_status& s) { return !s.member(who)->pinned; });
}

TEST_CASE_FIXTURE(fixture, "leadership is handed to whom the operator names") {
  grow_to(3, 3);
  const auto heir = follower().id();
  REQUIRE(nodes.back().transfer_leadership(heir).get());
  for (const auto& n : nodes)
    wait(n, [&](const node_status& s) { return s.leader == heir; });
}

TEST_CASE_FIXTURE(fixture, "the cluster's settings are changed at any node") {
  grow_to(4, 3);
  settings rules;
  rules.max_voters = 1;
  rules.min_voters = 1;
  REQUIRE(nodes.back().change_settings(rules).get());
  settle(1);
  rules.max_voters = 0;
  CHECK(refusal(nodes.back().change_settings(rules)) == errc::invalid_option);
  settle(1);
}

TEST_CASE_FIXTURE(fixture, "orders that make no sense are refused, and nothing changes") {
  grow_to(3, 3);
  const auto& a = nodes[0];
  CHECK(refusal(a.evict({4711})) == errc::removed);
  CHECK(refusal(a.evict(a.id())) == errc::invalid_option);
  CHECK(refusal(a.pin({4711})) == errc::removed);
  CHECK(refusal(a.transfer_leadership({4711})) == errc::invalid_option);
  CHECK(a.member_named("b").value() == nodes[1].id());
  CHECK(a.member_named("nobody").error().code == errc::removed);
  settle(3);
}

TEST_CASE_FIXTURE(fixture,
                  "a plan can be looked at before anything happens, and its reasons after") {
  grow_to(4, 3);
  const auto& lead = leader();
  const auto victim = follower().id();
  const auto then = lead.plan_if({{victim, fate::dies}}).get();
  REQUIRE(then);
  CHECK(then->majority);
  CHECK(then->voters.size() == 3);
  CHECK(std::ranges::find(then->voters, victim) == then->voters.end());
  CHECK(lead.safe_to_stop(victim).get().value());
  CHECK(refusal(follower().plan_if()) == errc::not_leader);

  testing::crash(without(follower()));
  settle(3);
  const auto lines = leader().journal().get();
  REQUIRE(lines);
  CHECK(std::ranges::any_of(*lines, [](const journal_line& l) {
    return l.what == decision::eviction
           && l.text.find("its process has ended") != std::string::npos;
  }));
}

} // namespace operating_test
