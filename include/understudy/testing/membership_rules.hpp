// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What may become of a configuration, as the checker sees it.
///
/// Written from the design alone, and a second time on purpose: a mistake in roster/ or membership/
/// must not excuse itself here. Each function returns what is wrong, or nothing.

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/testing/eviction_book.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace understudy::testing {

/// What a rule says to something that breaks it.
using complaint = std::optional<std::string>;

namespace detail {

[[nodiscard]] inline bool contains(const std::vector<member_id>& ids, member_id id) {
  return std::ranges::find(ids, id) != ids.end();
}

/// Whether `id` votes, in either half.
[[nodiscard]] inline bool votes_in(const configuration& in, member_id id) {
  return contains(in.voters, id) || contains(in.outgoing, id);
}

[[nodiscard]] inline const member* look_up(const configuration& in, member_id id) {
  for (const auto& m : in.members)
    if (m.id == id)
      return &m;
  return nullptr;
}

/// Those with a rank, by rank.
[[nodiscard]] inline std::vector<member_id> ranked(const configuration& in) {
  std::vector<member_id> order;
  for (const auto& m : in.members)
    if (m.status == standing::present && !m.pinned)
      order.push_back(m.id);
  return order;
}

/// How many of `order` have a claim to vote: an even number waits for the next one.
[[nodiscard]] inline std::size_t seat_count(const std::vector<member_id>& order,
                                            const configuration& in) {
  const auto claims = std::min<std::size_t>(order.size(), in.rules.max_voters);
  return claims % 2 == 0 && claims > 0 ? claims - 1 : claims;
}

} // namespace detail

/// Whether the two differ in who votes, not only in the roster.
[[nodiscard]] inline bool same_voters(const configuration& a, const configuration& b) {
  return a.voters == b.voters && a.outgoing == b.outgoing;
}

/// A majority of each half is among those that `yes` names.
template <class Predicate> [[nodiscard]] bool quorum_among(const configuration& in, Predicate yes) {
  const auto majority_says = [&](const std::vector<member_id>& half) {
    std::size_t count = 0;
    for (const auto id : half)
      count += yes(id) ? 1u : 0u;
    return 2 * count > half.size();
  };
  return majority_says(in.voters) && (in.outgoing.empty() || majority_says(in.outgoing));
}

/// I6: at least one voter, all of them in the roster, nobody twice; and whoever was not sent away
/// knows the version of the machine that is used (U1).
[[nodiscard]] inline complaint wrong_by_itself(const configuration& in) {
  if (in.voters.empty())
    return "a configuration without voters";
  std::set<member_id> seen;
  for (const auto& m : in.members)
    if (!seen.insert(m.id).second)
      return "a member that is in the roster twice";
  for (const auto& m : in.members)
    if (m.status != standing::evicted && m.machine_version < in.machine_version)
      return "a member that does not know the version of the machine which is used";
  for (const auto* half : {&in.voters, &in.outgoing}) {
    std::set<member_id> once;
    for (const auto id : *half)
      if (!seen.contains(id) || !once.insert(id).second)
        return "a voter that is not in the roster, or votes twice";
  }
  return std::nullopt;
}

/// I2b and I12: how the voters may change from one configuration entry to the next.
[[nodiscard]] inline complaint wrong_voter_change(const configuration& from,
                                                  const configuration& to) {
  if (from.joint()) {
    if (to.joint() || (to.voters != from.voters && to.voters != from.outgoing))
      return "a joint configuration that is followed by neither of its halves";
    return std::nullopt;
  }
  if (to.outgoing != from.voters)
    return "voters that change in one step, not by way of a joint configuration";
  if (to.voters.size() > to.rules.max_voters)
    return "more voters than max_voters";

  const auto order = detail::ranked(from);
  const auto seats = detail::seat_count(order, from);
  std::vector<member_id> sitting;
  for (const auto id : from.voters)
    if (detail::contains(order, id))
      sitting.push_back(id);
  if (sitting.size() <= to.rules.max_voters)
    for (const auto id : sitting)
      if (!detail::contains(to.voters, id))
        return "a voter with a rank that loses its seat";
  std::size_t added = 0;
  for (const auto id : to.voters) {
    if (detail::contains(from.voters, id))
      continue;
    ++added;
    // Of those in line, some may have been passed over: they did not catch up in time.
    if (!detail::contains(order, id))
      return "a new voter without a rank";
  }
  const bool vacant = sitting.size() < from.voters.size();
  if (!vacant && added > 0 && to.voters.size() % 2 == 0)
    return "growth to an even number of voters";
  if (added + sitting.size() > std::max(seats, sitting.size()))
    return "more new voters than there are seats";
  return std::nullopt;
}

/// I12: whether a leader may send away a voter whose process runs. Somebody who has the data, as
/// `holds_data` says, has to be there to take its seat, or more vote than there are seats.
template <class Predicate>
[[nodiscard]] complaint wrong_eviction(const configuration& in, member_id whom,
                                       Predicate holds_data) {
  const auto order = detail::ranked(in);
  const auto sit
      = std::ranges::count_if(order, [&](member_id id) { return detail::contains(in.voters, id); });
  if (!detail::contains(in.voters, whom)
      || static_cast<std::size_t>(sit) > detail::seat_count(order, in))
    return std::nullopt;
  const bool heir = std::ranges::any_of(order, [&](member_id id) {
    return id != whom && !detail::contains(in.voters, id) && holds_data(id);
  });
  return heir ? std::nullopt : complaint{"a voter is sent away that nobody can replace"};
}

/// I12: whom a leader may mark as sent away from one configuration entry to the next.
template <class Predicate>
[[nodiscard]] complaint wrong_marks(const configuration& from, const configuration& to,
                                    const eviction_book& why, Predicate holds_data) {
  for (const auto& m : to.members) {
    const auto* before = detail::look_up(from, m.id);
    const bool marked
        = before && before->status != standing::evicted && m.status == standing::evicted;
    if (marked && why.needs_heir(m.id))
      if (auto wrong = wrong_eviction(from, m.id, holds_data))
        return wrong;
  }
  return std::nullopt;
}

/// I12: how the roster may change from one committed configuration to the next. `ever` are all
/// members that any of them had so far.
[[nodiscard]] inline complaint wrong_roster_change(const configuration& from,
                                                   const configuration& to,
                                                   const std::set<member_id>& ever) {
  if (to.machine_version < from.machine_version)
    return "an older version of the machine than was used before";
  auto next = from.members.begin();
  bool newcomers = false;
  for (const auto& m : to.members) {
    const auto* before = detail::look_up(from, m.id);
    if (!before) {
      if (ever.contains(m.id))
        return "a member that comes back under its old id";
      newcomers = true;
      continue;
    }
    if (newcomers)
      return "a newcomer that is not at the end of the roster";
    const auto at
        = std::find_if(next, from.members.end(), [&](const member& old) { return old.id == m.id; });
    if (at == from.members.end())
      return "a member that overtakes an earlier one";
    next = std::next(at);
    if (m.status < before->status)
      return "a mark that is taken back";
    if (m.start != before->start)
      return "a member that became another start of its process";
  }
  return std::nullopt;
}

} // namespace understudy::testing
