// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/plan_cuts.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>

namespace plan_cuts_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;

namespace {

run_plan large() {
  run_plan plan{.seed = 7, .nodes = 9, .callers = 4, .trouble = 8s};
  for (std::size_t i = 0; i < fault_count; ++i)
    plan.faults[static_cast<fault>(i)] = 3;
  plan.options.segment_bytes = 4096;
  return plan;
}

} // namespace

TEST_CASE("a plan is cut down to what it needs to fail") {
  const auto needs = [](const run_plan& p) {
    return p.nodes >= 3 && p.faults[fault::flap] > 0 && p.trouble >= 900ms;
  };
  const auto cuts = shrink(large(), needs, 200);
  const auto small = cuts.applied_to(large());
  CHECK(needs(small));
  CHECK(small.nodes == 3);
  CHECK(small.callers == 1);
  CHECK(small.trouble == 1s);
  CHECK(small.faults.sum() == 3);
  CHECK(small.options.segment_bytes == 0);
  CHECK(small.seed == 7);
}

TEST_CASE("a run that fails only upon the durable store keeps it") {
  const auto cuts = shrink(
      large(), [](const run_plan& p) { return p.options.segment_bytes != 0; }, 200);
  CHECK(cuts.nodes == 1);
  CHECK_FALSE(cuts.model_disks);
}

TEST_CASE("a plan that fails only as it is stays as it is") {
  CHECK(shrink(
            large(), [](const run_plan&) { return false; }, 200)
        == plan_cuts{});
}

TEST_CASE("it gives up after so many tries") {
  std::size_t tries = 0;
  const auto cuts = shrink(
      large(),
      [&](const run_plan&) {
        ++tries;
        return true;
      },
      5);
  CHECK(tries == 5);
  CHECK(cuts != plan_cuts{});
}

TEST_CASE("cuts are written as the options that repeat them") {
  CHECK(plan_cuts{}.as_options().empty());
  const plan_cuts cuts{.nodes = 3,
                       .callers = 1,
                       .trouble = 250ms,
                       .without = {fault::crash, fault::clock_jump},
                       .model_disks = true};
  CHECK(cuts.as_options()
        == " --nodes 3 --callers 1 --trouble-ms 250 --without crash,clock_jump --model-disks");
}

} // namespace plan_cuts_test
