// SPDX-License-Identifier: BSL-1.0

// A cluster that has lost its majority for good, and goes on as another one.

#include <understudy/actors/node_faults.hpp>
#include <understudy/node.hpp>
#include <understudy/recovery/survivors.hpp>

#include <doctest/doctest.h>

#include <support/nodes.hpp>
#include <support/scratch.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace recover_test {

using namespace understudy;
using namespace std::chrono_literals;
using test_support::inventory;
using test_support::inventory_node;
using test_support::is_over;
using test_support::scratch;
using test_support::value;

namespace {

struct fixture : test_support::node_fixture {
  scratch disk;

  node_options durable(const std::string& name) const {
    auto o = options(name);
    o.directory = disk.path(name);
    std::filesystem::create_directories(o.directory);
    return o;
  }

  /// Its process ends, and nobody is told.
  static void lose(inventory_node& n) {
    testing::crash(n);
    REQUIRE(is_over(n.stop()));
  }

  /// The first `count` nodes at one blow: those who go last do not replace those who went first.
  void lose_first(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      testing::freeze(nodes[i]);
    for (std::size_t i = 0; i < count; ++i)
      lose(nodes[i]);
  }

  static remains left_at(const inventory_node& n) {
    auto got = n.look_at_remains().get();
    REQUIRE_MESSAGE(got, got.error().detail);
    return *got;
  }

  inventory_node start(node_options o) {
    auto started = spawn_node<inventory>(system, std::move(o));
    REQUIRE_MESSAGE(started, started.error());
    wait(*started, [](const node_status& s) { return s.ready; });
    return *started;
  }

  static int stock(const inventory_node& n) { return value(n.query(inventory::in_stock{"apple"})); }
  /// One more, and it is in this very node's data; that a majority has it would not be enough here.
  int restock(const inventory_node& n) const {
    const auto done = n.submit_with_receipt(inventory::restock{"apple", 1}).get();
    REQUIRE_MESSAGE(done, done.error());
    wait(n, [&](const node_status& s) { return s.applied >= done->receipt.index; });
    return done->value;
  }
};

} // namespace

TEST_CASE_FIXTURE(fixture, "a listener's data outlives all voters, in a cluster of another name") {
  grow_to(2, 1);
  CHECK(restock(nodes[0]) == 1);
  CHECK(restock(nodes[1]) == 2);
  lose(nodes[0]);
  const std::vector all{left_at(nodes[1])};
  const auto best = inherit(all);
  REQUIRE_MESSAGE(best, best.error());
  CHECK(best->missing == std::vector{nodes[0].id()});
  nodes[1].stop();

  auto o = options("b");
  o.recover = all[best->from];
  const auto heir = start(std::move(o));
  CHECK(heir.id() != nodes[1].id());
  CHECK(heir.status().cluster != all[0].members().content->cluster);
  CHECK(stock(heir) == 2);
  auto next = options("c");
  next.seeds = {heir};
  const auto newcomer = start(std::move(next));
  CHECK(restock(newcomer) == 3);
}

TEST_CASE_FIXTURE(fixture, "what is left of the old cluster does not reach the new one") {
  grow_to(3, 3);
  CHECK(restock(nodes[0]) == 1);
  auto client = spawn_client<inventory>(system, {nodes[2]}).value();
  CHECK(value(client.submit(inventory::restock{"apple", 1})) == 2);
  CHECK(restock(nodes[2]) == 3);
  lose_first(2);
  auto o = options("c");
  o.recover = left_at(nodes[2]);
  const auto heir = start(std::move(o)); // while the old one still runs
  wait(heir, [](const node_status& s) { return s.members.size() == 1 && s.voters.size() == 1; });
  CHECK(restock(heir) == 4);
  const auto old = wait(nodes[2], [](const node_status& s) { return !s.ready; });
  CHECK(old.cluster != heir.status().cluster);
  CHECK(old.members.size() == 3);
  CHECK(test_support::code(client.submit(inventory::restock{"apple", 1}, 500ms))
        != errc::none); // it does not find its way into another history
  CHECK(stock(heir) == 4);
}

TEST_CASE_FIXTURE(fixture,
                  "old and new clients never share a session, though both histories open some") {
  grow_to(2, 1);
  restock(nodes[1]);
  const auto left = left_at(nodes[1]); // what follows is lost
  const auto open_at = [&](const inventory_node& n) {
    auto client = spawn_client<inventory>(system, {n}).value();
    value(client.submit(inventory::restock{"apple", 1}));
    return client;
  };
  std::vector<cluster_client<inventory>> old;
  for (int i = 0; i < 4; ++i)
    old.push_back(open_at(nodes[0]));
  lose_first(2);
  auto o = options("b");
  o.recover = left;
  const auto heir = start(std::move(o));
  std::vector<cluster_client<inventory>> young;
  for (int i = 0; i < 4; ++i)
    young.push_back(open_at(heir));
  REQUIRE(stock(heir) == 5);
  for (auto& client : old) {
    client.update_nodes({heir});
    value(client.submit(inventory::restock{"apple", 1})); // in another session
  }
  CHECK(stock(heir) == 9);
  for (auto& client : young)
    value(client.submit(inventory::restock{"apple", 1}));
  CHECK(stock(heir) == 13); // each has counted, and once
}

