// SPDX-License-Identifier: BSL-1.0
//
// An actor of the application's own keeps the machine: it applies the log as any other, raises an
// alarm when something runs out, and answers what other actors of the same process ask of it.

#include <understudy/understudy.hpp>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <map>
#include <set>
#include <string>

struct inventory { // the business data
  struct move {    // a command and its reply
    using reply = int;
    std::string sku;
    int by = 0;
    template <class Archive> void serialize(Archive& archive) { archive(sku, by); }
  };
  using commands = understudy::commands<move>;

  int apply(const move& c) { return stock[c.sku] += c.by; }

  std::map<std::string, int> stock;
  template <class Archive> void serialize(Archive& archive) { archive(stock); }
};

// Messages between actors of this process; they are not replicated.
struct tell_me {
  caf::actor who;
};
struct running_low {
  std::string sku;
};
struct count_articles {};
UNDERSTUDY_MESSAGES(stock_messages, inventory::move, tell_me, running_low, count_articles)

class stock_keeper final : public understudy::basic_machine_keeper<stock_keeper, inventory> {
public:
  using basic_machine_keeper::basic_machine_keeper;

  caf::message_handler extra_handlers() {
    return understudy::chain([this](const tell_me& listener) { alarm_ = listener.who; },
                             [this](count_articles) { return machine().stock.size(); });
  }

  // Every node sees the same log, so the keeper of each of them raises the same alarm.
  void after_batch(understudy::log_index) {
    for (const auto& [sku, left] : machine().stock)
      if (left >= 10)
        low_.erase(sku);
      else if (low_.insert(sku).second)
        understudy::post(understudy::origin_of(*this), understudy::forget_type(alarm_),
                         running_low{sku});
  }

private:
  caf::actor alarm_;
  std::set<std::string> low_;
};

int main() {
  using namespace std::chrono_literals;
  understudy::config config;
  caf::actor_system system{config};

  auto shop = understudy::spawn_node<inventory>(system, {.name = "shop", .found = true});
  if (!shop)
    return std::cerr << shop.error() << '\n', 1;
  // The warehouse needs no vote, and gets each change as fast as the shop can send it.
  auto warehouse = understudy::spawn_node<inventory, stock_keeper>(
      system, {.name = "warehouse", .seeds = {*shop}});
  if (!warehouse)
    return std::cerr << warehouse.error() << '\n', 1;
  caf::scoped_actor self{system};
  understudy::post_from_outside(understudy::forget_type(warehouse->keeper()), tell_me{self});

  for (const auto& sale :
       {inventory::move{"apples", 40}, inventory::move{"pears", 12}, inventory::move{"pears", -4}})
    if (auto left = shop->submit(sale).get(); !left)
      return std::cerr << left.error() << '\n', 1;

  self->receive([](const running_low& what) { std::cout << what.sku << " run low, "; });
  understudy::ask(self, warehouse->keeper(), 10s, count_articles{})
      .receive([](std::size_t count) { std::cout << count << " articles are kept\n"; },
               [](const caf::error& e) { std::cerr << understudy::as_failure(e) << '\n'; });
}
