// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Three times that must not be confused.
///
/// An `instant` is what the driver hands to a component with every message: the monotonic clock of
/// this process, or the simulator's. It means nothing on another node. A `log_time` is replicated:
/// the leader stamps it on an entry, so every node reads the same one, and it alone may decide what
/// a replicated table does (session expiry, for one: C9). No component reads a wall clock.

#include <chrono>
#include <compare>
#include <cstdint>

namespace understudy {

/// A moment on this process's monotonic clock.
using instant = std::chrono::steady_clock::time_point;

/// A length of time.
using interval = std::chrono::nanoseconds;

/// Time as the log tells it: how long leaders have led since the cluster was founded.
///
/// It never jumps and never goes back; it stands still while there is no leader.
struct log_time {
  interval since_founding{0};

  friend constexpr auto operator<=>(log_time, log_time) = default;
  friend constexpr log_time operator+(log_time a, interval b) { return {a.since_founding + b}; }
  friend constexpr interval operator-(log_time a, log_time b) {
    return a.since_founding - b.since_founding;
  }

  template <class Archive> void save(Archive& archive) const {
    archive(static_cast<std::int64_t>(since_founding.count()));
  }
  template <class Archive> void load(Archive& archive) {
    std::int64_t count = 0;
    archive(count);
    since_founding = interval{count};
  }
};

} // namespace understudy
