// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Who may lead after this leader, and who best (thesis §3.10).

#include <understudy/core/ids.hpp>
#include <understudy/core/time.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/raft/replication.hpp>
#include <understudy/roster/roster.hpp>
#include <understudy/roster/seats.hpp>

#include <utility>

namespace understudy {

/// Whether `id` could lead in this node's place: it votes, answers, and has a machine that runs.
[[nodiscard]] inline bool can_succeed(member_id id, const replication& to, const core_state& state,
                                      instant now) {
  const auto* peer = to.find(id);
  return peer && !peer->unfit && has_vote(*state.newest().content, id)
         && peer->has_answered(now, state.options.suspect_after);
}

/// The voter that has most; one that is on its way out itself only if there is no other.
[[nodiscard]] inline member_id best_successor(const replication& among, const core_state& state,
                                              instant now) {
  member_id best;
  std::pair<bool, log_index> most;
  for (const auto& [id, peer] : among.peers()) {
    if (!can_succeed(id, among, state, now))
      continue;
    const auto* who = find(*state.newest().content, id);
    const std::pair worth{who && in_line(*who), peer.match()};
    if (!best || worth > most) {
      best = id;
      most = worth;
    }
  }
  return best;
}

} // namespace understudy
