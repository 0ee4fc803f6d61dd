// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/time.hpp>
#include <understudy/testing/random.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace understudy::testing {

/// How quickly one component takes what it is told: as a busy actor's mailbox, or a slow disk.
struct mailbox_pace {
  double slow = 0;       ///< probability that a notice waits
  interval delay_max{0}; ///< and for how long at most
};

/// How one node runs: its clock, its timers, and how its mailboxes fill.
struct pace_options {
  interval clock_offset = std::chrono::hours{1}; ///< what its clock shows when the run starts
  std::int64_t clock_permille = 1'000;           ///< how fast its clock goes
  interval timer_late_max{0};
  double batch = 0; ///< probability that a node waits for more before it settles
  interval batch_max = std::chrono::microseconds{200};
  std::vector<mailbox_pace> mailboxes = {}; ///< by component; those left out are immediate
};

/// The same, to be asked.
class pace {
public:
  pace() = default;
  explicit pace(pace_options options) : options_{std::move(options)} {}

  /// What the node's clock shows at a moment of the run.
  [[nodiscard]] instant local(instant at) const {
    return instant{options_.clock_offset
                   + interval{at.time_since_epoch().count() * options_.clock_permille / 1'000}};
  }

  /// The first moment of the run at which the node's clock shows `at` or more.
  [[nodiscard]] instant global(instant at) const {
    const auto since = (at - instant{options_.clock_offset}).count();
    const auto rate = options_.clock_permille;
    // Both roundings go down; what is lost is made up for, so that no timer fires early.
    return instant{interval{since <= 0 ? 0 : (since * 1'000 + 1'000 + rate - 1) / rate}};
  }

  [[nodiscard]] interval lateness(random_stream& random) const {
    return random.between(interval{0}, options_.timer_late_max);
  }

  /// How long a node waits for more before it settles; 0: not at all.
  [[nodiscard]] interval batch(random_stream& random) const {
    if (options_.batch <= 0 || !random.chance(options_.batch))
      return interval{0};
    return random.between(interval{1}, options_.batch_max);
  }

  /// For how long a component leaves a notice in its mailbox.
  [[nodiscard]] interval mailbox(std::size_t component, random_stream& random) const {
    if (component >= options_.mailboxes.size())
      return interval{0};
    const auto& box = options_.mailboxes[component];
    if (box.slow <= 0 || !random.chance(box.slow))
      return interval{0};
    return random.between(interval{1}, box.delay_max);
  }

private:
  pace_options options_;
};

} // namespace understudy::testing
