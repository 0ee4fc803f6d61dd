// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The faults of a random run: one after the other, each drawn by the weights of its plan, and most
/// of them over after some time.

#include <understudy/core/time.hpp>
#include <understudy/testing/fault_kinds.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/random_operator.hpp>
#include <understudy/testing/rest.hpp>
#include <understudy/testing/run_plan.hpp>
#include <understudy/testing/simulation.hpp>
#include <understudy/testing/workload.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing {

/// Grows the cluster of a run, and makes its life hard.
class random_faults {
public:
  random_faults(const run_plan& plan, simulation<tally>& run, random_stream random)
      : plan_{plan}, run_{run}, random_{random}, operator_{run, random.fork("operator")} {
    run_.may_end = operator_.may_go = [this](member_id id) { return can_lose(id); };
    run_.prepare = [this](member_id id, tally& machine) {
      broken_[id] = false;
      machine.broken = &broken_[id];
    };
  }

  random_faults(const random_faults&) = delete;
  random_faults& operator=(const random_faults&) = delete;

  /// Starts the first node.
  void begin() {
    run_.found("n1");
    started_ = 1;
  }

  /// One more thing happens, or one more node enters.
  void next() {
    if (run_.nodes().empty())
      return; // the power is gone, for now
    if (started_ < plan_.nodes && random_.chance(0.4))
      return enter("n" + std::to_string(++started_));
    // Now and then nothing happens for a while.
    const auto ticket = random_.below(plan_.faults.sum() * 5 / 4 + 1);
    if (ticket < plan_.faults.sum())
      strike(plan_.faults.drawn(ticket));
  }

  /// No more faults: what was done is undone, and what is planned will not be. What can not be
  /// undone (a clock that was ahead, a node that is gone) is as it is.
  void stop() {
    over_ = true;
    set_weather(false);
    run_.partition({});
    run_.heal();
    for (const auto id : run_.nodes()) {
      wake_up(id);
      run_.reset_clock(id);
    }
    for (const auto id : run_.sleepers())
      start_again(id);
  }

  /// Starts one more node.
  void enter(const std::string& name) {
    auto contacts = run_.nodes();
    contacts_[run_.enter(name)] = std::move(contacts);
  }

  /// What nodes can not do for themselves once all faults are over: whom nobody can help is started
  /// again, and who was told to leave and could not is sent away.
  void lend_a_hand() {
    for (const auto id : run_.nodes()) {
      if (is_stranded(id))
        start_anew(id);
      else
        operator_.see_to_end_of(id);
    }
    unpin_all();
  }

  void unpin_all() { operator_.unpin_all(somebody()); }

  /// How often each was done.
  [[nodiscard]] const fault_table& done() const { return done_; }

private:
  void strike(fault what) {
    ++done_[what];
    switch (what) {
    case fault::crash:
      return crash_one();
    case fault::power_cut:
      return cut_power();
    case fault::pause:
      return pause_one();
    case fault::one_way_cut:
      return on_some_link(&random_faults::cut_one_way);
    case fault::split:
    case fault::bridge:
      return split(what == fault::bridge);
    case fault::mesh:
      return thin_out();
    case fault::isolate_leader:
      return isolate_leader();
    case fault::swizzle:
      return swizzle();
    case fault::flap:
      return on_some_link(&random_faults::flap);
    case fault::slow_link:
      return on_some_link(&random_faults::slow_down);
    case fault::bad_weather:
    case fault::fair_weather:
      return set_weather(what == fault::bad_weather);
    case fault::clock_rate:
      return change_clock(somebody());
    case fault::clock_jump:
      return jump_clock_of(somebody());
    case fault::stall:
      return stall_part_of(somebody());
    case fault::broken_machine:
      return break_machine();
    case fault::leave:
      return operator_.leave_one(somebody());
    case fault::order:
      return operator_.give_order(somebody());
    case fault::heal:
      return run_.heal();
    }
  }

