// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/descriptor.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace test_support {

/// A port of the loopback device on which nobody listens, and which nobody was given lately.
inline std::uint16_t free_port() {
  const understudy::descriptor probe{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof own;
  if (::bind(probe.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0
      || ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0)
    throw std::system_error{errno, std::generic_category(), "a free port"};
  return ntohs(own.sin_port);
}

} // namespace test_support
