// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/sweep.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace sweep_test {

using namespace understudy::testing;

TEST_CASE("a sweep of two threads runs every seed once, to the same sum as one thread") {
  std::vector<std::uint64_t> seeds;
  std::uint64_t events = 0;
  const auto pair = sweep({.first = 11,
                           .seeds = 4,
                           .threads = 2,
                           .done = [&](const run_plan& plan, random_run&, const run_summary& one) {
                             seeds.push_back(plan.seed);
                             events += one.events;
                           }});
  std::ranges::sort(seeds);
  CHECK(seeds == std::vector<std::uint64_t>{11, 12, 13, 14});
  CHECK(pair.runs == 4);
  CHECK(pair.total.events == events);
  const auto alone = sweep({.first = 11, .seeds = 4, .threads = 1});
  CHECK(alone.total.events == events);
  CHECK(alone.total.acknowledged == pair.total.acknowledged);
}

TEST_CASE("a sweep ends at the first run that fails, and says which it was") {
  const auto broken = sweep({.first = 11,
                             .seeds = 4,
                             .threads = 1,
                             .done = [](const run_plan& plan, random_run&, const run_summary&) {
                               if (plan.seed == 12)
                                 throw std::runtime_error{"twelve"};
                             }});
  REQUIRE(broken.failure);
  CHECK(broken.failure->seed == 12);
  CHECK(broken.failure->report == "twelve");
}

} // namespace sweep_test
