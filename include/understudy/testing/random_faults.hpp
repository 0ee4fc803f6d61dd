// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The faults of a random run: one after the other, each drawn by the weights of its plan, and most
/// of them over after some time.

#include <understudy/core/time.hpp>
#include <understudy/testing/fault_dice.hpp>
#include <understudy/testing/fault_kinds.hpp>
#include <understudy/testing/hand_counters.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/random_links.hpp>
#include <understudy/testing/random_operator.hpp>
#include <understudy/testing/random_updates.hpp>
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
      : plan_{plan}, run_{run}, dice_{run, plan.options.core.election_timeout_max, random},
        links_{plan, run, dice_}, operator_{run, random.fork("operator")},
        updates_{plan.faults[fault::update] > 0, run, random.fork("updates"),
                 [this](member_id id) { return can_lose(id); }} {
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
    if (started_ < plan_.nodes && dice_.random().chance(0.4))
      return enter("n" + std::to_string(++started_));
    // Now and then nothing happens for a while.
    const auto ticket = dice_.random().below(plan_.faults.sum() * 5 / 4 + 1);
    if (ticket < plan_.faults.sum())
      strike(plan_.faults.drawn(ticket));
  }

  /// No more faults: what was done is undone, and what is planned will not be. What can not be
  /// undone (a clock that was ahead, a node that is gone) is as it is.
  void stop() {
    dice_.stop();
    links_.stop();
    updates_.stop();
    for (const auto id : run_.nodes()) {
      wake_up(id);
      run_.reset_clock(id);
      run_.fill_disk(id, false);
    }
    for (const auto id : run_.sleepers()) {
      run_.fill_disk(id, false);
      start_again(id);
    }
  }

  /// Starts one more node.
  void enter(const std::string& name) {
    auto contacts = run_.nodes();
    contacts_[run_.enter(name)] = std::move(contacts);
  }

  /// What nodes can not do for themselves once all faults are over: whom nobody can help is started
  /// again, and who was told to leave and could not is sent away.
  void lend_a_hand() {
    operator_.give_up_orders();
    for (const auto id : run_.nodes()) {
      if (updates_.is_outdated(id)) {
        ++hands_.outdated;
        start_again(id);
      } else if (auto* why = need_of(id)) {
        ++*why;
        start_anew(id);
      } else {
        hands_.leave_cut_off
            += run_.part<monitor>(id).status().leaving == leave_step::ended ? 1 : 0;
        operator_.see_to_end_of(id);
      }
    }
    unpin_all();
  }

  /// Enters one more node, which may take over from one that can not go before.
  void send_a_helper() { enter("h" + std::to_string(++hands_.helpers)); }

  void unpin_all() { operator_.unpin_all(dice_.somebody()); }

  /// With its log if it kept that; now and then a disk is lost that the others can do without.
  void start_again(member_id node) {
    if (run_.counters().last_members > 0)
      return;
    if (run_.runs(node))
      run_.crash(node);
    if (run_.sleeps(node) && dice_.random().chance(0.2) && !dice_.over() && can_lose(node))
      run_.wipe(node);
    if (run_.nodes().empty() && !run_.sleeps(node)) // nobody is there to take it in
      return dice_.later(dice_.some_time(), [this, node] { start_again(node); });
    const auto id = run_.restart(node);
    contacts_[id] = run_.nodes();
  }

  /// Whether the roster shows a node that runs as another build than it is.
  [[nodiscard]] bool is_misrepresented(const member& shown) const {
    return updates_.is_misrepresented(shown);
  }

  /// How often each was done.
  [[nodiscard]] const fault_table& done() const { return done_; }
  [[nodiscard]] const hand_counters& hands() const { return hands_; }

