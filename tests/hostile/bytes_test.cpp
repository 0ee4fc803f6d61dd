// SPDX-License-Identifier: BSL-1.0

// Bytes that no node would send, to a node that runs: it goes on, serves others, and holds no more
// than it should. UNDERSTUDY_SEED starts elsewhere, UNDERSTUDY_SECONDS takes longer.

#include <understudy/protocol/frame.hpp>
#include <understudy/testing/random.hpp>

#include <doctest/doctest.h>

#include "hostile/support/hellos.hpp"
#include "hostile/support/tls_files.hpp"
#include "hostile/support/victim.hpp"
#include "protocol/support/samples.hpp"
#include "support/environment.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace bytes_test {

using namespace hostile;
using namespace std::chrono_literals;
using namespace understudy;

namespace {

using stream = std::vector<std::byte>;

/// What one connection says, drawn from one number.
class vandal {
public:
  /// `is_believed`: who says that it is a node is one, so it does not say so. Members are trusted.
  vandal(std::uint64_t seed, bool is_believed) : random_{seed}, is_believed_{is_believed} {}

  stream speech() {
    switch (random_.below(5)) {
    case 0:
      return noise(1 + random_.below(4'000));
    case 1: // nobody has said hello
      return on_the_wire(some_frames());
    case 2:
      return damaged(introduced(some_frames()));
    case 3: { // cut off
      auto all = introduced(some_frames());
      all.resize(random_.below(all.size()));
      return all;
    }
    default: // sound frames with damage in them
      return introduced(damaged_requests(), peer_role::client);
    }
  }

private:
  stream noise(std::size_t size) {
    stream all(size);
    for (auto& b : all)
      b = static_cast<std::byte>(random_.below(256));
    return all;
  }

  stream damaged(stream all) {
    for (auto left = 1 + random_.below(4); left > 0 && !all.empty(); --left) {
      const auto place = random_.below(all.size());
      const auto at = all.begin() + static_cast<std::ptrdiff_t>(place);
      switch (random_.below(3)) {
      case 0:
        *at ^= static_cast<std::byte>(1u << random_.below(8));
        break;
      case 1:
        all.erase(at, at + std::min<std::ptrdiff_t>(9, all.end() - at));
        break;
      default: {
        const auto more = noise(1 + random_.below(30));
        all.insert(at, more.begin(), more.end());
      }
      }
    }
    return all;
  }

  std::vector<frame> some_frames() {
    const auto all = protocol_samples::all();
    std::vector<frame> some;
    for (auto left = 1 + random_.below(4); left > 0; --left)
      some.push_back(protocol::encode(all[random_.below(all.size())]));
    return some;
  }

  std::vector<frame> damaged_requests() {
    std::vector<frame> some;
    for (const auto& what : protocol_samples::all())
      if (std::holds_alternative<requests>(what)) {
        const auto whole = protocol::encode(what);
        const auto body = whole.body.view();
        some.push_back({whole.kind, bytes{damaged({body.begin(), body.end()})}});
      }
    return some;
  }

  stream introduced(const std::vector<frame>& then) {
    const auto first = is_believed_ ? 1u : 0u; // roles: node, client, operator
    return introduced(then, static_cast<peer_role>(first + random_.below(3 - first)));
  }

  stream introduced(std::vector<frame> then, peer_role as) {
    auto own = hello_of(as, 1'000 + random_.below(100));
    own.keyed = !is_believed_;
    then.insert(then.begin(), protocol::encode(own));
    return on_the_wire(then);
  }

  testing::random_stream random_;
  bool is_believed_;
};

/// Attacks for that long, and says what came of it. Some connections are closed at once, others are
/// left to the node.
void assault(victim& node, bool is_believed, std::chrono::milliseconds limit) {
  const auto seed = test_support::number_from("UNDERSTUDY_SEED", 1);
  std::uint64_t connections = 0;
  CAPTURE(seed);
  std::list<stranger> open;
  watch others{node};
  const auto until = stranger::clock::now() + limit;
  for (; stranger::clock::now() < until; ++connections) {
    CAPTURE(connections);
    open.emplace_back(node.port())
        .say(vandal{seed * 1'000'000 + connections, is_believed}.speech());
    if (open.size() > 20)
      open.pop_front();
    REQUIRE_MESSAGE(node.process().is_running(), node.process().last_words());
  }
  others.end();
  MESSAGE("seed ", seed, ": ", connections, " connections; grown by ",
          others.grown_bytes_max() / mebibyte, " MiB; ", others.served(),
          " calls of others, the slowest ", others.slowest().count(), " ms");
  CHECK(others.slowest() < 5s);
  // 21 connections at a time, each with a buffer of 256 KiB and one frame.
  CHECK(others.grown_bytes_max() < 64 * mebibyte);
  CHECK(node.process().says("event=connection_trouble"));
  node.must_end_well();
}

/// A third of the time that there is.
[[nodiscard]] std::chrono::milliseconds share() {
  return std::chrono::seconds{test_support::number_from("UNDERSTUDY_SECONDS", 3)} / 3;
}

/// The header of a frame that announces so much.
[[nodiscard]] std::string announcing(frame_kind kind, std::uint32_t length) {
  protocol::frame_header header = protocol::header_of(kind, {});
  protocol::detail::put(header, 8, length);
  protocol::detail::put(header, 12, protocol::detail::check_of(header));
  return {reinterpret_cast<const char*>(header.data()), header.size()};
}

} // namespace

TEST_CASE("T12 SEC6: random bytes and damaged frames end their own connections, and nothing else") {
  victim node;
  assault(node, true, share());
}

TEST_CASE(
    "T5 T12: where there is a key, whatever they say who do not have it, nothing comes of it") {
  const test_support::scratch disk;
  test_support::write_file(disk.path("key"), std::string(32, 'k'));
  victim node{{"--cluster-key", disk.path("key")}};
  assault(node, false, share());
}

TEST_CASE("T12: a port with TLS takes any bytes as well") {
  const tls_files own{{.names = {"a"}}};
  victim node{own.options()};
  assault(node, false, share());
}

TEST_CASE("T2: where 4 GiB are announced nothing is allocated, and nobody waits") {
  victim node;
  std::list<stranger> open;
  std::list<guest> clients;
  watch others{node};
  for (std::uint64_t i = 1; i <= 50; ++i) {
    for (const std::uint32_t length : {0xffff'ffffu, 0x8000'0000u, 513u})
      open.emplace_back(node.port()).say(announcing(frame_kind::hello, length));
    clients.emplace_back(node.port(), hello_of(peer_role::client, i));
    clients.back().line().say(announcing(frame_kind::requests, 0xffff'ffffu));
  }
  for (auto& one : open)
    CHECK(one.ends());
  for (auto& one : clients)
    CHECK(has(one.last_word(), "too_large"));
  CHECK(node.has_timed_nobody_out());
  others.end();
  CHECK(others.slowest() < 5s);
  CHECK(others.grown_bytes_max() < 64 * mebibyte);
  node.must_end_well();
}

TEST_CASE(
    "SEC5: a frame that does not go on is waited for no longer than a word that does not come") {
  victim node;
  std::list<stranger> silent;
  for (const auto* start : {"u", "usdy", "usdy\1\1"})
    silent.emplace_back(node.port()).say(std::string_view{start});
  silent.emplace_back(node.port()).say(announcing(frame_kind::hello, 100) + "half of it");
  std::list<guest> clients;
  for (std::uint64_t i = 1; i <= 40; ++i) {
    clients.emplace_back(node.port(), hello_of(peer_role::client, i));
    // As much as is allowed; pages that nobody writes to are not there.
    clients.back().line().say(announcing(frame_kind::requests, 8u << 20) + "and no more");
  }
  watch others{node};
  for (auto& one : silent)
    CHECK(one.ends(5s));
  for (auto& one : clients)
    CHECK(one.line().ends(5s));
  others.end();
  CHECK(others.grown_bytes_max() < 64 * mebibyte);
  node.must_end_well();
}

} // namespace bytes_test
