// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Many random runs, on all cores: what a test run and the simulator's program do.

#include <understudy/testing/random_run.hpp>
#include <understudy/testing/run_plan.hpp>
#include <understudy/testing/run_summary.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace understudy::testing {

/// Which runs, and how.
struct sweep_options {
  std::uint64_t first = 1; ///< seed
  std::uint64_t seeds = 500;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency()); ///< > 0
  std::size_t events_kept = 200; ///< that the report of a failure shows, the last ones
  /// Called after each run that kept the rules, one at a time.
  std::function<void(const run_plan&, random_run&, const run_summary&)> done = {};
};

/// A run that broke a rule.
struct broken_run {
  std::uint64_t seed = 0;
  std::string report = {};
};

/// The sum of the runs, and the first that failed: no later seed is begun then.
struct sweep_result {
  std::uint64_t runs = 0;
  run_summary total = {};
  std::optional<broken_run> failure = {};
};

/// Runs the seeds. Runs share nothing, so those on several threads are what they are on one.
[[nodiscard]] inline sweep_result sweep(const sweep_options& how) {
  sweep_result result;
  std::atomic<std::uint64_t> next = how.first;
  std::atomic<bool> stop = false;
  std::mutex mutex;

  const auto fail = [&](std::uint64_t seed, std::string report) {
    const std::lock_guard lock{mutex};
    stop = true;
    // Of several, the one that a single thread would have met first.
    if (!result.failure || seed < result.failure->seed)
      result.failure = {seed, std::move(report)};
  };
  const auto work = [&] {
    for (auto seed = next++; !stop && seed < how.first + how.seeds; seed = next++) {
      std::optional<random_run> run;
      try {
        auto plan = draw_plan(seed);
        plan.options.events_kept = how.events_kept;
        run.emplace(plan);
        const auto one = run->execute();
        const std::lock_guard lock{mutex};
        ++result.runs;
        result.total += one;
        if (how.done)
          how.done(plan, *run, one);
      } catch (const std::exception& broken) {
        fail(seed, broken.what());
      }
    }
  };

  std::vector<std::thread> crew;
  for (unsigned i = 1; i < how.threads; ++i)
    crew.emplace_back(work);
  work();
  for (auto& member : crew)
    member.join();
  return result;
}

} // namespace understudy::testing
