// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What one seed makes of a run: sizes, limits, times, and how bad things get.
///
/// Limits are drawn tiny as often as not: with one entry to a message, a snapshot every few entries
/// and a window of one, the corners are where the run is all the time.

#include <understudy/core/time.hpp>
#include <understudy/testing/fault_kinds.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/simulated_node.hpp>
#include <understudy/testing/simulation_options.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace understudy::testing {

/// Everything that a random run is told.
struct run_plan {
  std::uint64_t seed = 0;
  simulation_options options = {};
  std::size_t nodes = 3;        ///< how many enter, the founder among them
  std::size_t callers = 2;      ///< clients, and nodes that call themselves
  interval trouble{0};          ///< how long faults go on
  interval pause_max{0};        ///< between two faults
  int calm = 20;                ///< for so many times its patience nothing may change in the end
  interval think_max{0};        ///< between two commands of a caller
  std::size_t ballast_max = 0;  ///< bytes that a command is made larger by
  bool thins_out = false;       ///< cuts links of those that a connected majority can do without
  bool replaces = false;        ///< ends a voter whose seat a listener can take
  bool holds = false;           ///< has a majority stand still
  bool refounds = false;        ///< tells a node to found that has the others as its contacts
  bool meets_strangers = false; ///< has another cluster live beside
  fault_table faults = {};      ///< how often each happens, beside the others
  double drop = 0;              ///< of messages, in bad weather
  double duplicate = 0;
  double straggle = 0;

  /// In one line.
  [[nodiscard]] std::string text() const {
    const auto ms = [](interval t) {
      return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(t).count())
             + "ms";
    };
    const auto& core = options.core;
    return "seed " + std::to_string(seed) + ": " + std::to_string(nodes) + " nodes, max_voters "
           + std::to_string(options.rules.max_voters) + ", " + std::to_string(callers)
           + " callers, heartbeat " + ms(core.heartbeat) + ", election "
           + ms(core.election_timeout_min) + "-" + ms(core.election_timeout_max) + ", delay up to "
           + ms(options.links.delay_max) + ", append " + std::to_string(core.append_entries_max)
           + ", snapshot after " + std::to_string(core.snapshot_after_bytes) + " bytes, retain "
           + std::to_string(core.retain_entries) + (core.volatile_log ? ", no store" : ", store")
           + ", durable " + std::to_string(static_cast<int>(options.durable * 100)) + " %"
           + (options.segment_bytes == 0
                  ? ""
                  : " in segments of " + std::to_string(options.segment_bytes) + " bytes")
           + (options.rules.lease_ms == 0
                  ? ""
                  : ", lease " + std::to_string(options.rules.lease_ms) + "ms")
           + ", drop " + std::to_string(static_cast<int>(drop * 100)) + "%, trouble " + ms(trouble);
  }
};

