// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/sweep.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
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

TEST_CASE("a sweep cuts every plan down as it is told, and makes each run twice if it is to") {
  std::uint64_t faults = 0;
  const auto calm = sweep({.first = 11,
                           .seeds = 3,
                           .threads = 1,
                           .cuts = {.nodes = 2, .trouble = std::chrono::milliseconds{100}},
                           .twice = true,
                           .done = [&](const run_plan& plan, random_run&, const run_summary& one) {
                             CHECK(plan.nodes == 2);
                             faults += one.faults.sum();
                           }});
  CHECK(calm.runs == 3);
  CHECK_FALSE(calm.failure);
  CHECK(faults < 100);
}

TEST_CASE("a large sweep that never met something has failed, and says what it was") {
  const auto none = gaps({.runs = 500});
  CHECK(none.size() == coverage({}).size());
  CHECK(none.front() == "no run met commands");
  CHECK(gaps({.runs = 500, .total = {.acknowledged = 1}}).size() == none.size() - 1);
  CHECK(gaps({.runs = 499}).empty());
}

TEST_CASE("a large sweep of which one history in two hundred was not judged is no failure") {
  const auto all = coverage({}).size();
  CHECK(gaps({.runs = 600, .total = {.not_judged = 3}}).size() == all);
  const auto more = gaps({.runs = 600, .total = {.not_judged = 4}});
  REQUIRE(more.size() == all + 1);
  CHECK(more.back() == "4 histories were too large to judge");
}

} // namespace sweep_test
