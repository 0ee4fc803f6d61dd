// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// When a node that lost the leader asks for votes, and which listener may ask at all (S5).
///
/// Everybody keeps one schedule, read off the roster, so that nodes stand one after the other
/// instead of against each other and the first one usually wins. The listener who would have the
/// lost leader's seat asks first, at once: if it holds all that is committed it can lead and be
/// seated, and the group is whole again. Voters whose log is newer refuse it, and go on without it.
/// The k-th voter by join order, the leader left out, waits k steps, or k - 1 if there is no such
/// listener. Who is outvoted stands again by the same order, a little apart by chance. The
/// randomised election timeout (§5.2) remains as the fallback for when the schedule did not do it.

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/time.hpp>
#include <understudy/roster/roster.hpp>
#include <understudy/roster/seats.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace understudy {

/// The first listener whose claim is `voter` once `leader` is left out; none if all seats would be
/// taken. `ranks` is a committed configuration, so every node that has it names the same one;
/// `in_force` tells who votes already.
[[nodiscard]] inline member_id understudy_of(const configuration& ranks,
                                             const configuration& in_force, member_id leader) {
  auto left = ranks.members;
  std::erase_if(left, [&](const member& m) { return m.id == leader; });
  for (const auto& p : seats(left, ranks.rules.max_voters).places)
    if (p.claim == claim::voter && !has_vote(in_force, p.id))
      return p.id;
  return {};
}

/// How many steps voter `self` waits after losing `leader`, if `first` steps are left to others;
/// none if it does not vote in `in_force`.
///
/// Join order comes from the roster of `in_force`; a voter that is not in it (it was dropped while
/// this configuration was on its way) comes last.
[[nodiscard]] inline std::optional<std::size_t> campaign_place(const configuration& in_force,
                                                               member_id self, member_id leader,
                                                               std::size_t first = 0) {
  if (!has_vote(in_force, self))
    return std::nullopt;
  std::size_t before = first;
  for (const auto& m : in_force.members) {
    if (m.id == self)
      return before;
    if (m.id != leader && has_vote(in_force, m.id))
      ++before;
  }
  return before;
}

} // namespace understudy
