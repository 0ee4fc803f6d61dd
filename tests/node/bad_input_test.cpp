// SPDX-License-Identifier: BSL-1.0

// What a node makes of options, commands and neighbours that are wrong: a typed error that names
// what is wrong, and everything else as it was.

#include <understudy/node.hpp>

#include <doctest/doctest.h>

#include <support/nodes.hpp>

#include <future>
#include <memory>
#include <string>

namespace bad_input_test {

using namespace understudy;
using namespace std::chrono_literals;
using fixture = test_support::node_fixture;
using test_support::code;
using test_support::inventory;
using test_support::is_over;
using test_support::patience;
using test_support::value;

TEST_CASE_FIXTURE(fixture, "times that contradict each other are refused, each by name") {
  node_options o{.name = "a", .found = true};
  const auto complaint = [&] {
    const auto refused = spawn_node<inventory>(system, o);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::invalid_option);
    return refused.error().detail;
  };
  SUBCASE("a heartbeat longer than the election timeout") {
    o.core.heartbeat = o.core.election_timeout_min + 1ms;
    CHECK(complaint().find("heartbeat") != std::string::npos);
  }
  SUBCASE("an election timeout that ends before it begins") {
    o.core.election_timeout_max = o.core.election_timeout_min - 1ms;
    CHECK(complaint().find("election_timeout_max") != std::string::npos);
  }
  SUBCASE("negative times") {
    o.core.suspect_after = -1ms;
    o.monitor.retry = -1ms;
    const auto text = complaint();
    CHECK(text.find("suspect_after") != std::string::npos);
    CHECK(text.find("retry") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(fixture, "a command over the cluster's limit is refused, at whatever node") {
  nodes.reserve(2);
  auto o = options("a");
  o.found = true;
  o.rules.command_bytes_max = 100;
  add(std::move(o));
  const auto& b = join("b");
  wait(b, [](const node_status& s) { return s.ready; });
  for (const auto& n : nodes) {
    const auto refused = n.submit(inventory::restock{std::string(101, 'x'), 1}).get();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::too_large);
    CHECK(refused.error().detail.find("100") != std::string::npos);
  }
  CHECK(value(b.submit(inventory::restock{"apple", 1})) == 1);
}

TEST_CASE_FIXTURE(fixture, "a node started with other settings is told, and uses the cluster's") {
  nodes.reserve(2);
  found();
  auto told = std::make_shared<std::promise<node_event>>();
  auto difference = told->get_future();
  auto o = options("b");
  o.seeds = {nodes[0]};
  o.rules.max_voters = 3;
  o.on_event = [told](const node_event& e) {
    if (e.what == node_event::kind::settings_differ)
      told->set_value(e);
  };
  const auto& b = add(std::move(o));
  REQUIRE(difference.wait_for(patience) == std::future_status::ready);
  const auto detail = difference.get().detail;
  CHECK(detail.find("max_voters") != std::string::npos);
  CHECK(detail.find('3') != std::string::npos);
  CHECK(detail.find('5') != std::string::npos);
  wait(b, [](const node_status& s) { return s.ready; });
  CHECK(value(b.submit(inventory::restock{"apple", 1})) == 1);
}

TEST_CASE_FIXTURE(fixture, "B3: a node whose seeds do not answer says so, and never leads") {
  nodes.reserve(2);
  found();
  REQUIRE(is_over(nodes[0].stop()));
  auto o = options("b");
  o.seeds = {nodes[0]};
  o.monitor.entering_patience = 10ms;
  o.forwarder.calls.deadline_default = 50ms;
  const auto& b = add(std::move(o));
  const auto s = wait(b, [](const auto& now) { return now.obstacle.code != errc::none; });
  CHECK(s.obstacle.code == errc::no_seed_answers);
  CHECK(s.why_not_voter.find(s.obstacle.detail) != std::string::npos);
  CHECK_FALSE(s.leader);
  CHECK_FALSE(s.ready);
  CHECK(code(b.submit(inventory::restock{"apple", 1})) != errc::none);
}

TEST_CASE_FIXTURE(fixture, "B13: a node told to found where a cluster answers does not") {
  nodes.reserve(3);
  found();
  join("b");
  wait(nodes[1], [](const node_status& s) { return s.ready; });
  auto o = options("c");
  o.found = true;
  o.seeds = {nodes[1]};
  const auto& c = add(std::move(o));
  const auto s = wait(c, [](const auto& now) { return now.obstacle.code != errc::none; });
  CHECK(s.obstacle.code == errc::cluster_exists);
  CHECK_FALSE(s.leader);
  CHECK(nodes[0].status().members.size() == 2);
  CHECK(value(nodes[0].submit(inventory::restock{"apple", 1})) == 1);
}

} // namespace bad_input_test
