// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// With one voter, the second node is the only other copy.
///
/// Two nodes make a raft group of one and a temporary listener. While that listener is in step, the
/// leader lets nobody see a write that the listener has not stored: applying, and so replies and
/// reads, wait for its next pull. When it falls out of step the leader goes on alone at once, and
/// says so.

#include <understudy/core/ids.hpp>
#include <understudy/core/time.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/raft/pull_desk.hpp>
#include <understudy/roster/seats.hpp>

#include <algorithm>
#include <cstdint>

namespace understudy {

/// What a leader may let its replica apply, and on how many nodes that is.
struct release {
  log_index through = {};
  std::uint32_t copies = 1;
};

/// Decides how far a leader may go in front of the second copy.
class two_node_copy {
public:
  [[nodiscard]] release decide(const core_state& state, const pull_desk& desk, instant now) {
    const auto& voters = *state.newest().content;
    if (voters.joint() || voters.voters.size() > 1) {
      in_step_ = false;
      const auto fewest = voters.joint() ? std::min(voters.voters.size(), voters.outgoing.size())
                                         : voters.voters.size();
      return {state.commit(), static_cast<std::uint32_t>(majority(fewest))};
    }
    const auto* copy = second_copy(state, desk, now);
    // It counts once it is close behind, and from then on until contact is lost: what it has not
    // stored yet waits for it, however much that is.
    in_step_
        = copy && (in_step_ || state.commit() - copy->stored.index <= state.options.catch_up_gap);
    if (!in_step_)
      return {state.commit(), 1};
    return {std::min(state.commit(), copy->stored.index), 2};
  }

private:
  static const pull_desk::visit* second_copy(const core_state& state, const pull_desk& desk,
                                             instant now) {
    const auto& ranks = state.committed().content;
    if (!ranks)
      return nullptr;
    const auto seating = seats(ranks->members, ranks->rules.max_voters);
    for (const auto& p : seating.places) {
      if (p.claim != claim::temporary_listener)
        continue;
      const auto* visit = desk.find(p.id);
      if (visit && !visit->link_lost && now - visit->at <= state.options.suspect_after
          && state.agrees_at(visit->stored))
        return visit;
    }
    return nullptr;
  }

  bool in_step_ = false;
};

} // namespace understudy
