// SPDX-License-Identifier: BSL-1.0

// A cluster goes from one build of its machine to the next.

#include <understudy/node.hpp>

#include <doctest/doctest.h>

#include <support/nodes.hpp>
#include <support/scratch.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>

namespace update_test {

using namespace understudy;
using namespace std::chrono_literals;
using test_support::code;
using test_support::inventory;
using test_support::is_over;
using test_support::patience;
using test_support::scratch;
using test_support::value;

/// The next build: it can sell out, and then has another form of snapshots.
struct larger_inventory {
  static constexpr std::uint32_t machine_version = 2;
  struct sell_out {
    using reply = int; ///< how many there were
    static constexpr std::uint32_t since = 2;
    std::string sku = {};
    template <class Archive> void serialize(Archive& archive) { archive(sku); }
  };
  using commands = understudy::commands<inventory::restock, inventory::drop_everything, sell_out>;
  using queries = understudy::queries<inventory::in_stock>;

  int apply(const inventory::restock& c) { return shelf.apply(c); }
  int apply(const inventory::drop_everything& c) { return shelf.apply(c); }
  int apply(const sell_out& c) {
    ++sold_out;
    return std::exchange(shelf.stock[c.sku], 0);
  }
  [[nodiscard]] int query(const inventory::in_stock& q) const { return shelf.query(q); }

  void use_version(std::uint32_t version) { used = version; }

  inventory shelf;
  std::uint32_t used = 1;
  int sold_out = 0;

  // The version is told before anything is read.
  template <class Archive> void serialize(Archive& archive) {
    archive(shelf.stock);
    if (used > 1)
      archive(sold_out);
  }
};

} // namespace update_test

UNDERSTUDY_MESSAGES(update_test, update_test::larger_inventory::sell_out)

namespace update_test {

namespace {

using old_node = node<inventory>;
using new_node = node<larger_inventory>;

/// Three durable nodes, each of either build.
struct fixture : test_support::node_fixture {
  scratch disk;
  std::map<std::string, std::variant<std::monostate, old_node, new_node>> all;

  node_options durable(const std::string& name) const {
    auto o = options(name);
    o.directory = disk.make(name);
    return o;
  }

  template <class M> node<M> start(const std::string& name, node_options o) {
    auto started = spawn_node<M>(system, std::move(o));
    REQUIRE_MESSAGE(started, started.error().detail);
    all[name] = *started;
    return *started;
  }
  template <class M> node<M> start(const std::string& name) {
    return start<M>(name, durable(name));
  }

  /// The nodes a, b and c, of which each votes.
  void grow() {
    auto first = durable("a");
    first.found = true;
    const auto a = start<inventory>("a", std::move(first));
    for (const char* name : {"b", "c"}) {
      auto o = durable(name);
      o.seeds = {a};
      start<inventory>(name, std::move(o));
    }
    wait_for_all([](const node_status& s) { return s.ready && s.voters.size() == 3; });
  }

  template <class Condition> void wait_for_all(Condition condition) {
    for (auto& [name, one] : all)
      std::visit(
          [&](auto& n) {
            if constexpr (requires { n.status(); }) {
              const auto seen = n.wait_until(condition, patience);
              REQUIRE_MESSAGE(seen, seen.error().detail);
            }
          },
          one);
  }

  void stop(const std::string& name) {
    std::visit(
        [](auto& n) {
          if constexpr (requires { n.stop(); })
            REQUIRE(is_over(n.stop()));
        },
        all.at(name));
    all.at(name) = std::monostate{};
  }

  /// Stops it, and starts it again as the other build; all wait until the roster shows that.
  template <class M> node<M> restart_as(const std::string& name) {
    stop(name);
    const auto again = start<M>(name);
    wait_for_all([id = again.id()](const node_status& s) {
      return s.ready && s.member(id) && s.member(id)->machine_version == version_of<M>;
    });
    return again;
  }
};

errc refusal(std::future<expected<log_index>> result) {
  const auto got = result.get();
  return got ? errc::none : got.error().code;
}

} // namespace

TEST_CASE_FIXTURE(
    fixture, "U4: a new command is refused by nodes of both builds until its version is used") {
  grow();
  const auto old = std::get<old_node>(all.at("b"));
  const auto c = restart_as<larger_inventory>("c");
  CHECK(value(c.submit(inventory::restock{"apple", 3})) == 3);
  CHECK(code(c.submit(larger_inventory::sell_out{"apple"})) == errc::version_not_in_use);
  CHECK(refusal(c.use_machine_version(2)) == errc::version_unsupported);

  // Nor does it pass where a client or a node of the new build brings it to an old one.
  auto client = spawn_client<larger_inventory>(system, {old}).value();
  CHECK(code(client.submit(larger_inventory::sell_out{"apple"})) == errc::version_not_in_use);
  client.update_nodes({c});
  CHECK(code(client.submit(larger_inventory::sell_out{"apple"})) == errc::version_not_in_use);

  restart_as<larger_inventory>("a");
  const auto b = restart_as<larger_inventory>("b");
  CHECK(refusal(b.use_machine_version(3)) == errc::version_unsupported);
  CHECK(refusal(b.use_machine_version(2)) == errc::none);
  wait_for_all([](const node_status& s) { return s.machine_version == 2; });
  CHECK(value(client.submit(larger_inventory::sell_out{"apple"})) == 3);
  CHECK(value(b.query(inventory::in_stock{"apple"})) == 0);
  CHECK(refusal(b.use_machine_version(1)) == errc::invalid_option);
  client.stop();
}

TEST_CASE_FIXTURE(fixture, "U7: nodes go from build to build and back, with all their data") {
  grow();
  int count = 0;
  const auto b = std::get<old_node>(all.at("b"));
  for (const char* name : {"a", "c", "a"}) {
    CHECK(value(b.submit(inventory::restock{"apple", 1})) == ++count);
    const auto newer = restart_as<larger_inventory>(name);
    CHECK(value(newer.query(inventory::in_stock{"apple"})) == count);
    REQUIRE(newer.snapshot_now().get()); // which the old build has to read
    CHECK(value(newer.submit(inventory::restock{"apple", 1})) == ++count);
    const auto older = restart_as<inventory>(name);
    CHECK(value(older.query(inventory::in_stock{"apple"})) == count);
  }
}

TEST_CASE_FIXTURE(fixture,
                  "U6: an old build does not start on a log in which a newer version is used") {
  auto o = durable("a");
  o.found = true;
  {
    const auto a = start<larger_inventory>("a", o);
    wait_for_all([](const node_status& s) { return s.ready; });
    CHECK(a.status().machine_version == 2); // its founder knows no older cluster
    CHECK(value(a.submit(larger_inventory::sell_out{"apple"})) == 0);
    auto newcomer = options("b");
    newcomer.seeds = {a};
    const auto b = spawn_node<inventory>(system, newcomer).value();
    const auto seen = b.wait_until(
        [](const node_status& s) { return s.obstacle.code == errc::version_unsupported; },
        patience);
    REQUIRE_MESSAGE(seen, seen.error().detail);
    CHECK(seen->obstacle.detail.starts_with("the cluster uses version 2 of the machine"));
    REQUIRE(is_over(b.stop()));
  }
  stop("a");
  const auto refused = spawn_node<inventory>(system, durable("a"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::version_unsupported);
  CHECK(refused.error().detail.starts_with("its own log shows that the cluster uses version 2"));
  const auto again = start<larger_inventory>("a");
  wait_for_all([](const node_status& s) { return s.ready; });
  CHECK(value(again.submit(larger_inventory::sell_out{"apple"})) == 0);
}

} // namespace update_test
