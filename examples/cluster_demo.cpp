// SPDX-License-Identifier: BSL-1.0
//
// A whole cluster in one process: it founds itself, grows, loses nodes, and all the while a web
// tier counts the requests of an access log on every node. At the end the counts must be exact.

#include <understudy/roster/seats.hpp>
#include <understudy/roster/settings.hpp>

#include <CLI/CLI.hpp>

#include "demo/report.hpp"
#include "demo/screen.hpp"
#include "demo/stage.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace demo {

using namespace std::chrono_literals;

struct demo_options {
  std::string input;
  std::uint64_t repeat = 1;
  std::size_t nodes = 7;
  std::uint32_t max_voters = 5;
  std::size_t clients = 2;
  double rate = 0;
  std::string report_path;
  std::uint64_t seed = 1;
  bool plain = false;
};

/// The longest a caller may wait, beyond what the machine itself stalls.
constexpr auto graceful_pause_max = 100ms;
constexpr auto crash_pause_max = 1s;

/// Between two steps, so that what is in flight when one ends is not caught in the next one's
/// crash: its wait would count for both.
constexpr auto breath = 50ms;

class play {
public:
  play(caf::actor_system& system, const demo_options& options,
       std::shared_ptr<load_control> control)
      : options_{options}, screen_{options.plain}, control_{std::move(control)},
        feed_{control_->feed}, scores_{control_->scores}, rules_{rules_of(options)},
        stage_{system, control_, rules_, options.clients, options.seed}, system_{system} {}

  demo_report perform() {
    report_.max_voters = options_.max_voters;
    control_->rate_per_second = 0;
    rate_ = options_.rate > 0 ? options_.rate : rehearse() / 3;
    screen_.say("load: " + std::to_string(static_cast<std::uint64_t>(rate_))
                + " requests/s in all");
    found();
    while (stage_.alive() < options_.nodes)
      grow();
    pull_sources();
    crash_follower();
    freeze_leader();
    finish();
    return std::move(report_);
  }

private:
  static understudy::settings rules_of(const demo_options& options) {
    understudy::settings rules;
    rules.max_voters = options.max_voters;
    rules.min_voters = std::min(rules.min_voters, options.max_voters);
    return rules;
  }

  // -- the steps ----------------------------------------------------------------------------

