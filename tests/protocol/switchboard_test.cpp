// SPDX-License-Identifier: BSL-1.0
#include <understudy/protocol/switchboard.hpp>

#include <doctest/doctest.h>

#include "protocol/support/exchange_hall.hpp"
#include "support/environment.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace switchboard_test {

using namespace understudy;
using namespace understudy::protocol;
using namespace std::chrono_literals;
using test_support::exchange_hall;
using numbers = std::vector<std::uint64_t>;

TEST_CASE("what is sent before there is a connection waits for it, and keeps its order") {
  exchange_hall hall{1};
  hall.open(1);
  hall.open(2);
  for (const std::uint64_t n : {1u, 2u, 3u})
    hall.send(1, exchange_hall::address_of(2), n);
  hall.run_for(10ms);
  CHECK(hall.received(2, 1) == numbers{1, 2, 3});
  CHECK(hall.wires_between(1, 2) == 1);
}

TEST_CASE("an answer goes over the connection that is there, whoever made it") {
  exchange_hall hall{2};
  hall.open(1);
  hall.open(2).listens = true;
  hall.send(1, exchange_hall::address_of(2));
  hall.run_for(10ms);
  hall.at(1).listens = false;
  hall.send(2, endpoint{{}, 0, {1}}, 5); // a guest, whose address nobody knows
  hall.run_for(10ms);
  CHECK(hall.received(1, 2) == numbers{5});
}

TEST_CASE("a seed is met under the id that it has") {
  exchange_hall hall{3};
  hall.open(1);
  hall.open(2);
  hall.send(1, exchange_hall::seed_at(2), 4);
  hall.run_for(10ms);
  REQUIRE(hall.at(1).met.size() == 1);
  CHECK(hall.at(1).met[0] == std::pair{exchange_hall::seed_at(2), member_id{2}});
  CHECK(hall.received(2, 1) == numbers{4});
  hall.send(1, exchange_hall::address_of(2), 5);
  hall.run_for(10ms);
  CHECK(hall.received(2, 1) == numbers{4, 5});
  CHECK(hall.wires_between(1, 2) == 1);
}

TEST_CASE("what one end has sent the other has received") {
  exchange_hall hall{3};
  hall.open(1);
  hall.open(2);
  hall.send(1, exchange_hall::address_of(2), 4);
  hall.run_for(10ms);
  const auto& one = hall.at(1).board.counters();
  const auto& other = hall.at(2).board.counters();
  CHECK(one.open == 1);
  CHECK(other.open == 1);
  CHECK(one.sent_bytes > other.sent_bytes); // a hello each, and one message
  CHECK(one.sent_bytes == other.received_bytes);
  CHECK(other.sent_bytes == one.received_bytes);
}

TEST_CASE("a node that is among its own seeds finds out, and asks no more") {
  exchange_hall hall{4};
  hall.open(1);
  hall.send(1, exchange_hall::seed_at(1));
  hall.run_for(2s);
  REQUIRE(hall.at(1).met.size() >= 1);
  CHECK(hall.at(1).met[0].second == member_id{1});
  CHECK(hall.at(1).board.counters().open == 0);
  CHECK(hall.at(1).board.counters().dialed == 1);
  CHECK(hall.at(1).complaints.empty());
  CHECK(hall.at(1).messages.empty());
}

TEST_CASE("B8: what is meant for one process does not reach another that listens in its place") {
  exchange_hall hall{5};
  hall.open(1);
  hall.open(2);
  hall.send(1, {"host", 2, {77}});
  hall.run_for(10ms);
  CHECK(hall.at(2).messages.empty());
  REQUIRE_FALSE(hall.at(1).lost.empty());
  CHECK(hall.at(1).lost[0].who == member_id{77});
  CHECK_FALSE(hall.at(1).lost[0].gone);
  CHECK(hall.wires_between(1, 2) == 0);
}

TEST_CASE("a member that ends is found out, also by one that never has anything to send to it") {
  exchange_hall hall{15};
  hall.open(1).board.learn({5}, {{member_id{2}, {"node 2", exchange_hall::address_of(2)}},
                                 {member_id{3}, {"node 3", std::nullopt}}});
  hall.open(2);
  hall.open(3);
  for (const std::uint64_t from : {2u, 3u})
    hall.send(from, exchange_hall::address_of(1));
  hall.run_for(10ms);
  hall.kill(2);
  hall.kill(3);
  hall.run_for(50ms);
  const auto is_gone = [&](std::uint64_t id) {
    return std::ranges::any_of(
        hall.at(1).lost, [&](const peer_lost& l) { return l.gone && l.who == member_id{id}; });
  };
  CHECK(is_gone(2));
  CHECK_FALSE(is_gone(3)); // nobody knows where it would be
}

