// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/configuration.hpp>
#include <understudy/forwarding/options.hpp>
#include <understudy/listener/options.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/raft/options.hpp>
#include <understudy/testing/network.hpp>
#include <understudy/testing/pace.hpp>
#include <understudy/testing/random.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace understudy::testing {

/// What all nodes of a run have in common. The defaults are a quiet network and quick nodes.
struct simulation_options {
  settings rules = {};
  core_options core = {};
  puller_options puller = {};
  monitor_options membership = {}; ///< all that tells one node from another is set for each
  forwarder_options forwarder = {};
  /// The run tells clients of every node that starts, unless they follow the members.
  client_options client = {.follow_members = false};
  network_options links = {};
  pace_options pace = {};                ///< the offset of each clock is drawn
  std::int64_t clock_drift_permille = 0; ///< each clock goes so much faster or slower at most
  double durable = 0; ///< probability that a node keeps its log on a disk and comes back with it
  /// The segments of the `durable_store` that such a node has, 4 KiB or more; 0: its disk is a
  /// model of what any store promises.
  std::uint64_t segment_bytes = 0;
  double crash_noticed = 1;        ///< probability that the others are told when a node crashes
  std::uint64_t digest_every = 16; ///< states are compared at every so many-th index; > 0
  std::size_t events_kept = 200;   ///< the last ones, for the report of a run that failed
};

/// How one node of the run goes: each has a clock of its own.
[[nodiscard]] inline pace draw_pace(const simulation_options& options, random_stream& random) {
  auto drawn = options.pace;
  drawn.clock_offset = random.between(std::chrono::hours{1}, std::chrono::hours{1'000});
  const auto drift = options.clock_drift_permille;
  if (drift > 0)
    drawn.clock_permille = 1'000 + random.between(-drift, drift);
  return pace{drawn};
}

} // namespace understudy::testing
