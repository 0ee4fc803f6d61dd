// SPDX-License-Identifier: BSL-1.0

// Runs the simulator on many seeds: each is a cluster that grows under load and faults, in virtual
// time, with every rule checked after every event. A seed that fails fails again, event by event:
//
//   simulate --seeds 2000           2,000 runs on all cores
//   simulate --seed 17 --verbose    one run, and how it ended

#include <understudy/testing/random_run.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace understudy::testing;

struct options {
  std::uint64_t seeds = 1;
  std::uint64_t first = 1;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  bool verbose = false;
};

/// The sum of all runs, and the first that failed.
class sweep {
public:
  explicit sweep(options how) : how_{how}, next_{how.first} {}

  /// Runs all seeds. Returns whether none failed.
  bool run() {
    std::vector<std::thread> crew;
    for (unsigned i = 0; i < how_.threads; ++i)
      crew.emplace_back([this] { work(); });
    for (auto& member : crew)
      member.join();
    return !failure_;
  }

  [[nodiscard]] const std::optional<std::pair<std::uint64_t, std::string>>& failure() const {
    return failure_;
  }
  [[nodiscard]] std::uint64_t runs() const { return runs_; }
  [[nodiscard]] const run_summary& total() const { return total_; }

private:
  void work() {
    for (;;) {
      const auto seed = next_++;
      if (stop_ || seed >= how_.first + how_.seeds)
        return;
      std::optional<random_run> run;
      try {
        const auto plan = draw_plan(seed);
        run.emplace(plan);
        done(plan, *run, run->execute());
      } catch (const std::exception& broken) {
        failed(seed, broken.what());
      }
    }
  }

  void done(const run_plan& plan, random_run& run, const run_summary& one) {
    const std::lock_guard lock{mutex_};
    ++runs_;
    total_ += one;
    if (how_.verbose) {
      std::cout << plan.text() << "\n  " << one.events << " events, " << one.acknowledged
                << " commands, hash " << std::hex << one.hash << std::dec << "\n";
      for (const auto& row : run.run().status())
        std::cout << "  " << row << "\n";
    } else if (how_.seeds >= 20 && runs_ % (how_.seeds / 20) == 0) {
      std::cout << "." << std::flush;
    }
  }

  void failed(std::uint64_t seed, std::string report) {
    const std::lock_guard lock{mutex_};
    stop_ = true;
    // Of several, the one that a single thread would have met first.
    if (!failure_ || seed < failure_->first)
      failure_.emplace(seed, std::move(report));
  }

  options how_;
  std::atomic<std::uint64_t> next_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::uint64_t runs_ = 0;
  run_summary total_;
  std::optional<std::pair<std::uint64_t, std::string>> failure_;
};

void print(const sweep& all, std::chrono::duration<double> took) {
  const auto& total = all.total();
  const std::chrono::duration<double> simulated = total.simulated;
  std::cout << std::fixed << std::setprecision(2) << all.runs() << " runs, " << total.events
            << " events, " << simulated.count() / 3'600 << " simulated hours in " << took.count()
            << " s: " << std::setprecision(0) << simulated.count() / took.count()
            << " times real time, " << static_cast<double>(total.events) / took.count()
            << " events/s\n";
  for (const auto& row : coverage(total))
    std::cout << "  " << std::left << std::setw(20) << row.name << std::right << std::setw(12)
              << row.times << "\n";
}

} // namespace

int main(int argc, char** argv) {
  options how;
  CLI::App app{"Runs clusters in virtual time, under faults, and checks every rule."};
  app.add_option("--seeds", how.seeds, "how many runs")->check(CLI::PositiveNumber);
  app.add_option("--seed", how.first, "the first seed");
  app.add_option("--threads", how.threads, "how many at a time")->check(CLI::PositiveNumber);
  app.add_flag("--verbose", how.verbose, "says for each run what it was and how it ended");
  CLI11_PARSE(app, argc, argv);

  sweep all{how};
  const auto began = std::chrono::steady_clock::now();
  const bool good = all.run();
  std::cout << "\n";
  print(all, std::chrono::steady_clock::now() - began);
  if (!good) {
    std::cout << "\nFAILED, " << all.failure()->second << "\nagain: simulate --seed "
              << all.failure()->first << " --verbose\n";
    return 1;
  }
  // A sweep that never met a fault proves nothing about it.
  constexpr std::uint64_t sweep_min = 500;
  if (all.runs() < sweep_min)
    return 0;
  for (const auto& row : coverage(all.total()))
    if (row.times == 0) {
      std::cout << "\nFAILED: no run met " << row.name << "\n";
      return 1;
    }
  return 0;
}
