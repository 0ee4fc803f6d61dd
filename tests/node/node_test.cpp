// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/node_faults.hpp>
#include <understudy/understudy.hpp>

#include <doctest/doctest.h>

#include <support/deterministic_system.hpp>
#include <support/nodes.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace node_test {

using namespace understudy;
using namespace std::chrono_literals;
using fixture = test_support::node_fixture;
using test_support::code;
using test_support::inventory;
using test_support::inventory_node;
using test_support::is_over;
using test_support::patience;
using test_support::value;

namespace {

/// Where the next command stands in the log.
log_index index_of_write(const inventory_node& at) {
  const auto written = at.submit_with_receipt(inventory::restock{"apple", 1}).get();
  REQUIRE_MESSAGE(written, written.error());
  return written->receipt.index;
}

} // namespace

TEST_CASE_FIXTURE(fixture, "S8: a node that is told to founds a cluster of one, and serves") {
  const auto& a = found();
  const auto s = wait(a, [](const node_status& now) { return now.ready; });
  CHECK(s.name == "a");
  CHECK(s.role == role::leader);
  CHECK(s.rank == 1);
  CHECK(s.cluster);
  CHECK(s.voters == std::vector{a.id()});
  CHECK(s.why_not_voter.empty());
  CHECK(value(a.submit(inventory::restock{"apple", 3})) == 3);
  CHECK(value(a.submit(inventory::restock{"apple", 4})) == 7);
  CHECK(value(a.query(inventory::in_stock{"apple"})) == 7);
  CHECK(a.ready());
}

TEST_CASE_FIXTURE(fixture, "S7 S9: nodes enter one by one, and each takes requests") {
  grow_to(4, 3);
  const auto& d = nodes[3];
  CHECK(d.status().role == role::temporary_listener);
  CHECK(d.status().why_not_voter.find("the count is even") != std::string::npos);
  int total = 0;
  for (const auto& n : nodes)
    CHECK(value(n.submit(inventory::restock{"apple", 1})) == ++total);
  for (const auto& n : nodes)
    CHECK(value(n.query(inventory::in_stock{"apple"})) == total);
  // What a listener has applied it pulled.
  wait(d, [](const node_status& s) { return s.lag == 0 && s.pulls.entries > 0; });
}

TEST_CASE_FIXTURE(fixture, "a receipt's commit token makes a node wait for one's own write") {
  grow_to(2, 1);
  const auto written = nodes[0].submit_with_receipt(inventory::restock{"pear", 5}).get();
  REQUIRE(written);
  CHECK(written->value == 5);
  CHECK(written->receipt.index > log_index{});
  CHECK(written->receipt.copies == 2);
  const auto read
      = nodes[1]
            .query_with_receipt(inventory::in_stock{"pear"}, {.consistency = consistency::session,
                                                              .at_least = written->receipt.index})
            .get();
  REQUIRE(read);
  CHECK(read->value == 5);
  CHECK(read->receipt.index >= written->receipt.index);
}

TEST_CASE_FIXTURE(fixture, "an actor sends commands and queries, and gets replies or our errors") {
  const auto& a = found();
  wait(a, [](const node_status& s) { return s.ready; });
  caf::scoped_actor self{system};
  int got = 0;
  failure why;
  const auto on_reply = [&](int n) { got = n; };
  const auto on_error = [&](caf::error& e) { why = as_failure(e); };
  ask(self, a.actor(), caf::infinite, inventory::restock{"plum", 2}).receive(on_reply, on_error);
  CHECK(got == 2);
  ask(self, a.actor(), caf::infinite, inventory::in_stock{"plum"}).receive(on_reply, on_error);
  CHECK(got == 2);
  got = 0;
  ask(self, a.actor(), caf::infinite, inventory::in_stock{"plum"},
      read_options{.consistency = consistency::local})
      .receive(on_reply, on_error);
  CHECK(got == 2);
  CHECK(why == failure{});
  ask(self, a.actor(), caf::infinite, inventory::restock{"", 2}).receive(on_reply, on_error);
  CHECK(why == failure{errc::rejected, "a thing needs a name"});
}

