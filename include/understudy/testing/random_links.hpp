// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What befalls the network of a random run.

#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/time.hpp>
#include <understudy/testing/fault_dice.hpp>
#include <understudy/testing/fault_kinds.hpp>
#include <understudy/testing/run_plan.hpp>
#include <understudy/testing/simulation.hpp>
#include <understudy/testing/workload.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace understudy::testing {

/// Cuts links, slows them down, and lets messages get lost.
class random_links {
public:
  random_links(const run_plan& plan, simulation<tally>& run, fault_dice& dice)
      : plan_{plan}, run_{run}, dice_{dice} {}

  /// Returns whether it could be done; not for faults that are none of the network.
  bool befall(fault what) {
    switch (what) {
    case fault::one_way_cut:
      return on_some_link(&random_links::cut_one_way);
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
      return on_some_link(&random_links::flap);
    case fault::slow_link:
      return on_some_link(&random_links::slow_down);
    case fault::broken_link:
      return on_some_link(&random_links::break_link);
    case fault::bad_weather:
    case fault::fair_weather:
      return set_weather(what == fault::bad_weather);
    case fault::heal:
      run_.heal();
      return true;
    default:
      return false;
    }
  }

  /// All is as it was at first.
  void stop() {
    set_weather(false);
    run_.partition({});
    run_.heal();
  }

private:
  /// Between somebody and somebody else.
  bool on_some_link(void (random_links::*what)(member_id, member_id)) {
    const auto a = dice_.somebody();
    auto others = run_.nodes();
    std::erase(others, a);
    if (others.empty())
      return false;
    (this->*what)(a, dice_.random().pick(others));
    return true;
  }

  /// Nothing is lost for long, but each is told that the other one was.
  void break_link(member_id a, member_id b) {
    for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}})
      dice_.later(dice_.random().between(interval{0}, plan_.options.links.delay_max),
                  [this, from, to] {
                    if (run_.runs(from))
                      run_.tell(from, peer_lost{to});
                  });
  }

  void cut_one_way(member_id a, member_id b) {
    run_.net().cut(a, b);
    dice_.later(dice_.some_time(), [this, a, b] { run_.net().mend(a, b); });
  }

  void cut_both_ways(member_id a, member_id b) {
    cut_one_way(a, b);
    cut_one_way(b, a);
  }

  bool split(bool with_bridge) {
    auto all = run_.nodes();
    if (with_bridge)
      std::erase(all, dice_.random().pick(all)); // who is on no side reaches all
    std::vector<std::vector<member_id>> sides(2);
    for (const auto id : all)
      sides[dice_.random().below(2)].push_back(id);
    return separate(sides);
  }

  bool isolate_leader() {
    const auto leader = run_.leader();
    auto others = run_.nodes();
    std::erase(others, leader);
    return leader && separate({{leader}, others});
  }

  /// Some notice that they are cut off, others wait in vain.
  bool separate(const std::vector<std::vector<member_id>>& sides) {
    if (sides.front().empty() || sides.back().empty())
      return false;
    run_.partition(sides);
    if (dice_.random().chance(0.3))
      for (const auto a : sides.front())
        for (const auto b : sides.back())
          break_link(a, b);
    dice_.later(dice_.some_time(), [this, which = ++partitions_] {
      if (which == partitions_) // else another one has taken its place
        run_.partition({});
    });
    return true;
  }

  /// Some pairs of nodes do not see each other, and all may be connected even so.
  bool thin_out() {
    const auto nodes = run_.nodes();
    for (auto a = nodes.begin(); a != nodes.end(); ++a)
      for (auto b = a + 1; b != nodes.end(); ++b)
        if (dice_.random().chance(0.4))
          cut_both_ways(*a, *b);
    return nodes.size() > 1;
  }

  bool swizzle() {
    for (const auto id : run_.nodes()) {
      if (dice_.random().chance(0.5))
        continue;
      const auto off = dice_.some_time();
      const auto back = off + dice_.some_time();
      for (const auto other : run_.nodes()) {
        dice_.later(off, [this, id, other] { run_.cut(id, other); });
        dice_.later(back, [this, id, other] { mend(id, other); });
      }
    }
    return run_.nodes().size() > 1;
  }

  void mend(member_id a, member_id b) {
    run_.net().mend(a, b);
    run_.net().mend(b, a);
  }

  void flap(member_id a, member_id b) {
    const auto half = dice_.some_time() / 8;
    const auto times = dice_.random().between(2, 8);
    for (int i = 0; i < times; ++i) {
      dice_.later(half * (2 * i), [this, a, b] { run_.cut(a, b); });
      dice_.later(half * (2 * i + 1), [this, a, b] { mend(a, b); });
    }
  }

  void slow_down(member_id a, member_id b) {
    run_.net().slow_down(a, b, dice_.some_time() / 2);
    dice_.later(dice_.some_time(), [this, a, b] { run_.net().speed_up(a, b); });
  }

  bool set_weather(bool bad) {
    auto links = plan_.options.links;
    if (bad) {
      links.drop = plan_.drop;
      links.duplicate = plan_.duplicate;
      links.straggle = plan_.straggle;
    }
    run_.net().set(links);
    return true;
  }

  const run_plan& plan_;
  simulation<tally>& run_;
  fault_dice& dice_;
  std::uint64_t partitions_ = 0;
};

} // namespace understudy::testing
