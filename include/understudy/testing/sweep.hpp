// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Many random runs, on all cores: what a test run and the simulator's program do.

#include <understudy/testing/plan_cuts.hpp>
#include <understudy/testing/random_run.hpp>
#include <understudy/testing/run_failed.hpp>
#include <understudy/testing/run_plan.hpp>
#include <understudy/testing/run_summary.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
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
  std::size_t events_kept = 200;      ///< that the report of a failure shows, the last ones
  plan_cuts cuts = {};                ///< of every plan
  bool twice = false;                 ///< each run is made again, and must be the same (I16)
  std::chrono::seconds time_limit{0}; ///< after which no run is begun any more; 0: none
  /// Called after each run that kept the rules, one at a time.
  std::function<void(const run_plan&, random_run&, const run_summary&)> done = {};
};

/// A run that broke a rule.
struct broken_run {
  std::uint64_t seed = 0;
  std::string rule = {}; ///< empty: something else was thrown
  std::string report = {};
};

/// The sum of the runs, and the first that failed: no later seed is begun then.
struct sweep_result {
  std::uint64_t runs = 0;
  run_summary total = {};
  std::optional<broken_run> failure = {};
};

/// Sweeps that are smaller may miss what is rare.
inline constexpr std::uint64_t telling_sweep_min = 500;

/// What a sweep that broke no rule has left out, and so fails for; nothing if it is small, or none
/// of the faults and histories were missing.
[[nodiscard]] inline std::vector<std::string> gaps(const sweep_result& of) {
  std::vector<std::string> found;
  if (of.runs < telling_sweep_min)
    return found;
  for (const auto& row : coverage(of.total))
    if (row.times == 0)
      found.push_back("no run met " + std::string{row.name});
  if (of.total.not_judged * 200 > of.runs)
    found.push_back(std::to_string(of.total.not_judged) + " histories were too large to judge");
  return found;
}

/// How a plan fails, if it does.
[[nodiscard]] inline std::optional<broken_run> failure_of(const run_plan& plan) {
  try {
    static_cast<void>(random_run{plan}.execute());
    return std::nullopt;
  } catch (const run_failed& broken) {
    return broken_run{plan.seed, broken.rule(), broken.what()};
  } catch (const std::exception& thrown) {
    return broken_run{plan.seed, {}, thrown.what()};
  }
}

namespace detail {

/// The work of one thread of a sweep, and what all of them share.
class sweeper {
public:
  explicit sweeper(const sweep_options& how) : how_{how}, next_{how.first} {}

  void work() {
    for (auto seed = next_++; goes_on(seed); seed = next_++) {
      auto plan = how_.cuts.applied_to(draw_plan(seed));
      plan.options.events_kept = how_.events_kept;
      try {
        random_run run{plan};
        const auto one = run.execute();
        if (how_.twice && random_run{plan}.execute().hash != one.hash)
          throw run_failed{"I16", "seed " + std::to_string(seed) + ": two runs were not the same"};
        const std::lock_guard lock{mutex_};
        ++result_.runs;
        result_.total += one;
        if (how_.done)
          how_.done(plan, run, one);
      } catch (const run_failed& broken) {
        fail({seed, broken.rule(), broken.what()});
      } catch (const std::exception& thrown) {
        fail({seed, {}, thrown.what()});
      }
    }
  }

  [[nodiscard]] sweep_result result() && { return std::move(result_); }

private:
  [[nodiscard]] bool goes_on(std::uint64_t seed) const {
    const bool in_time = how_.time_limit.count() == 0
                         || std::chrono::steady_clock::now() - began_ < how_.time_limit;
    return !stop_ && in_time && seed - how_.first < how_.seeds;
  }

  void fail(broken_run what) {
    const std::lock_guard lock{mutex_};
    stop_ = true;
    // Of several, the one that a single thread would have met first.
    if (!result_.failure || what.seed < result_.failure->seed)
      result_.failure = std::move(what);
  }

  const sweep_options& how_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> next_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  sweep_result result_;
};

} // namespace detail

/// Runs the seeds. Runs share nothing, so those on several threads are what they are on one.
[[nodiscard]] inline sweep_result sweep(const sweep_options& how) {
  detail::sweeper all{how};
  std::vector<std::thread> crew;
  for (unsigned i = 1; i < how.threads; ++i)
    crew.emplace_back([&] { all.work(); });
  all.work();
  for (auto& member : crew)
    member.join();
  return std::move(all).result();
}

} // namespace understudy::testing
