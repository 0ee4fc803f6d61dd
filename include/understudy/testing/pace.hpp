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

/// The same, to be asked; and a clock that may come to go differently, though never back.
class pace {
public:
  pace() = default;
  explicit pace(pace_options options)
      : options_{std::move(options)}, shown_{instant{options_.clock_offset}},
        permille_{options_.clock_permille} {}

  /// What the node's clock shows at a moment of the run, not before the last change of it.
  [[nodiscard]] instant local(instant at) const {
    return shown_ + interval{(at - since_).count() * permille_ / 1'000};
  }

  /// The first moment of the run at which the node's clock shows `at` or more.
  [[nodiscard]] instant global(instant at) const {
    const auto ahead = (at - shown_).count();
    // Both roundings go down; what is lost is made up for, so that no timer fires early.
    return since_ + interval{ahead <= 0 ? 0 : (ahead * 1'000 + 1'000 + permille_ - 1) / permille_};
  }

  /// From `now` on the clock goes so fast; 1,000: as it should.
  void go_at(std::int64_t permille, instant now) {
    shown_ = local(now);
    since_ = now;
    permille_ = permille;
  }

  /// The clock goes as fast as it did at the start.
  void go_as_before(instant now) { go_at(options_.clock_permille, now); }

  /// All of a sudden it is later, as after a rest of the whole machine.
  void jump(interval ahead, instant now) {
    shown_ = local(now) + ahead;
    since_ = now;
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
  instant since_{};               ///< the last change of the clock,
  instant shown_{};               ///< what it showed then,
  std::int64_t permille_ = 1'000; ///< and how fast it has gone since
};

} // namespace understudy::testing
