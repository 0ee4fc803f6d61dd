// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A whole run from one number: grow a cluster under faults and load, then let it rest, and see
/// that it comes to rest, serves, and that nothing acknowledged is missing or happened twice.

#include <understudy/testing/random.hpp>
#include <understudy/testing/random_faults.hpp>
#include <understudy/testing/random_load.hpp>
#include <understudy/testing/random_trials.hpp>
#include <understudy/testing/rest.hpp>
#include <understudy/testing/run_plan.hpp>
#include <understudy/testing/run_summary.hpp>
#include <understudy/testing/simulation.hpp>
#include <understudy/testing/workload.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace understudy::testing {

/// One run. A broken rule throws `run_failed`.
class random_run {
public:
  explicit random_run(run_plan plan)
      : plan_{std::move(plan)}, random_{random_stream{plan_.seed}.fork("pauses")},
        run_{plan_.options, plan_.seed},
        faults_{plan_, run_, random_stream{plan_.seed}.fork("faults")},
        load_{plan_, run_, random_stream{plan_.seed}.fork("work")},
        trials_{run_, random_stream{plan_.seed}.fork("trials")} {}

  random_run(const random_run&) = delete;
  random_run& operator=(const random_run&) = delete;

  run_summary execute() {
    faults_.begin();
    load_.begin();
    live_in_trouble();
    calm_down();
    converge();
    serve();
    converge();
    stay();
    stand_trials();
    check_end();
    return summary();
  }

  /// The run itself, to look at.
  [[nodiscard]] simulation<tally>& run() { return run_; }

private:
  /// First safety: whatever happens, no rule is broken.
  void live_in_trouble() {
    while (run_.now() < instant{} + plan_.trouble) {
      run_.run_for(random_.between(std::chrono::milliseconds{1}, plan_.pause_max));
      if (!ended())
        faults_.next();
    }
  }

  /// Then liveness: all faults are over, and soon somebody leads (L1).
  void calm_down() {
    load_.stop();
    faults_.stop();
    if (!wait_for([this] { return ended() || is_led(run_); }, patience() * 10))
      run_.fail_run("L1", "no leader is known to a majority");
    // What is still on its way arrives, be it an order; who was told to leave goes.
    run_.run_for(std::max(patience() * 16, plan_.options.links.straggle_max));
    if (!ended())
      faults_.unpin_all();
  }

  /// All comes to be as it should (L2, L4).
  void converge() {
    const auto over = [this] { return ended() || unfinished().empty(); };
    // Most of what needs a hand is seen at once; but with the smallest limits a newcomer pulls one
    // entry a round trip, and thousands take minutes.
    const auto enough = [](int rounds) -> interval {
      return rounds == 0 ? std::chrono::seconds{15} : std::chrono::minutes{4};
    };
    for (int rounds = 0; !wait_for(over, enough(rounds)); ++rounds) {
      if (rounds == rounds_max)
        run_.fail_run("L2", unfinished());
      faults_.lend_a_hand();
      // Somebody who was sent away, or is dead, may be needed until there is another to take over.
      if (rounds > 1)
        faults_.send_a_helper();
    }
  }

  /// And stays so (L1, L5).
  void stay() {
    if (ended())
      return;
    const auto leader = run_.leader();
    const auto term = run_.look(leader).vote.term;
    const auto newest = run_.look(leader).newest;
    // Of the dead somebody may yet be sent away.
    const bool whole = std::ranges::all_of(newest.content->members,
                                           [this](const member& m) { return run_.runs(m.id); });
    run_.run_for(patience() * plan_.calm);
    if (run_.leader() != leader || run_.look(leader).vote.term != term)
      run_.fail_run("L5", "the leader changed, and nothing had happened");
    if (whole && run_.look(leader).newest.index != newest.index)
      run_.fail_run("L5", "the configuration changed, and nothing had happened");
  }

