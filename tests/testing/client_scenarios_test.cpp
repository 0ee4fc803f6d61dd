// SPDX-License-Identifier: BSL-1.0

// How a client stays with its cluster, told on whole nodes.

#include <doctest/doctest.h>

#include <testing/scripted_cluster.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace client_scenarios_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;
using test_support::scripted_cluster;

namespace {

simulation_options with_following_clients() {
  simulation_options options;
  options.client.follow_members = true;
  return options;
}

} // namespace

TEST_CASE("C6: a client outlives every node that it was told of") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    scripted_cluster x{3, with_following_clients(), seed};
    const auto client = x.run.add_client("client");
    REQUIRE(x.bump(client) == 1);
    std::vector<member_id> old{x.a, x.b, x.c};
    for (const std::string name : {"d", "e", "f"}) {
      x.run.enter(name);
      x.rest();
      x.run.leave(old.back());
      x.wait([&] { return !x.run.runs(old.back()); });
      old.pop_back();
      x.rest();
    }
    CHECK(x.bump(client) == 2);
  }
}

TEST_CASE("C6: a client's commands are applied once while all nodes are replaced under it") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    scripted_cluster x{3, with_following_clients(), seed};
    const auto client = x.run.add_client("client");
    std::vector<member_id> old{x.c, x.b, x.a};
    std::uint64_t asked = 0;
    const auto go_on = [&](interval time) {
      for (const auto until = x.run.now() + time; x.run.now() < until; x.run.run_for(50ms))
        REQUIRE(x.bump(client) == ++asked);
    };
    for (const std::string name : {"d", "e", "f"}) {
      const auto news = x.run.enter(name);
      go_on(2s);
      x.run.crash(old.back());
      old.pop_back();
      go_on(12s);
      x.rest();
      REQUIRE(x.run.runs(news));
    }
    CHECK(x.count(client) == asked);
  }
}

} // namespace client_scenarios_test
