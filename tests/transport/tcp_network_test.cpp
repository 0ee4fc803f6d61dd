// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/node_faults.hpp>
#include <understudy/client.hpp>
#include <understudy/node.hpp>
#include <understudy/transport/tcp_network.hpp>

#include <doctest/doctest.h>

#include "support/certificates.hpp"
#include "support/free_port.hpp"
#include "support/nodes.hpp"
#include "support/scratch.hpp"
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tcp_network_test {

using namespace understudy;
using namespace std::chrono_literals;
using test_support::inventory;
using inventory_node = node<inventory>;

namespace {

constexpr auto patience = 20s;

/// Each node could be a process of its own: all that they share is the loopback device.
struct fixture {
  networked_config config;
  caf::actor_system system{config};

  static node_options options(const std::string& name) {
    return {.name = name, .network = over_tcp({.listen = "127.0.0.1:0"})};
  }

  inventory_node start(node_options o) {
    auto started = spawn_node<inventory>(system, std::move(o));
    REQUIRE_MESSAGE(started, started.error());
    return std::move(*started);
  }

  /// As an operator would name it: without its id.
  static contact seed(const inventory_node& n) {
    const contact known = n;
    return tcp_seed(protocol::host_and_port(*protocol::endpoint_of(known.address))).value();
  }

  template <class Condition> static node_status wait(const inventory_node& n, Condition c) {
    auto seen = n.wait_until(c, patience);
    REQUIRE_MESSAGE(seen, seen.error().detail);
    return *seen;
  }

  static int stock(const inventory_node& n) {
    return test_support::value(n.query(inventory::in_stock{"apple"}));
  }

  /// As many nodes as this, of which up to three vote. `network`: how each is connected, if not all
  /// in the same way.
  std::vector<inventory_node> grow(std::size_t count,
                                   const std::function<network_opener(std::size_t)>& network = {}) {
    std::vector<inventory_node> nodes;
    for (std::size_t i = 0; i < count; ++i) {
      auto o = options(std::string(1, static_cast<char>('a' + i)));
      o.found = i == 0;
      o.rules.max_voters = 3;
      if (network)
        o.network = network(i);
      if (i > 0)
        o.seeds = {seed(nodes.front())};
      nodes.push_back(start(std::move(o)));
      wait(nodes.back(), [](const node_status& s) { return s.ready; });
    }
    const std::size_t seats = count < 3 ? 1 : 3;
    for (const auto& n : nodes)
      wait(n, [&](const node_status& s) {
        return s.members.size() == count && s.voters.size() == seats && !s.changing;
      });
    return nodes;
  }

  /// A place to listen at that is free; also in `places`.
  std::string free_place() {
    return places.emplace_back("127.0.0.1:" + std::to_string(test_support::free_port()));
  }

  /// Waits until the other end has closed.
  static bool ends(int socket) {
    char drain[256];
    pollfd waits{.fd = socket, .events = POLLIN, .revents = 0};
    while (::poll(&waits, 1, 10'000) == 1)
      if (::read(socket, drain, sizeof drain) <= 0)
        return true;
    return false;
  }

  test_support::scratch disk;
  std::vector<std::string> places;
};

} // namespace

TEST_CASE_FIXTURE(fixture, "nodes find each other by where they listen, and keep one data") {
  const auto nodes = grow(4);
  const auto done = nodes[3].submit_with_receipt(inventory::restock{"apple", 3}).get();
  REQUIRE_MESSAGE(done, done.error());
  for (const auto& n : nodes) {
    wait(n, [&](const node_status& s) { return s.applied >= done->receipt.index; });
    CHECK(stock(n) == 3);
  }
  CHECK(static_cast<contact>(nodes[0]).address.starts_with("tcp:127.0.0.1:"));
}

TEST_CASE_FIXTURE(fixture, "a voter that ends is replaced at once, and a follower leads") {
  auto nodes = grow(4);
  REQUIRE(nodes[0].submit(inventory::restock{"apple", 1}).get());
  testing::crash(nodes[0]); // it leads, and its sockets close with it
  wait(nodes[3], [](const node_status& s) {
    return s.voters.size() == 3 && s.members.size() == 3 && s.role != role::listener && !s.changing;
  });
  const auto more = nodes[3].submit(inventory::restock{"apple", 1}).get();
  REQUIRE_MESSAGE(more, more.error());
  CHECK(stock(nodes[2]) == 2);
}

TEST_CASE_FIXTURE(fixture, "a node leaves, and is told over the wire that it may") {
  auto nodes = grow(4);
  const auto left = nodes[1].leave().get();
  REQUIRE_MESSAGE(left, left.error());
  CHECK(left->how == leave_outcome::left);
  const auto seen
      = wait(nodes[0], [](const node_status& s) { return s.members.size() == 3 && !s.changing; });
  CHECK(seen.voters.size() == 3);
}

TEST_CASE_FIXTURE(fixture, "all nodes may be given the same seeds, their own place among them") {
  auto first = options("a");
  first.found = true;
  first.network = over_tcp({.listen = free_place()});
  first.seeds = {tcp_seed(places.front()).value()};
  const auto a = start(std::move(first));
  wait(a, [](const node_status& s) { return s.ready; });
  auto second = options("b");
  second.network = over_tcp({.listen = free_place()});
  for (const auto& place : places)
    second.seeds.push_back(tcp_seed(place).value());
  const auto b = start(std::move(second));
  wait(b, [](const node_status& s) { return s.ready && s.members.size() == 2; });
}

TEST_CASE_FIXTURE(fixture, "B9: of two founders that are each other's seeds only one goes on") {
  std::vector<inventory_node> nodes;
  static_cast<void>(free_place());
  static_cast<void>(free_place());
  for (const std::size_t i : {0u, 1u}) {
    auto o = options(i == 0 ? "a" : "b");
    o.found = true;
    o.network = over_tcp({.listen = places[i]});
    o.seeds = {tcp_seed(places[1 - i]).value()};
    nodes.push_back(start(std::move(o)));
  }
  const auto founded = [](const node_status& s) { return bool{s.cluster}; };
  const auto gave_up = [](const node_status& s) { return s.obstacle.code != errc::none; };
  for (const auto& n : nodes)
    wait(n, [&](const node_status& s) { return founded(s) || gave_up(s); });
  CHECK(founded(nodes[0].status()) != founded(nodes[1].status()));
}

TEST_CASE_FIXTURE(fixture, "a client calls nodes by where they listen, and goes on at the next") {
  auto nodes = grow(3);
  auto shop = spawn_client<inventory>(system, {seed(nodes[0]), seed(nodes[1]), seed(nodes[2])}, {},
                                      0, over_tcp({}))
                  .value();
  const auto first = shop.submit(inventory::restock{"apple", 1}).get();
  REQUIRE_MESSAGE(first, first.error());
  testing::crash(nodes[0]);
  const auto second = shop.submit(inventory::restock{"apple", 1}).get();
  REQUIRE_MESSAGE(second, second.error());
  CHECK(*second == 2);
}

TEST_CASE_FIXTURE(fixture, "a client that was given one node goes on when that one is replaced") {
  auto nodes = grow(3);
  const auto shop = spawn_client<inventory>(system, {seed(nodes[0])}, {}, 0, over_tcp({})).value();
  const auto first = shop.submit(inventory::restock{"apple", 1}).get();
  REQUIRE_MESSAGE(first, first.error());
  auto o = options("d");
  o.seeds = {seed(nodes[1])};
  nodes.push_back(start(std::move(o)));
  wait(nodes[3], [](const node_status& s) { return s.ready; });
  for (const std::size_t i : {0u, 1u, 2u}) {
    const auto left = nodes[i].leave().get();
    REQUIRE_MESSAGE(left, left.error());
    const auto next = shop.submit(inventory::restock{"apple", 1}).get();
    REQUIRE_MESSAGE(next, next.error());
    CHECK(*next == static_cast<int>(i) + 2);
  }
  CHECK(shop.status().node == static_cast<contact>(nodes[3]).id);
}

TEST_CASE_FIXTURE(fixture, "nodes and clients of two versions of the protocol are one cluster") {
  constexpr auto old = protocol::version_max - 1;
  static_assert(old >= protocol::version_min);
  const auto at = [&](std::size_t i) {
    return over_tcp({.protocol_max = i % 2 == 0 ? old : protocol::version_max});
  };
  const auto nodes = grow(4, at);
  const auto seen = nodes[3].status();
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(seen.members[i].protocol_version == (i % 2 == 0 ? old : protocol::version_max));

  std::vector<cluster_client<inventory>> callers;
  for (std::size_t i = 0; i < 4; ++i) // each version with each
    callers.push_back(
        spawn_client<inventory>(system, {seed(nodes[i / 2])}, {}, 0, at(i % 2)).value());
  int stored = 0;
  const auto all_call = [&] {
    for (const auto& c : callers) {
      const auto more = c.submit(inventory::restock{"apple", 1}).get();
      REQUIRE_MESSAGE(more, more.error());
      CHECK(*more == ++stored);
    }
  };
  all_call();
  REQUIRE(nodes[1].transfer_leadership(static_cast<contact>(nodes[1]).id).get());
  all_call();
  const auto left = nodes[1].leave().get(); // led, and is the only node that one of them knows
  REQUIRE_MESSAGE(left, left.error());
  const auto more = callers[3].submit(inventory::restock{"apple", 1}).get();
  REQUIRE_MESSAGE(more, more.error());
  CHECK(stock(nodes[3]) == stored + 1);
  CHECK(nodes[0].status().connections.faulty == 0);
}

TEST_CASE_FIXTURE(fixture,
                  "a durable node comes back to the place where its cluster looks for it") {
  auto o = options("a");
  o.found = true;
  o.directory = disk.path("a");
  std::filesystem::create_directories(o.directory);
  o.network = over_tcp({.listen = free_place()});
  {
    auto before = start(o);
    wait(before, [](const node_status& s) { return s.ready; });
    REQUIRE(before.submit(inventory::restock{"apple", 2}).get());
    REQUIRE(test_support::is_over(before.stop()));
  }
  o.found = false;
  SUBCASE("it does") {
    const auto after = start(o);
    wait(after, [](const node_status& s) { return s.ready; });
    CHECK(stock(after) == 2);
  }
  SUBCASE("another place is refused, and named") {
    o.network = over_tcp({.listen = free_place()});
    const auto refused = spawn_node<inventory>(system, o);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::invalid_option);
    CHECK(refused.error().detail.find(places[0]) != std::string::npos);
    CHECK(refused.error().detail.find(places[1]) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(fixture, "SEC1: beyond this machine a node listens only if that is meant") {
  const auto why = [this](tcp_options o) {
    auto all = options("a");
    all.found = true;
    all.network = over_tcp(std::move(o));
    const auto started = spawn_node<inventory>(system, std::move(all));
    REQUIRE_FALSE(started);
    CHECK(started.error().code == errc::invalid_option);
    return started.error().detail;
  };
  const auto names = [&](tcp_options o, const std::string& what) {
    return why(std::move(o)).find(what) != std::string::npos;
  };
  CHECK(names({.listen = "0.0.0.0:0", .advertise = "127.0.0.1:0"}, "insecure"));
  CHECK(names({.listen = "0.0.0.0:0", .insecure = true}, "advertise"));
  CHECK(names({.listen = "nonsense"}, "nonsense"));
  CHECK(names({.advertise = "x"}, "advertise"));
  CHECK(names({.connect_limit = interval{0}}, "connect_limit"));
  CHECK(names({.protocol_max = protocol::version_max + 1}, "protocol_max"));
  CHECK(names({.protocol_max = protocol::version_min - 1}, "protocol_max"));
  auto open = options("a");
  open.found = true;
  open.network = over_tcp({.listen = "0.0.0.0:0", .advertise = "127.0.0.1:0", .insecure = true});
  const auto taken = start(std::move(open));
  const auto there
      = protocol::host_and_port(*protocol::endpoint_of(static_cast<contact>(taken).address));
  CHECK(names({.listen = there}, there));
}

TEST_CASE_FIXTURE(fixture,
                  "SEC4: with certificates, nodes of the authority talk, and nobody else") {
  const test_support::authority ours;
  const auto with = [&](const test_support::identity& who) {
    tcp_options o; // the files are read once, and may be others the next time
    o.certificates
        = security::credentials::load(test_support::write_tls_files(disk.path(""), who, ours))
              .value();
    return over_tcp(std::move(o));
  };
  node_options first{.name = "a", .found = true, .network = with(ours.issue({.names = {"a"}}))};
  const auto a = start(std::move(first));
  const auto join = [&](const std::string& name, network_opener network) {
    node_options o{.name = name, .seeds = {seed(a)}, .network = std::move(network), .log = {}};
    o.monitor.entering_patience = 200ms;
    return start(std::move(o));
  };
  const auto b = join("b", with(ours.issue({.names = {"b"}})));
  wait(b, [](const node_status& s) { return s.ready; });
  const auto done = b.submit(inventory::restock{"apple", 1}).get();
  REQUIRE_MESSAGE(done, done.error());

  const auto is_kept_out = [](const node_status& s) { return s.obstacle.code != errc::none; };
  SUBCASE("a certificate of the same authority for another name") {
    const auto c = join("c", with(ours.issue({.names = {"b"}})));
    wait(c, is_kept_out);
    CHECK_FALSE(c.status().cluster);
  }
  SUBCASE("a certificate of another authority") {
    const test_support::authority theirs;
    const auto c = join("c", with(theirs.issue({.names = {"c"}})));
    wait(c, is_kept_out);
    CHECK_FALSE(c.status().cluster);
  }
  SUBCASE("no certificate") {
    const auto c = join("c", over_tcp({}));
    wait(c, is_kept_out);
    CHECK_FALSE(c.status().cluster);
  }
  SUBCASE("a client with a certificate may call, whatever its name") {
    auto shop
        = spawn_client<inventory>(system, {seed(a)}, {}, 0, with(ours.issue({.names = {"shop"}})))
              .value();
    CHECK(shop.submit(inventory::restock{"apple", 1}).get());
  }
  CHECK(a.status().members.size() == 2);
}

TEST_CASE_FIXTURE(fixture, "SEC3: with a key, those who have it talk, and nobody else") {
  const auto with = [&](char letter) {
    test_support::write_file(disk.path("key"), std::string(32, letter));
    tcp_options o;
    o.key = security::cluster_key::load(disk.path("key")).value();
    return over_tcp(std::move(o));
  };
  const auto a = start({.name = "a", .found = true, .network = with('k')});
  const auto join = [&](network_opener network) {
    node_options o{.name = "b", .seeds = {seed(a)}, .network = std::move(network), .log = {}};
    o.monitor.entering_patience = 200ms;
    return start(std::move(o));
  };
  SUBCASE("the same key") {
    wait(join(with('k')), [](const node_status& s) { return s.ready; });
  }
  SUBCASE("another key") {
    wait(join(with('x')), [](const node_status& s) { return s.obstacle.code != errc::none; });
    CHECK(a.status().members.size() == 1);
  }
  SUBCASE("none") {
    wait(join(over_tcp({})), [](const node_status& s) { return s.obstacle.code != errc::none; });
    CHECK(a.status().members.size() == 1);
  }
}

TEST_CASE("SEC5: half of the files that a process may open are left to it") {
  protocol::switchboard_options limits;
  detail::leave_room_for_files(limits, 1'024);
  CHECK(limits.connections_max == 512);
  CHECK(limits.strangers_max == 128);
  detail::leave_room_for_files(limits, 100);
  CHECK(limits.connections_max == 50);
  CHECK(limits.strangers_max == 25);
  detail::leave_room_for_files(limits, 1);
  CHECK(limits.connections_max == 1);
  CHECK(complaints(limits).empty());
}

TEST_CASE("without CAF's network layer there is an error that says how to get it") {
  understudy::config config;
  caf::actor_system system{config};
  const auto started
      = spawn_node<inventory>(system, {.name = "a", .found = true, .network = over_tcp({})});
  REQUIRE_FALSE(started);
  CHECK(started.error().detail.find("networked_config") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "T12: strangers that talk nonsense are shown out, and nobody suffers") {
  auto nodes = grow(2);
  const auto place = *protocol::endpoint_of(static_cast<contact>(nodes[0]).address);
  for (const std::string& text :
       {std::string{"GET / HTTP/1.1\r\n\r\n"}, std::string(4'096, '\xff'), std::string(32, '\0')}) {
    auto made = dial(place.host, place.port, 5s);
    REQUIRE(made.socket);
    REQUIRE(::write(made.socket.get(), text.data(), text.size())
            == static_cast<ssize_t>(text.size()));
    CHECK(ends(made.socket.get()));
  }
  CHECK(nodes[1].submit(inventory::restock{"apple", 1}).get());
}

} // namespace tcp_network_test
