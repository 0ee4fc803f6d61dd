// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Reads without a round (§6.4.1 of the thesis): the leader answers at once, as long as nobody else
/// can have been elected.
///
/// Off unless the replicated setting `lease_ms` is set. Why no other node leads while it holds:
/// whoever is elected next, the first in time and not by its term, has every committed entry, so
/// also the configuration that this leader goes by, and none that came later, for only this leader
/// can have made one. So it needs a quorum of the very voters among whom a quorum has echoed, and
/// at least one is in both. That one had this configuration in its log as the newest, and a message
/// of this leader that was sent when the lease began or later; from then on it votes for nobody for
/// at least twice the lease, by a clock of its own (abstention.hpp). What it does not hold for:
///
/// - The one whom the leader told to stand at once: it does, whenever that message arrives. So the
///   lease ends for good when that is sent; in a later term the message means nothing.
/// - A voter that has not confirmed the newest configuration, or not the first entry of this
///   leader's term: its log may end with a tail of an earlier leader in which the lease is off. It
///   does not count. Nor can one whose release knows of no leases: it can not read the setting.
/// - Clocks that stand still for as long as a machine is suspended, and clocks that go more than
///   twice as fast as others. It is for the operator to know them (docs/operating.md).
///
/// A process that stood still finds the lease over, since its clock went on: the time is read for
/// each batch of messages, after the questions in it were taken, and the answer is true of that
/// moment. That the machine is asked later, in another actor, makes the answer newer, not older.

#include <understudy/core/ids.hpp>
#include <understudy/core/time.hpp>
#include <understudy/raft/abstention.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/raft/reads.hpp>
#include <understudy/raft/replication.hpp>

#include <algorithm>

namespace understudy {

/// The lease of one leadership.
class read_lease {
public:
  /// `first`: the leader's first entry.
  explicit read_lease(log_index first) : first_{first} {}

  /// Another node is told to stand, and the voters will not wait for it.
  void end_for_good() { ended_ = true; }

  /// Whether no other node can have been elected by now. Counted from the sending of the newest
  /// round that a quorum has echoed.
  [[nodiscard]] bool holds(const core_state& state, const replication& peers,
                           const read_queue& rounds, instant now) const {
    const auto& rules = state.newest();
    if (lease_of(rules) == interval{0} || ended_ || rules.index > state.commit()
        || state.commit() < first_)
      return false;
    const auto round = peers.echoed_by_quorum(state, rounds.round(), std::max(rules.index, first_));
    const auto since = rounds.proven_at(round);
    return since != instant{} && now - since < lease_of(rules);
  }

private:
  log_index first_;
  bool ended_ = false;
};

} // namespace understudy