namespace detail {

inline void draw_times(run_plan& plan, random_stream random) {
  using namespace std::chrono_literals;
  auto& o = plan.options;
  // A factor for the whole group: nodes agree on how patient they are, if not on the time of day.
  const auto patience = random.between(1, 4);
  o.core.heartbeat = 20ms * patience;
  o.core.suspect_after = 100ms * patience;
  o.core.election_timeout_min = random.between(o.core.suspect_after, 200ms * patience);
  o.core.election_timeout_max
      = o.core.election_timeout_min + random.between(50ms * patience, 200ms * patience);
  o.core.campaign_step = random.between(1ms, 10ms * patience);
  o.core.transfer_limit = random.between(10ms, 100ms);
  o.puller.wait = random.between(10ms, 100ms);
  o.puller.source_timeout = o.puller.wait + random.between(100ms, 500ms);
  o.puller.turn = random.chance(0.5) ? random.between(50ms, 1'000ms) : interval{5s};
  o.puller.leaderless_after = o.core.suspect_after;
  o.membership.retry = random.between(10ms, 100ms);
  o.membership.retry_max = o.membership.retry + random.between(0ms, 500ms);
  o.membership.founding_patience = random.between(50ms, 500ms);
  o.membership.seat_retry = random.between(20ms, 200ms);
  o.membership.catch_up_limit = random.between(200ms, 3'000ms);
  o.membership.suspect_after = o.core.suspect_after;
  o.membership.presence_every = random.between(50ms, 300ms);
  o.membership.order_patience = random.between(200ms, 5'000ms);
  o.membership.leave_limit = random.between(500ms, 10'000ms);
  const auto evict_after
      = o.core.election_timeout_max + o.membership.presence_every + random.between(200ms, 4'000ms);
  o.rules.evict_after_ms = evict_after / 1ms;
  o.forwarder.suspect_after = o.core.suspect_after;
  o.forwarder.calls.deadline_default = random.between(2s, 15s);
  o.client.attempt_timeout = random.between(100ms, 600ms);
  o.client.calls.deadline_default = o.forwarder.calls.deadline_default;
  o.links.delay_max = random.chance(0.7) ? random.between(100us, 1'000us)
                                         : random.between(1ms, o.core.heartbeat / 2);
  // Who may found after less than a round trip does so, whoever else there is.
  o.membership.founding_patience
      = std::max<interval>(o.membership.founding_patience, o.links.delay_max * 4 + 50ms);
  o.links.straggle_max = o.core.election_timeout_max * (random.chance(0.1) ? 100 : 10);
  o.links.in_order = random.chance(0.5);
}

inline void draw_limits(run_plan& plan, random_stream random) {
  auto& o = plan.options;
  auto& core = o.core;
  const auto sometimes = [&](auto& value, std::size_t least, std::size_t most) {
    if (random.chance(0.5))
      value = static_cast<std::remove_reference_t<decltype(value)>>(random.between(least, most));
  };
  sometimes(core.append_entries_max, 1, 4);
  sometimes(core.append_bytes_max, 1, 1'000);
  sometimes(core.window_entries, 1, 8);
  sometimes(core.window_bytes, 1, 2'000);
  sometimes(core.uncommitted_bytes_max, 1'000, 10'000);
  sometimes(core.apply_window, 1, 16);
  sometimes(core.catch_up_gap, 1, 16);
  sometimes(core.pullers_max, 4, 16);
  sometimes(core.snapshot_chunk_bytes, 16, 512);
  core.snapshot_after_bytes = random.chance(0.7) ? random.between<std::size_t>(1, 4'000) : 1 << 20;
  core.retain_entries = random.between<std::size_t>(0, 32);
  core.retain_bytes_max = random.between<std::size_t>(0, 20'000);
  core.volatile_log = random.chance(0.5);
  o.durable = random.chance(0.4) ? 0.0 : random.chance(0.5) ? 1.0 : 0.5;
  sometimes(o.forwarder.calls.calls_max, 4, 16);
  sometimes(o.client.window, 1, 4);
  sometimes(o.rules.session_window, 8, 64);
  o.client.spread = random.chance(0.5);
  plan.ballast_max = random.chance(0.5) ? random.between<std::size_t>(1, 400) : 0;
}

/// The durable store's own code, or a model that allows more.
inline void draw_disks(run_plan& plan, random_stream random) {
  if (random.chance(0.5))
    plan.options.segment_bytes = random.between<std::uint64_t>(4 << 10, 64 << 10);
}

inline void draw_pace(run_plan& plan, random_stream random) {
  using namespace std::chrono_literals;
  auto& pace = plan.options.pace;
  pace.timer_late_max = random.chance(0.5) ? random.between(10us, 3'000us) : interval{0};
  pace.batch = random.chance(0.5) ? 0.5 : 0;
  pace.batch_max = random.between(10us, 2'000us);
  pace.mailboxes.resize(static_cast<std::size_t>(place_of::snapshots) + 1);
  for (auto& box : pace.mailboxes)
    if (random.chance(0.3))
      box = {0.3, random.between(10us, 2'000us)};
  // A disk is slower than a mailbox, and slower still on a bad day.
  auto& disk = pace.mailboxes[static_cast<std::size_t>(place_of::writer)];
  if (random.chance(0.7))
    disk = {random.chance(0.5) ? 1.0 : 0.1, random.between(100us, 20'000us)};
  plan.options.clock_drift_permille = random.chance(0.3) ? random.between(1, 100) : 0;
  plan.options.crash_noticed = random.chance(0.5) ? 1.0 : random.chance(0.5) ? 0.5 : 0.0;
}

/// In some runs leaders read under a lease. In these no clock is made to go twice as fast as it
/// should, or half as fast: that is what the lease is not for.
inline void draw_lease(run_plan& plan, random_stream random) {
  if (!random.chance(0.3))
    return;
  const auto& core = plan.options.core;
  const auto length = random.between(core.heartbeat, core.election_timeout_min);
  plan.options.rules.lease_ms = static_cast<std::uint32_t>(length / std::chrono::milliseconds{1});
  plan.faults[fault::clock_rate] = 0;
}

/// Each run does without some kinds of faults, and has others again and again. What ends them is
/// in all runs.
inline void draw_faults(run_plan& plan, random_stream random) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(fault::full_disk); ++i)
    plan.faults[static_cast<fault>(i)] = random.chance(0.6) ? random.between(1u, 4u) : 0;
  for (const auto end : {fault::fair_weather, fault::heal})
    plan.faults[end] = random.between(1u, 4u);
  plan.faults[fault::full_disk] = random.chance(0.4) ? random.between(1u, 4u) : 0;
}

/// Some clusters are updated while they have their troubles.
inline void draw_updates(run_plan& plan, random_stream random) {
  if (random.chance(0.25))
    plan.faults[fault::update] = random.between(1u, 4u);
}

/// What is tried once all faults are over. It takes its time, so not every run tries it all.
inline void draw_rest(run_plan& plan, random_stream random) {
  plan.calm = random.chance(0.25) ? 100 : 20;
  plan.thins_out = random.chance(0.4);
  plan.replaces = random.chance(0.4);
  plan.holds = random.chance(0.2);
  plan.refounds = random.chance(0.2);
  plan.meets_strangers = random.chance(0.2);
}

} // namespace detail

/// The plan of a seed.
[[nodiscard]] inline run_plan draw_plan(std::uint64_t seed) {
  using namespace std::chrono_literals;
  auto random = random_stream{seed}.fork("plan");
  run_plan plan{.seed = seed};
  // Groups of one or two are corners; most of what can go wrong needs more.
  const bool small = random.chance(0.2);
  plan.nodes = small ? random.between<std::size_t>(1, 2) : random.between<std::size_t>(3, 9);
  const bool narrow = random.chance(0.2);
  plan.options.rules.max_voters = narrow ? random.between(1u, 2u) : random.between(3u, 7u);
  plan.options.rules.min_voters = random.between(1u, plan.options.rules.max_voters);
  plan.callers = random.between<std::size_t>(1, 4);
  plan.trouble = random.between(1s, 10s);
  plan.pause_max = random.between(20ms, 500ms);
  plan.think_max = random.between(1ms, 100ms);
  if (random.chance(0.7)) {
    plan.drop = 0.01 * random.between(0, 30);
    plan.duplicate = 0.01 * random.between(0, 20);
    plan.straggle = 0.01 * random.between(0, 10);
  }
  detail::draw_times(plan, random.fork("times"));
  detail::draw_limits(plan, random.fork("limits"));
  detail::draw_disks(plan, random.fork("disks"));
  detail::draw_pace(plan, random.fork("pace"));
  detail::draw_faults(plan, random.fork("faults"));
  detail::draw_rest(plan, random.fork("rest"));
  detail::draw_lease(plan, random.fork("lease"));
  detail::draw_updates(plan, random.fork("updates"));
  return plan;
}

} // namespace understudy::testing
