// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A replicated store whose nodes are processes of their own, as a caller sees it over HTTP.

#include <httplib.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace benchmarks {

class served_store {
public:
  served_store() = default;
  served_store(const served_store&) = delete;
  served_store& operator=(const served_store&) = delete;
  virtual ~served_store() = default;

  /// The HTTP port of each node, in the order in which they were started.
  [[nodiscard]] virtual std::vector<std::uint16_t> doors() const = 0;

  /// Which of them leads; waits until one does.
  [[nodiscard]] virtual std::size_t leader() = 0;

  /// Has a node do nothing any more, though it is there; it is killed afterwards.
  virtual void freeze(std::size_t which) = 0;

  /// Ends a node as a crash would.
  virtual void kill(std::size_t which) = 0;

  /// Makes up for what was killed, and waits until everybody is well.
  virtual void restore() = 0;

  /// Whether a write is acknowledged.
  [[nodiscard]] virtual bool put(httplib::Client& at, const std::string& key,
                                 const std::string& value) const
      = 0;

protected:
  /// Waits for something; throws `otherwise` if it does not come.
  template <class Condition>
  static void await(const std::string& otherwise, const Condition& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until)
        throw std::runtime_error{otherwise};
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
  }
};

/// One connection to a node, kept; gives up on an answer after `limit`.
[[nodiscard]] inline httplib::Client
connection_to(std::uint16_t port, std::chrono::milliseconds limit = std::chrono::seconds{10}) {
  httplib::Client line{"127.0.0.1", port};
  line.set_keep_alive(true);
  line.set_tcp_nodelay(true);
  line.set_connection_timeout(limit);
  line.set_read_timeout(limit);
  line.set_write_timeout(limit);
  return line;
}

} // namespace benchmarks
