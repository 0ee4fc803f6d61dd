// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a cluster at rest is put through, to see that it loses no more than it must: links between
/// those that are not needed, one voter, and the majority for a while (L3, L4); and a stranger
/// comes (B1).

#include <understudy/core/ids.hpp>
#include <understudy/core/time.hpp>
#include <understudy/testing/membership_rules.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/rest.hpp>
#include <understudy/testing/simulation.hpp>
#include <understudy/testing/trial_counters.hpp>
#include <understudy/testing/workload.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing {

/// Draws them, and says whether the cluster stood them. Each begins with one at rest, see `unrest`.
class random_trials {
public:
  random_trials(simulation<tally>& run, random_stream random) : run_{run}, random_{random} {}

  random_trials(const random_trials&) = delete;
  random_trials& operator=(const random_trials&) = delete;

  // -- L3: links are cut, and a majority with the leader in it stays connected ------------------

  /// Draws such a majority, and cuts links of all others at random: between themselves as well, in
  /// one direction or both. Returns the majority; nobody where fewer than three vote.
  [[nodiscard]] std::vector<member_id> thin_out() {
    const auto leader = run_.leader();
    auto core = alive_voters();
    const auto enough = voters().size() / 2 + 1;
    if (voters().size() < 3 || core.size() < enough)
      return {};
    std::erase(core, leader);
    core = some_of(core, random_.between(enough, core.size() + 1) - 1);
    core.push_back(leader);
    std::vector<member_id> others;
    for (const auto id : run_.nodes())
      if (!detail::contains(core, id))
        others.push_back(id);
    for (const auto id : others)
      cut_some(id, core);
    for (auto a = others.begin(); a != others.end(); ++a)
      cut_some(*a, {a + 1, others.end()});
    ++done_.meshes;
    return core;
  }

  /// For so long at most one other leads, whatever those do that are not of the majority.
  void stay_led(interval time) {
    const auto before = leaders();
    run_.run_for(time);
    const auto more = leaders() - before;
    done_.leader_changes += more;
    if (more > 1)
      run_.fail_run("L3", "the leader changed " + std::to_string(more)
                              + " times, and was one of a connected majority");
  }

  // -- L4: a voter ends, and a listener takes its seat ------------------------------------------

