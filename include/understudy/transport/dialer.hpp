// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Makes a TCP connection, and does not wait for ever.
///
/// CAF can connect too, but waits as long as the system does, which is minutes for a host that is
/// not there.

#include <understudy/core/descriptor.hpp>
#include <understudy/core/time.hpp>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace understudy {

/// What became of an attempt to connect.
struct dial_result {
  descriptor socket = descriptor{}; ///< none: it failed
  bool refused = false;             ///< the host is there, and nobody listens
  std::string why = {};
};

namespace detail {

using address_list = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

/// Waits until `socket` is connected, or is known not to be. 0, or what went wrong.
[[nodiscard]] inline int finish_connecting(int socket, instant deadline) {
  for (;;) {
    const auto left
        = std::chrono::ceil<std::chrono::milliseconds>(deadline - instant::clock::now());
    if (left.count() <= 0)
      return ETIMEDOUT;
    pollfd waits{.fd = socket, .events = POLLOUT, .revents = 0};
    const auto limit = std::min<std::int64_t>(left.count(), std::numeric_limits<int>::max());
    const int ready = ::poll(&waits, 1, static_cast<int>(limit));
    if (ready < 0 && errno != EINTR)
      return errno;
    if (ready <= 0)
      continue;
    int problem = 0;
    socklen_t size = sizeof problem;
    return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 ? problem : errno;
  }
}

[[nodiscard]] inline dial_result connect_to(const addrinfo& where, instant deadline) {
  descriptor socket{::socket(where.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  int problem = 0;
  if (!socket || ::connect(socket.get(), where.ai_addr, where.ai_addrlen) != 0)
    problem = errno;
  if (problem == EINPROGRESS || problem == EINTR)
    problem = finish_connecting(socket.get(), deadline);
  if (problem != 0)
    return {.refused = problem == ECONNREFUSED, .why = std::generic_category().message(problem)};
  const int on = 1; // a message is not to wait for the next one
  static_cast<void>(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  return {.socket = std::move(socket)};
}

} // namespace detail

/// Connects to `host`, a name or an address, within `limit`; but looking up a name takes what it
/// takes. Blocks. Of several addresses the first that answers is taken.
[[nodiscard]] inline dial_result dial(const std::string& host, std::uint16_t port, interval limit) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int problem = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
      problem != 0)
    return {.why = ::gai_strerror(problem)};
  const detail::address_list all{found, ::freeaddrinfo};
  const auto deadline = instant::clock::now() + limit;
  dial_result last;
  bool all_refused = true;
  for (const auto* one = found; one != nullptr; one = one->ai_next) {
    last = detail::connect_to(*one, deadline);
    if (last.socket)
      return last;
    all_refused = all_refused && last.refused;
  }
  last.refused = all_refused;
  return last;
}

} // namespace understudy