TEST_CASE("a broken connection is told at once, and made anew") {
  exchange_hall hall{6};
  hall.open(1);
  hall.open(2);
  hall.send(1, exchange_hall::address_of(2), 1);
  hall.run_for(10ms);
  hall.cut(1);
  REQUIRE(hall.at(1).lost.size() == 1);
  CHECK(hall.at(1).lost[0].who == member_id{2});
  CHECK_FALSE(hall.at(1).lost[0].gone);
  CHECK(hall.at(2).lost.size() == 1);
  hall.send(1, exchange_hall::address_of(2), 2); // lost: it may be another process that answers
  hall.run_for(20ms);
  CHECK(hall.wires_between(1, 2) == 1); // made anew in any case
  hall.send(1, exchange_hall::address_of(2), 3);
  hall.run_for(10ms);
  CHECK(hall.received(2, 1) == numbers{1, 3});
}

TEST_CASE("where connecting is refused the process that had answered has ended") {
  exchange_hall hall{7};
  switchboard_options careful;
  careful.refused_means_ended = false;
  hall.open(1);
  hall.open(2);
  hall.open(3, careful);
  for (const std::uint64_t from : {1u, 3u}) {
    hall.send(from, exchange_hall::address_of(2), 1);
    hall.run_for(10ms);
  }
  hall.send(1, exchange_hall::address_of(9), 1); // nobody has ever answered there
  hall.run_for(10ms);
  CHECK_FALSE(std::ranges::any_of(hall.at(1).lost, &peer_lost::gone));
  hall.kill(2);
  for (const std::uint64_t from : {1u, 3u})
    hall.send(from, exchange_hall::address_of(2), 2);
  hall.run_for(30ms);
  CHECK(std::ranges::any_of(hall.at(1).lost,
                            [](const peer_lost& l) { return l.gone && l.who == member_id{2}; }));
  CHECK_FALSE(std::ranges::any_of(hall.at(3).lost, &peer_lost::gone));
}

TEST_CASE("attempts at one that can not be reached become rare, and end when nobody has a wish") {
  exchange_hall hall{8};
  hall.open(1);
  hall.send(1, exchange_hall::address_of(9));
  hall.run_for(60s);
  const auto tries = hall.at(1).lost.size();
  CHECK(tries > 15);
  CHECK(tries < 40); // ten seconds of interest, at half a second each
  hall.run_for(60s);
  CHECK(hall.at(1).lost.size() == tries);
}

TEST_CASE("a silent wire is given up after a second") {
  exchange_hall hall{9};
  hall.open(1);
  hall.open(2);
  hall.send(1, exchange_hall::address_of(2));
  hall.run_for(5s);
  CHECK(hall.at(1).lost.empty()); // both ask for signs of life
  hall.deaf = true;
  hall.run_for(600ms);
  CHECK(hall.at(1).lost.empty()); // it may be slow
  hall.run_for(800ms);
  CHECK(hall.at(1).lost.size() == 1);
  CHECK(hall.at(2).lost.size() == 1);
}

TEST_CASE("garbage ends its own connection, and nobody else's") {
  exchange_hall hall{10};
  hall.open(1);
  hall.open(2);
  hall.send(1, exchange_hall::address_of(2), 1);
  hall.run_for(10ms);
  for (int i = 0; i < 100; ++i)
    hall.intrude(2, std::vector<std::byte>(64, std::byte{'G'}));
  hall.run_for(100ms);
  CHECK(hall.at(2).board.counters().faulty == 100);
  CHECK(hall.at(2).board.counters().open == 1);
  CHECK(hall.at(2).complaints.size() == 7); // 1, 2, 4, ... 64
  hall.send(1, exchange_hall::address_of(2), 2);
  hall.run_for(10ms);
  CHECK(hall.received(2, 1) == numbers{1, 2});
}

TEST_CASE("T4: half-open connections are few, short-lived, and in nobody's way") {
  exchange_hall hall{11};
  hall.open(1);
  hall.open(2);
  for (int i = 0; i < 500; ++i)
    hall.intrude(2, {});
  CHECK(hall.at(2).board.counters().open == switchboard_options{}.strangers_max);
  hall.send(1, exchange_hall::address_of(2), 1);
  hall.run_for(100ms);
  CHECK(hall.received(2, 1) == numbers{1});
  hall.run_for(3s);
  CHECK(hall.at(2).board.counters().open == 1);
}

TEST_CASE("options that make no sense are named") {
  CHECK(complaints(switchboard_options{}).empty());
  switchboard_options wrong;
  wrong.connection.probe_after = 0ms;
  wrong.dialing = {.retry = 0ms, .retry_max = -1ms, .rest_after = 0ms};
  wrong.connections_max = wrong.strangers_max = 0;
  wrong.connection.trust.require_certificate = true;
  const auto found = complaints(wrong);
  for (const auto* text : {"probe_after", "retry ", "retry_max", "rest_after", "connections_max",
                           "strangers_max", "require_certificate"})
    CHECK_MESSAGE(
        std::ranges::any_of(
            found, [&](const std::string& one) { return one.find(text) != std::string::npos; }),
        text);
}

