// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// When a node that lost the leader asks for votes.
///
/// Everybody keeps one schedule, read off the committed roster, so that nodes stand one after the
/// other instead of against each other and the first one usually wins: the k-th voter by join
/// order, the leader left out, waits (k - 1) steps. The randomised election timeout (§5.2) remains
/// as the fallback for when the schedule did not do it.

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/time.hpp>
#include <understudy/roster/roster.hpp>

#include <cstddef>
#include <optional>

namespace understudy {

/// How many steps `self` waits after losing `leader`; none if it does not vote in `in_force`.
///
/// Join order comes from the roster of `in_force`; a voter that is not in it (it was dropped while
/// this configuration was on its way) comes last.
[[nodiscard]] inline std::optional<std::size_t> campaign_place(const configuration& in_force,
                                                               member_id self, member_id leader) {
  if (!has_vote(in_force, self))
    return std::nullopt;
  std::size_t before = 0;
  for (const auto& m : in_force.members) {
    if (m.id == self)
      return before;
    if (m.id != leader && has_vote(in_force, m.id))
      ++before;
  }
  return before;
}

} // namespace understudy
