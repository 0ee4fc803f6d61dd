// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/transport/dialer.hpp>

#include <doctest/doctest.h>

#include <arpa/inet.h>

#include <cstdint>

namespace test_support {

/// A port of the loopback device on which nobody listens, and which nobody was given lately.
inline std::uint16_t free_port() {
  const understudy::owned_socket probe{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(probe.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
  socklen_t size = sizeof own;
  REQUIRE(::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0);
  return ntohs(own.sin_port);
}

} // namespace test_support
