// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/random_run.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

namespace random_run_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;

namespace {

/// A run of three nodes without faults.
run_plan quiet_plan() {
  run_plan plan{.seed = 3, .nodes = 3, .callers = 1};
  plan.trouble = 3s;
  plan.pause_max = 200ms;
  plan.think_max = 50ms;
  return plan;
}

/// The rule that a run breaks, with something done to it before it begins.
template <class Spoil> std::string rule_broken(const run_plan& plan, Spoil spoil) {
  random_run all{plan};
  spoil(all.run());
  try {
    static_cast<void>(all.execute());
    return "none";
  } catch (const run_failed& broken) {
    return broken.rule();
  }
}

} // namespace

TEST_CASE("a quiet run keeps every rule") {
  CHECK(rule_broken(quiet_plan(), [](auto&) {}) == "none");
}

TEST_CASE("L1: a cluster that finds no leader once all faults are over is found") {
  CHECK(rule_broken(quiet_plan(),
                    [](auto& run) {
                      run.schedule(2s, [&run] {
                        run.net().drop([](member_id, member_id, const peer_message& what) {
                          return std::holds_alternative<vote_reply>(what);
                        });
                        run.crash(run.leader());
                      });
                    })
        == "L1");
}

TEST_CASE("a quarter of the plans wait far longer than the others, to see that nothing changes") {
  int patient = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed)
    patient += draw_plan(seed).calm == 100 ? 1 : 0;
  CHECK(patient > 70);
  CHECK(patient < 130);
}

} // namespace random_run_test
