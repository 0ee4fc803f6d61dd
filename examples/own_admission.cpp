// SPDX-License-Identifier: BSL-1.0
//
// An application decides who is let into its cluster, and who may vote in it.

#include <understudy/understudy.hpp>

#include <chrono>
#include <iostream>
#include <map>
#include <string>
#include <vector>

struct tally {   // the business data
  struct count { // a command and its reply
    using reply = int;
    std::string what;
    template <class Archive> void serialize(Archive& archive) { archive(what); }
  };
  using commands = understudy::commands<count>;

  int apply(const count& c) { return ++counts[c.what]; }

  std::map<std::string, int> counts;
  template <class Archive> void serialize(Archive& archive) { archive(counts); }
};
UNDERSTUDY_MESSAGES(tally_messages, tally::count)

using node = understudy::node<tally>;

/// Web servers decide together. Machines for reports have the data and use it, and must not slow
/// down or outvote the others. Nobody else gets in.
understudy::admission_ruling our_machines(const understudy::member& newcomer,
                                          const understudy::configuration&) {
  using enum understudy::admission_verdict;
  if (newcomer.name.starts_with("web"))
    return {take_in};
  if (newcomer.name.starts_with("report"))
    return {as_listener};
  return {refuse, newcomer.name + " is no machine of ours"};
}

int main() {
  using namespace std::chrono_literals;
  understudy::config config;
  caf::actor_system system{config};

  std::vector<node> nodes;
  const auto start = [&](const std::string& name) {
    understudy::node_options options{.name = name, .found = nodes.empty()};
    options.seeds.assign(nodes.begin(), nodes.end());
    options.monitor.admission = our_machines; // each may lead one day, so each has the policy
    nodes.push_back(understudy::spawn_node<tally>(system, options).value());
    return nodes.back();
  };
  for (const auto* name : {"web 1", "report 1", "web 2", "web 3"})
    start(name).wait_until([](const auto& now) { return now.ready; }, 10s).value();
  const auto whole = nodes.front().wait_until(
      [](const auto& now) { return now.voters.size() == 3 && now.plan_settled; }, 10s);
  for (const auto& m : whole.value().members)
    std::cout << m.name << " is a " << understudy::to_string(m.role) << '\n';

  const auto refused = start("laptop").wait_until(
      [](const auto& now) { return now.obstacle.code != understudy::errc::none; }, 10s);
  std::cout << refused.value().obstacle << '\n';
}
