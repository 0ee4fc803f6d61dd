// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/cast.hpp>
#include <understudy/actors/machine_keeper.hpp>

#include <doctest/doctest.h>

#include <support/deterministic_system.hpp>
#include <support/inventory.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#if !UNDERSTUDY_CAF_1

namespace machine_keeper_test {

using namespace understudy;
using test_support::inventory;

namespace {

/// Answers how much there is of a thing, and writes down what was applied when.
class shopkeeper final : public basic_machine_keeper<shopkeeper, inventory> {
public:
  using basic_machine_keeper::basic_machine_keeper;

  caf::message_handler extra_handlers() {
    return chain([this](const std::string& sku) { return machine().stock.at(sku); },
                 [this](int) { return static_cast<int>(batches_.size()); });
  }

  void after_batch(log_index applied) { batches_.push_back(applied); }

private:
  std::vector<log_index> batches_;
};

/// A node that is nothing but its keeper.
struct shop {
  test_support::deterministic_system world;
  std::shared_ptr<std::vector<std::string>> log = std::make_shared<std::vector<std::string>>();
  any_actor keeper;
  std::unique_ptr<node_body> body;

  shop() {
    auto stage = std::make_shared<backstage>(member_id{7}, local_links::new_address(28),
                                             std::make_unique<local_links>(world.system));
    cast all{world.system, stage, {.log = [lines = log](std::string_view line) {
               lines->emplace_back(line);
             }}};
    keeper = spawn_actor<shopkeeper>(world.system, false, stage, replica<inventory>{});
    all.enlist<replica<inventory>>(keeper);
    body = std::make_unique<node_body>(stage, all, world.system,
                                       node_doors{.front = keeper, .keeper = keeper});
    all.raise_curtain({});
    world.run();
  }
  shop(const shop&) = delete;
  shop& operator=(const shop&) = delete;
  ~shop() {
    body->stop(false);
    world.run();
  }

  /// Hands the keeper the next entries: the first opens a session, each other brings an apple.
  void stock_up(int count) {
    apply_entries what;
    for (; count > 0; --count) {
      ++last_.value;
      auto content
          = last_.value == 1
                ? share(open_session{})
                : share(command{.session = {1},
                                .number = {last_.value},
                                .answered_below = {1},
                                .body = encode_command<inventory>(inventory::restock{"apple", 1})});
      what.entries.push_back({.index = last_, .term = {1}, .what = std::move(content)});
    }
    post_from_outside(keeper, std::move(what));
  }

  /// What the keeper answers to `question`, as a text.
  template <class Answer, class Question> std::string ask_keeper(Question question) {
    caf::scoped_actor self{world.system};
    auto asked = ask(self, caf::actor_cast<caf::actor>(keeper), caf::infinite, std::move(question));
    world.run();
    std::string result;
    asked.receive([&](const Answer& answer) { result = std::to_string(answer); },
                  [&](const caf::error& e) { result = caf::to_string(e); });
    return result;
  }

  log_index last_ = {};
};

} // namespace

TEST_CASE("an own keeper answers from the machine as it is applied") {
  shop s;
  s.stock_up(4);
  s.world.run();
  CHECK(s.ask_keeper<int>(std::string{"apple"}) == "3");
  s.stock_up(2);
  CHECK(s.ask_keeper<int>(std::string{"apple"}) == "5");
}

TEST_CASE("an own keeper is told once for what arrives together") {
  shop s;
  s.stock_up(2);
  s.stock_up(3);
  s.world.run();
  CHECK(s.ask_keeper<int>(0) == "1");
  s.stock_up(1);
  s.world.run();
  CHECK(s.ask_keeper<int>(0) == "2");
}

TEST_CASE("what an own keeper's handler throws ends the node, and is said") {
  shop s;
  CHECK(s.ask_keeper<int>(std::string{"pear"}) != "0");
  s.world.run();
  REQUIRE(s.log->size() == 1);
  CHECK(s.log->front().find("node_broken") != std::string::npos);
}

} // namespace machine_keeper_test

#endif