TEST_CASE_FIXTURE(fixture, "an actor that subscribes hears of events, and so does a callback") {
  std::promise<void> heard;
  auto all_heard = heard.get_future();
  auto roster_changes = std::make_shared<std::atomic<int>>(0);
  auto o = options("a");
  o.found = true;
  o.on_event = [roster_changes](const node_event& e) {
    *roster_changes += e.what == node_event::kind::roster_changed ? 1 : 0;
  };
  add(std::move(o));
  wait(nodes[0], [](const node_status& s) { return s.ready; });
  caf::actor ears = system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    return {[self, &heard](const node_event& e) {
      if (e.what != node_event::kind::roster_changed)
        return;
      heard.set_value();
      self->quit();
    }};
  });
  nodes[0].subscribe(ears);
  nodes.reserve(8);
  join("b");
  REQUIRE(all_heard.wait_for(patience) == std::future_status::ready);
  CHECK(*roster_changes >= 2);
}

TEST_CASE_FIXTURE(fixture, "options that make no sense are refused, each by name") {
  node_options o{.name = "a"};
  o.core.heartbeat = 0ms;
  o.puller.wait = 0ms;
  o.forwarder.calls.calls_max = 0;
  o.rules.max_voters = 0;
  const auto refused = spawn_node<inventory>(system, o);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::invalid_option);
  for (const auto* word : {"heartbeat", "wait", "calls_max", "max_voters", "contacts"}) {
    CAPTURE(word);
    CHECK(refused.error().detail.find(word) != std::string::npos);
  }
  CHECK_FALSE(spawn_client<inventory>(system, {}));
}

TEST_CASE_FIXTURE(fixture, "a command that the machine's check refuses does not enter the log") {
  const auto& a = found();
  const auto before = index_of_write(a);
  const auto refused = a.submit(inventory::restock{"", 1}).get();
  CHECK(refused.error() == failure{errc::rejected, "a thing needs a name"});
  CHECK(index_of_write(a) == before.next());
}

TEST_CASE_FIXTURE(fixture, "a peer's command that can not be read is refused at the door") {
  const auto& a = found();
  const auto before = index_of_write(a);
  const bytes torn{std::string_view{"\0", 1}}; // a restock, and nothing of it
  std::promise<failure> refused;
  auto why = refused.get_future();
  const auto door = a.body().doors.front;
  caf::actor peer = system.spawn([&, door](caf::event_based_actor* self) -> caf::behavior {
    post(origin_of(*self), door, member_id{17},
         requests{.batch = {{.id = {1}, .body = command{{1}, {1}, {1}, torn}, .time_left = 1s}}});
    return {[self, &refused](member_id, const answers& m) {
      refused.set_value(m.batch.at(0).result.error());
      self->quit();
    }};
  });
  REQUIRE(why.wait_for(patience) == std::future_status::ready);
  CHECK(why.get().code == errc::undecodable);
  CHECK(index_of_write(a) == before.next());
}

TEST_CASE_FIXTURE(fixture, "a machine that throws stops applying, and the status says why") {
  const auto& a = found();
  wait(a, [](const node_status& s) { return s.ready; });
  CHECK(value(a.submit(inventory::restock{"apple", 1})) == 1);
  CHECK(code(a.submit(inventory::drop_everything{}, 100ms)) != errc::none);
  const auto s = wait(a, [](const node_status& now) { return now.trouble.code != errc::none; });
  CHECK(s.trouble.code == errc::machine_stopped);
  CHECK(s.trouble.detail.find("butterfingers") != std::string::npos);
  CHECK_FALSE(s.ready);
  CHECK(value(a.query(inventory::in_stock{"apple"}, {.consistency = consistency::local})) == 1);
  CHECK(*warnings > 0);
}

