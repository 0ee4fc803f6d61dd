// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Who has a claim to a seat in the raft group (S8, S9, S10): one pure function of the roster.
///
/// Every node computes it from the same committed entry and comes to the same answer, so nobody has
/// to be told its place. A claim is not yet a seat: who votes is what the configuration says, and
/// the planner (membership/plan.hpp) brings the two together.

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string_view>
#include <vector>

namespace understudy {

/// What a member's place in line gives it a right to.
enum class claim : std::uint8_t {
  none = 0,               ///< not in the roster, or marked: it has no rank
  listener = 1,           ///< beyond the seats, or pinned
  temporary_listener = 2, ///< next in line: the group waits to be odd, or keeps odd
  voter = 3,
};

[[nodiscard]] constexpr std::string_view to_string(claim c) {
  switch (c) {
  case claim::none:
    return "none";
  case claim::listener:
    return "listener";
  case claim::temporary_listener:
    return "temporary_listener";
  case claim::voter:
    return "voter";
  }
  return "unlisted";
}

inline std::ostream& operator<<(std::ostream& out, claim c) {
  return out << to_string(c);
}

/// Whether a member stands in line: marked ones have lost their place, pinned ones gave it up.
[[nodiscard]] inline bool in_line(const member& m) {
  return m.status == standing::present && !m.pinned;
}

/// One member's place.
struct place {
  member_id id = {};
  std::size_t rank = 0; ///< from 1 on in join order; 0: not in line
  enum claim claim = claim::none;

  friend bool operator==(const place&, const place&) = default;
};

/// Everybody's place.
struct seating {
  std::vector<place> places = {}; ///< all members, in join order
  std::size_t count = 0;          ///< how many stand in line: the n whose parity matters
  std::size_t claims = 0;         ///< how many of them are in reach of a seat: at most T
  std::size_t seats = 0;          ///< how many may vote: odd, or 0

  /// Those in line, by rank.
  [[nodiscard]] std::vector<member_id> order() const {
    std::vector<member_id> line;
    line.reserve(count);
    for (const auto& p : places)
      if (p.rank != 0)
        line.push_back(p.id);
    return line;
  }

  /// A member's rank; 0 if it has none.
  [[nodiscard]] std::size_t rank_of(member_id id) const {
    const auto* p = find(id);
    return p ? p->rank : 0;
  }

  [[nodiscard]] claim claim_of(member_id id) const {
    const auto* p = find(id);
    return p ? p->claim : claim::none;
  }

  friend bool operator==(const seating&, const seating&) = default;

private:
  [[nodiscard]] const place* find(member_id id) const {
    const auto found = std::ranges::find(places, id, &place::id);
    return found == places.end() ? nullptr : &*found;
  }
};

/// The places of `roster` with at most `max_voters` (T) seats.
///
/// An even group tolerates no more failures than the odd one below it, so of an even number of
/// claims the last stays a temporary listener; with an even T the T-th always does.
[[nodiscard]] inline seating seats(std::span<const member> roster, std::uint32_t max_voters) {
  seating result;
  result.count = static_cast<std::size_t>(std::ranges::count_if(roster, in_line));
  result.claims = std::min<std::size_t>(result.count, max_voters);
  const bool even = result.claims > 0 && result.claims % 2 == 0;
  result.seats = result.claims - (even ? 1 : 0);

  result.places.reserve(roster.size());
  std::size_t rank = 0;
  for (const auto& m : roster) {
    place p{.id = m.id};
    if (in_line(m)) {
      p.rank = ++rank;
      p.claim = rank <= result.seats    ? claim::voter
                : rank <= result.claims ? claim::temporary_listener
                                        : claim::listener;
    } else if (m.status == standing::present) {
      p.claim = claim::listener;
    }
    result.places.push_back(p);
  }
  return result;
}

/// The places by a configuration's own roster and settings.
[[nodiscard]] inline seating seats(const configuration& content) {
  return seats(content.members, content.rules.max_voters);
}

} // namespace understudy
