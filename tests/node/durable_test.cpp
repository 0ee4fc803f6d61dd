// SPDX-License-Identifier: BSL-1.0

// Nodes with a directory: they come back under their id, with all that they had confirmed.

#include <understudy/actors/node_faults.hpp>
#include <understudy/node.hpp>

#include <doctest/doctest.h>

#include <support/mounted.hpp>
#include <support/nodes.hpp>
#include <support/scratch.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

namespace durable_test {

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
    o.directory = disk.make(name);
    return o;
  }

  /// Durable nodes that have entered one by one.
  void grow_durable(std::size_t count) {
    nodes.reserve(count + 8);
    auto first = durable("a");
    first.found = true;
    add(std::move(first));
    for (std::size_t i = 1; i < count; ++i) {
      auto next = durable(std::string(1, static_cast<char>('a' + i)));
      next.seeds = {nodes.front()};
      add(std::move(next));
      wait(nodes.back(), [](const node_status& s) { return s.ready; });
    }
    for (const auto& n : nodes)
      wait(n, [&](const node_status& s) {
        return s.ready && s.members.size() == count && s.voters.size() == count && !s.changing;
      });
  }

  /// Ends a node's process, softly or not, and waits until it is gone.
  static void end(inventory_node& n, bool softly) {
    if (softly)
      n.stop();
    else
      testing::crash(n);
    REQUIRE(is_over(n.stop()));
  }

  /// Starts it again, with no word of where the others are.
  inventory_node& restart(inventory_node& n, const std::string& name) {
    auto started = spawn_node<inventory>(system, durable(name));
    REQUIRE_MESSAGE(started, started.error().detail);
    n = std::move(*started);
    return n;
  }

  int stock(const inventory_node& n) { return value(n.query(inventory::in_stock{"apple"})); }
  int restock(const inventory_node& n) { return value(n.submit(inventory::restock{"apple", 1})); }
};

} // namespace

TEST_CASE_FIXTURE(fixture, "E17: a node alone comes back with its data, however it ended") {
  grow_durable(1);
  const auto id = nodes[0].id();
  int expected_stock = 0;
  for (const bool softly : {true, false, false, true}) {
    CAPTURE(softly);
    CHECK(restock(nodes[0]) == ++expected_stock);
    end(nodes[0], softly);
    const auto& again = restart(nodes[0], "a");
    CHECK(again.id() == id);
    wait(again, [](const node_status& s) { return s.ready; });
    CHECK(stock(again) == expected_stock);
  }
}

TEST_CASE_FIXTURE(fixture,
                  "B13: a founder that is started again with the same options founds nothing") {
  grow_durable(1);
  const auto before = nodes[0].status().cluster;
  restock(nodes[0]);
  end(nodes[0], true);
  auto o = durable("a");
  o.found = true;
  auto again = spawn_node<inventory>(system, std::move(o));
  REQUIRE(again);
  wait(*again, [](const node_status& s) { return s.ready; });
  CHECK(again->status().cluster == before);
  CHECK(stock(*again) == 1);
}

TEST_CASE_FIXTURE(fixture, "a snapshot that is ordered is on the disk when it is said to be") {
  grow_durable(1);
  for (int i = 0; i < 3; ++i)
    restock(nodes[0]);
  const auto covered = nodes[0].snapshot_now().get();
  REQUIRE(covered);
  CHECK(nodes[0].snapshot_now().get() == covered);
  const auto file = storage::snapshot_name({*covered, {nodes[0].status().term}});
  CHECK(std::filesystem::exists(disk.path("a") + "/" + file));
  end(nodes[0], false);
  const auto& again = restart(nodes[0], "a");
  wait(again, [](const node_status& s) { return s.ready; });
  CHECK(stock(again) == 3);
  end(nodes[0], true);
  CHECK(nodes[0].snapshot_now().get().error().code == errc::stopped);
}

TEST_CASE_FIXTURE(fixture, "D5: without room for a snapshot there is none, and the node goes on") {
  const test_support::mounted small{disk, "size=1m"};
  if (!small)
    return;
  const auto store = [&] {
    auto o = options("a");
    o.store = store_in(small.path() + "/a", 256 << 10);
    return o;
  };
  std::filesystem::create_directory(small.path() + "/a");
  auto first = store();
  first.found = true;
  auto& a = add(std::move(first));
  wait(a, [](const node_status& s) { return s.ready; });
  restock(a);

  const auto filler = small.path() + "/filler";
  {
    std::ofstream rest{filler};
    while (rest << std::string(4096, 'x') << std::flush)
      ;
  }
  CHECK(a.snapshot_now().get().error().code == errc::storage_full);
  CHECK(restock(a) == 2); // its log has room that it took before
  std::filesystem::remove(filler);
  REQUIRE(a.snapshot_now().get());
  end(a, false);
  a = spawn_node<inventory>(system, store()).value();
  wait(a, [](const node_status& s) { return s.ready; });
  CHECK(stock(a) == 2);
  end(a, true); // before its file system goes
}