  /// Every node takes a command and a query, and answers both.
  void serve() {
    if (ended())
      return;
    load_.ask(run_.nodes());
    const auto served = [this] { return load_.unserved().empty(); };
    if (!wait_for(served, std::chrono::minutes{1}))
      run_.fail_run("L2", load_.unserved() + ", and there was no fault");
  }

  /// What must not happen, and what must, while some of the cluster is not there (L3, L4).
  void stand_trials() {
    if (!ended() && plan_.thins_out)
      thin_out();
    if (!ended() && plan_.replaces)
      if (const auto victim = trials_.replace_a_voter()) {
        if (random_.chance(0.5))
          faults_.start_again(*victim);
        converge();
      }
    if (!ended() && plan_.refounds)
      trials_.found_another();
    if (!ended() && plan_.holds) {
      trials_.hold_the_majority();
      converge();
    }
    if (!ended() && plan_.meets_strangers) {
      trials_.meet_strangers();
      converge();
    }
  }

  /// Those that stay connected go on meanwhile.
  void thin_out() {
    const auto core = trials_.thin_out();
    if (core.empty())
      return;
    load_.ask(core);
    trials_.stay_led(patience() * 20);
    if (const auto wrong = load_.unserved(); !wrong.empty())
      run_.fail_run("L3", wrong + ", by a connected majority");
    run_.heal();
    run_.run_for(patience()); // who was not heard all the while may be sent away until it is
    converge();
  }

  void check_end() {
    run_.check_all();
    if (const auto wrong = load_.unexplained(); !wrong.empty())
      run_.fail_run("I7", wrong);
    if (ended())
      return;
    for (const auto id : run_.nodes())
      if (const auto wrong = load_.wrong_in(run_.machine(id)); !wrong.empty())
        run_.fail_run("I8", run_.name_of(id) + ", " + wrong);
  }

  /// The last member has left: there is no cluster any more.
  [[nodiscard]] bool ended() const { return run_.counters().last_members > 0; }

  [[nodiscard]] interval patience() const { return plan_.options.core.election_timeout_max; }

  /// Lets the run go on until `done`, for about `limit`. Now and then is often enough to look: each
  /// look at the whole cluster costs as much as a few events.
  template <class Predicate> bool wait_for(Predicate done, interval limit) {
    for (const auto end = run_.now() + limit; !done(); run_.run_for(patience() / 16))
      if (run_.now() > end)
        return false;
    return true;
  }

  /// What keeps the run from its end; nothing if it is there.
  std::string unfinished() {
    if (run_.open_calls() > 0)
      return std::to_string(run_.open_calls()) + " calls are open";
    if (auto wrong = unrest(run_); !wrong.empty())
      return wrong;
    // What a pinned member holds back would come with the word that it need not any more.
    for (const auto& m : run_.look(run_.leader()).newest.content->members)
      if (run_.runs(m.id) && (m.pinned || faults_.is_misrepresented(m)))
        return run_.name_of(m.id) + (m.pinned ? " is pinned" : " is shown as another build");
    for (const auto id : run_.nodes())
      if (const auto due = compaction_due(run_.part<raft_core>(id)); !due.empty())
        return run_.name_of(id) + " has " + due;
    return {};
  }

  run_summary summary() {
    run_summary s{.seed = plan_.seed,
                  .hash = run_.trace().hash(),
                  .events = run_.trace().count(),
                  .simulated = run_.now() - instant{},
                  .faults = faults_.done(),
                  .seen = run_.rules().counters(),
                  .nodes = run_.counters(),
                  .orders = run_.orders_given(),
                  .network = run_.net().counters()};
    load_.add_to(s);
    s.trials = trials_.done();
    s.hands = faults_.hands();
    return s;
  }

  /// How often all nodes that nobody can help are started again, before the run has failed.
  static constexpr int rounds_max = 7;

  run_plan plan_;
  random_stream random_;
  simulation<tally> run_;
  random_faults faults_;
  random_load load_;
  random_trials trials_;
};

} // namespace understudy::testing