  /// Ends the process of a voter that the others can do without, where a listener is there to take
  /// its seat, and waits until that has happened. Returns who it was; nobody if there is none.
  std::optional<member_id> replace_a_voter() {
    auto victims = alive_voters();
    std::erase_if(victims, [&](member_id id) { return !can_do_without(run_, id); });
    if (victims.empty() || !has_listener())
      return std::nullopt;
    const auto leader = run_.leader();
    const bool at_the_top = detail::contains(victims, leader) && random_.chance(0.3);
    const auto victim = at_the_top ? leader : random_.pick(victims);
    const auto since = run_.now();
    const auto due = slowest_clock(evict_after());
    const auto limit = due + slowest_clock(patience() * 5);
    run_.crash(victim);
    while (seats_missing() > 0) {
      run_.run_for(patience() / 16);
      if (run_.now() - since > limit)
        run_.fail_run("L4", run_.name_of(victim) + " is dead, and "
                                + std::to_string(seats_missing()) + " of its seats are not taken");
    }
    ++done_.voters_replaced;
    done_.leaders_replaced += victim == leader ? 1 : 0;
    const auto took = std::max(run_.now() - since - due, interval{0});
    done_.slowest_step_in
        = std::max(done_.slowest_step_in, static_cast<std::uint64_t>(took * 1'000 / patience()));
    return victim;
  }

  /// A majority of the voters stands still for longer than anybody may be silent: no configuration
  /// is made meanwhile, by nobody. Then they go on.
  void hold_the_majority() {
    auto still = some_of(voters(), random_.between(voters().size() / 2 + 1, voters().size()));
    std::erase_if(still, [this](member_id id) { return !run_.runs(id); });
    const auto& past = run_.rules().past(in_force().cluster);
    const auto written
        = [&past] { return past.configurations().size() + past.pending_configurations().size(); };
    const auto before = written();
    for (const auto id : still)
      run_.pause(id);
    run_.run_for(slowest_clock(evict_after()) + patience() * 2);
    if (written() != before)
      run_.fail_run("L4", "a configuration was made while a majority of the voters stood still");
    for (const auto id : still)
      run_.resume(id);
    ++done_.majorities_held;
  }

  // -- B1, I10: a node is told to found, where there is a cluster -------------------------------

  /// It is refused, and the cluster is as before.
  void found_another() {
    const auto leader = run_.leader();
    const auto before = run_.look(leader);
    const auto clusters = run_.rules().clusters().size();
    const auto founder = run_.found("founder", run_.nodes());
    run_.run_for(slowest_clock(run_.options().membership.founding_patience) + patience());
    const auto told = run_.part<monitor>(founder).status();
    if (run_.rules().clusters().size() != clusters || told.state != membership::failed
        || told.obstacle.code != errc::cluster_exists)
      run_.fail_run("B1", "a node founded, or may, though it has a cluster's nodes as contacts");
    const auto after = run_.look(leader);
    if (run_.leader() != leader || after.vote.term != before.vote.term
        || after.newest.index != before.newest.index)
      run_.fail_run("I10", "the cluster changed for a node that was told to found");
    run_.crash(founder);
    ++done_.founders_refused;
  }

  /// One that does not see this cluster founds another in the same network, and whoever comes back
  /// is told of it as well. It stays alone, and in the end it is gone.
  void meet_strangers() {
    const auto home = in_force().cluster;
    const auto ours = run_.nodes();
    const auto stranger = run_.found("stranger");
    for (const auto id : ours)
      if (run_.keeps_log(id) && random_.chance(0.5))
        run_.restart(id);
    run_.run_for(patience() * 4);
    const auto& theirs = *run_.look(stranger).newest.content;
    if (theirs.cluster == home || theirs.members.size() != 1 || run_.rules().clusters().size() != 2)
      run_.fail_run("I10", "a cluster beside this one did not stay alone");
    run_.crash(stranger);
    run_.wipe(stranger);
    ++done_.strangers;
  }

  // -- what came of them ------------------------------------------------------------------------

  [[nodiscard]] const trial_counters& done() const { return done_; }

private:
  [[nodiscard]] const configuration& in_force() { return *run_.look(run_.leader()).newest.content; }
  [[nodiscard]] std::vector<member_id> voters() { return in_force().voters; }

  [[nodiscard]] std::vector<member_id> alive_voters() {
    auto found = voters();
    std::erase_if(found, [this](member_id id) { return !run_.runs(id); });
    return found;
  }

  [[nodiscard]] bool has_listener() {
    const auto& in = in_force();
    return std::ranges::any_of(detail::ranked(in), [&](member_id id) {
      return run_.runs(id) && !detail::contains(in.voters, id);
    });
  }

  /// So many of them.
  [[nodiscard]] std::vector<member_id> some_of(std::vector<member_id> all, std::size_t count) {
    std::vector<member_id> drawn;
    while (drawn.size() < count) {
      drawn.push_back(random_.pick(all));
      std::erase(all, drawn.back());
    }
    return drawn;
  }

  /// Some links of `from` to `others`; now and then all.
  void cut_some(member_id from, const std::vector<member_id>& others) {
    const bool all = random_.chance(0.2);
    for (const auto to : others) {
      if (!all && random_.chance(0.5))
        continue;
      const auto which = all ? 2 : random_.below(3);
      if (which != 0)
        run_.net().cut(from, to);
      if (which != 1)
        run_.net().cut(to, from);
    }
  }

  /// How many terms have had a leader.
  [[nodiscard]] std::uint64_t leaders() {
    return run_.rules().past(in_force().cluster).leaders().size();
  }

  [[nodiscard]] std::size_t seats_missing() {
    if (!is_led(run_))
      return 1;
    const auto seen = run_.look(run_.leader());
    return seen.newest.index != seen.committed.index ? 1 : testing::seats_missing(run_, in_force());
  }

  /// As it goes by the slowest clock of all.
  [[nodiscard]] interval slowest_clock(interval time) const {
    return time * 1'000 / (1'000 - run_.options().clock_drift_permille);
  }

  [[nodiscard]] interval patience() const { return run_.options().core.election_timeout_max; }
  [[nodiscard]] interval evict_after() {
    return std::chrono::milliseconds{in_force().rules.evict_after_ms};
  }

  simulation<tally>& run_;
  random_stream random_;
  trial_counters done_;
};

} // namespace understudy::testing
