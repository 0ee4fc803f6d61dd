// SPDX-License-Identifier: BSL-1.0

// Whole runs from seeds. UNDERSTUDY_SEED starts elsewhere than at 1, UNDERSTUDY_SEEDS makes it more
// or fewer than 2,000; examples/simulate.cpp runs as many as one likes, on all cores.

#include <understudy/testing/sweep.hpp>

#include <doctest/doctest.h>

#include "support/environment.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace seeds_test {

using namespace understudy::testing;
using test_support::number_from;

TEST_CASE("every seed keeps every rule, and the sweep meets every fault") {
  const auto first = number_from("UNDERSTUDY_SEED", 1);
  const auto count = number_from("UNDERSTUDY_SEEDS", 2'000);
  const auto all = sweep({.first = first, .seeds = count});
  const auto report = all.failure ? all.failure->report : "";
  REQUIRE(report == "");
  CHECK(gaps(all) == std::vector<std::string>{});
}

TEST_CASE("I16: a seed gives the same run every time") {
  const auto first = number_from("UNDERSTUDY_SEED", 1);
  for (auto seed = first; seed < first + 10; ++seed) {
    CAPTURE(seed);
    const auto once = random_run{draw_plan(seed)}.execute();
    const auto again = random_run{draw_plan(seed)}.execute();
    CHECK(once.hash == again.hash);
    CHECK(once.events == again.events);
  }
}

} // namespace seeds_test
