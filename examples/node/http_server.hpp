// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Serves a function from requests to answers on a TCP port. What it is made of is in
/// http_server.cpp alone, and is compiled there once.

#include <understudy/core/errors.hpp>
#include <understudy/protocol/endpoint.hpp>

#include "http_message.hpp"
#include "metrics.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace node_program {

struct http_limits {
  std::size_t connections_max = 64; ///< served at a time; others wait for their turn
  std::size_t body_bytes_max = (2 << 20) + (64 << 10); ///< two values in JSON
  std::size_t header_bytes_max = 64 << 10;             ///< request line and headers together
  std::size_t path_bytes_max = 1'024;                  ///< decoded; longer than any path of the API
  std::chrono::seconds idle_max{30};                   ///< between two requests of a connection
  std::chrono::seconds request_max{30};                ///< from its first byte to its last
  std::chrono::seconds answer_max{30}; ///< likewise, for a caller who reads it slowly
  std::size_t requests_max = 10'000;   ///< of a connection, which is closed then
};

/// The server. It takes connections from `start` on, and until `close`; every request is answered
/// by `answer`, in as many threads as there have been connections at a time.
class http_server {
public:
  using answerer = std::function<http_answer(const http_request&)>;

  /// Says whether the port can be had, before anything else is begun.
  [[nodiscard]] static understudy::expected<http_server>
  bind(const understudy::protocol::endpoint& at, const http_limits& limits,
       http_counters& counters);

  http_server(http_server&&) noexcept;
  http_server& operator=(http_server&&) noexcept;
  ~http_server();

  /// Where it is bound; the port is the real one, also if any was asked for.
  [[nodiscard]] understudy::protocol::endpoint address() const;

  void start(answerer answer);

  /// From now on each connection is closed after its next answer, and at once if it is idle.
  void begin_to_drain();

  /// Takes no more connections, and drains those that are there.
  void close();

  /// Waits until the last connection has ended. Requests that hang keep it, so what they wait for
  /// has to end first.
  void join();

private:
  struct parts;
  explicit http_server(std::unique_ptr<parts> all);
  std::unique_ptr<parts> parts_;
};

} // namespace node_program
