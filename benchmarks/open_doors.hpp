// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Callers over HTTP that are told which doors are open, and go on at the next when one fails them.

#include "served_store.hpp"
#include "write_load.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace benchmarks {

/// The HTTP ports of nodes that come and go. Safe from any thread.
class open_doors {
public:
  explicit open_doors(std::vector<std::uint16_t> all) : all_{std::move(all)} {}

  void update(std::vector<std::uint16_t> all) {
    const std::lock_guard lock{mutex_};
    all_ = std::move(all);
  }

  /// One of them; another one for the next `turn`.
  [[nodiscard]] std::uint16_t at(std::size_t turn) const {
    const std::lock_guard lock{mutex_};
    return all_[turn % all_.size()];
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::uint16_t> all_;
};

/// Writes 256 bytes under a key of its own. A door that does not acknowledge a write is left for
/// the next; the write has failed when none has acknowledged it for long.
[[nodiscard]] inline one_write through(const open_doors& doors, const served_store& store,
                                       std::size_t caller) {
  struct line {
    std::uint16_t port = 0;
    std::unique_ptr<httplib::Client> to;
  };
  return [&doors, &store, turn = caller, open = std::make_shared<line>(),
          key = "caller" + std::to_string(caller), value = std::string(256, 'v')]() mutable {
    constexpr std::chrono::seconds patience{30};
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;; ++turn) {
      if (const auto port = doors.at(turn); port != open->port || !open->to) {
        open->port = port;
        open->to = std::make_unique<httplib::Client>(connection_to(port));
      }
      if (store.put(*open->to, key, value))
        return true;
      open->to.reset();
      if (std::chrono::steady_clock::now() > until)
        return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{1}); // all may refuse at once
    }
  };
}

} // namespace benchmarks
