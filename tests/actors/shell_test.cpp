// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/cast.hpp>
#include <understudy/actors/node_faults.hpp>
#include <understudy/actors/shell.hpp>

#include <doctest/doctest.h>

#include <support/deterministic_system.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace shell_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

using diary = std::shared_ptr<std::vector<std::string>>;

[[maybe_unused]] std::size_t count(const diary& notes, const std::string& line) {
  return static_cast<std::size_t>(std::ranges::count(*notes, line));
}

/// Stands at the core's desk: answers vote requests, passes `propose` on to whoever stores.
struct toy_core {
  using peer_messages = type_list<request_vote, vote_reply>;
  using notices = type_list<propose, store_written, peer_lost, take_snapshot>;

  diary notes;
  interval period{0};
  std::optional<instant> next = {};
  std::size_t asked = 0;
  member_id asker = {};

  void on(member_id from, request_vote& m, instant, outbox&) {
    if (m.term == term_number{666})
      throw invariant_broken{"the number of the beast"};
    ++asked;
    asker = from;
  }
  void on(member_id from, vote_reply& m, instant, outbox&) {
    notes->push_back("vote of " + std::to_string(from.value) + " in "
                     + std::to_string(m.term.value));
  }
  void on(propose& m, instant now, outbox& out) {
    if (m.what.empty())
      out.tell(store_write{.write = m.batch});
    else
      out.wake(now + 1ms);
  }
  void on(store_written& m, instant, outbox&) {
    notes->push_back("written " + std::to_string(m.write.value));
  }
  void on(peer_lost& m, instant, outbox&) {
    notes->push_back("lost " + std::to_string(m.who.value));
  }
  /// Asks all peers of the note for their vote.
  void on(take_snapshot&, instant, outbox& out) {
    for (const auto to : peers)
      out.send(to, request_vote{.term = {5}});
  }
  void wake(instant now, outbox& out) {
    notes->push_back("woke");
    if (period > interval{0})
      out.wake(now + period);
  }
  void settle(instant, outbox& out) {
    notes->push_back("settled");
    if (asked > 0)
      out.send(asker, vote_reply{.term = {std::exchange(asked, 0)}});
  }

  std::vector<member_id> peers = {};
};

struct toy_writer {
  using peer_messages = type_list<>;
  using notices = type_list<store_write>;
  void on(store_write& m, instant, outbox& out) {
    out.tell(store_written{m.write});
    out.tell(node_event{.what = node_event::kind::founded, .index = {m.write.value}});
  }
  void wake(instant, outbox&) {}
  void settle(instant, outbox&) {}
};

/// Nothing but a desk.
struct toy_desk {
  using peer_messages = type_list<>;
  using notices = type_list<>;
  void wake(instant, outbox&) {}
  void settle(instant, outbox&) {}
};

/// A node of toys: two actors, or one that hosts both components.
struct toy_node {
  toy_node(caf::actor_system& system, std::uint64_t id, toy_core core, bool together = false)
      : stage{std::make_shared<backstage>(member_id{id}, local_links::new_address(id * 4),
                                          std::make_unique<local_links>(system))} {
    cast all{system,
             stage,
             {.on_event = [seen = events](const node_event& e) { seen->push_back(e); },
              .log = [lines = log](std::string_view line) { lines->emplace_back(line); }}};
    any_actor first;
    if (together) {
      first = spawn_actor<shell<toy_core, toy_writer>>(system, false, stage, std::move(core),
                                                       toy_writer{});
      all.enlist<toy_core, toy_writer>(first);
    } else {
      first = spawn_actor<shell<toy_core>>(system, false, stage, std::move(core));
      all.enlist<toy_core>(first);
      all.enlist<toy_writer>(spawn_actor<shell<toy_writer>>(system, false, stage, toy_writer{}));
    }
    const auto other = spawn_actor<shell<toy_desk>>(system, false, stage, toy_desk{});
    all.enlist<toy_desk>(other);
    local_links::publish(system, stage->address, {first, other, other, other});
    body_ = std::make_unique<node_body>(stage, all, system, node_doors{.front = other});
    all.raise_curtain({});
  }

  [[nodiscard]] const node_body& body() const { return *body_; }
  [[nodiscard]] any_actor core() const { return body_->actors.front(); }
  [[nodiscard]] bool over() const { return body_->over.wait_for(0s) == std::future_status::ready; }

