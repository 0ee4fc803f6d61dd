// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/random_trials.hpp>

#include <doctest/doctest.h>

#include "testing/scripted_cluster.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>

namespace random_trials_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;
using test_support::scripted_cluster;

namespace {

/// A cluster, and what it is put through.
struct bench {
  explicit bench(std::size_t nodes, simulation_options options = {}) : x{nodes, options} {}

  /// The rule that is broken by this.
  template <class F> std::string rule_broken(F&& what) {
    try {
      what();
      return "none";
    } catch (const run_failed& broken) {
      return broken.rule();
    }
  }

  scripted_cluster x;
  random_trials trials{x.run, random_stream{7}};
};

} // namespace

TEST_CASE("L3: of the links a majority keeps its own, with the leader in it, and goes on") {
  bench all{7, {.rules = {.max_voters = 5}}};
  auto& x = all.x;
  const auto core = all.trials.thin_out();
  REQUIRE(core.size() >= 3);
  CHECK(std::ranges::count(core, x.a) == 1);
  for (const auto from : core)
    for (const auto to : core)
      CHECK(x.run.net().admits({from, to, {}}));
  CHECK(all.rule_broken([&] { all.trials.stay_led(10s); }) == "none");
  CHECK(all.trials.done().leader_changes == 0);
  CHECK(all.trials.done().meshes == 1);
  CHECK(x.run.net().counters().cut > 0);
}

TEST_CASE("L3: a leadership that goes round among them is found") {
  bench all{5, {.rules = {.max_voters = 5}}};
  const auto core = all.trials.thin_out();
  for (int i = 1; i <= 20; ++i)
    all.x.run.schedule(500ms * i, [&, to = core.at(static_cast<std::size_t>(i) % core.size())] {
      all.x.run.give_order(core.front(), transfer_leadership{to});
    });
  CHECK(all.rule_broken([&] { all.trials.stay_led(10s); }) == "L3");
}

TEST_CASE("two voters have no link that they can do without") {
  bench all{2};
  CHECK(all.trials.thin_out().empty());
}

TEST_CASE("L4: a listener takes the seat of a voter that has died, in time") {
  bench all{4};
  const auto victim = all.trials.replace_a_voter();
  REQUIRE(victim);
  CHECK_FALSE(all.x.run.runs(*victim));
  CHECK(all.x.newest(all.x.run.leader()).voters.size() == 3);
  CHECK(all.trials.done().voters_replaced == 1);
}

TEST_CASE("L4: a seat that nobody takes in time is found") {
  bench all{4};
  all.x.drop<append_entries>([](member_id, member_id, const append_entries& what) {
    return test_support::carries_joint(what);
  });
  CHECK(all.rule_broken([&] { all.trials.replace_a_voter(); }) == "L4");
}

TEST_CASE("nobody is replaced where no listener is") {
  bench all{3};
  CHECK_FALSE(all.trials.replace_a_voter());
  CHECK(all.x.run.nodes().size() == 3);
}

TEST_CASE("L4: while a majority stands still nobody changes who votes, and then all goes on") {
  bench all{4};
  CHECK(all.rule_broken([&] { all.trials.hold_the_majority(); }) == "none");
  all.x.rest();
  CHECK(all.trials.done().majorities_held == 1);
}

TEST_CASE("L4: a configuration that is made without a majority is found") {
  bench all{4};
  auto& x = all.x;
  x.run.schedule(100ms, [&] {
    for (const auto id : x.run.nodes())
      if (x.run.paused(id))
        x.run.resume(id);
    x.run.give_order(x.a, pin_member{x.d, true});
  });
  CHECK(all.rule_broken([&] { all.trials.hold_the_majority(); }) == "L4");
}

TEST_CASE("B1: who is told to found where a cluster is does not, and leaves no trace") {
  bench all{3};
  CHECK(all.rule_broken([&] { all.trials.found_another(); }) == "none");
  CHECK(all.trials.done().founders_refused == 1);
  CHECK(all.x.run.nodes().size() == 3);
  all.x.rest();
}

TEST_CASE("B1: a second cluster is found") {
  bench all{3};
  all.x.drop<census_reply>([](auto...) { return true; });
  CHECK(all.rule_broken([&] { all.trials.found_another(); }) == "B1");
}

TEST_CASE("I10: a cluster that changes meanwhile is found") {
  bench all{3};
  all.x.run.give_order(all.x.a, pin_member{all.x.c, true});
  CHECK(all.rule_broken([&] { all.trials.found_another(); }) == "I10");
}

TEST_CASE("I10: a cluster that is founded beside this one stays alone, whoever comes back") {
  simulation_options options{.durable = 1};
  bench all{3, options};
  CHECK(all.rule_broken([&] { all.trials.meet_strangers(); }) == "none");
  CHECK(all.trials.done().strangers == 1);
  CHECK(all.x.run.nodes().size() == 3);
  all.x.rest();
  CHECK(unrest(all.x.run).empty());
}

TEST_CASE("I10: a third cluster is found") {
  bench all{3};
  const auto other = all.x.run.found("other");
  all.x.run.run_for(100ms);
  all.x.run.crash(other);
  CHECK(all.rule_broken([&] { all.trials.meet_strangers(); }) == "I10");
}

} // namespace random_trials_test
