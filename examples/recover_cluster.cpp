// SPDX-License-Identifier: BSL-1.0
//
// A cluster loses all its voters at once, and goes on with the data of a listener. Nothing does
// this by itself: whoever decides it says good-bye to what only the lost ones had.

#include <understudy/actors/node_faults.hpp>
#include <understudy/understudy.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

struct guestbook { // the business data
  struct sign {    // a command and its reply
    using reply = int;
    std::string name;
    template <class Archive> void serialize(Archive& archive) { archive(name); }
  };
  using commands = understudy::commands<sign>;

  int apply(const sign& by) {
    names.push_back(by.name);
    return static_cast<int>(names.size());
  }

  std::vector<std::string> names;
  template <class Archive> void serialize(Archive& archive) { archive(names); }
};
UNDERSTUDY_MESSAGES(guestbook_messages, guestbook::sign)

using node = understudy::node<guestbook>;

int main() {
  using namespace std::chrono_literals;
  understudy::config config;
  caf::actor_system system{config};
  const auto is_ready = [](const understudy::node_status& now) { return now.ready; };
  const auto start = [&](understudy::node_options options) {
    auto started = understudy::spawn_node<guestbook>(system, std::move(options)).value();
    started.wait_until(is_ready, 10s).value();
    return started;
  };

  const understudy::settings three{.max_voters = 3};
  std::vector<node> voters;
  voters.push_back(start({.name = "ada", .found = true, .rules = three}));
  for (const auto* name : {"bob", "cleo"})
    voters.push_back(start({.name = name, .seeds = {voters.front()}, .rules = three}));
  auto dora = start({.name = "dora", .seeds = {voters.front()}, .rules = three});
  dora.wait_until([](const auto& now) { return now.voters.size() == 3 && !now.changing; }, 10s)
      .value(); // the others have taken their seats
  voters.front().submit(guestbook::sign{"the first guest"}).get().value();
  const auto second = dora.submit_with_receipt(guestbook::sign{"the second guest"}).get().value();
  dora.wait_until([&](const auto& now) { return now.applied >= second.receipt.index; }, 10s)
      .value(); // the voters have it, or it would not be answered; now she has it, too
  for (const auto& lost : voters)
    understudy::testing::freeze(lost); // all at one blow: nobody is left to replace anybody
  for (auto& lost : voters)
    lost.stop();

  // Whoever is left, with what each of them has.
  const std::vector left{dora.look_at_remains().get().value()};
  const auto best = understudy::inherit(left);
  if (!best)
    return std::cerr << best.error() << '\n', 1;
  std::cout << *best;
  dora.stop();

  auto heir = start({.name = "dora", .rules = three, .recover = left.at(best->from)});
  const auto eva = start({.name = "eva", .seeds = {heir}, .rules = three});
  std::cout << "the next guest is number "
            << eva.submit(guestbook::sign{"the third guest"}).get().value() << '\n';
}
