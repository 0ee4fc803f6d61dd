// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/testing/membership_rules.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace understudy::testing {

/// What a run has been through, as far as the checker can tell.
struct seen_counters {
  std::uint64_t elections = 0;          ///< terms in which somebody led
  std::uint64_t contested = 0;          ///< terms in which several asked for votes
  std::uint64_t truncations = 0;        ///< logs that lost an uncommitted tail
  std::uint64_t installs = 0;           ///< logs that a snapshot replaced
  std::uint64_t joint = 0;              ///< committed joint configurations
  std::uint64_t growth = 0;             ///< changes of the voters by which nobody lost a vote
  std::uint64_t swaps = 0;              ///< by which somebody did, and somebody else got one
  std::uint64_t shrinking = 0;          ///< by which somebody did, and nobody else got one
  std::uint64_t abandoned = 0;          ///< given up half way
  std::uint64_t listener_elections = 0; ///< terms led by one that had no vote when it won
  std::uint64_t listener_campaigns = 0; ///< votes asked for by one that has none
  std::uint64_t steps_for_dead = 0;     ///< swaps in which an evicted member lost its vote
  std::uint64_t steps_for_leaving = 0;  ///< in which one that leaves did
  std::uint64_t steps_for_pinned = 0;   ///< in which one did that is to be a listener
  std::uint64_t leaders_seated = 0;     ///< that led without a vote, and got one
  std::uint64_t windows_full = 0;       ///< changes after which a leader could send a peer no more
  std::uint64_t replicas_busy = 0;      ///< looks at a node that could hand over no more
  std::uint64_t versions = 0;           ///< committed uses of a newer version of the machine
  std::uint64_t lease_reads = 0;        ///< questions that a leader answered without a round

  /// One committed configuration followed another, under this leader.
  void count_change(const configuration& from, const configuration& to, member_id leader) {
    joint += to.joint() && !from.joint() ? 1 : 0;
    versions += to.machine_version > from.machine_version ? 1 : 0;
    if (!from.joint() || to.joint())
      return;
    if (to.voters == from.outgoing) {
      ++abandoned;
      return;
    }
    const auto lacks = [](const std::vector<member_id>& some, const std::vector<member_id>& in) {
      return std::ranges::any_of(some, [&](member_id id) { return !detail::contains(in, id); });
    };
    const bool gained = lacks(to.voters, from.outgoing);
    const bool lost = lacks(from.outgoing, to.voters);
    ++(!lost ? growth : gained ? swaps : shrinking);
    leaders_seated
        += detail::contains(to.voters, leader) && !detail::contains(from.outgoing, leader) ? 1 : 0;
    if (gained && lost)
      count_step_in(from, to);
  }

  /// Whose place somebody took in the change `from`, a joint configuration, that ends with `to`.
  void count_step_in(const configuration& from, const configuration& to) {
    for (const auto& m : to.members) {
      if (!detail::contains(from.outgoing, m.id) || detail::contains(to.voters, m.id))
        continue;
      steps_for_dead += m.status == standing::evicted ? 1 : 0;
      steps_for_leaving += m.status == standing::leaving ? 1 : 0;
      steps_for_pinned += m.pinned ? 1 : 0;
    }
  }

  seen_counters& operator+=(const seen_counters& other) {
    elections += other.elections;
    contested += other.contested;
    truncations += other.truncations;
    installs += other.installs;
    joint += other.joint;
    growth += other.growth;
    swaps += other.swaps;
    shrinking += other.shrinking;
    abandoned += other.abandoned;
    listener_elections += other.listener_elections;
    listener_campaigns += other.listener_campaigns;
    steps_for_dead += other.steps_for_dead;
    steps_for_leaving += other.steps_for_leaving;
    steps_for_pinned += other.steps_for_pinned;
    leaders_seated += other.leaders_seated;
    windows_full += other.windows_full;
    replicas_busy += other.replicas_busy;
    versions += other.versions;
    lease_reads += other.lease_reads;
    return *this;
  }
};

} // namespace understudy::testing
