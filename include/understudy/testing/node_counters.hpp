// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/notices.hpp>

#include <cstdint>

namespace understudy::testing {

/// What the nodes of a run have done, and what was done to them.
struct node_counters {
  std::uint64_t founded = 0;
  std::uint64_t entered = 0;
  std::uint64_t crashes = 0;
  std::uint64_t crashes_unnoticed = 0; ///< whose links broke silently
  std::uint64_t writes_lost = 0;       ///< crashes that took what was not synced, or part of it
  std::uint64_t returns = 0;           ///< nodes that came back under their id, with their log
  std::uint64_t reopened = 0;          ///< durable stores, in what a crash left of their files
  std::uint64_t torn = 0;              ///< of these, behind whose log there was a torn record,
  std::uint64_t unmarked = 0;          ///< and whose last segment nothing said was synced
  std::uint64_t wipes = 0;             ///< of disks of nodes that could have come back
  std::uint64_t pauses = 0;
  std::uint64_t source_switches = 0; ///< a puller went on with another source
  std::uint64_t machines_failed = 0;
  std::uint64_t disks_full = 0;     ///< that had something to store
  std::uint64_t left = 0;           ///< nodes that left and were done with it
  std::uint64_t leaves_cut_off = 0; ///< whose time was up first
  std::uint64_t last_members = 0;   ///< with whom their cluster ended
  std::uint64_t sent_away = 0;      ///< nodes that found themselves evicted
  std::uint64_t evictions = 0;      ///< decided by a leader
  std::uint64_t hand_backs = 0;     ///< of a leadership that was won without a vote
  std::uint64_t orders = 0;         ///< carried out
  std::uint64_t orders_refused = 0; ///< or not known to have been carried out
  std::uint64_t reconciled = 0;     ///< nodes that settled open calls after taking a seat

  /// Something that a node told.
  void count(const node_event& e) {
    using kind = node_event::kind;
    founded += e.what == kind::founded ? 1 : 0;
    entered += e.what == kind::entered ? 1 : 0;
    machines_failed += e.what == kind::machine_failed ? 1 : 0;
    disks_full += e.what == kind::storage_full ? 1 : 0;
    sent_away += e.what == kind::evicted ? 1 : 0;
    reconciled += e.what == kind::reconciled ? 1 : 0;
    evictions += e.what == kind::decided && e.detail.starts_with("eviction") ? 1 : 0;
    hand_backs += e.what == kind::decided && e.detail.starts_with("hand_back") ? 1 : 0;
  }

  void count(leave_outcome how) {
    ++(how == leave_outcome::left          ? left
       : how == leave_outcome::last_member ? last_members
                                           : leaves_cut_off);
  }

  node_counters& operator+=(const node_counters& other) {
    founded += other.founded;
    entered += other.entered;
    crashes += other.crashes;
    crashes_unnoticed += other.crashes_unnoticed;
    writes_lost += other.writes_lost;
    returns += other.returns;
    reopened += other.reopened;
    torn += other.torn;
    unmarked += other.unmarked;
    wipes += other.wipes;
    pauses += other.pauses;
    source_switches += other.source_switches;
    machines_failed += other.machines_failed;
    disks_full += other.disks_full;
    left += other.left;
    leaves_cut_off += other.leaves_cut_off;
    last_members += other.last_members;
    sent_away += other.sent_away;
    evictions += other.evictions;
    hand_backs += other.hand_backs;
    orders += other.orders;
    orders_refused += other.orders_refused;
    reconciled += other.reconciled;
    return *this;
  }
};

} // namespace understudy::testing
