// SPDX-License-Identifier: BSL-1.0
//
// Every node of a cluster is replaced by a new one while it is in use, as in an update. An actor of
// the application's own hears of what happens.

#include <understudy/understudy.hpp>

#include <chrono>
#include <iostream>
#include <map>
#include <string>
#include <utility>
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

/// Says who leads. Any actor that takes `node_event` will do; it needs no base class of ours.
caf::behavior herald(caf::event_based_actor*) {
  return {[](const understudy::node_event& e) {
    if (e.what == understudy::node_event::kind::role_changed && e.detail.starts_with("leader"))
      std::cout << "another node leads\n";
  }};
}

int main() {
  using namespace std::chrono_literals;
  understudy::config config;
  caf::actor_system system{config};
  const caf::actor ears = system.spawn(herald);

  std::vector<node> nodes;
  const auto enter = [&](const std::string& name) {
    understudy::node_options options{.name = name, .found = nodes.empty()};
    options.seeds.assign(nodes.begin(), nodes.end());
    nodes.push_back(understudy::spawn_node<tally>(system, options).value());
    nodes.back().subscribe(ears);
    nodes.back().wait_until([](const auto& now) { return now.ready; }, 10s).value();
  };
  for (const auto* name : {"old 1", "old 2", "old 3"})
    enter(name);

  int uses = 0;
  const auto use = [&] { uses = nodes.back().submit(tally::count{"uses"}).get().value(); };
  for (const auto* name : {"new 1", "new 2", "new 3"}) {
    use();
    enter(name); // first the new one, so that there is somebody to take the seat
    use();
    const auto gone = nodes.front().leave().get().value();
    if (gone.how != understudy::leave_outcome::left)
      return std::cerr << "in time it could not leave: " << gone.detail << '\n', 1;
    nodes.erase(nodes.begin());
    use();
  }
  const auto healed = nodes.front().wait_until(
      [](const auto& now) { return now.voters.size() == 3 && now.members.size() == 3; }, 10s);
  std::cout << uses << " uses counted, " << healed.value().voters.size() << " new nodes vote\n";
  caf::anon_send_exit(ears, caf::exit_reason::user_shutdown);
}