  /// A node that runs; the leader more often than others, since there is most to lose.
  member_id somebody() {
    const auto nodes = run_.nodes();
    const auto any = random_.pick(nodes);
    const auto leader = run_.leader();
    return leader && random_.chance(0.3) ? leader : any;
  }

  /// How long something lasts: mostly about as long as nodes are patient, at times far longer.
  interval some_time() {
    const auto patience = plan_.options.core.election_timeout_max;
    const auto much = random_.chance(0.2) ? (random_.chance(0.2) ? 40 : 8) : 2;
    return random_.between(std::chrono::milliseconds{1}, patience * much);
  }

  /// Later, unless all faults are over by then: `stop` has seen to it.
  template <class F> void later(interval after, F what) {
    run_.schedule(after, [this, what = std::move(what)] {
      if (!over_)
        what();
    });
  }

  // -- processes --------------------------------------------------------------------------------

  /// Ends a process, if it comes back with its log, or those left could still decide without it:
  /// memory nodes take their part of the data along.
  void crash_one() {
    const auto victim = somebody();
    if (!run_.keeps_log(victim) && !can_lose(victim))
      return;
    run_.crash(victim);
    if (random_.chance(0.7))
      later(some_time(), [this, victim] { start_again(victim); });
  }

  /// Ends all processes that come back with their logs, or any number of them, at the same moment.
  void cut_power() {
    auto victims = run_.nodes();
    const bool everywhere = random_.chance(0.5);
    std::erase_if(victims, [&](member_id id) {
      return !run_.keeps_log(id) || (!everywhere && random_.chance(0.5));
    });
    for (const auto id : victims)
      run_.crash(id);
    for (const auto id : victims)
      later(some_time(), [this, id] { start_again(id); });
  }

  /// A node whose machine throws counts as lost already, and so does one that is to go.
  bool can_lose(member_id victim) {
    return run_.nodes().size() > 1 && can_decide(run_, [&](member_id id) {
             return id != victim && !broken_[id] && !operator_.wants_out(id);
           });
  }

  /// With its log if it kept that; now and then a disk is lost that the others can do without.
  void start_again(member_id node) {
    if (run_.counters().last_members > 0)
      return;
    if (run_.runs(node))
      run_.crash(node);
    if (run_.sleeps(node) && random_.chance(0.2) && !over_ && can_lose(node))
      run_.wipe(node);
    if (run_.nodes().empty() && !run_.sleeps(node)) // nobody is there to take it in
      return later(some_time(), [this, node] { start_again(node); });
    const auto id = run_.restart(node);
    contacts_[id] = run_.nodes();
  }

  void start_anew(member_id node) {
    run_.crash(node);
    run_.wipe(node);
    start_again(node);
  }

  void pause_one() {
    const auto who = somebody();
    if (run_.paused(who))
      return;
    run_.pause(who);
    later(some_time(), [this, who] { wake_up(who); });
  }

  void wake_up(member_id who) {
    if (run_.runs(who) && run_.paused(who))
      run_.resume(who);
  }

