// SPDX-License-Identifier: BSL-1.0
#include <understudy/transport/dialer.hpp>

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace dialer_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

/// Listens on a port of its own on the loopback device.
struct listener {
  explicit listener(int backlog = 8) : socket{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
    if (backlog >= 0)
      REQUIRE(::listen(socket.get(), backlog) == 0);
    socklen_t size = sizeof own;
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0);
    port = ntohs(own.sin_port);
  }

  descriptor socket;
  std::uint16_t port = 0;
};

} // namespace

TEST_CASE("a host where somebody listens is reached, by address and by name") {
  const listener there;
  for (const auto* host : {"127.0.0.1", "localhost"}) {
    auto made = dial(host, there.port, 5s);
    REQUIRE_MESSAGE(made.socket, made.why);
    CHECK(::write(made.socket.get(), "x", 1) == 1);
  }
}

TEST_CASE("a port where nobody listens is refused, and says so") {
  const listener nobody{-1};
  const auto made = dial("127.0.0.1", nobody.port, 5s);
  CHECK_FALSE(made.socket);
  CHECK(made.refused);
  CHECK_FALSE(made.why.empty());
}

TEST_CASE("a name that nobody has is an error, and no refusal") {
  const auto made = dial("no-such-host.invalid", 1, 5s);
  CHECK_FALSE(made.socket);
  CHECK_FALSE(made.refused);
  CHECK_FALSE(made.why.empty());
}

TEST_CASE("an attempt that nobody answers ends when its time is up") {
  const listener busy{0}; // accepts nobody, so those beyond its backlog wait
  std::vector<dial_result> all;
  while (all.size() < 16 && (all.empty() || all.back().socket))
    all.push_back(dial("127.0.0.1", busy.port, 20ms));
  CHECK_FALSE(all.back().socket);
  CHECK_FALSE(all.back().refused);
  CHECK(all.back().why.find("timed out") != std::string::npos);
}

} // namespace dialer_test