TEST_CASE_FIXTURE(fixture, "what is asked of a stopped node is answered at once") {
  const auto& a = found();
  wait(a, [](const node_status& s) { return s.ready; });
  const auto over = a.stop();
  CHECK(code(a.submit(inventory::restock{"apple", 1})) == errc::stopped);
  CHECK(code(a.query(inventory::in_stock{"apple"})) == errc::stopped);
  REQUIRE(is_over(over));
  CHECK(code(a.submit(inventory::restock{"apple", 1})) == errc::stopped);
  CHECK(is_over(a.stop()));
  CHECK(a.status().stopped);
  CHECK_FALSE(a.ready());
  const auto waited = a.wait_until([](const node_status& s) { return s.ready; }, patience);
  CHECK(waited.error().code == errc::stopped);
  CHECK(warnings->load() == 0);
}

TEST_CASE_FIXTURE(fixture, "whoever waits when a node stops gets an answer that is true") {
  // Its seed is gone, so it never finds a cluster: nothing that it is asked can have been applied.
  found();
  nodes.reserve(8);
  testing::crash(nodes[0]);
  REQUIRE(is_over(nodes[0].body().over));
  const auto& lost = join("b");
  std::vector<std::future<expected<int>>> futures;
  for (int i = 0; i < 100; ++i)
    futures.push_back(lost.submit(inventory::restock{"apple", 1}));
  auto asked = lost.query(inventory::in_stock{"apple"});
  static_cast<void>(lost.stop());
  for (auto& f : futures)
    CHECK(code(std::move(f)) == errc::stopped);
  CHECK(code(std::move(asked)) == errc::stopped);
}

TEST_CASE_FIXTURE(fixture, "the last handle of a node takes the node with it") {
  std::shared_future<void> over;
  std::future<expected<int>> late;
  {
    const auto a = found();
    const auto copy = a;
    nodes.clear();
    wait(copy, [](const node_status& s) { return s.ready; });
    over = a.body().over;
    late = copy.submit(inventory::restock{"apple", 1});
  }
  REQUIRE(is_over(over));
  const auto result = late.get();
  CHECK((result || result.error().code == errc::outcome_unknown
         || result.error().code == errc::stopped));
}

TEST_CASE_FIXTURE(fixture, "a wait in vain says how things stand") {
  const auto& a = found();
  wait(a, [](const node_status& s) { return s.ready; });
  const auto never = a.wait_until([](const node_status& s) { return s.voters.size() == 9; }, 1ms);
  CHECK(never.error().code == errc::timed_out);
  CHECK(never.error().detail.starts_with("a leader, rank 1 of 1"));
}

TEST_CASE_FIXTURE(fixture,
                  "S5: a crashed leader is replaced, and no write that was answered is lost") {
  grow_to(3, 3);
  for (int i = 1; i <= 10; ++i)
    CHECK(value(follower().submit(inventory::restock{"apple", 1})) == i);
  const auto old = leader();
  testing::crash(old);
  std::erase_if(nodes, [&](const inventory_node& n) { return n.id() == old.id(); });
  for (const auto& n : nodes)
    wait(n, [&](const node_status& s) { return s.leader && s.leader != old.id(); });
  CHECK(value(nodes[0].submit(inventory::restock{"apple", 1})) == 11);
  CHECK(value(nodes[1].query(inventory::in_stock{"apple"})) == 11);
  CHECK(is_over(old.body().over));
  CHECK(code(old.submit(inventory::restock{"apple", 1})) == errc::stopped);
}

TEST_CASE_FIXTURE(fixture,
                  "a frozen leader is replaced by silence alone, and can still be stopped") {
  grow_to(3, 3);
  const auto old = leader();
  testing::freeze(old);
  auto stuck = old.submit(inventory::restock{"apple", 1});
  std::erase_if(nodes, [&](const inventory_node& n) { return n.id() == old.id(); });
  for (const auto& n : nodes)
    wait(n, [&](const node_status& s) { return s.leader && s.leader != old.id(); });
  CHECK(value(nodes[0].submit(inventory::restock{"apple", 1})) == 1);
  REQUIRE(is_over(old.stop()));
  CHECK(code(std::move(stuck)) != errc::none);
}

