// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace understudy::testing {

/// What clusters at rest were put through, and what it cost them.
struct trial_counters {
  std::uint64_t meshes = 0;           ///< in which only a majority stayed connected
  std::uint64_t leader_changes = 0;   ///< in those
  std::uint64_t voters_replaced = 0;  ///< whose process had ended
  std::uint64_t leaders_replaced = 0; ///< of those
  std::uint64_t majorities_held = 0;  ///< that stood still
  std::uint64_t strangers = 0;        ///< that lived beside the cluster
  std::uint64_t founders_refused = 0; ///< since there was a cluster
  /// What the slowest replacement took beyond `evict_after`, in thousandths of the longest election
  /// timeout.
  std::uint64_t slowest_step_in = 0;

  trial_counters& operator+=(const trial_counters& other) {
    meshes += other.meshes;
    leader_changes += other.leader_changes;
    voters_replaced += other.voters_replaced;
    leaders_replaced += other.leaders_replaced;
    majorities_held += other.majorities_held;
    strangers += other.strangers;
    founders_refused += other.founders_refused;
    slowest_step_in = std::max(slowest_step_in, other.slowest_step_in);
    return *this;
  }
};

} // namespace understudy::testing
