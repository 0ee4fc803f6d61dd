// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/world.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace world_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;

namespace {

/// Greets another one every 10 ms, and answers greetings below a limit.
struct greeter {
  using peer_messages = type_list<timeout_now>;
  using notices = type_list<peer_lost, take_snapshot>;

  void on(member_id from, timeout_now& m, instant now, outbox& out) {
    heard.push_back(m.term.value);
    last = now;
    if (m.term < term_number{3})
      out.send(from, timeout_now{m.term.next()});
  }
  void on(peer_lost& m, instant, outbox&) { lost.push_back(m.who); }
  void on(take_snapshot&, instant, outbox& out) { out.tell(node_event{}); }
  void wake(instant now, outbox& out) {
    last = now;
    ++wakes;
    out.send(other, timeout_now{term_number{1}});
    out.wake(now + 10ms);
  }
  void settle(instant, outbox&) { ++settled; }

  member_id other;
  std::vector<std::uint64_t> heard = {};
  std::vector<member_id> lost = {};
  instant last = {};
  int wakes = 0;
  int settled = 0;
};

using greeter_host = host<greeter>;

struct town : world<town, greeter_host> {
  using world::world;
  void stepped(party&, std::size_t, std::span<const letter> sent) { letters += sent.size(); }
  void postponed(party&, const sibling_message&) { ++late; }
  void observed(party&, sibling_message&&) { ++events; }

  std::size_t letters = 0;
  int events = 0;
  int late = 0;
};

constexpr member_id a{1};
constexpr member_id b{2};

struct bench {
  explicit bench(std::uint64_t seed = 1, network_options links = {}, pace_options speed = {})
      : town{links, seed, 16} {
    town.add(a, "a", greeter_host{greeter{b}}, pace{speed});
    town.add(b, "b", greeter_host{greeter{a}}, pace{speed});
  }

  greeter& of(member_id id) { return town.find(id)->as<greeter_host>()->get<greeter>(); }

  struct town town;
};

} // namespace

TEST_CASE("timers fire, messages arrive and answers come back") {
  bench x;
  x.town.advance_until(instant{} + 105ms);
  CHECK(x.of(a).wakes == 11);
  CHECK(x.of(b).heard.size() > 20);
  CHECK(x.town.letters == x.town.net().counters().sent);
  CHECK(x.town.now() == instant{} + 105ms);
}

TEST_CASE("a forged message travels as if its sender had sent it") {
  bench x;
  x.town.advance_until(instant{} + 5ms);
  const auto before = x.of(b).heard.size();
  x.town.forge(a, b, timeout_now{term_number{7}});
  x.town.advance_until(instant{} + 8ms);
  REQUIRE(x.of(b).heard.size() == before + 1);
  CHECK(x.of(b).heard.back() == 7);
  x.town.net().cut(a, b);
  x.town.forge(a, b, timeout_now{term_number{8}});
  x.town.advance_until(instant{} + 9ms);
  CHECK(x.of(b).heard.back() == 7);
}

TEST_CASE("the same seed gives the same run, another one another") {
  const auto hash = [](std::uint64_t seed) {
    bench x{seed, {.drop = 0.1, .duplicate = 0.1}, {.timer_late_max = 1ms, .batch = 0.5}};
    x.town.advance_until(instant{} + 1s);
    return x.town.trace().hash();
  };
  CHECK(hash(1) == hash(1));
  CHECK(hash(1) != hash(2));
}

TEST_CASE("a node that crashed hears nothing, and the others are told if they are to be") {
  for (const double noticed : {0.0, 1.0}) {
    bench x;
    x.town.advance_until(instant{} + 20ms);
    x.town.kill(*x.town.find(b), noticed);
    CHECK(x.town.find(b)->as<greeter_host>() == nullptr);
    x.town.advance_until(instant{} + 50ms);
    CHECK(x.of(a).lost.size() == (noticed > 0 ? 1 : 0));
  }
}

TEST_CASE("a node that stands still misses nothing, and is late for all of it") {
  bench x;
  x.town.advance_until(instant{} + 5ms);
  const auto before = x.of(b).heard.size();
  x.town.pause(*x.town.find(b));
  x.town.advance_until(instant{} + 55ms);
  CHECK(x.of(b).heard.size() == before);
  CHECK(x.of(b).wakes == 1);
  x.town.resume(*x.town.find(b));
  x.town.advance_until(instant{} + 56ms);
  CHECK(x.of(b).heard.size() >= before + 5);
  CHECK(x.of(b).wakes >= 2);
}

TEST_CASE("each node has a clock of its own, which may be fast or slow, and no timer is early") {
  bench fast{1, {}, {.clock_offset = 5h, .clock_permille = 2'000}};
  fast.town.advance_until(instant{} + 100ms);
  CHECK(fast.of(a).wakes >= 20);
  CHECK(fast.of(a).last >= instant{} + 5h);

  const pace slow{{.clock_offset = 1h, .clock_permille = 937}};
  for (std::int64_t ns = 0; ns < 5'000; ns += 7) {
    const auto wish = instant{} + 1h + interval{ns};
    REQUIRE(slow.local(slow.global(wish)) >= wish);
  }
}

TEST_CASE("a busy mailbox delays what a component is told, and keeps its order") {
  bench x{1, {}, {.mailboxes = {{.slow = 0.5, .delay_max = 5ms}}}};
  for (std::uint64_t i = 1; i <= 50; ++i)
    x.town.tell(*x.town.find(a), peer_lost{member_id{i}});
  x.town.advance_until(instant{} + 1s);
  const auto& lost = x.of(a).lost;
  REQUIRE(lost.size() == 50);
  for (std::uint64_t i = 1; i <= 50; ++i)
    CHECK(lost[i - 1] == member_id{i});
}

TEST_CASE("a node may take several messages before it settles") {
  bench each;
  bench some{1, {}, {.batch = 1, .batch_max = 5ms}};
  each.town.advance_until(instant{} + 1s);
  some.town.advance_until(instant{} + 1s);
  CHECK(some.of(a).heard.size() > 100);
  CHECK(some.of(a).settled < each.of(a).settled);
  CHECK(some.of(a).settled > 10);
}

TEST_CASE("a cut stops what was on its way") {
  bench x{1, {.delay_min = 5ms, .delay_max = 5ms}};
  x.town.advance_until(instant{} + 2ms);
  x.town.net().cut(a, b);
  x.town.advance_until(instant{} + 9ms);
  CHECK(x.of(b).heard.empty());
  CHECK(x.of(a).heard.size() == 1);
}

TEST_CASE("what no component takes is observed, and what is asked for later happens then") {
  bench x;
  x.town.notify(*x.town.find(a), take_snapshot{}, 30ms);
  x.town.advance_until(instant{} + 29ms);
  CHECK(x.town.events == 0);
  x.town.advance_until(instant{} + 30ms);
  CHECK(x.town.events == 1);
}

TEST_CASE("waiting for something ends when it is there, or at its limit") {
  bench x;
  CHECK(x.town.advance_until([&] { return x.of(b).heard.size() > 5; }, 1s));
  const auto then = x.town.now();
  CHECK(then < instant{} + 1s);
  CHECK_FALSE(x.town.advance_until([] { return false; }, 10ms));
  CHECK(x.town.now() <= then + 10ms);
}

} // namespace world_test