TEST_CASE("there is a limit to connections") {
  exchange_hall hall{12};
  hall.open(1, {.connections_max = 3});
  for (const std::uint64_t other : {2u, 3u, 4u, 5u, 6u}) {
    hall.open(other);
    hall.send(other, exchange_hall::address_of(1));
  }
  hall.run_for(1s);
  const auto& seen = hall.at(1).board.counters();
  CHECK(seen.open == 3);
  CHECK(seen.accepted == seen.refused + 3);
  CHECK(seen.refused > 0);
  CHECK(hall.at(1).messages.size() == 3);
}

TEST_CASE("nodes of two clusters do not talk") {
  exchange_hall hall{13};
  auto one = exchange_hall::hello_of(1);
  one.cluster = {5};
  auto other = exchange_hall::hello_of(2);
  other.cluster = {6};
  hall.open(one);
  hall.open(other);
  hall.send(1, exchange_hall::seed_at(2));
  hall.run_for(100ms);
  CHECK(hall.at(2).messages.empty());
  REQUIRE_FALSE(hall.at(1).complaints.empty());
  CHECK(hall.at(1).complaints[0].find("cluster_mismatch") != std::string::npos);
}

TEST_CASE("T6: who says that it is a member has to have that member's name") {
  exchange_hall hall{14};
  hall.open(1).board.learn({5}, {{member_id{2}, {"node 2"}}, {member_id{3}, {"node 3"}}});
  auto impostor = exchange_hall::hello_of(2);
  impostor.name = "node 3";
  hall.open(impostor);
  hall.open(3);
  for (const std::uint64_t from : {2u, 3u})
    hall.send(from, exchange_hall::address_of(1));
  hall.run_for(100ms);
  CHECK(hall.received(1, 2).empty());
  CHECK(hall.received(1, 3) == numbers{1});
  REQUIRE_FALSE(hall.at(1).complaints.empty());
  CHECK(hall.at(1).complaints[0].find("not_trusted") != std::string::npos);
}

TEST_CASE("T6: a client that calls itself a member does not come between it and the others") {
  exchange_hall hall{16};
  hall.open(1).board.learn({5}, {{member_id{2}, {"node 2", exchange_hall::address_of(2)}}});
  hall.open(2);
  hall.send(1, exchange_hall::address_of(2), 1);
  hall.run_for(10ms);
  auto own = exchange_hall::hello_of(2);
  own.role = peer_role::client; // and so its name is in no certificate that would be looked at
  hall.intrude(1, protocol_samples::on_the_wire({protocol::encode(own)}));
  hall.run_for(10ms);
  CHECK(hall.at(1).board.counters().faulty == 1);
  hall.send(1, exchange_hall::address_of(2), 2);
  hall.run_for(10ms);
  CHECK(hall.received(2, 1) == numbers{1, 2});
  CHECK(hall.at(1).lost.empty());
}

TEST_CASE("however connections cross and break, one is left, and it works") {
  const auto first = test_support::number_from("UNDERSTUDY_SEED", 1);
  for (auto seed = first; seed < first + 200; ++seed) {
    CAPTURE(seed);
    exchange_hall hall{seed};
    random_source random{seed};
    constexpr std::uint64_t nodes = 4;
    for (std::uint64_t id = 1; id <= nodes; ++id)
      hall.open(id);
    std::uint64_t sent = 0;
    for (int i = 0; i < 60; ++i) {
      const auto from = 1 + random.below(nodes);
      const auto to = 1 + random.below(nodes);
      if (from != to)
        hall.send(from, exchange_hall::address_of(to), ++sent);
      if (random.below(4) == 0)
        hall.run_for(random.between(100us, 3ms));
      if (random.below(12) == 0)
        hall.cut(1 + random.below(nodes));
    }
    const auto send_all = [&] {
      ++sent;
      for (std::uint64_t from = 1; from <= nodes; ++from)
        for (std::uint64_t to = 1; to <= nodes; ++to)
          if (from != to)
            hall.send(from, exchange_hall::address_of(to), sent);
      hall.run_for(2s);
    };
    send_all(); // what comes after a break may be lost, but has the connection made
    send_all();
    for (std::uint64_t from = 1; from <= nodes; ++from)
      for (std::uint64_t to = 1; to <= nodes; ++to)
        if (from != to) {
          CHECK_MESSAGE(hall.wires_between(from, to) == 1, from, " and ", to);
          const auto got = hall.received(to, from);
          REQUIRE_FALSE(got.empty());
          CHECK(got.back() == sent);
          CHECK(std::ranges::is_sorted(got));
        }
  }
}

} // namespace switchboard_test
