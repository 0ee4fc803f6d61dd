// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Who counts.
///
/// One rule for votes, commits, contact and reads: the members that the newest configuration in a
/// node's own log lists as voters, committed or not, in both halves while it is joint (§6). A node
/// counts itself exactly in those halves that list it, whatever its role: a leader on its way out
/// counts itself nowhere, a candidate in one half only counts there.

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace understudy {

/// How many of `n` are more than half.
[[nodiscard]] constexpr std::size_t majority(std::size_t n) {
  return n / 2 + 1;
}

/// Whether more than half of `half` satisfy `yes`. Of nobody, no one is a majority.
template <class Predicate>
[[nodiscard]] bool majority_of(const std::vector<member_id>& half, Predicate yes) {
  const auto count = static_cast<std::size_t>(std::ranges::count_if(half, yes));
  return count >= majority(half.size());
}

/// Whether a quorum of the configuration satisfies `yes`: a majority of each half.
template <class Predicate> [[nodiscard]] bool quorum_of(const configuration& in, Predicate yes) {
  return majority_of(in.voters, yes) && (!in.joint() || majority_of(in.outgoing, yes));
}

/// Whether `no` has made a quorum impossible: a majority of some half can not be had any more.
template <class Predicate> [[nodiscard]] bool quorum_lost(const configuration& in, Predicate no) {
  const auto lost = [&](const std::vector<member_id>& half) {
    const auto against = static_cast<std::size_t>(std::ranges::count_if(half, no));
    return half.size() - against < majority(half.size());
  };
  return lost(in.voters) || (in.joint() && lost(in.outgoing));
}

/// The highest value that a majority of `half` has reached; `value(id)` says what one has.
template <class Value>
[[nodiscard]] auto majority_value(const std::vector<member_id>& half, Value value) {
  using number = decltype(value(member_id{}));
  std::vector<number> reached;
  reached.reserve(half.size());
  for (auto id : half)
    reached.push_back(value(id));
  if (reached.empty())
    return number{};
  std::ranges::sort(reached, std::greater{});
  return reached[majority(reached.size()) - 1];
}

/// The highest value that a quorum has reached: the lower of the two halves while joint.
template <class Value> [[nodiscard]] auto quorum_value(const configuration& in, Value value) {
  auto reached = majority_value(in.voters, value);
  if (in.joint())
    reached = std::min(reached, majority_value(in.outgoing, value));
  return reached;
}

/// Every voter of both halves, each once, incoming ones first.
[[nodiscard]] inline std::vector<member_id> all_voters(const configuration& in) {
  auto all = in.voters;
  for (auto id : in.outgoing)
    if (std::ranges::find(all, id) == all.end())
      all.push_back(id);
  return all;
}

} // namespace understudy
