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

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace in_process_bench {

using namespace benchmarks;
using namespace std::chrono_literals;

constexpr std::int64_t rounds = 11;

/// Whom the caller asks.
enum class place { leader, follower };

/// Nodes that all vote.
class group {
public:
  group(caf::actor_system& system, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      understudy::node_options options{.name = "node " + std::to_string(i + 1), .found = i == 0};
      options.seeds.assign(nodes_.begin(), nodes_.end());
      nodes_.push_back(checked(understudy::spawn_node<parcel_counter>(system, options)));
    }
    for (const auto& n : nodes_)
      static_cast<void>(checked(n.wait_until(
          [&](const understudy::node_status& now) {
            const bool settled = now.role != understudy::role::leader || now.plan_settled;
            return now.voters.size() == size && !now.changing && now.ready && settled;
          },
          30s)));
  }
  group(const group&) = delete;
  group& operator=(const group&) = delete;

  ~group() {
    std::vector<std::shared_future<void>> over;
    for (const auto& n : nodes_)
      over.push_back(n.stop());
    for (const auto& o : over)
      o.wait();
  }

  [[nodiscard]] parcel_actor actor_at(place where) const {
    const auto wanted
        = where == place::leader ? understudy::role::leader : understudy::role::follower;
    for (const auto& n : nodes_)
      if (n.status().role == wanted)
        return n.actor();
    throw std::runtime_error{"nobody leads"};
  }

private:
  template <class T> static T checked(understudy::expected<T> result) {
    if (result)
      return std::move(*result);
    std::ostringstream why;
    why << result.error();
    throw std::runtime_error{why.str()};
  }

  std::vector<understudy::node<parcel_counter>> nodes_;
};

/// Commands at one of `range(0)` nodes, from `range(1)` callers with `range(2)` outstanding each.
void compare(benchmark::State& state, place where) {
  understudy::config config;
  caf::actor_system system{config};
  const group nodes{system, static_cast<std::size_t>(state.range(0))};
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