  /// How many requests a second a cluster of this size gets done when it is given all it can take;
  /// with a load and nodes of its own, which are gone afterwards.
  double rehearse() {
    if (feed_.size() == 0)
      return 0;
    screen_.say("rehearsal: one second at full speed, to choose the pace");
    auto control = std::make_shared<load_control>(built_in_requests(10'000), 1);
    stage rehearsal{system_, control, rules_, options_.clients, options_.seed + 1};
    for (std::size_t i = 0; i < options_.nodes; ++i) {
      if (!must(rehearsal.add_node()) || !rehearsal.heal(10s, [] {}))
        return 0;
    }
    for (std::size_t i = 0; i < options_.nodes; ++i)
      must(rehearsal.add_clients(i));
    std::this_thread::sleep_for(1s);
    const auto reached = control->scores.all().applied;
    control->feed.finish();
    rehearsal.wait([&] { return control->feed.over() && control->open == 0; }, 10s, [] {});
    rehearsal.strike();
    return static_cast<double>(reached);
  }

  void found() {
    auto step = begin("found", {"S1", "S8"});
    enter();
    end(step, graceful_pause_max);
  }

  void grow() {
    auto step = begin("grow to " + std::to_string(stage_.alive() + 1), {"S8", "S9", "S10"});
    enter();
    check_seats(step);
    end(step, graceful_pause_max);
  }

  void pull_sources() {
    auto step = begin("pull sources", {"S2", "S7", "S11"});
    const auto voters = roles_now().voters.size();
    const auto listens = [](const player& p) {
      const auto role = p.node.status().role;
      return p.alive && (role == role::listener || role == role::temporary_listener);
    };
    if (std::ranges::none_of(stage_.players(), listens))
      return skip(step, "there is no listener");
    const auto spread = stage_.wait(
        [&] {
          return std::ranges::all_of(stage_.players(), [&](const player& p) {
            const auto pulls = p.node.status().pulls;
            return !listens(p) || voters == 1 || pulls.from_followers > 0;
          });
        },
        10s, drawing(step.name));
    if (!spread)
      step.complaints.push_back("a listener has pulled from no follower");
    end(step, graceful_pause_max);
  }

  void crash_follower() {
    auto step = begin("follower crashes", {"S1", "S7"});
    auto* victim = stage_.follower();
    if (!victim || !stage_.can_lose(*victim))
      return skip(step, "without another voter no majority would be left");
    screen_.say(victim->name + " is killed");
    stage_.crash(*victim);
    enter();
    end(step, crash_pause_max);
  }

  /// The leader falls silent without its links breaking: only time can tell.
  void freeze_leader() {
    auto step = begin("leader crashes", {"S1", "S7"});
    auto* victim = stage_.leader();
    if (!victim || !stage_.can_lose(*victim))
      return skip(step, "without the leader no majority would be left");
    screen_.say(victim->name + " freezes");
    const auto frozen = victim->node.id();
    stage_.freeze(*victim);
    stage_.wait(
        [&] {
          const auto* leads = stage_.leader();
          return leads && leads->node.id() != frozen;
        },
        10s, drawing(step.name));
    enter();
    end(step, crash_pause_max);
  }

  /// The load stops, everyone catches up, and all is compared.
  void finish() {
    feed_.finish();
    if (!stage_.wait([this] { return feed_.over() && control_->open == 0; }, 60s,
                     drawing("the last pass")))
      report_.complaints.push_back("the load did not come to its end");
    if (!stage_.wait([this] { return all_have_applied_the_same(); }, 10s, drawing("catching up")))
      report_.complaints.push_back("the nodes did not apply the same index");
    note_steps();
    compare_counts();
    compare_states();
    stage_.strike();
  }

  // -- what steps are made of ---------------------------------------------------------------

  step_report begin(std::string name, std::vector<std::string> rows) {
    stalls_.take();
    step_retries_ = stage_.retries();
    scores_.begin_step(std::chrono::steady_clock::now());
    step_began_ = std::chrono::steady_clock::now();
    return {.name = std::move(name), .rows = std::move(rows)};
  }

  /// Starts a node, waits until the cluster is whole again, and puts clients beside the node.
  void enter() {
    if (!must(stage_.add_node()))
      return;
    if (!stage_.heal(20s, drawing(stage_.players().back().name + " enters")))
      report_.complaints.push_back(stage_.players().back().name + " did not get its place in time");
    must(stage_.add_clients(stage_.players().size() - 1));
    control_->rate_per_second = rate_ / static_cast<double>(client_count());
  }

  void end(step_report& step, std::chrono::milliseconds pause_max) {
    const milliseconds healed = std::chrono::steady_clock::now() - step_began_;
    step.healed_ms = healed.count();
    let_pass(300ms, step.name); // the new clients' load belongs to the step as well
    step.nodes = stage_.alive();
    step.roles = roles_now();
    step.retries = stage_.retries() - step_retries_;
    step.machine_stall_ms = stalls_.take().count();
    pause_limits_.push_back(milliseconds{pause_max}.count() + step.machine_stall_ms);
    scores_.end_step(std::chrono::steady_clock::now());
    let_pass(breath, step.name);
    screen_.say(step.name + ": leader " + step.roles.leader + ", voters "
                + joined(step.roles.voters) + ", temporary "
                + joined(step.roles.temporary_listeners) + ", listeners "
                + joined(step.roles.listeners));
    report_.steps.push_back(std::move(step));
  }

  void let_pass(std::chrono::milliseconds length, const std::string& step) {
    const auto until = std::chrono::steady_clock::now() + length;
    stage_.wait([&] { return std::chrono::steady_clock::now() >= until; }, 2 * length,
                drawing(step));
  }

  void skip(step_report& step, std::string why) {
    scores_.end_step(std::chrono::steady_clock::now());
    pause_limits_.push_back(0);
    screen_.say(step.name + ": skipped, " + why);
    step.skipped = std::move(why);
    report_.steps.push_back(std::move(step));
  }

  /// The roles while growing are exactly those of the seats table.
  void check_seats(step_report& step) {
    const auto roles = roles_now();
    const auto n = stage_.alive();
    const auto claims = std::min<std::size_t>(n, options_.max_voters);
    const auto seats = claims % 2 == 0 ? claims - 1 : claims;
    if (roles.voters.size() != seats || roles.temporary_listeners.size() != claims - seats
        || roles.listeners.size() != n - claims)
      step.complaints.push_back("the roles are not those of the seats table");
  }

  casting roles_now() { return stage_.roles(); }

  [[nodiscard]] std::size_t client_count() const {
    std::size_t count = 0;
    for (const auto& p : stage_.players())
      count += p.clients.size();
    return std::max<std::size_t>(count, 1);
  }

  std::function<void()> drawing(std::string what) {
    return [this, what = std::move(what)] { screen_.draw(what, stage_, feed_); };
  }

  bool must(const understudy::expected<void>& done) {
    if (!done)
      report_.complaints.push_back(std::string{to_string(done.error().code)} + ": "
                                   + done.error().detail);
    return done.has_value();
  }

  // -- the reckoning ------------------------------------------------------------------------

  bool all_have_applied_the_same() {
    std::optional<understudy::log_index> common;
    for (const auto& p : stage_.players()) {
      if (!p.alive)
        continue;
      const auto s = p.node.status();
      if (s.applied != s.commit || (common && *common != s.applied))
        return false;
      common = s.applied;
    }
    return common.has_value();
  }

  void note_steps() {
    const auto figures = scores_.steps();
    for (std::size_t i = 0; i < report_.steps.size(); ++i) {
      auto& step = report_.steps[i];
      if (!step.skipped.empty())
        continue;
      step.longest_pause_ms = figures[i].longest_pause.count();
      step.failed = figures[i].failed;
      step.unknown = figures[i].unknown;
      if (step.longest_pause_ms > pause_limits_[i])
        step.complaints.push_back("a caller waited longer than " + std::to_string(pause_limits_[i])
                                  + " ms");
      for (const auto& complaint : step.complaints)
        report_.complaints.push_back(step.name + ": " + complaint);
    }
  }

  void compare_counts() {
    auto expected = feed_.counts_per_pass();
    for (auto& [address, count] : expected)
      count *= feed_.passes();
    report_.passes = feed_.passes();
    report_.requests = scores_.all();
    report_.retries = stage_.retries();
    report_.difference = scores_.compare(expected);
    const auto& r = report_.requests;
    if (r.failed + r.unknown > 0)
      report_.complaints.push_back(std::to_string(r.failed) + " requests failed, "
                                   + std::to_string(r.unknown) + " have an unknown outcome");
    for (const auto& [why, count] : scores_.reasons())
      report_.complaints.push_back(std::to_string(count) + " answers were " + why);
    if (report_.difference.lost + report_.difference.duplicated > 0)
      report_.complaints.push_back(std::to_string(report_.difference.lost) + " counts lost, "
                                   + std::to_string(report_.difference.duplicated) + " doubled");
    for (const auto& p : stage_.players()) {
      const auto pulls = p.node.status().pulls;
      report_.pulls_from_leader += pulls.from_leader;
      report_.pulls_from_followers += pulls.from_followers;
    }
  }

  void compare_states() {
    report_.equal = true;
    for (const auto& p : stage_.players()) {
      if (!p.alive)
        continue;
      const auto summary
          = p.node.query(web_tier::summarize{20}, {.consistency = understudy::consistency::local})
                .get();
      if (!summary) {
        report_.complaints.push_back(p.name + " gave no summary: " + summary.error().detail);
        report_.equal = false;
        continue;
      }
      report_.digests[p.name] = summary->digest;
      report_.equal = report_.equal && summary->digest == report_.digests.begin()->second;
      report_.top_clients = summary->busiest;
    }
    if (!report_.equal)
      report_.complaints.push_back("the nodes' states differ");
  }

  const demo_options& options_;
  screen screen_;
  stall_meter stalls_;
  std::shared_ptr<load_control> control_;
  feed& feed_;
  score_book& scores_;
  understudy::settings rules_;
  stage stage_;
  caf::actor_system& system_;
  demo_report report_;
  double rate_ = 0;
  std::uint64_t step_retries_ = 0;
  moment step_began_ = {};
  std::vector<double> pause_limits_;
};

/// 0: all checks hold; 1: some do not; 2: the options or the input can not be used.
int run(const demo_options& options) {
  access_log log;
  if (options.input.empty()) {
    log.requests = built_in_requests(10'000);
  } else {
    std::ifstream in{options.input};
    if (!in || std::filesystem::is_directory(options.input)) {
      std::cerr << "cluster_demo: can not read the input " << options.input << '\n';
      return 2;
    }
    log = read_log(in);
    for (const auto number : log.skipped_lines)
      std::cerr << "cluster_demo: " << options.input << ':' << number
                << " is no request, skipped\n";
  }
  understudy::settings rules;
  rules.max_voters = options.max_voters;
  rules.min_voters = std::min(rules.min_voters, options.max_voters);
  if (const auto complaints = understudy::complaints(rules); !complaints.empty()) {
    std::cerr << "cluster_demo: " << complaints.front() << '\n';
    return 2;
  }

  understudy::config config;
  caf::actor_system system{config};
  auto report = play{system, options, std::make_shared<load_control>(log.requests, options.repeat)}
                    .perform();
  report.path = options.input.empty() ? "built-in" : options.input;
  report.input_requests = log.requests.size();
  report.skipped_lines = log.skipped_lines;

  std::cout << '\n';
  print(std::cout, report);
  const auto& r = report.requests;
  std::cout << "\ninput: " << report.input_requests << " requests, " << report.skipped_lines.size()
            << " lines skipped, " << report.passes << " passes\nrequests: " << r.submitted
            << " submitted, " << r.applied << " applied, " << r.failed << " failed, " << r.unknown
            << " unknown, " << report.retries << " sent again, " << report.difference.lost
            << " lost, " << report.difference.duplicated
            << " doubled\npulls: " << report.pulls_from_leader << " from leaders, "
            << report.pulls_from_followers
            << " from followers\nstates: " << (report.equal ? "equal" : "DIFFERENT") << " on "
            << report.digests.size() << " nodes\n";
  if (!options.report_path.empty()) {
    std::ofstream file{options.report_path};
    file << as_json(report).dump(2) << '\n';
    if (!file) {
      std::cerr << "cluster_demo: can not write the report " << options.report_path << '\n';
      return 2;
    }
  }
  for (const auto& complaint : report.complaints)
    std::cout << "NOT AS IT SHOULD BE: " << complaint << '\n';
  if (report.complaints.empty())
    std::cout << "all checks hold\n";
  return report.complaints.empty() ? 0 : 1;
}

} // namespace demo

int main(int argc, char** argv) {
  demo::demo_options options;
  CLI::App app{
      "A cluster in one process that founds itself, grows and heals, counting the requests "
      "of a web log exactly."};
  app.add_option("--input", options.input,
                 "access log in the common format; without it a built-in workload");
  app.add_option("--repeat", options.repeat, "passes over the input, at least")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--nodes", options.nodes, "how far the cluster grows")->check(CLI::Range(1, 25));
  app.add_option("--max-voters", options.max_voters, "most members of the raft group");
  app.add_option("--clients", options.clients, "clients beside each node")
      ->check(CLI::Range(1, 1'000));
  app.add_option("--rate", options.rate,
                 "requests a second in all; without it a third of what a rehearsal reaches")
      ->check(CLI::PositiveNumber);
  app.add_option("--report", options.report_path, "writes a report in JSON");
  app.add_option("--seed", options.seed, "for ids and jitter of nodes and clients");
  app.add_flag("--plain", options.plain, "plain lines, no live table");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return demo::run(options);
}
