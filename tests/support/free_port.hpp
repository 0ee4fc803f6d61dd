// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/descriptor.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <random>
#include <system_error>

namespace test_support {

/// A port of the loopback device on which nobody listens; each time another one. It is none of
/// those that a system gives, by default, to connections and to whoever asks for any, so that it
/// stays free.
inline std::uint16_t free_port() {
  constexpr std::uint32_t lowest = 10'000;
  constexpr std::uint32_t count = 20'000;
  static std::atomic<std::uint32_t> next{std::random_device{}() % count};
  for (std::uint32_t tries = 0; tries < count; ++tries) {
    const auto port = static_cast<std::uint16_t>(lowest + next++ % count);
    const understudy::descriptor probe{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(port);
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(probe.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0)
      return port;
    if (errno != EADDRINUSE)
      break;
  }
  throw std::system_error{errno, std::generic_category(), "a free port"};
}

} // namespace test_support
