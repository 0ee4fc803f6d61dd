// SPDX-License-Identifier: BSL-1.0

// Protocols that a port does not speak, and one that is spoken too slowly.

#include <understudy/security/tls_session.hpp>

#include <doctest/doctest.h>

#include "hostile/support/hellos.hpp"
#include "hostile/support/tls_files.hpp"
#include "hostile/support/victim.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <vector>

namespace protocols_test {

using namespace hostile;
using namespace std::chrono_literals;
using namespace understudy;

namespace {

/// A header of CAF's own protocol: its numbers are big-endian.
[[nodiscard]] std::string basp(char operation, std::uint32_t payload_bytes, char version) {
  std::string header(32, '\0');
  header[0] = operation;
  for (std::size_t i = 0; i < 4; ++i)
    header[4 + i] = static_cast<char>(payload_bytes >> (24 - 8 * i));
  header[15] = version;
  return header;
}

} // namespace

TEST_CASE(
    "T1 T3 SEC7: CAF's own protocol is not spoken: no handshake, and no message to an actor") {
  victim node;
  for (const char operation : {'\0', '\1', '\2', '\3', '\4', '\5'})
    for (const std::uint32_t payload : {0u, 16u, 0xffff'ffffu}) {
      stranger one{node.port()};
      one.say(basp(operation, payload, 3) + std::string(16, 'x'));
      CHECK(one.ends());
    }
  CHECK(node.process().says("event=connection_trouble"));
  CHECK(node.has_timed_nobody_out());
  CHECK(node.grown_bytes() < 32 * mebibyte);
  node.must_end_well();
}

TEST_CASE("T12: TLS at a port without it is ended at once") {
  victim node;
  const tls_files theirs{{.names = {"somebody"}}};
  auto session = security::tls_session::begin(theirs.context(), security::side::opener);
  REQUIRE(session);
  stranger one{node.port()};
  one.say(std::span<const std::byte>{session->take_output()});
  CHECK(one.ends());
  CHECK(node.process().says("this is no frame"));
  CHECK(node.has_timed_nobody_out());
  node.must_end_well();
}

TEST_CASE("T12: what is no TLS gets nothing at a port with it, and is ended at once") {
  const tls_files own{{.names = {"a"}}};
  victim node{own.options()};
  for (const auto& what :
       {std::string{"GET /status HTTP/1.1\r\nHost: a\r\n\r\n"}, std::string(2'000, '\0')}) {
    stranger one{node.port()};
    one.say(what);
    const auto answer = one.hear_all();
    CHECK(one.is_over());
    CHECK(answer.size() < 16); // an alert of TLS
  }
  guest frames{node.port(), hello_of(peer_role::node, 5)};
  const auto answer = frames.line().hear_all();
  CHECK(frames.line().is_over());
  CHECK_FALSE(has(answer, "usdy"));
  CHECK(node.process().says("not_trusted: TLS"));
  CHECK(node.has_timed_nobody_out());
  node.must_end_well();
}

TEST_CASE("SEC5: callers that say a byte now and then keep others waiting only where all do") {
  victim node{{"--http-connections", "8"}};
  std::list<stranger> slow;
  const auto drip = [&](std::chrono::milliseconds time) {
    for (const auto until = stranger::clock::now() + time; stranger::clock::now() < until;)
      for (auto& s : slow) {
        s.say("x");
        CHECK_FALSE(s.is_over());
        static_cast<void>(s.hear(2ms));
      }
  };
  const auto come = [&](int count) {
    for (int i = 0; i < count; ++i)
      slow.emplace_back(node.http()).say("GET /kv/a HTTP/1.1\r\nX: ");
  };
  come(6);
  watch others{node};
  drip(400ms);
  others.end();
  CHECK(others.slowest() < 5s);
  come(14); // nobody is served over HTTP now; the cluster does not notice
  drip(200ms);
  guest client{node.port(), hello_of(peer_role::client, 7)};
  CHECK(client.is_known(5s));
  CHECK(node.grown_bytes() < 32 * mebibyte);
  slow.clear();
  node.must_end_well();
}

} // namespace protocols_test
