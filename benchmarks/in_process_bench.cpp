// SPDX-License-Identifier: BSL-1.0
//
// What a replicated command costs within one process, beside a request of bare CAF.
//
// Rounds of both take turns, so that whatever else the machine does disturbs them alike, and each
// pair of rounds gives one ratio. Reported are medians over the rounds, and waits of all requests:
//
//   per_s  p50_us  p99_us  cpu_us    commands, and the time of all cores that one takes
//   caf_per_s  caf_p50_us  ...       the same of bare CAF, in the rounds in between
//   ratio                            of the rates; ratio_min and ratio_max are of single rounds
//
// `Time` is that of one command, the mean of all rounds. Compare ratios, also between machines;
// compare rates only within a run. A table for people: --benchmark_counters_tabular=true; for
// programs: --benchmark_format=json.
//
// One caller with 1,024 requests outstanding measures CAF's caller above all: it looks for the
// handler of each answer in a list of all that are outstanding. Many callers with few outstanding
// each, as in a service, show what the nodes can do.

#include <understudy/understudy.hpp>

#include <benchmark/benchmark.h>

#include "figures.hpp"
#include "parcel.hpp"
#include "voting_group.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace in_process_bench {

using namespace benchmarks;

constexpr std::int64_t rounds = 11;

/// Commands at one of `range(0)` nodes, from `range(1)` callers with `range(2)` outstanding each.
void compare(benchmark::State& state, place where) {
  understudy::config config;
  caf::actor_system system{config};
  const voting_group nodes{system, static_cast<std::size_t>(state.range(0))};
  const parcel_actor echo = system.spawn<echo_actor>();
  const load what{.callers = static_cast<std::size_t>(state.range(1)),
                  .outstanding = static_cast<std::size_t>(state.range(2))};

  const auto measure = [&](const parcel_actor& whom) {
    auto round = ask_parcels(system, whom, what);
    if (round.failed != 0)
      throw std::runtime_error{std::to_string(round.failed) + " requests failed: " + round.why};
    return round;
  };

  measure(echo); // memory and caches
  measure(nodes.actor_at(where));
  series ours;
  series bare;
  std::vector<double> ratios;
  for (auto _ : state) {
    auto of_caf = measure(echo);
    auto of_nodes = measure(nodes.actor_at(where));
    ratios.push_back(of_nodes.per_second() / of_caf.per_second());
    state.SetIterationTime(1 / of_nodes.per_second());
    bare.add(std::move(of_caf));
    ours.add(std::move(of_nodes));
  }

  const auto report = [&](const std::string& prefix, const series& s) {
    state.counters[prefix + "per_s"] = s.per_second();
    state.counters[prefix + "p50_us"] = s.wait(0.5).count();
    state.counters[prefix + "p99_us"] = s.wait(0.99).count();
    state.counters[prefix + "cpu_us"] = s.cpu().count();
  };
  report("", ours);
  report("caf_", bare);
  state.counters["ratio"] = median(ratios);
  state.counters["ratio_min"] = std::ranges::min(ratios);
  state.counters["ratio_max"] = std::ranges::max(ratios);
}

void commands(benchmark::State& state, place where) {
  try {
    compare(state, where);
  } catch (const std::exception& e) {
    state.SkipWithError(e.what());
  }
}

/// One caller with little and with much outstanding, and many callers with as much together.
template <std::int64_t... Nodes> void loads(benchmark::internal::Benchmark* of) {
  of->ArgNames({"nodes", "callers", "outstanding"})->Iterations(rounds)->UseManualTime();
  for (const auto nodes : {Nodes...}) {
    for (const std::int64_t outstanding : {1, 64, 1'024})
      of->Args({nodes, 1, outstanding});
    of->Args({nodes, 16, 64});
  }
}

BENCHMARK_CAPTURE(commands, at_leader, place::leader)->Apply(loads<1, 3, 5>);
BENCHMARK_CAPTURE(commands, at_follower, place::follower)->Apply(loads<3, 5>);

} // namespace in_process_bench