TEST_CASE_FIXTURE(fixture, "everything can run on the scheduler's threads") {
  auto o = options("a");
  o.found = true;
  o.placement = placement::scheduled;
  const auto& a = add(std::move(o));
  wait(a, [](const node_status& s) { return s.ready; });
  CHECK(value(a.submit(inventory::restock{"apple", 3})) == 3);
}

#if !UNDERSTUDY_CAF_1

TEST_CASE("a whole cluster runs on CAF's deterministic scheduler, in no time of its own") {
  test_support::deterministic_system stage;
  std::vector<inventory_node> nodes;
  for (const auto* name : {"a", "b", "c"}) {
    node_options o{.name = name, .found = nodes.empty(), .log = {}};
    o.placement = placement::scheduled;
    o.random_seed = nodes.size() + 1;
    if (!nodes.empty())
      o.seeds = {nodes.front()};
    nodes.push_back(spawn_node<inventory>(stage.system, std::move(o)).value());
  }
  const auto all = [&](auto condition) {
    return stage.pass_until(
        [&] {
          return std::ranges::all_of(nodes, [&](const auto& n) { return condition(n.status()); });
        },
        10s);
  };
  REQUIRE(all([](const node_status& s) { return s.ready && s.voters.size() == 3; }));
  auto sold = nodes[2].submit(inventory::restock{"apple", 3});
  stage.pass(10ms);
  REQUIRE(sold.wait_for(0s) == std::future_status::ready);
  CHECK(value(std::move(sold)) == 3);

  const auto led = nodes[0].status().leader;
  const auto first = std::ranges::find(nodes, led, &inventory_node::id);
  testing::freeze(*first);
  const auto frozen = *first;
  nodes.erase(first);
  REQUIRE(all([&](const node_status& s) { return s.leader && s.leader != led; }));
  auto more = nodes[0].submit(inventory::restock{"apple", 4});
  stage.pass(10ms);
  CHECK(value(std::move(more)) == 7);

  static_cast<void>(frozen.stop());
  for (const auto& n : nodes)
    static_cast<void>(n.stop());
  stage.run();
  CHECK(is_over(frozen.body().over));
}

#endif

TEST_CASE_FIXTURE(fixture, "a hook sees every command that is applied, on every node") {
  auto seen = std::make_shared<std::atomic<int>>(0);
  nodes.reserve(8);
  auto o = options("a");
  o.found = true;
  add(std::move(o));
  auto p = options("b");
  p.seeds = {nodes[0]};
  p.on_applied = [seen](const applied_command&) { ++*seen; };
  add(std::move(p));
  wait(nodes[1], [](const node_status& s) { return s.ready; });
  for (int i = 1; i < 5; ++i)
    CHECK(value(nodes[0].submit(inventory::restock{"apple", 1})) == i);
  const auto last = nodes[0].submit_with_receipt(inventory::restock{"apple", 1}).get();
  REQUIRE(last);
  CHECK(last->value == 5);
  wait(nodes[1], [&](const node_status& s) { return s.applied >= last->receipt.index; });
  CHECK(*seen == 5);
}

TEST_CASE_FIXTURE(fixture, "a node starts and stops a thousand times and leaves nothing behind") {
  for (int i = 0; i < 1'000; ++i) {
    auto o = options("a");
    o.found = true;
    auto a = spawn_node<inventory>(system, std::move(o));
    REQUIRE(a);
    std::future<expected<int>> late;
    if (i % 3 == 0)
      CHECK(value(a->submit(inventory::restock{"apple", 1})) == 1);
    if (i % 3 == 1)
      late = a->submit(inventory::restock{"apple", 1});
    REQUIRE(is_over(a->stop()));
    if (late.valid())
      static_cast<void>(late.get());
  }
  // What is left would keep the actor system, and this test, from ending.
}

} // namespace node_test
