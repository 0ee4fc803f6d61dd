// SPDX-License-Identifier: BSL-1.0
//
// Listeners pull their data from a node of their own site where there is one.

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

/// The part of a node's name before the slash.
std::string site_of(const std::string& name) {
  return name.substr(0, name.find('/'));
}

int main() {
  using namespace std::chrono_literals;
  understudy::config config;
  caf::actor_system system{config};

  std::vector<node> nodes;
  const auto start = [&](const std::string& name) {
    understudy::node_options options{
        .name = name, .found = nodes.empty(), .rules = {.max_voters = 3}};
    options.seeds.assign(nodes.begin(), nodes.end());
    options.puller.distance = [own = site_of(name)](const understudy::member& other) {
      return site_of(other.name) == own ? 0u : 1u;
    };
    nodes.push_back(understudy::spawn_node<tally>(system, options).value());
    nodes.back().wait_until([](const auto& now) { return now.ready; }, 10s).value();
  };
  for (const auto* name : {"east/1", "east/2", "west/1", "east/3", "west/2"})
    start(name);
  static_cast<void>(nodes.front().submit(tally::count{"uses"}).get().value());

  // The first three vote, and the first of them leads, which is asked only if nobody else answers.
  for (const auto& listener : {nodes[3], nodes[4]}) {
    const auto site = site_of(listener.status().name);
    const auto near = [&](const understudy::node_status& now) {
      const auto* source = now.member(now.source);
      return source && site_of(source->name) == site && now.source != now.leader;
    };
    const auto now = listener.wait_until(near, 20s).value();
    std::cout << now.name << " pulls from " << now.member(now.source)->name << '\n';
  }
}
