// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Who may take a seat that is open: the question of the listener that asks for one, and of the
/// leader that is asked.

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/roster/roster.hpp>
#include <understudy/roster/seats.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace understudy {

namespace detail {

[[nodiscard]] inline bool is_among(const std::vector<member_id>& in, member_id id) {
  return std::ranges::find(in, id) != in.end();
}

/// Those of `voters` that stand in line: parity never takes their seats.
[[nodiscard]] inline std::vector<member_id> sitting(const configuration& in) {
  std::vector<member_id> result;
  for (const auto& m : in.members)
    if (in_line(m) && is_among(in.voters, m.id))
      result.push_back(m.id);
  return result;
}

} // namespace detail

/// How many seats nobody in line sits on.
[[nodiscard]] inline std::size_t open_seats(const configuration& in) {
  const auto taken = detail::sitting(in).size();
  const auto all = seats(in).seats;
  return all > taken ? all - taken : 0;
}

/// The members that do not vote and may take an open seat, by rank; none if no seat is open.
///
/// Those for which `passed_over(id)` holds keep their rank, but the next in line may ask in their
/// place: a claimant that never catches up must not hold up the seat.
template <class Predicate>
[[nodiscard]] std::vector<member_id> claimants(const configuration& in, Predicate passed_over) {
  std::vector<member_id> result;
  if (open_seats(in) == 0)
    return result;
  const auto seating = seats(in);
  std::size_t rank = 0;
  for (auto id : seating.order()) {
    const bool votes = detail::is_among(in.voters, id);
    if (!votes && passed_over(id))
      continue;
    if (++rank > seating.seats)
      break;
    if (!votes)
      result.push_back(id);
  }
  return result;
}

/// The same, with nobody passed over: as every node can compute it.
[[nodiscard]] inline std::vector<member_id> claimants(const configuration& in) {
  return claimants(in, [](member_id) { return false; });
}

/// For people: why `id` does not vote, as far as the configuration tells. Empty for a voter.
[[nodiscard]] inline std::string why_not_voter(const configuration& in, member_id id) {
  if (detail::is_among(in.voters, id))
    return {};
  const auto* who = find(in, id);
  if (!who)
    return "is not in the roster";
  if (who->status == standing::leaving)
    return "is leaving";
  if (who->status == standing::evicted)
    return "was evicted";
  if (who->pinned)
    return "is pinned as a listener";
  const auto seating = seats(in);
  const auto at
      = "rank " + std::to_string(seating.rank_of(id)) + " of " + std::to_string(seating.count);
  const auto limit = std::to_string(in.rules.max_voters);
  switch (seating.claim_of(id)) {
  case claim::listener:
    return at + ": at most " + limit + " may vote";
  case claim::temporary_listener:
    return seating.claims == in.rules.max_voters
               ? at + ": at most " + limit + " may vote, and an even group is no safer"
               : at + ": the count is even; becomes a voter when the next one enters";
  case claim::voter:
    return open_seats(in) == 0 ? at + ": all " + std::to_string(seating.seats) + " seats are taken"
                               : at + ": takes a seat once it has caught up";
  case claim::none:
    break;
  }
  return "has no rank";
}

} // namespace understudy
