// SPDX-License-Identifier: BSL-1.0
//
// Three nodes of one process keep an inventory: the program of the README, complete.

#include <understudy/understudy.hpp>

#include <chrono>
#include <iostream>
#include <map>
#include <string>

struct inventory { // the business data
  struct restock { // a command and its reply
    using reply = int;
    std::string sku;
    int by = 0;
    template <class Archive> void serialize(Archive& archive) { archive(sku, by); }
  };
  struct in_stock { // a query and its reply
    using reply = int;
    std::string sku;
    template <class Archive> void serialize(Archive& archive) { archive(sku); }
  };
  using commands = understudy::commands<restock>;
  using queries = understudy::queries<in_stock>;

  int apply(const restock& c) { return stock[c.sku] += c.by; }
  int query(const in_stock& q) const { return stock.contains(q.sku) ? stock.at(q.sku) : 0; }

  std::map<std::string, int> stock;
  template <class Archive> void serialize(Archive& archive) { archive(stock); } // snapshots
};
UNDERSTUDY_MESSAGES(inventory_messages, inventory::restock, inventory::in_stock)

int main() {
  using namespace std::chrono_literals;
  understudy::config config; // a caf::actor_system_config
  caf::actor_system system{config};

  auto first = understudy::spawn_node<inventory>(system, {.name = "first", .found = true});
  if (!first)
    return std::cerr << first.error() << '\n', 1;
  auto second = understudy::spawn_node<inventory>(system, {.name = "second", .seeds = {*first}});
  auto third = understudy::spawn_node<inventory>(system, {.name = "third", .seeds = {*first}});
  if (!second || !third)
    return 1;

  const auto whole = third->wait_until([](const auto& now) { return now.voters.size() == 3; }, 10s);
  if (!whole)
    return std::cerr << whole.error() << '\n', 1;

  // With futures, from any thread; any node takes any call.
  const auto apples = third->submit(inventory::restock{"apple", 3}).get();
  const auto left = second->query(inventory::in_stock{"apple"}).get();

  // With actors: each command and query is a message, answered with its reply. (`ask` is CAF's
  // request, in the spelling of whichever CAF this is.)
  caf::scoped_actor self{system};
  int pears = 0;
  understudy::ask(self, second->actor(), 10s, inventory::restock{"pear", 5})
      .receive([&](int count) { pears = count; },
               [&](const caf::error& e) { std::cerr << understudy::as_failure(e) << '\n'; });

  if (!apples || !left)
    return 1;
  std::cout << *apples << " apples restocked, " << *left << " in stock, " << pears << " pears\n";
}