  void change_clock(member_id of) {
    run_.set_clock(of, random_.between(500, 2'000));
    later(some_time(), [this, of] {
      if (run_.runs(of))
        run_.reset_clock(of);
    });
  }

  /// Not for longer than `stop` may be waited for: what a part was told meanwhile is still ahead.
  void stall_part_of(member_id node) {
    const auto most = plan_.options.core.election_timeout_max * 8;
    run_.stall(node, static_cast<place_of>(random_.below(node_host<tally>::size)),
               std::min(some_time(), most));
  }

  void jump_clock_of(member_id node) { run_.jump_clock(node, some_time()); }

  /// A machine that throws stays so: its node is of no use until it is started anew.
  void break_machine() {
    const auto who = somebody();
    if (!can_lose(who))
      return;
    broken_[who] = true;
    later(some_time(), [this, who] {
      if (run_.runs(who) && (run_.keeps_log(who) || can_lose(who)))
        start_again(who);
    });
  }

  /// A node that is not needed, and that can not help itself: its machine has stopped, it was sent
  /// away, or nobody is there any more of all whom it was told to ask or has heard of.
  bool is_stranded(member_id id) {
    const auto& clusters = run_.rules().clusters();
    const auto& now = *run_.rules().past(clusters.front()).configurations().back().content;
    if (run_.part<monitor>(id).status().state == membership::failed || broken_[id])
      return can_lose(id) || !detail::votes_in(now, id);
    auto known = contacts_[id];
    if (const auto* in = run_.look(id).newest.content) {
      if (detail::votes_in(*in, id) && detail::look_up(now, id))
        return false;
      for (const auto& m : in->members)
        known.push_back(m.id);
    }
    return std::ranges::none_of(
        known, [&](member_id k) { return k != id && run_.runs(k) && detail::look_up(now, k); });
  }

  // -- links ------------------------------------------------------------------------------------

  /// Between somebody and somebody else.
  void on_some_link(void (random_faults::*what)(member_id, member_id)) {
    const auto a = somebody();
    auto others = run_.nodes();
    std::erase(others, a);
    if (!others.empty())
      (this->*what)(a, random_.pick(others));
  }

  void cut_one_way(member_id a, member_id b) {
    run_.net().cut(a, b);
    later(some_time(), [this, a, b] { run_.net().mend(a, b); });
  }

  void cut_both_ways(member_id a, member_id b) {
    cut_one_way(a, b);
    cut_one_way(b, a);
  }

  void split(bool with_bridge) {
    auto all = run_.nodes();
    if (with_bridge)
      std::erase(all, random_.pick(all)); // who is on no side reaches all
    std::vector<std::vector<member_id>> sides(2);
    for (const auto id : all)
      sides[random_.below(2)].push_back(id);
    separate(sides);
  }

  void isolate_leader() {
    const auto leader = run_.leader();
    if (!leader)
      return;
    auto others = run_.nodes();
    std::erase(others, leader);
    separate({{leader}, others});
  }

  void separate(const std::vector<std::vector<member_id>>& sides) {
    run_.partition(sides);
    later(some_time(), [this] { run_.partition({}); });
  }

  /// Some pairs of nodes do not see each other, and all may be connected even so.
  void thin_out() {
    const auto nodes = run_.nodes();
    for (auto a = nodes.begin(); a != nodes.end(); ++a)
      for (auto b = a + 1; b != nodes.end(); ++b)
        if (random_.chance(0.4))
          cut_both_ways(*a, *b);
  }

  void swizzle() {
    for (const auto id : run_.nodes()) {
      if (random_.chance(0.5))
        continue;
      const auto off = some_time();
      const auto back = off + some_time();
      for (const auto other : run_.nodes()) {
        later(off, [this, id, other] { run_.cut(id, other); });
        later(back, [this, id, other] { mend(id, other); });
      }
    }
  }

  void mend(member_id a, member_id b) {
    run_.net().mend(a, b);
    run_.net().mend(b, a);
  }

  void flap(member_id a, member_id b) {
    const auto half = some_time() / 8;
    const auto times = random_.between(2, 8);
    for (int i = 0; i < times; ++i) {
      later(half * (2 * i), [this, a, b] { run_.cut(a, b); });
      later(half * (2 * i + 1), [this, a, b] { mend(a, b); });
    }
  }

  void slow_down(member_id a, member_id b) {
    run_.net().slow_down(a, b, some_time() / 2);
    later(some_time(), [this, a, b] { run_.net().speed_up(a, b); });
  }

  void set_weather(bool bad) {
    auto links = plan_.options.links;
    if (bad) {
      links.drop = plan_.drop;
      links.duplicate = plan_.duplicate;
      links.straggle = plan_.straggle;
    }
    run_.net().set(links);
  }

  const run_plan& plan_;
  simulation<tally>& run_;
  random_stream random_;
  random_operator operator_;
  std::map<member_id, std::vector<member_id>> contacts_; ///< whom a node was told to ask
  std::map<member_id, bool> broken_;                     ///< whose machine throws
  std::size_t started_ = 0;
  fault_table done_;
  bool over_ = false;
};

} // namespace understudy::testing