  std::shared_ptr<backstage> stage;
  std::shared_ptr<std::vector<node_event>> events = std::make_shared<std::vector<node_event>>();
  std::shared_ptr<std::vector<std::string>> log = std::make_shared<std::vector<std::string>>();

private:
  std::unique_ptr<node_body> body_;
};

} // namespace

#if !UNDERSTUDY_CAF_1 // CAF 1.x keeps its deterministic scheduler to itself

namespace {

struct fixture : test_support::deterministic_system {
  /// Ends a node and sees that nothing of it is left.
  void end(const toy_node& node) {
    node.body().stop(false);
    run();
    CHECK(node.over());
  }

  diary notes = std::make_shared<std::vector<std::string>>();
};

} // namespace

TEST_CASE_FIXTURE(fixture, "what arrives together is settled together") {
  toy_node node{system, 1, {notes}};
  toy_node asker{system, 2, {std::make_shared<std::vector<std::string>>()}};
  run();
  notes->clear();
  for (int i = 0; i < 100; ++i)
    post_from_outside(node.core(), member_id{2}, request_vote{.term = {5}});
  run();
  CHECK(count(notes, "settled") == 1);
  post_from_outside(node.core(), member_id{2}, request_vote{.term = {5}});
  run();
  CHECK(count(notes, "settled") == 2);
  end(node);
  end(asker);
}

TEST_CASE_FIXTURE(fixture, "a letter is answered at the desk it came from, roster or not") {
  const diary heard = std::make_shared<std::vector<std::string>>();
  toy_node one{system, 1, {notes}};
  toy_node two{system, 2, {.notes = heard, .peers = {{1}}}};
  static_cast<void>(two.stage->peers.add_seed({1}, one.stage->address));
  run();
  post_from_outside(two.core(), take_snapshot{});
  run();
  CHECK(count(heard, "vote of 1 in 1") == 1);
  CHECK(one.stage->peers.find({2}, desk::core) == two.core());
  end(two);
  // Nobody else had told node 1 of its guest, and it has heard of the end all the same.
  CHECK(count(notes, "lost 2") == 1);
  CHECK(one.stage->peers.find({2}, desk::core) == nullptr);
  end(one);
}

TEST_CASE_FIXTURE(fixture,
                  "notices go to siblings in other actors, and not past those in the same") {
  for (const bool together : {false, true}) {
    CAPTURE(together);
    notes->clear();
    toy_node node{system, 1, {notes}, together};
    run();
    post_from_outside(node.core(), propose{.batch = generation{3}});
    run();
    CHECK(count(notes, "written 3") == 1);
    REQUIRE(node.events->size() == 1);
    CHECK(node.events->front().index == log_index{3});
    end(node);
  }
}

TEST_CASE_FIXTURE(fixture,
                  "a component is woken once at the beginning, and when it has asked for it") {
  toy_node node{system, 1, {.notes = notes, .period = 20ms}};
  run();
  CHECK(count(notes, "woke") == 1);
  pass(19ms);
  CHECK(count(notes, "woke") == 1);
  pass(1ms);
  CHECK(count(notes, "woke") == 2);
  pass(200ms);
  CHECK(count(notes, "woke") == 12);

  // An earlier wish counts, and the timer that was set before then means nothing.
  post_from_outside(node.core(), propose{.batch = {}, .what = {nullptr}});
  pass(1ms);
  CHECK(count(notes, "woke") == 13);
  pass(19ms);
  CHECK(count(notes, "woke") == 13);
  pass(1ms);
  CHECK(count(notes, "woke") == 14);
  end(node);
}

TEST_CASE_FIXTURE(fixture, "a broken invariant stops the node, loudly") {
  toy_node node{system, 1, {notes}};
  toy_node peer{system, 2, {std::make_shared<std::vector<std::string>>()}};
  run();
  post_from_outside(node.core(), member_id{2}, request_vote{.term = {666}});
  run();
  CHECK(node.over());
  REQUIRE(node.events->size() == 1);
  CHECK(node.events->front().what == node_event::kind::node_stopped);
  CHECK(node.events->front().detail == "the number of the beast");
  REQUIRE(node.log->size() == 1);
  CHECK(node.log->front().find("the number of the beast") != std::string::npos);
  const auto status = node.stage->board.read();
  CHECK(status.stopped);
  CHECK(status.trouble == failure{errc::node_broken, "the number of the beast"});
  CHECK_FALSE(peer.over());
  end(peer);
}

