// SPDX-License-Identifier: BSL-1.0

// Runs the simulator on many seeds: each is a cluster that grows under load and faults, in virtual
// time, with every rule checked after every event. A seed that fails fails again, event by event,
// and is cut down to a smaller run that fails in the same way:
//
//   simulate --seeds 2000           2,000 runs on all cores
//   simulate --seeds 100000 --time 600
//                                   as many as ten minutes allow
//   simulate --seed 17 --verbose    one run, and how it ended
//   simulate --speed                how fast it is

#include <understudy/testing/sweep.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace understudy::testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

void print_speed(std::uint64_t events, seconds simulated, seconds took) {
  std::cout << events << " events, " << std::fixed << std::setprecision(2)
            << simulated.count() / 3'600 << " simulated hours in " << took.count()
            << " s: " << std::setprecision(0) << simulated.count() / took.count()
            << " times real time, " << static_cast<double>(events) / took.count() << " events/s\n";
}

void print(const sweep_result& all, seconds took) {
  std::cout << all.runs << " runs, ";
  print_speed(all.total.events, all.total.simulated, took);
  for (const auto& row : coverage(all.total))
    std::cout << "  " << std::left << std::setw(20) << row.name << std::right << std::setw(12)
              << row.times << "\n";
  for (const auto& row : findings(all.total))
    std::cout << "  " << std::left << std::setw(20) << row.name << std::right << std::setw(12)
              << row.times << "\n";
}

void print(const run_plan& plan, random_run& run, const run_summary& one) {
  std::cout << plan.text() << "\n  " << one.events << " events, " << one.acknowledged
            << " commands, hash " << std::hex << one.hash << std::dec << "\n";
  for (const auto& row : run.run().status())
    std::cout << "  " << row << "\n";
}

/// The failure as it was met, or a smaller one of the same kind.
void report(const broken_run& failure, sweep_options how, bool cut_down) {
  std::cout << "\nFAILED, rule " << failure.rule << ", " << failure.report;
  auto plan = how.cuts.applied_to(draw_plan(failure.seed));
  plan.options.events_kept = how.events_kept;
  const auto fails_alike = [&](const run_plan& smaller) {
    const auto again = failure_of(smaller);
    return again && again->rule == failure.rule;
  };
  constexpr std::size_t tries = 200;
  const auto cuts = cut_down ? shrink(plan, fails_alike, tries) : plan_cuts{};
  if (cuts != plan_cuts{}) {
    const auto smaller = failure_of(cuts.applied_to(plan));
    std::cout << "\nthe same in small, " << (smaller ? smaller->report : "");
  }
  std::cout << "again:   simulate --seed " << failure.seed << how.cuts.as_options()
            << " --verbose\n";
  if (cuts != plan_cuts{})
    std::cout << "smaller: simulate --seed " << failure.seed << cuts.as_options() << " --verbose\n";
}

/// Five voters, three listeners and a command every 10 ms, with every rule checked, on one core.
int measure_speed() {
  simulation<tally> run{{.rules = {.max_voters = 5}}, 1};
  run.found("n1");
  for (int i = 2; i <= 8; ++i) {
    run.enter("n" + std::to_string(i));
    run.run_for(1s);
  }
  const auto events_before = run.trace().count();
  const auto began = steady_clock::now();
  const auto nodes = run.nodes();
  constexpr int commands = 60'000;
  for (int i = 0; i < commands; ++i) {
    run.submit(nodes[static_cast<std::size_t>(i) % nodes.size()], tally::bump{1});
    run.run_for(10ms);
  }
  print_speed(run.trace().count() - events_before, commands * 10ms, steady_clock::now() - began);
  return 0;
}

/// Every so often a line that tells how far it is.
class progress_line {
public:
  explicit progress_line(std::uint64_t seeds) : seeds_{seeds} {}

  void count(const run_summary& one) {
    ++runs_;
    simulated_ += one.simulated;
    const auto now = steady_clock::now();
    if (now - told_ < 5s)
      return;
    told_ = now;
    std::cerr << runs_ << " of " << seeds_ << " runs, " << std::fixed << std::setprecision(1)
              << seconds{simulated_}.count() / 3'600 << " simulated hours, "
              << seconds{now - began_}.count() << " s\n";
  }

private:
  std::uint64_t seeds_;
  std::uint64_t runs_ = 0;
  understudy::interval simulated_{0};
  steady_clock::time_point began_ = steady_clock::now();
  steady_clock::time_point told_ = began_;
};

int run(const sweep_options& given, bool verbose, bool cut_down) {
  auto how = given;
  progress_line progress{how.seeds};
  how.done = [&](const run_plan& plan, random_run& run, const run_summary& one) {
    if (verbose)
      print(plan, run, one);
    progress.count(one);
  };
  const auto began = steady_clock::now();
  const auto all = sweep(how);
  print(all, steady_clock::now() - began);
  if (all.failure) {
    report(*all.failure, how, cut_down);
    return 1;
  }
  if (how.cuts != plan_cuts{})
    return 0; // they leave out what is to be met
  const auto missing = gaps(all);
  for (const auto& gap : missing)
    std::cout << "\nFAILED: " << gap << "\n";
  return missing.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  sweep_options how{.seeds = 1};
  bool verbose = false;
  bool whole = false;
  bool speed = false;
  std::vector<std::string> without;
  std::uint32_t trouble_ms = 0;
  std::uint32_t time_s = 0;
  const CLI::Range positive{std::uint64_t{1}, std::uint64_t{1} << 32};
  CLI::App app{"Runs clusters in virtual time, under faults, and checks every rule."};
  app.add_option("--seeds", how.seeds, "how many runs")->check(positive);
  app.add_option("--seed", how.first, "the first seed");
  app.add_option("--time", time_s, "seconds after which no run is begun any more");
  app.add_option("--threads", how.threads, "how many at a time")->check(positive);
  app.add_option("--events", how.events_kept, "how many events the report of a failure shows");
  app.add_flag("--twice", how.twice, "makes each run again, and compares their hashes");
  app.add_flag("--verbose", verbose, "says for each run what it was and how it ended");
  app.add_flag("--whole", whole, "does not look for a smaller run that fails");
  app.add_flag("--speed", speed, "measures the speed of one core, and does nothing else");
  app.add_option("--nodes", how.cuts.nodes, "so many nodes in each run")->check(positive);
  app.add_option("--callers", how.cuts.callers, "so many callers in each run")->check(positive);
  auto* trouble = app.add_option("--trouble-ms", trouble_ms, "faults for so long");
  app.add_option("--without", without, "none of these faults, as in crash,pause")
      ->delimiter(',')
      ->check([](const std::string& name) {
        return fault_named(name) ? std::string{} : "no fault is called " + name;
      });
  app.add_flag("--model-disks", how.cuts.model_disks,
               "a model of a disk for each durable node, in place of the durable store on files");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : 2;
  }
  how.time_limit = std::chrono::seconds{time_s};
  if (trouble->count() > 0)
    how.cuts.trouble = std::chrono::milliseconds{trouble_ms};
  for (const auto& name : without)
    how.cuts.without.push_back(*fault_named(name));
  return speed ? measure_speed() : run(how, verbose, !whole);
}
