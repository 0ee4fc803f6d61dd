// SPDX-License-Identifier: BSL-1.0

// Whole nodes over real sockets, each behind a network that fails. What clients were told must be
// explained by one inventory that did one thing at a time.

#include <understudy/client.hpp>
#include <understudy/node.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/transport/tcp_network.hpp>

#include <doctest/doctest.h>

#include "support/environment.hpp"
#include "support/free_port.hpp"
#include "support/ledger.hpp"
#include "support/nodes.hpp"
#include "support/tcp_proxy.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace faulty_network_test {

using namespace understudy;
using namespace std::chrono_literals;
using test_support::inventory;
using test_support::set_between;
using test_support::tcp_proxy;
using test_support::wire_fault;
using inventory_node = node<inventory>;
using ledger = test_support::ledger<inventory>;
using model = ledger::model;
using kind = wire_fault::kind;

namespace {

constexpr std::array skus{"apple", "pear", "plum"};

/// Asks for one thing after the other until told to stop.
class customer {
public:
  customer(std::uint64_t number, cluster_client<inventory> shop, ledger& all)
      : number_{number}, shop_{std::move(shop)}, all_{&all}, random_{number},
        thread_{[this] { run(); }} {}
  ~customer() {
    over_ = true;
    thread_.join();
  }

private:
  void run() {
    while (!over_) {
      const std::string sku = random_.pick(skus);
      if (random_.chance(0.7)) {
        const inventory::restock what{sku, 1};
        const auto id = all_->ask(number_, sku, model::command(what));
        all_->end<inventory::restock>(id, shop_.submit(what, 2s).get());
      } else {
        const inventory::in_stock what{sku};
        const auto id = all_->ask(number_, sku, model::query(what));
        all_->end<inventory::in_stock>(id, shop_.query(what, {}, 2s).get());
      }
    }
  }

  std::uint64_t number_;
  cluster_client<inventory> shop_;
  ledger* all_;
  testing::random_stream random_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

struct town {
  core_options core = {};
  networked_config config;
  caf::actor_system system{config};
  std::vector<std::unique_ptr<tcp_proxy>> networks;
  std::vector<inventory_node> nodes;

  [[nodiscard]] static std::string name_of(std::size_t i) {
    return std::string(1, static_cast<char>('a' + i));
  }
  [[nodiscard]] static std::string place(std::uint16_t port) {
    return "127.0.0.1:" + std::to_string(port);
  }

  /// One more node, behind a network with that fault.
  void start(const wire_fault& line = {}) {
    const auto i = nodes.size();
    const auto port = test_support::free_port();
    networks.push_back(std::make_unique<tcp_proxy>(port));
    networks.back()->set("", line);
    for (const auto& n : networks)
      n->set(name_of(i), line);
    node_options o{.name = name_of(i),
                   .found = i == 0,
                   .rules = {.max_voters = 3},
                   .network
                   = over_tcp({.listen = place(port), .advertise = place(networks.back()->port())}),
                   .core = core,
                   .log = {}};
    if (i > 0)
      o.seeds = {tcp_seed(place(networks.front()->port())).value()};
    auto started = spawn_node<inventory>(system, std::move(o));
    REQUIRE_MESSAGE(started, started.error());
    nodes.push_back(std::move(*started));
  }

  void grow(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      start();
      wait(i, [](const node_status& s) { return s.ready; });
    }
    for (std::size_t i = 0; i < count; ++i)
      wait(i, [&](const node_status& s) { return s.voters.size() == 3 && !s.changing; });
  }

  template <class Condition> void wait(std::size_t i, Condition condition) const {
    const auto seen = nodes[i].wait_until(condition, test_support::patience);
    REQUIRE_MESSAGE(seen, seen.error().detail, '\n', *this);
  }

  friend std::ostream& operator<<(std::ostream& out, const town& all) {
    for (const auto& n : all.nodes)
      out << n.status() << '\n';
    return out;
  }

  void between(std::size_t one, std::size_t other, const wire_fault& what) {
    set_between({*networks[one], name_of(one)}, {*networks[other], name_of(other)}, what);
  }

  /// Between one and all other nodes; clients still reach it.
  void around(std::size_t one, const wire_fault& what) {
    for (std::size_t other = 0; other < nodes.size(); ++other)
      if (other != one)
        between(one, other, what);
  }

