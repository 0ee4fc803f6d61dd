// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/time.hpp>
#include <understudy/testing/fault_kinds.hpp>
#include <understudy/testing/hand_counters.hpp>
#include <understudy/testing/invariants.hpp>
#include <understudy/testing/network.hpp>
#include <understudy/testing/node_counters.hpp>
#include <understudy/testing/ordering.hpp>
#include <understudy/testing/trial_counters.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace understudy::testing {

/// What a run, or a sweep of runs, has seen.
struct run_summary {
  std::uint64_t seed = 0; ///< of one run
  std::uint64_t hash = 0; ///< of one run
  std::uint64_t events = 0;
  interval simulated{0};
  std::uint64_t acknowledged = 0; ///< commands
  std::uint64_t uncertain = 0;    ///< commands that ended as `outcome_unknown`
  std::uint64_t refused = 0;      ///< commands that were certainly not applied
  std::uint64_t overloaded = 0;   ///< calls for which a node had no room
  std::uint64_t reads = 0;        ///< linearizable ones
  std::uint64_t local_reads = 0;
  std::uint64_t session_reads = 0;
  std::uint64_t judged = 0;     ///< operations in histories that were found linearizable
  std::uint64_t not_judged = 0; ///< histories that were too large for that
  trial_counters trials = {};
  hand_counters hands = {};
  fault_table faults = {};
  seen_counters seen = {};
  node_counters nodes = {};
  order_counters orders = {};
  network_counters network = {};

  run_summary& operator+=(const run_summary& other) {
    events += other.events;
    simulated += other.simulated;
    acknowledged += other.acknowledged;
    uncertain += other.uncertain;
    refused += other.refused;
    overloaded += other.overloaded;
    reads += other.reads;
    local_reads += other.local_reads;
    session_reads += other.session_reads;
    judged += other.judged;
    not_judged += other.not_judged;
    trials += other.trials;
    hands += other.hands;
    faults += other.faults;
    seen += other.seen;
    nodes += other.nodes;
    orders += other.orders;
    network += other.network;
    return *this;
  }
};

/// One thing that a sweep should have met.
struct coverage_row {
  std::string_view name;
  std::uint64_t times = 0;
};

namespace detail {

/// What clusters at rest were put through, and whom had to be helped.
[[nodiscard]] inline std::vector<coverage_row> trial_rows(const run_summary& s) {
  return {{"meshes stood", s.trials.meshes},
          {"voters replaced", s.trials.voters_replaced},
          {"leaders replaced", s.trials.leaders_replaced},
          {"majorities held", s.trials.majorities_held},
          {"founders refused", s.trials.founders_refused},
          {"strangers met", s.trials.strangers},
          {"stopped nodes renewed", s.hands.machine_stopped},
          {"evicted nodes renewed", s.hands.sent_away},
          {"lonely nodes renewed", s.hands.left_alone},
          {"outdated nodes renewed", s.hands.outdated}};
}

} // namespace detail

/// All of them. A sweep in which one never happened has tested less than it seems.
[[nodiscard]] inline std::vector<coverage_row> coverage(const run_summary& s) {
  std::vector<coverage_row> rows = {{"commands", s.acknowledged},
                                    {"uncertain commands", s.uncertain},
                                    {"refused commands", s.refused},
                                    {"overloaded calls", s.overloaded},
                                    {"linearizable reads", s.reads},
                                    {"lease reads", s.seen.lease_reads},
                                    {"local reads", s.local_reads},
                                    {"session reads", s.session_reads},
                                    {"operations judged", s.judged},
                                    {"elections", s.seen.elections},
                                    {"contested elections", s.seen.contested},
                                    {"truncations", s.seen.truncations},
                                    {"snapshot installs", s.seen.installs},
                                    {"joint changes", s.seen.joint},
                                    {"growth", s.seen.growth},
                                    {"swaps", s.seen.swaps},
                                    {"steps in for the dead", s.seen.steps_for_dead},
                                    {"steps in for leaving", s.seen.steps_for_leaving},
                                    {"steps in for pinned", s.seen.steps_for_pinned},
                                    {"leaders seated", s.seen.leaders_seated},
                                    {"shrinking", s.seen.shrinking},
                                    {"abandoned changes", s.seen.abandoned},
                                    {"listener campaigns", s.seen.listener_campaigns},
                                    {"listener elections", s.seen.listener_elections},
                                    {"full windows", s.seen.windows_full},
                                    {"busy replicas", s.seen.replicas_busy},
                                    {"hand-backs", s.nodes.hand_backs},
                                    {"evictions", s.nodes.evictions},
                                    {"nodes sent away", s.nodes.sent_away},
                                    {"nodes left", s.nodes.left},
                                    {"leaves cut off", s.nodes.leaves_cut_off},
                                    {"orders to leave", s.orders.leaves},
                                    {"orders to evict", s.orders.evictions},
                                    {"orders to pin", s.orders.pins},
                                    {"orders to unpin", s.orders.unpins},
                                    {"orders of settings", s.orders.settings},
                                    {"orders to transfer", s.orders.transfers},
                                    {"orders of versions", s.orders.versions},
                                    {"versions used", s.seen.versions},
                                    {"orders of snapshots", s.orders.snapshots},
                                    {"orders carried out", s.nodes.orders},
                                    {"orders refused", s.nodes.orders_refused},
                                    {"reconciled", s.nodes.reconciled},
                                    {"nodes entered", s.nodes.entered},
                                    {"source switches", s.nodes.source_switches},
                                    {"crashes", s.nodes.crashes},
                                    {"silent crashes", s.nodes.crashes_unnoticed},
                                    {"crashes that lost writes", s.nodes.writes_lost},
                                    {"nodes back with their log", s.nodes.returns},
                                    {"durable stores reopened", s.nodes.reopened},
                                    {"torn logs", s.nodes.torn},
                                    {"unmarked segments", s.nodes.unmarked},
                                    {"disks wiped", s.nodes.wipes},
                                    {"pauses", s.nodes.pauses},
                                    {"machines stopped", s.nodes.machines_failed},
                                    {"disks full", s.nodes.disks_full},
                                    {"messages cut off", s.network.cut},
                                    {"messages dropped", s.network.dropped},
                                    {"messages duplicated", s.network.duplicated},
                                    {"messages overtaken", s.network.overtaken},
                                    {"messages straggling", s.network.straggled}};
  for (std::size_t i = 0; i < fault_count; ++i)
    rows.push_back({to_string(static_cast<fault>(i)), s.faults[static_cast<fault>(i)]});
  for (const auto& row : detail::trial_rows(s))
    rows.push_back(row);
  return rows;
}

/// What is worth a look, and may well be 0.
[[nodiscard]] inline std::vector<coverage_row> findings(const run_summary& s) {
  return {{"histories not judged", s.not_judged},
          {"late leavers evicted", s.hands.leave_cut_off},
          {"helpers entered", s.hands.helpers},
          {"leaders that a mesh cost", s.trials.leader_changes},
          {"slowest step-in", s.trials.slowest_step_in}};
}

} // namespace understudy::testing
