// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/network.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

namespace network_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;

namespace {

constexpr member_id a{1};
constexpr member_id b{2};
constexpr member_id c{3};

/// A network, and all that has arrived or will.
struct bench {
  explicit bench(network_options options) : net{options, random_stream{11}} {}

  auto keep() {
    return [this](instant when, in_flight what) { arrived.push_back({when, std::move(what)}); };
  }

  void send(member_id from, member_id to, std::uint64_t term = 1, instant now = {}) {
    net.post({from, to, timeout_now{term_number{term}}}, now, keep());
  }

  static std::uint64_t term_of(const in_flight& what) {
    return std::get<timeout_now>(what.what).term.value;
  }

  network net;
  std::vector<std::pair<instant, in_flight>> arrived;
};

constexpr auto everything = [](member_id, member_id, const peer_message&) { return true; };

} // namespace

TEST_CASE("without faults every message arrives once, within the delays given") {
  bench x{{.delay_min = 1ms, .delay_max = 2ms}};
  for (int i = 0; i < 1'000; ++i)
    x.send(a, b);
  REQUIRE(x.arrived.size() == 1'000);
  for (const auto& [when, what] : x.arrived) {
    CHECK(when >= instant{} + 1ms);
    CHECK(when <= instant{} + 2ms);
    CHECK(what.from == a);
    CHECK(what.to == b);
  }
  CHECK(x.net.counters().dropped == 0);
  CHECK(x.net.counters().duplicated == 0);
}

TEST_CASE("messages are lost, doubled and late as often as asked for, and counted") {
  bench x{{.drop = 0.2, .duplicate = 0.1, .straggle = 0.1, .straggle_max = 1s}};
  for (int i = 0; i < 10'000; ++i)
    x.send(a, b);
  const auto& seen = x.net.counters();
  CHECK(seen.sent == 10'000);
  CHECK(seen.dropped > 1'800);
  CHECK(seen.dropped < 2'200);
  CHECK(seen.duplicated > 700);
  CHECK(seen.duplicated < 900);
  CHECK(seen.straggled > 700);
  CHECK(x.arrived.size() == seen.sent - seen.dropped + seen.duplicated);
}

TEST_CASE("messages overtake each other unless they are kept in order") {
  for (const bool in_order : {false, true}) {
    bench x{{.delay_min = 1ms, .delay_max = 100ms, .in_order = in_order}};
    for (int i = 0; i < 100; ++i)
      x.send(a, b);
    bool sorted = true;
    for (std::size_t i = 1; i < x.arrived.size(); ++i)
      sorted = sorted && x.arrived[i - 1].first <= x.arrived[i].first;
    CHECK(sorted == in_order);
    CHECK((x.net.counters().overtaken == 0) == in_order);
  }
}

TEST_CASE("a cut is one-way, takes what is on its way, and can be mended") {
  bench x{{}};
  x.send(a, b);
  x.net.cut(a, b);
  CHECK_FALSE(x.net.admits(x.arrived.front().second));
  x.send(a, b);
  CHECK(x.arrived.size() == 1);
  x.send(b, a);
  CHECK(x.arrived.size() == 2);
  CHECK(x.net.counters().cut == 2);
  x.net.mend(a, b);
  x.send(a, b);
  CHECK(x.arrived.size() == 3);
}

TEST_CASE("a slow link is late one way, and holds nothing up once it is quick again") {
  for (const bool mended_by_heal : {false, true}) {
    bench x{{.in_order = true}};
    x.net.slow_down(a, b, 10s);
    x.send(a, b);
    x.send(b, a);
    CHECK(x.arrived[0].first >= instant{} + 10s);
    CHECK(x.arrived[1].first < instant{} + 1s);
    mended_by_heal ? x.net.heal() : x.net.speed_up(a, b);
    x.send(a, b);
    CHECK(x.arrived[2].first < instant{} + 1s);
  }
}

TEST_CASE("a partition separates its sets from each other, and nobody else") {
  bench x{{}};
  x.net.partition({{a}, {b}});
  CHECK_FALSE(x.net.connected(a, b));
  CHECK_FALSE(x.net.connected(b, a));
  CHECK(x.net.connected(a, c));
  CHECK(x.net.connected(c, b));
  x.net.partition({{a, b}, {c}});
  CHECK(x.net.connected(a, b));
  CHECK_FALSE(x.net.connected(c, b));
  x.net.heal();
  CHECK(x.net.connected(c, b));
}

TEST_CASE("what is held waits until it is released, in the order in which it was sent") {
  bench x{{.delay_min = 1ms, .delay_max = 100ms}};
  const auto rule
      = x.net.hold([](member_id, member_id to, const peer_message&) { return to == b; });
  for (std::uint64_t term = 1; term <= 5; ++term)
    x.send(a, b, term);
  x.send(a, c);
  CHECK(x.arrived.size() == 1);
  CHECK(x.net.held().size() == 5);
  x.net.lift(rule);
  CHECK(x.net.held().size() == 5);
  x.arrived.clear();
  x.net.release(everything, instant{} + 10s, x.keep());
  REQUIRE(x.arrived.size() == 5);
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(bench::term_of(x.arrived[i].second) == i + 1);
  CHECK(x.arrived.front().first > instant{} + 10s);
  CHECK(x.arrived.front().first < x.arrived.back().first);
  CHECK(x.net.counters().held == 5);
  CHECK(x.net.counters().released == 5);
}

TEST_CASE("only what the predicate names is released") {
  bench x{{}};
  x.net.hold(everything);
  x.send(a, b, 1);
  x.send(a, c, 2);
  x.net.release([](member_id, member_id to, const peer_message&) { return to == c; }, {}, x.keep());
  REQUIRE(x.arrived.size() == 1);
  CHECK(bench::term_of(x.arrived.front().second) == 2);
  CHECK(x.net.held().size() == 1);
}

TEST_CASE("rules drop and double; of several about a message the oldest decides") {
  bench x{{}};
  const auto is_to = [](member_id who) {
    return [who](member_id, member_id to, const peer_message&) { return to == who; };
  };
  const auto drop = x.net.drop(is_to(b));
  x.net.duplicate(everything);
  x.send(a, b);
  CHECK(x.arrived.empty());
  x.send(a, c);
  CHECK(x.arrived.size() == 2);
  x.net.lift(drop);
  x.send(a, b);
  CHECK(x.arrived.size() == 4);
}

} // namespace network_test
