// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace understudy::testing {

/// What the nodes of a run have done, and what was done to them.
struct node_counters {
  std::uint64_t founded = 0;
  std::uint64_t entered = 0;
  std::uint64_t crashes = 0;
  std::uint64_t crashes_unnoticed = 0; ///< whose links broke silently
  std::uint64_t pauses = 0;
  std::uint64_t source_switches = 0; ///< a puller went on with another source
  std::uint64_t machines_failed = 0;

  node_counters& operator+=(const node_counters& other) {
    founded += other.founded;
    entered += other.entered;
    crashes += other.crashes;
    crashes_unnoticed += other.crashes_unnoticed;
    pauses += other.pauses;
    source_switches += other.source_switches;
    machines_failed += other.machines_failed;
    return *this;
  }
};

} // namespace understudy::testing