TEST_CASE_FIXTURE(fixture, "a machine that can be frozen is written down while it goes on") {
  struct shop : inventory {
    [[nodiscard]] shop freeze() const { return *this; }
  };
  auto first = durable("a");
  first.found = true;
  const auto count
      = [](const node<shop>& n) { return value(n.query(inventory::in_stock{"apple"})); };
  {
    auto n = spawn_node<shop>(system, first).value();
    REQUIRE(value(n.submit(inventory::restock{"apple", 3})) == 3);
    REQUIRE(n.snapshot_now().get());
    REQUIRE(value(n.submit(inventory::restock{"apple", 3})) == 6);
    REQUIRE(is_over(n.stop()));
  }
  auto again = spawn_node<shop>(system, durable("a")).value();
  REQUIRE(again.wait_until([](const node_status& s) { return s.ready; }, test_support::patience));
  CHECK(count(again) == 6);
  auto second = options("b"); // without a directory: there, too, another thread writes
  second.seeds = {again};
  auto fresh = spawn_node<shop>(system, second).value();
  REQUIRE(fresh.wait_until([](const node_status& s) { return s.ready; }, test_support::patience));
  REQUIRE(fresh.snapshot_now().get());
  CHECK(count(fresh) == 6);
}

TEST_CASE_FIXTURE(fixture, "a voter that crashes comes back to its seat, and catches up") {
  grow_durable(3);
  restock(nodes[0]);
  auto& gone = follower();
  const auto id = gone.id();
  const auto name = gone.status().name;
  end(gone, false);
  for (auto& n : nodes)
    if (n.id() != id) {
      for (int i = 0; i < 20; ++i)
        restock(n);
      break;
    }
  const auto& back = restart(gone, name);
  CHECK(back.id() == id);
  const auto now = wait(back, [](const node_status& s) { return s.ready && s.voters.size() == 3; });
  CHECK(std::ranges::find(now.voters, id) != now.voters.end());
  CHECK(stock(back) == 21);
  // Its vote counts again: the other follower can go.
  const auto leader_id = leader().id();
  for (auto& n : nodes)
    if (n.id() != leader_id && n.id() != id) {
      end(n, false);
      break;
    }
  CHECK(restock(back) == 22);
}

TEST_CASE_FIXTURE(fixture, "I9: a whole cluster that is killed at once loses nothing confirmed") {
  grow_durable(3);
  for (int i = 0; i < 50; ++i)
    restock(nodes[static_cast<std::size_t>(i) % 3]);
  for (auto& n : nodes)
    testing::crash(n);
  for (auto& n : nodes)
    REQUIRE(is_over(n.stop()));
  restart(nodes[0], "a");
  restart(nodes[1], "b");
  restart(nodes[2], "c");
  for (const auto& n : nodes)
    wait(n, [](const node_status& s) { return s.ready; });
  for (const auto& n : nodes)
    CHECK(stock(n) == 50);
  CHECK(restock(nodes[2]) == 51);
}

TEST_CASE_FIXTURE(fixture,
                  "B7: a directory has one node at a time, and a missing one is not made") {
  grow_durable(1);
  const auto second = spawn_node<inventory>(system, durable("a"));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::storage_in_use);
  auto o = options("b");
  o.directory = disk.path("none");
  o.found = true;
  const auto missing = spawn_node<inventory>(system, o);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == errc::storage_missing);
  CHECK_FALSE(std::filesystem::exists(o.directory));
}

TEST_CASE_FIXTURE(fixture, "durable nodes and others make one cluster") {
  nodes.reserve(8);
  found();
  auto o = durable("b");
  o.seeds = {nodes[0]};
  add(std::move(o));
  wait(nodes[1], [](const node_status& s) { return s.ready; });
  join("c");
  for (const auto& n : nodes)
    wait(n, [](const node_status& s) { return s.ready && s.voters.size() == 3 && !s.changing; });
  restock(nodes[0]);
  const auto id = nodes[1].id();
  end(nodes[1], false);
  restock(nodes[0]);
  CHECK(restart(nodes[1], "b").id() == id);
  wait(nodes[1], [](const node_status& s) { return s.ready && s.voters.size() == 3; });
  CHECK(stock(nodes[1]) == 2);
}

TEST_CASE_FIXTURE(fixture,
                  "one that was sent away while it was down is told, and comes as another") {
  grow_durable(3);
  restock(nodes[0]);
  auto spare = durable("d"); // without it the evicted one would keep its seat
  spare.seeds = {nodes[0]};
  add(std::move(spare));
  wait(nodes[3], [](const node_status& s) { return s.ready; });
  auto& gone = follower();
  const auto id = gone.id();
  const auto name = gone.status().name;
  end(gone, false);
  const auto& other = leader();
  REQUIRE(other.evict(id).get());
  wait(other, [&](const node_status& s) {
    return std::ranges::none_of(s.members, [&](const auto& m) { return m.id == id; });
  });
  auto back = durable(name);
  const auto evicted = std::make_shared<std::atomic<bool>>(false);
  back.on_event = [evicted](const node_event& e) {
    if (e.what == node_event::kind::evicted)
      *evicted = true;
  };
  auto told = spawn_node<inventory>(system, std::move(back));
  REQUIRE(told);
  gone = std::move(*told);
  CHECK(gone.id() == id);
  wait(gone, [](const node_status& s) { return s.obstacle.code == errc::removed; });
  end(gone, true);
  CHECK(*evicted);
  auto o = durable(name);
  o.seeds = {other};
  auto again = spawn_node<inventory>(system, std::move(o));
  REQUIRE_MESSAGE(again, again.error().detail);
  CHECK(again->id() != id);
  wait(*again, [](const node_status& s) { return s.ready && s.members.size() == 4; });
  CHECK(stock(*again) == 1);
  CHECK(std::filesystem::exists(disk.path(name) + "/aside-1/ballot-a"));
}

} // namespace durable_test
