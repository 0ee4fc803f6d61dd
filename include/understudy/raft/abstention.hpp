// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a voter owes a leader that reads under a lease: it votes for nobody for a while.

#include <understudy/core/configuration.hpp>
#include <understudy/core/time.hpp>
#include <understudy/raft/options.hpp>

#include <algorithm>
#include <chrono>

namespace understudy {

/// How long a leader may answer reads after a round that a quorum has echoed; zero: not at all, as
/// long as no configuration says otherwise.
[[nodiscard]] inline interval lease_of(const placed_configuration& in) {
  return in.content ? std::chrono::milliseconds{in.content->rules.lease_ms} : interval{0};
}

/// How long a node votes for nobody after the last message of a leader; zero: there is no lease,
/// and it may vote as soon as it takes the leader for lost.
///
/// Twice the lease, so one clock may go twice as fast as another: a leader with the slowest clock
/// still stops before a voter with the fastest one begins. Two heartbeats more are for one jump of
/// the voter's clock, of whatever length (see `abstention`). Never less than the own election
/// timeout.
[[nodiscard]] inline interval abstention_for(interval lease, const core_options& options) {
  if (lease <= interval{0})
    return interval{0};
  return std::max(options.election_timeout_min, 2 * (lease + options.heartbeat));
}

/// How long ago a leader gave a sign to this node, whatever role the node has had since and in
/// whatever term it is: the promise was made to that leader, and does not end with a term of
/// someone else. A node does not remember what it heard in an earlier life, so its start counts as
/// a sign.
///
/// No step of this clock is longer than two heartbeats. A core is woken at each heartbeat, so a
/// longer one is a process that stood still, or a clock that jumped: as much of it may be untrue.
class abstention {
public:
  explicit abstention(interval heartbeat) : step_max_{2 * heartbeat} {}

  /// A leader wrote to this node.
  void heard(instant now) {
    begun_ = true;
    passed_ = interval{0};
    last_ = now;
  }

  /// Called often. The first time, the process has begun.
  void pass(instant now) {
    if (!begun_)
      return heard(now);
    passed_ = passed(now);
    last_ = now;
  }

  /// How much time has passed since, for certain.
  [[nodiscard]] interval passed(instant now) const {
    return begun_ ? passed_ + std::min<interval>(now - last_, step_max_) : interval{0};
  }

private:
  interval step_max_;
  interval passed_{0};
  instant last_ = {};
  bool begun_ = false;
};

} // namespace understudy
