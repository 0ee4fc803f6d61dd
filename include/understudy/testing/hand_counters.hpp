// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace understudy::testing {

/// What was done for nodes that could not help themselves once all faults were over, by what was
/// the matter.
struct hand_counters {
  std::uint64_t machine_stopped = 0; ///< started anew,
  std::uint64_t sent_away = 0;       ///< likewise,
  std::uint64_t left_alone = 0;      ///< likewise: of all whom they knew nobody was there
  std::uint64_t outdated = 0;        ///< started again as a newer build
  std::uint64_t leave_cut_off = 0;   ///< sent away
  std::uint64_t helpers = 0;         ///< nodes that entered so that another could go

  hand_counters& operator+=(const hand_counters& other) {
    machine_stopped += other.machine_stopped;
    sent_away += other.sent_away;
    left_alone += other.left_alone;
    outdated += other.outdated;
    leave_cut_off += other.leave_cut_off;
    helpers += other.helpers;
    return *this;
  }
};

} // namespace understudy::testing