TEST_CASE_FIXTURE(fixture, "a node of which one actor is ended from outside ends as a whole") {
  toy_node node{system, 1, {notes}};
  run();
  SUBCASE("a component's") {
    kill(node.core());
  }
  SUBCASE("the supervisor") {
    kill(node.body().supervisor);
  }
  run();
  CHECK(node.over());
  CHECK(node.stage->closed);
  CHECK(node.stage->board.read().stopped);
  CHECK_FALSE(local_links{system}.reach(node.stage->address));
}

TEST_CASE_FIXTURE(fixture, "a frozen node hears nothing, says nothing, and can still be stopped") {
  toy_node one{system, 1, {.notes = notes, .period = 20ms}};
  const diary heard = std::make_shared<std::vector<std::string>>();
  toy_node two{system, 2, {.notes = heard, .peers = {{1}}}};
  static_cast<void>(two.stage->peers.add_seed({1}, one.stage->address));
  run();
  testing::freeze(one);
  notes->clear();
  post_from_outside(two.core(), take_snapshot{});
  pass(100ms);
  CHECK(notes->empty());
  CHECK(count(heard, "vote of 1 in 1") == 0);
  CHECK(count(heard, "lost 1") == 0);
  end(one);
  end(two);
}

TEST_CASE_FIXTURE(fixture,
                  "a crashed node leaves without a word, and its peers see that it is gone") {
  toy_node one{system, 1, {notes}};
  const diary heard = std::make_shared<std::vector<std::string>>();
  toy_node two{system, 2, {.notes = heard, .peers = {{1}}}};
  auto news = two.stage->peers.add_seed({1}, one.stage->address);
  post_from_outside(two.body().supervisor, watch_peers{std::move(news.to_watch)});
  run();
  notes->clear();
  testing::crash(one);
  run();
  CHECK(one.over());
  CHECK(notes->empty());
  CHECK(one.events->empty());
  CHECK(count(heard, "lost 1") == 1);
  end(two);
}

TEST_CASE_FIXTURE(fixture, "messages that nobody knows are counted, and seldom logged") {
  toy_node node{system, 1, {notes}};
  run();
  for (int i = 0; i < 100; ++i)
    post_from_outside(node.core(), std::string{"hello"});
  run();
  CHECK(node.stage->board.read().unexpected_messages == 100);
  CHECK(node.log->size() == 7); // 1, 2, 4 ... 64
  end(node);
}

TEST_CASE_FIXTURE(fixture, "a subscriber gets each event until it ends") {
  toy_node node{system, 1, {notes}};
  const auto heard = std::make_shared<std::vector<node_event>>();
  auto ears = system.spawn([heard]() -> caf::behavior {
    return {[heard](const node_event& e) { heard->push_back(e); }};
  });
  post_from_outside(node.body().supervisor, subscribe{ears});
  post_from_outside(node.body().supervisor, subscribe{ears});
  run();
  post_from_outside(node.core(), propose{.batch = generation{3}});
  run();
  CHECK(heard->size() == 1);
  kill(forget_type(ears));
  run();
  post_from_outside(node.core(), propose{.batch = generation{4}});
  run();
  CHECK(heard->size() == 1);
  CHECK(node.events->size() == 2);
  end(node);
}

#endif

TEST_CASE("the interface of a component's actor is what its component lists") {
  using actor = component_actor<toy_writer>;
  static_assert(std::is_same_v<actor, caf::typed_actor<handles<void, store_write>>>);
  using core = component_actor<toy_core>;
  static_assert(
      std::is_same_v<core,
                     caf::typed_actor<handles<void, member_id, request_vote>,
                                      handles<void, member_id, vote_reply>, handles<void, propose>,
                                      handles<void, store_written>, handles<void, peer_lost>,
                                      handles<void, take_snapshot>>>);
  CHECK(receiving_desk<pull_request>() == desk::core);
  CHECK(sending_desk<pull_request>() == desk::puller);
  CHECK(receiving_desk<pull_reply>() == desk::puller);
  CHECK(sending_desk<pull_reply>() == desk::core);
  CHECK(receiving_desk<enter_request>() == desk::monitor);
  CHECK(receiving_desk<answers>() == desk::front);
}

} // namespace shell_test
