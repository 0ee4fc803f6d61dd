// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/abstention.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <chrono>
#include <memory>

namespace abstention_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

const auto start = instant{} + 1h;

/// Time as a core sees it that is woken at every heartbeat.
void live(abstention& silence, instant from, interval length) {
  for (auto at = from; at <= from + length; at += 50ms)
    silence.pass(at);
}

} // namespace

TEST_CASE("without a lease nobody abstains") {
  CHECK(lease_of({}) == interval{0});
  CHECK(abstention_for(interval{0}, {}) == interval{0});
}

TEST_CASE("a node abstains for twice the lease and a jump of its clock, and for its own timeout") {
  auto leased = support::made_of({1}, {1});
  leased.rules.lease_ms = 400;
  CHECK(lease_of({{1}, std::make_shared<configuration>(leased)}) == 400ms);
  CHECK(abstention_for(400ms, {.heartbeat = 50ms}) == 900ms);
  CHECK(abstention_for(10ms, {.heartbeat = 50ms, .election_timeout_min = 300ms}) == 300ms);
}

TEST_CASE("who has just started counts from then on") {
  abstention silence{50ms};
  CHECK(silence.passed(start) == 0ms);
  silence.pass(start);
  live(silence, start, 200ms);
  CHECK(silence.passed(start + 200ms) == 200ms);
}

TEST_CASE("each sign of a leader begins it anew") {
  abstention silence{50ms};
  silence.heard(start);
  live(silence, start, 200ms);
  silence.heard(start + 210ms);
  CHECK(silence.passed(start + 230ms) == 20ms);
}

TEST_CASE("C3: a clock that jumps ends it earlier by two heartbeats at most") {
  abstention silence{50ms};
  silence.heard(start);
  live(silence, start, 100ms);
  CHECK(silence.passed(start + 1h) == 200ms);
  silence.pass(start + 1h);
  CHECK(silence.passed(start + 1h + 10ms) == 210ms);
}

TEST_CASE(
    "C3: a clock that goes twice as fast and jumps, whenever it does, ends no lease too early") {
  constexpr interval lease = 100ms;
  constexpr core_options options{.heartbeat = 50ms, .election_timeout_min = 1ms};
  const auto owed = abstention_for(lease, options);
  // True time goes by in steps of 5 ms, which show as 10 ms here; at one of them an hour is added.
  for (int jump = 0; jump < 40; ++jump) {
    CAPTURE(jump);
    abstention silence{options.heartbeat};
    auto shown = start;
    interval truly{0};
    silence.heard(shown);
    for (int step = 0; silence.passed(shown) < owed; ++step) {
      silence.pass(shown);
      shown += step == jump ? interval{1h} : interval{10ms};
      truly += 5ms;
    }
    CHECK(truly >= lease);
  }
}

} // namespace abstention_test
