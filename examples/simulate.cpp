// SPDX-License-Identifier: BSL-1.0

// Runs the simulator on many seeds: each is a cluster that grows under load and faults, in virtual
// time, with every rule checked after every event. A seed that fails fails again, event by event:
//
//   simulate --seeds 2000           2,000 runs on all cores
//   simulate --seed 17 --verbose    one run, and how it ended

#include <understudy/testing/sweep.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <iomanip>
#include <iostream>

namespace {

using namespace understudy::testing;

void print(const sweep_result& all, std::chrono::duration<double> took) {
  const auto& total = all.total;
  const std::chrono::duration<double> simulated = total.simulated;
  std::cout << std::fixed << std::setprecision(2) << all.runs << " runs, " << total.events
            << " events, " << simulated.count() / 3'600 << " simulated hours in " << took.count()
            << " s: " << std::setprecision(0) << simulated.count() / took.count()
            << " times real time, " << static_cast<double>(total.events) / took.count()
            << " events/s\n";
  for (const auto& row : coverage(total))
    std::cout << "  " << std::left << std::setw(20) << row.name << std::right << std::setw(12)
              << row.times << "\n";
}

void print(const run_plan& plan, random_run& run, const run_summary& one) {
  std::cout << plan.text() << "\n  " << one.events << " events, " << one.acknowledged
            << " commands, hash " << std::hex << one.hash << std::dec << "\n";
  for (const auto& row : run.run().status())
    std::cout << "  " << row << "\n";
}

} // namespace

int main(int argc, char** argv) {
  sweep_options how{.seeds = 1};
  bool verbose = false;
  CLI::App app{"Runs clusters in virtual time, under faults, and checks every rule."};
  app.add_option("--seeds", how.seeds, "how many runs")->check(CLI::PositiveNumber);
  app.add_option("--seed", how.first, "the first seed");
  app.add_option("--threads", how.threads, "how many at a time")->check(CLI::PositiveNumber);
  app.add_option("--events", how.events_kept, "how many events the report of a failure shows");
  app.add_flag("--verbose", verbose, "says for each run what it was and how it ended");
  CLI11_PARSE(app, argc, argv);

  std::uint64_t runs = 0;
  how.done = [&](const run_plan& plan, random_run& run, const run_summary& one) {
    ++runs;
    if (verbose)
      print(plan, run, one);
    else if (how.seeds >= 20 && runs % (how.seeds / 20) == 0)
      std::cout << "." << std::flush;
  };
  const auto began = std::chrono::steady_clock::now();
  const auto all = sweep(how);
  std::cout << "\n";
  print(all, std::chrono::steady_clock::now() - began);
  if (all.failure) {
    std::cout << "\nFAILED, " << all.failure->report << "\nagain: simulate --seed "
              << all.failure->seed << " --verbose\n";
    return 1;
  }
  // A sweep that never met a fault proves nothing about it.
  constexpr std::uint64_t sweep_min = 500;
  if (all.runs < sweep_min)
    return 0;
  for (const auto& row : coverage(all.total))
    if (row.times == 0) {
      std::cout << "\nFAILED: no run met " << row.name << "\n";
      return 1;
    }
  return 0;
}
