// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/node_faults.hpp>
#include <understudy/client.hpp>
#include <understudy/node.hpp>

#include <doctest/doctest.h>

#include <support/inventory.hpp>

#include <cstddef>
#include <future>
#include <string>
#include <utility>
#include <vector>

namespace client_test {

using namespace understudy;
using namespace std::chrono_literals;
using test_support::inventory;

namespace {

constexpr interval patience = 30s;

struct fixture {
  config prepared;
  caf::actor_system system{prepared};
  std::vector<node<inventory>> nodes;

  /// Three voters that know of each other.
  fixture() {
    for (const auto* name : {"a", "b", "c"}) {
      node_options o{.name = name, .found = nodes.empty(), .log = {}};
      if (!nodes.empty())
        o.seeds = {nodes.front()};
      nodes.push_back(spawn_node<inventory>(system, std::move(o)).value());
    }
    for (const auto& n : nodes)
      REQUIRE(n.wait_until([](const node_status& s) { return s.ready && s.voters.size() == 3; },
                           patience));
  }

  cluster_client<inventory> client_of(std::vector<contact> whom) {
    auto started = spawn_client<inventory>(system, std::move(whom));
    REQUIRE(started);
    return *started;
  }
};

int value(std::future<expected<int>> result) {
  auto got = result.get();
  REQUIRE_MESSAGE(got, got.error());
  return *got;
}

} // namespace

TEST_CASE_FIXTURE(fixture, "a client asks whichever node it is given, as futures or as messages") {
  for (const auto& n : nodes) {
    const auto shop = client_of({n});
    const auto before = value(shop.query(inventory::in_stock{"apple"}));
    CHECK(value(shop.submit(inventory::restock{"apple", 2})) == before + 2);
    CHECK(shop.status().node == n.id());
    caf::scoped_actor self{system};
    int got = 0;
    ask(self, shop.actor(), caf::infinite, inventory::restock{"apple", 3})
        .receive([&](int now) { got = now; }, [](caf::error&) {});
    CHECK(got == before + 5);
  }
}

TEST_CASE_FIXTURE(fixture, "a client goes on at another node, and each command counts once") {
  const auto shop = client_of({nodes[0], nodes[1], nodes[2]});
  CHECK(value(shop.submit(inventory::restock{"apple", 1})) == 1);
  std::vector<std::future<expected<int>>> open;
  for (int i = 0; i < 200; ++i) {
    open.push_back(shop.submit(inventory::restock{"apple", 1}, patience));
    if (i == 100)
      testing::crash(nodes[0]);
  }
  for (auto& f : open)
    static_cast<void>(value(std::move(f)));
  CHECK(value(shop.query(inventory::in_stock{"apple"}, {}, patience)) == 201);
  CHECK(shop.status().node != nodes[0].id());
}

TEST_CASE_FIXTURE(fixture,
                  "a client learns of the nodes that take the place of those it was given") {
  const auto shop = client_of({nodes[0]});
  CHECK(value(shop.submit(inventory::restock{"apple", 1})) == 1);
  node_options o{.name = "d", .seeds = {nodes[1]}, .log = {}};
  nodes.push_back(spawn_node<inventory>(system, std::move(o)).value());
  REQUIRE(nodes[3].wait_until([](const node_status& s) { return s.ready; }, patience));
  for (const std::size_t i : {0u, 1u, 2u}) {
    const auto left = nodes[i].leave().get();
    REQUIRE_MESSAGE(left, left.error());
    CHECK(value(shop.submit(inventory::restock{"apple", 1}, patience)) == static_cast<int>(i) + 2);
  }
  CHECK(shop.status().node == nodes[3].id());
}

TEST_CASE_FIXTURE(fixture,
                  "a stopped client answers at once, and one without nodes by its deadline") {
  const auto shop = client_of({nodes[0]});
  REQUIRE(shop.stop().wait_for(patience) == std::future_status::ready);
  CHECK(shop.submit(inventory::restock{"apple", 1}).get().error().code == errc::stopped);
  CHECK(shop.status().stopped);

  testing::crash(nodes[2]);
  REQUIRE(nodes[2].body().over.wait_for(patience) == std::future_status::ready);
  const auto lonely = client_of({nodes[2]});
  CHECK_FALSE(lonely.submit(inventory::restock{"apple", 1}, 20ms).get());
}

} // namespace client_test
