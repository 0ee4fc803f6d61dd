// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/pace.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>

namespace pace_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;

namespace {

constexpr instant start{};

/// No timer of the node fires before its own clock says so, and none much later.
void check_round_trip(const pace& p, instant from) {
  for (const auto ahead : {0us, 1us, 333us, 10'000us, 7'777'777us}) {
    const auto wish = p.local(from) + ahead;
    const auto when = p.global(wish);
    CHECK(when >= from);
    CHECK(p.local(when) >= wish);
    CHECK(p.local(when) - wish < 1us);
  }
}

} // namespace

TEST_CASE("a clock starts where it was set, and goes at its own speed") {
  for (const std::int64_t permille : {500, 999, 1'000, 1'001, 2'000}) {
    const pace p{{.clock_offset = 1h, .clock_permille = permille}};
    CHECK(p.local(start) == instant{1h});
    CHECK(p.local(start + 10s) == instant{1h + 10ms * permille});
    check_round_trip(p, start);
  }
}

TEST_CASE("a clock that comes to go differently goes on from where it is") {
  pace p{{.clock_offset = 1h}};
  p.go_at(2'000, start + 10s);
  CHECK(p.local(start + 10s) == instant{1h + 10s});
  CHECK(p.local(start + 11s) == instant{1h + 12s});
  check_round_trip(p, start + 10s);
  p.go_as_before(start + 20s);
  CHECK(p.local(start + 21s) == instant{1h + 31s});
  check_round_trip(p, start + 20s);
}

TEST_CASE("a clock that jumps never goes back, and timers it has jumped over are due") {
  pace p{{.clock_offset = 1h, .clock_permille = 500}};
  const auto wish = p.local(start) + 2s;
  p.jump(5s, start + 1s);
  CHECK(p.local(start + 1s) == instant{1h + 5'500ms});
  CHECK(p.global(wish) <= start + 1s);
  check_round_trip(p, start + 1s);
}

} // namespace pace_test
