// SPDX-License-Identifier: BSL-1.0
//
// A node with a directory: it is stopped, killed and started again, and comes back under its id
// with all that it had confirmed.

#include <understudy/actors/node_faults.hpp>
#include <understudy/understudy.hpp>

#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>

struct visits {
  struct visit {
    using reply = int;
    std::string who;
    template <class Archive> void serialize(Archive& archive) { archive(who); }
  };
  struct count {
    using reply = int;
    template <class Archive> void serialize(Archive&) {}
  };
  using commands = understudy::commands<visit>;
  using queries = understudy::queries<count>;

  int apply(const visit&) { return ++total; }
  int query(const count&) const { return total; }

  int total = 0;
  template <class Archive> void serialize(Archive& archive) { archive(total); }
};
UNDERSTUDY_MESSAGES(visits_messages, visits::visit, visits::count)

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  std::string directory
      = argc > 1 ? argv[1] : std::filesystem::temp_directory_path() / "understudy_XXXXXX";
  if (argc > 1)
    std::filesystem::create_directories(directory);
  else if (!::mkdtemp(directory.data()))
    return std::cerr << "there is no room for a directory\n", 1;

  understudy::config config;
  caf::actor_system system{config};
  for (const bool killed : {false, true, false}) {
    // The first time it founds a cluster of one. Later that is of no account: it has its data.
    const auto node = understudy::spawn_node<visits>(
        system, {.name = "a", .found = true, .directory = directory});
    if (!node)
      return std::cerr << node.error() << '\n', 1;
    if (!node->wait_until([](const auto& now) { return now.ready; }, 10s))
      return std::cerr << "it does not come up\n", 1;
    const auto before = node->query(visits::count{}).get();
    const auto after = node->submit(visits::visit{"ada"}).get();
    if (!before || !after)
      return std::cerr << "it does not answer\n", 1;
    std::cout << "found " << *before << " visits, now " << *after << '\n';

    if (killed)
      understudy::testing::crash(*node); // as kill -9 would
    node->stop().wait();
  }
  std::filesystem::remove_all(directory);
}