private:
  void strike(fault what) { done_[what] += befall(what) ? 1 : 0; }

  /// Returns whether it could be done.
  bool befall(fault what) {
    switch (what) {
    case fault::crash:
      return crash_one();
    case fault::power_cut:
      return cut_power();
    case fault::pause:
      return pause_one();
    case fault::clock_rate:
      return change_clock(dice_.somebody());
    case fault::clock_jump:
      return jump_clock_of(dice_.somebody());
    case fault::stall:
      return stall_part_of(dice_.somebody());
    case fault::full_disk:
      return fill_disks();
    case fault::broken_machine:
      return break_machine();
    case fault::leave:
      return operator_.leave_one(dice_.somebody());
    case fault::order:
      return operator_.give_order(dice_.somebody());
    case fault::update:
      return update();
    default:
      return links_.befall(what);
    }
  }

  // -- processes --------------------------------------------------------------------------------

  /// Ends a process, if it comes back with its log, or those left could still decide without it:
  /// memory nodes take their part of the data along.
  bool crash_one() {
    const auto victim = dice_.somebody();
    if (!run_.keeps_log(victim) && !can_lose(victim))
      return false;
    constexpr double returning = 0.7;
    if (run_.keeps_log(victim) && dice_.random().chance(0.5))
      end_at_work({victim}, returning);
    else
      end_all({victim}, returning);
    return true;
  }

  /// Ends all processes that come back with their logs, or any number of them, at the same moment.
  bool cut_power() {
    auto victims = run_.nodes();
    const bool everywhere = dice_.random().chance(0.5);
    std::erase_if(victims, [&](member_id id) {
      return !run_.keeps_log(id) || (!everywhere && dice_.random().chance(0.5));
    });
    if (dice_.random().chance(0.5))
      end_at_work(victims, 1);
    else
      end_all(victims, 1);
    return !victims.empty();
  }

  /// The disks are slow, and in the midst of what has piled up the processes end, all at once.
  void end_at_work(const std::vector<member_id>& victims, double returning) {
    const auto wanted = dice_.random().between(std::chrono::milliseconds{2}, dice_.patience() / 2);
    const auto slow = std::min(wanted, trouble_left());
    for (const auto id : victims)
      run_.stall(id, place_of::writer, slow);
    dice_.later(dice_.random().between(interval{0}, slow), [=, this] {
      auto there = victims;
      std::erase_if(there, [&](member_id id) { return !run_.runs(id) || !run_.keeps_log(id); });
      end_all(there, returning);
    });
  }

  /// With that probability each of them comes back.
  void end_all(const std::vector<member_id>& victims, double returning) {
    for (const auto id : victims)
      run_.crash(id);
    for (const auto id : victims)
      if (dice_.random().chance(returning))
        dice_.later(dice_.some_time(), [this, id] { start_again(id); });
  }

  /// A process is ended and started again as another build, or a version is to be used.
  bool update() {
    const auto who = dice_.somebody();
    if (dice_.random().chance(0.5)) {
      updates_.order_one(who);
      return true;
    }
    if (!run_.keeps_log(who) && !can_lose(who))
      return false;
    end_all({who}, 1);
    return true;
  }

  /// A node whose machine throws counts as lost already, and so does one that is to go, or is too
  /// old to go on.
  bool can_lose(member_id victim) {
    return run_.nodes().size() > 1 && can_decide(run_, [&](member_id id) {
             return id != victim && !broken_[id] && !operator_.wants_out(id)
                    && !updates_.is_outdated(id);
           });
  }

  void start_anew(member_id node) {
    run_.crash(node);
    run_.wipe(node);
    start_again(node);
  }

  bool pause_one() {
    const auto who = dice_.somebody();
    if (run_.paused(who))
      return false;
    run_.pause(who);
    dice_.later(dice_.some_time(), [this, who] { wake_up(who); });
    return true;
  }

  void wake_up(member_id who) {
    if (run_.runs(who) && run_.paused(who))
      run_.resume(who);
  }

  bool change_clock(member_id of) {
    run_.set_clock(of, dice_.random().between(500, 2'000));
    dice_.later(dice_.some_time(), [this, of] {
      if (run_.runs(of))
        run_.reset_clock(of);
    });
    return true;
  }

  /// Nothing ends a stall but its time, so that has to be up when the trouble is over.
  bool stall_part_of(member_id node) {
    const auto part = static_cast<place_of>(dice_.random().below(node_host<tally>::size));
    const auto how_long = std::min(dice_.some_time(), trouble_left());
    if (how_long > interval{0})
      run_.stall(node, part, how_long);
    return how_long > interval{0};
  }

  [[nodiscard]] interval trouble_left() const {
    return std::max(instant{} + plan_.trouble - run_.now(), interval{0});
  }

  /// Of all nodes, if it is more than one: as where all have the same disks, and the same log.
  bool fill_disks() {
    auto victims = run_.nodes();
    if (dice_.random().chance(0.5))
      victims = {dice_.somebody()};
    std::erase_if(victims, [&](member_id id) {
      return run_.part<raft_core>(id).state().options.volatile_log;
    });
    for (const auto id : victims) {
      run_.fill_disk(id, true);
      dice_.later(dice_.some_time(), [this, id] { run_.fill_disk(id, false); });
    }
    return !victims.empty();
  }

  bool jump_clock_of(member_id node) {
    run_.jump_clock(node, dice_.some_time());
    return true;
  }

  /// A machine that throws stays so: its node is of no use until it is started anew.
  bool break_machine() {
    const auto who = dice_.somebody();
    if (!can_lose(who))
      return false;
    broken_[who] = true;
    dice_.later(dice_.some_time(), [this, who] {
      if (run_.runs(who) && (run_.keeps_log(who) || can_lose(who)))
        start_again(who);
    });
    return true;
  }

  /// A node that is not needed, and that can not help itself: its machine has stopped, it was sent
  /// away, or nobody is there any more of all whom it was told to ask or has heard of. Returns
  /// where that is counted; nothing for all others.
  std::uint64_t* need_of(member_id id) {
    const auto& clusters = run_.rules().clusters();
    const auto& now = *run_.rules().past(clusters.front()).configurations().back().content;
    const bool may_go = can_lose(id) || !detail::votes_in(now, id);
    if (broken_[id])
      return may_go ? &hands_.machine_stopped : nullptr;
    if (run_.part<monitor>(id).status().state == membership::failed)
      return may_go ? &hands_.sent_away : nullptr;
    auto known = contacts_[id];
    if (const auto* in = run_.look(id).newest.content) {
      if (detail::votes_in(*in, id) && detail::look_up(now, id))
        return nullptr;
      for (const auto& m : in->members)
        known.push_back(m.id);
    }
    const bool knows_one = std::ranges::any_of(
        known, [&](member_id k) { return k != id && run_.runs(k) && detail::look_up(now, k); });
    return knows_one ? nullptr : &hands_.left_alone;
  }

  const run_plan& plan_;
  simulation<tally>& run_;
  fault_dice dice_;
  random_links links_;
  random_operator operator_;
  random_updates updates_;
  std::map<member_id, std::vector<member_id>> contacts_; ///< whom a node was told to ask
  std::map<member_id, bool> broken_;                     ///< whose machine throws
  std::size_t started_ = 0;
  fault_table done_;
  hand_counters hands_;
};

} // namespace understudy::testing