  void heal() {
    for (auto& n : networks)
      n->heal();
  }

  void fail_somehow(testing::random_stream& random) {
    const auto one = random.below(nodes.size());
    const auto other = (one + 1 + random.below(nodes.size() - 1)) % nodes.size();
    switch (random.below(8)) {
    case 0:
      return around(one, wire_fault::both(kind::cut));
    case 1:
      return around(one, wire_fault::both(kind::lose));
    case 2:
      return around(one, {.to_node = kind::stall}); // it speaks, and does not hear
    case 3:
      return around(one, {.from_node = kind::lose}); // it hears, and is not heard
    case 4:
      return around(one, {.delay = 20ms});
    case 5:
      return around(one, {.bytes_per_ms = 200});
    case 6:
      return networks[one]->inject(std::vector<std::byte>(100, std::byte{0x5a}));
    default:
      return between(one, other, wire_fault::both(kind::cut));
    }
  }
};

} // namespace

TEST_CASE("whatever the network does, clients are told what one inventory could have told them") {
  const auto seed = test_support::number_from("UNDERSTUDY_SEED", 1);
  const auto rounds = test_support::number_from("UNDERSTUDY_ROUNDS", 12);
  CAPTURE(seed);
  testing::random_stream random{seed};
  town all;
  all.grow(5);
  ledger told;
  {
    std::vector<contact> places;
    for (const auto& n : all.networks)
      places.push_back(tcp_seed(town::place(n->port())).value());
    std::vector<std::unique_ptr<customer>> customers;
    for (std::uint64_t i = 1; i <= 4; ++i) {
      std::ranges::rotate(places, places.begin() + 1);
      auto shop = spawn_client<inventory>(all.system, places, {}, i, over_tcp({}));
      REQUIRE_MESSAGE(shop, shop.error());
      customers.push_back(std::make_unique<customer>(i, std::move(*shop), told));
    }
    for (std::uint64_t round = 0; round < rounds; ++round) {
      CAPTURE(round);
      all.fail_somehow(random);
      told.wait_for_more(300, 1'500ms);
      all.heal();
      REQUIRE_MESSAGE(told.wait_for_done(100), all);
    }
  }
  CHECK(told.done() >= rounds * 100);
  CHECK(told.is_linearizable());
  int all_stock = 0;
  for (std::size_t i = 0; i < all.nodes.size(); ++i) {
    all.wait(i, [](const node_status& s) { return s.ready && s.lag == 0; });
    int stock = 0;
    for (const auto* sku : skus)
      stock += test_support::value(all.nodes[i].query(inventory::in_stock{sku}));
    CHECK((i == 0 || stock == all_stock));
    all_stock = stock;
  }
}

TEST_CASE("N9: a newcomer's snapshot over a line of 1 MB/s changes no leader, and gets there") {
  // It takes longer than this, and this is longer than a busy machine holds a leader up.
  town all;
  all.core = {.suspect_after = 2s, .election_timeout_min = 2s, .election_timeout_max = 4s};
  all.grow(3);
  constexpr int things = 50; // of 50 kB each
  const auto thing = [](int i) { return std::string(50'000, 'x') + std::to_string(i); };
  for (int i = 0; i < things; ++i)
    REQUIRE(test_support::value(all.nodes[0].submit(inventory::restock{thing(i), 1})) == 1);
  for (const auto& n : all.nodes)
    REQUIRE(n.snapshot_now().get());
  const auto before = all.nodes[0].status();

  all.start({.bytes_per_ms = 1'000});
  int sold = 0;
  while (!all.nodes[3].status().ready) {
    REQUIRE(test_support::value(all.nodes[1].submit(inventory::restock{"apple", 1})) == ++sold);
    const auto seen = all.nodes[3].wait_until([](const node_status& s) { return s.ready; }, 20ms);
    REQUIRE_MESSAGE((seen || seen.error().code == errc::timed_out), all);
    REQUIRE_MESSAGE(sold < 3'000, all);
  }
  CHECK(test_support::value(all.nodes[3].query(inventory::in_stock{thing(things - 1)})) == 1);
  CHECK_MESSAGE(all.nodes[3].status().pulls.bytes > 2'500'000, all);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto after = all.nodes[i].status();
    CHECK_MESSAGE(after.term == before.term, all);
    CHECK_MESSAGE(after.leader == before.leader, all);
  }
}

} // namespace faulty_network_test