TEST_CASE_FIXTURE(fixture, "the heir has an id of its own, even where chance is fixed") {
  auto o = options("a");
  o.found = true;
  o.random_seed = 11;
  auto old = start(o);
  const auto left = left_at(old);
  o.found = false;
  o.recover = left;
  const auto heir = start(o);
  CHECK(heir.id() != old.id());
  CHECK(heir.status().cluster != old.status().cluster);
}

TEST_CASE_FIXTURE(fixture, "a recovery that is started twice is not carried out twice") {
  auto o = options("b");
  o.found = true;
  auto old = start(o);
  restock(old);
  auto again = durable("b");
  again.recover = left_at(old);
  lose(old);
  auto heir = start(again);
  CHECK(restock(heir) == 2);
  lose(heir);
  const auto refused = spawn_node<inventory>(system, again);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::cluster_mismatch);
  CHECK(stock(start(durable("b"))) == 2);
}

TEST_CASE_FIXTURE(fixture, "data that does not fit together is refused, and nothing is thrown") {
  found();
  wait(nodes[0], [](const node_status& s) { return s.ready; });
  restock(nodes[0]);
  restock(nodes[0]);
  auto o = durable("x");
  o.recover = left_at(nodes[0]);
  REQUIRE(o.recover->kept.entries.size() > 2);
  o.recover->kept.entries.erase(o.recover->kept.entries.begin() + 1);
  CHECK(spawn_node<inventory>(system, o).error().code == errc::machine_stopped);
  CHECK(std::filesystem::is_empty(disk.path("x")));
}

TEST_CASE_FIXTURE(fixture, "a directory is inherited in the same place, and nothing is deleted") {
  nodes.reserve(4);
  auto first = durable("a");
  first.found = true;
  nodes.push_back(start(std::move(first)));
  for (const auto* name : {"b", "c"}) {
    auto next = durable(name);
    next.seeds = {nodes.front()};
    nodes.push_back(start(std::move(next)));
  }
  for (const auto& n : nodes)
    wait(n, [](const node_status& s) { return s.voters.size() == 3 && !s.changing; });
  CHECK(restock(nodes[0]) == 1);
  CHECK(restock(nodes[2]) == 2);
  lose_first(2);
  REQUIRE(is_over(nodes[2].stop())); // what it had is on its disk

  const std::vector all{remains_in(disk.path("c")).value()};
  const auto best = inherit(all);
  REQUIRE_MESSAGE(best, best.error());
  CHECK(best->missing.size() == 2);
  auto o = durable("c");
  o.recover = all[0];
  auto heir = start(o);
  const auto id = heir.id();
  const auto cluster = heir.status().cluster;
  CHECK(stock(heir) == 2);
  CHECK(restock(heir) == 3);
  const auto aside = remains_in(disk.path("c") + "/aside-1");
  REQUIRE_MESSAGE(aside, aside.error());
  CHECK(aside->node == nodes[2].id());

  SUBCASE("the heir comes back under its new id") {
    lose(heir);
    const auto again = start(durable("c"));
    CHECK(again.id() == id);
    CHECK(again.status().cluster == cluster);
    CHECK(stock(again) == 3);
  }

  SUBCASE("an old node that is found after all is told that the cluster is another") {
    auto back = durable("a");
    back.seeds = {heir};
    back.monitor.entering_patience = 300ms;
    const auto old = spawn_node<inventory>(system, std::move(back)).value();
    const auto seen
        = wait(old, [](const node_status& s) { return s.obstacle.code == errc::cluster_mismatch; });
    CHECK_FALSE(seen.ready);
    CHECK(heir.status().members.size() == 1);
    CHECK(stock(heir) == 3);
  }
}

TEST_CASE_FIXTURE(fixture, "a recovery that makes no sense changes nothing") {
  found();
  wait(nodes[0], [](const node_status& s) { return s.ready; });
  const auto left = left_at(nodes[0]);
  CHECK(inherit(std::vector{left}).error().code == errc::quorum_intact);

  auto both = durable("x");
  both.recover = left;
  both.found = true;
  CHECK(spawn_node<inventory>(system, both).error().code == errc::invalid_option);
  auto of_nothing = durable("x");
  of_nothing.recover = remains{};
  CHECK(spawn_node<inventory>(system, of_nothing).error().code == errc::invalid_option);
  CHECK(std::filesystem::is_empty(disk.path("x")));
  auto nowhere = options("x");
  nowhere.recover = left;
  nowhere.directory = disk.path("nowhere");
  CHECK(spawn_node<inventory>(system, nowhere).error().code == errc::storage_missing);
}

} // namespace recover_test
