// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The stand-in for the raft cores of one cluster, and for one node's surroundings.

#include <understudy/membership/monitor.hpp>
#include <understudy/roster/roster.hpp>

#include "group.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace membership_test {

/// What all cores of one cluster agree on: configurations, and who leads.
struct toy_log {
  std::vector<placed_configuration> entries;
  log_index commit = {};
  term_number term{1};
  member_id leader = {};
  bool term_committed = true;
  std::vector<member_id> tracked = {};

  [[nodiscard]] const placed_configuration& newest() const { return entries.back(); }
  [[nodiscard]] placed_configuration committed() const {
    placed_configuration last;
    for (const auto& e : entries)
      if (e.index <= commit)
        last = e;
    return last;
  }

  /// What the core of `id` shows, but for its peers. If it is `led` it never loses sight of a
  /// leader.
  [[nodiscard]] core_view view_of(member_id id, bool led = true) const {
    core_view view{.term = term, .leader = leader};
    if (led)
      view.leader_known = instant{} + std::chrono::hours{1'000};
    view.leads = id == leader;
    view.term_committed = view.leads && term_committed;
    view.committed = committed();
    view.newest = newest();
    view.commit = commit;
    view.last = {newest().index, term};
    return view;
  }
};

/// One node: its monitor, and what it said to those that are not on the bench.
struct seat_on_bench {
  std::unique_ptr<monitor> it;
  toy_log* log = nullptr; ///< set once the node founded or was taken in
  std::deque<sibling_message> inbox = {};
  std::optional<instant> wake_at = {};
  std::vector<node_event> events = {};
  std::vector<entered_cluster> entered = {};
  std::vector<change_voters> asked_changes = {};
  std::vector<change_roster> roster_changes = {};
  std::vector<transfer_leadership> transfers = {};
  std::vector<order_done> orders_done = {};
  std::vector<leave_ended> ends = {};
  int drains = 0;        ///< how often it was told to take no more calls
  int seat_requests = 0; ///< sent
};

/// What a test can make go wrong.
struct bench_switches {
  bool commits = true;                           ///< else entries stay as they are
  bool refuses_changes = false;                  ///< of the voters
  bool refuses_roster = false;                   ///< changes of the roster
  interval delay_max{0};                         ///< of a letter
  std::set<member_id> lagging = {};              ///< never caught up
  std::set<member_id> silent = {};               ///< letters from and to these are lost
  std::set<member_id> unheard = {};              ///< their cores do not answer the leader's
  std::set<member_id> unfit = {};                ///< their machines have stopped
  std::set<member_id> unled = {};                ///< their cores hear of no leader
  std::set<member_id> blind = {};                ///< their cores show them nothing new
  bool transfers = true;                         ///< leadership goes where the monitor says
  bool drains = true;                            ///< calls are answered at once
  std::function<bool(const letter&)> loses = {}; ///< letters to lose, besides
  std::map<member_id, log_index> matches = {};   ///< what the core says of their logs

  /// What the leader's core says of a peer.
  [[nodiscard]] peer_progress progress_of(member_id id, bool runs) const {
    const bool hears = runs && !silent.contains(id) && !unheard.contains(id);
    return {.id = id,
            .match = matches.contains(id) ? matches.at(id) : log_index{},
            .caught_up = hears && !lagging.contains(id) && !unfit.contains(id),
            .in_contact = hears,
            .unfit = unfit.contains(id)};
  }
};

} // namespace membership_test
