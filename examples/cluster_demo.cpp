// SPDX-License-Identifier: BSL-1.0
//
// A whole cluster in one process: it founds itself, grows, loses and replaces nodes, and all the
// while a web tier counts the requests of an access log on every node. At the end the counts must
// be exact.

#include <understudy/roster/settings.hpp>

#include <CLI/CLI.hpp>

#include "demo/play.hpp"
#include "demo/report.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

namespace demo {

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
  if (const auto complaints = understudy::complaints(rules_of(options)); !complaints.empty()) {
    std::cerr << "cluster_demo: " << complaints.front() << '\n';
    return 2;
  }

  if (!options.durable.empty()
      && (!std::filesystem::is_directory(options.durable)
          || !std::filesystem::is_empty(options.durable))) {
    std::cerr << "cluster_demo: " << options.durable << " is no empty directory\n";
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
            << " from followers\nelections won by a listener: " << report.elections_won_by_listener
            << "; calls reconciled after taking a seat: " << report.reconciled
            << "\nstates: " << (report.equal ? "equal" : "DIFFERENT") << " on "
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
      ->check(CLI::Range(0.001, 1e6));
  app.add_option("--nodes", options.nodes, "how far the cluster grows")->check(CLI::Range(1, 25));
  app.add_option("--max-voters", options.max_voters, "most members of the raft group");
  app.add_option("--clients", options.clients, "clients beside each node")
      ->check(CLI::Range(1, 1'000));
  app.add_option("--rate", options.rate,
                 "requests a second in all; without it a quarter of what a rehearsal reaches")
      ->check(CLI::Range(0.001, 1e6));
  app.add_option("--durable", options.durable,
                 "an empty directory, where nodes keep their data; they come back with it");
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
