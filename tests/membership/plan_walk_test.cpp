// SPDX-License-Identifier: BSL-1.0

/// \file
/// plan() in random histories: nodes enter, catch up, fall silent, leave, crash, are evicted,
/// pinned and dropped, settings and leaders change, and changes of the voters succeed or are given
/// up.

#include <understudy/core/random.hpp>
#include <understudy/membership/plan.hpp>
#include <understudy/roster/roster.hpp>

#include <doctest/doctest.h>

#include "group.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

namespace plan_walk_test {

using namespace understudy;
using membership_test::group;

namespace {

struct truth {
  bool alive = true;
  bool caught_up = false;
  bool passed_over = false;
  bool overdue = false;
};

class history {
public:
  explicit history(std::uint64_t seed) : random_{seed} {
    const auto t = static_cast<std::uint32_t>(1 + random_.below(7));
    now_ = group(1, {1}, t);
    nodes_[{1}].caught_up = true;
  }

  void step() {
    switch (random_.below(18)) {
    case 0:
    case 1:
    case 2:
      enter();
      break;
    case 3:
      mark(standing::leaving);
      break;
    case 4:
      crash();
      break;
    case 5:
      evict_dead();
      break;
    case 6:
      any().overdue = true;
      break;
    case 7:
      drop_gone();
      break;
    case 8:
      lower_or_raise_limit();
      break;
    case 9:
      pin();
      break;
    case 10:
      pass_over();
      break;
    case 11:
      leader_ = {};
      break;
    default:
      any().caught_up = random_.below(4) != 0;
      break;
    }
    if (elect())
      advance();
  }

  [[nodiscard]] std::uint64_t changes() const { return changes_; }

  /// Everybody who lives is ready. Returns how many changes it took until there were no more.
  int calm_down() {
    for (auto& [id, node] : nodes_) {
      node.caught_up = node.alive;
      node.passed_over = !node.alive;
      node.overdue = false;
    }
    if (!elect())
      return 0;
    for (int changes = 0; changes < 20; ++changes) {
      const auto result = plan(input());
      if (result.reason != plan_reason::change) {
        check_calm(result);
        return changes;
      }
      commit(result);
    }
    return 20;
  }

private:
  [[nodiscard]] plan_input input() {
    plan_input in{.self = leader_,
                  .newest = std::make_shared<const configuration>(now_),
                  .committed = true,
                  .term_committed = true};
    for (const auto& m : now_.members) {
      const auto& node = nodes_[m.id];
      in.outlooks.push_back({.id = m.id,
                             .asked = node.alive,
                             .caught_up = node.alive && node.caught_up,
                             .in_contact = node.alive,
                             .passed_over = node.passed_over && !node.caught_up,
                             .overdue = node.overdue});
    }
    return in;
  }

  void advance() {
    const auto result = plan(input());
    if (result.reason != plan_reason::change)
      return;
    check_change(result);
    if (random_.below(8) == 0) // given up: the old voters stay
      now_ = go_back(begin_joint(now_, result.voters).value());
    else
      commit(result);
  }

  void commit(const plan_result& result) {
    now_ = finish_joint(begin_joint(now_, result.voters).value());
    REQUIRE(complaints(now_).empty());
    ++changes_;
  }

  /// What must hold of every change, whatever happened before.
  void check_change(const plan_result& result) {
    const auto& next = result.voters;
    const auto listed = [&](member_id id) { return std::ranges::find(next, id) != next.end(); };
    REQUIRE(!next.empty());
    REQUIRE(next.size() <= now_.rules.max_voters);
    std::size_t sitting = 0, kept = 0, vacant = 0, evicted = 0;
    for (auto id : now_.voters) {
      const auto& m = *find(now_, id);
      sitting += in_line(m) ? 1u : 0u;
      kept += in_line(m) && listed(id) ? 1u : 0u;
      vacant += in_line(m) ? 0u : 1u;
      evicted += m.status == standing::evicted && !listed(id) ? 1u : 0u;
    }
    if (sitting <= now_.rules.max_voters)
      REQUIRE(kept == sitting); // a sitting healthy voter is never unseated
    std::size_t added = 0;
    for (auto id : next)
      if (!has_vote(now_, id)) {
        ++added;
        const auto& node = nodes_[id];
        REQUIRE(in_line(*find(now_, id)));
        REQUIRE((id == leader_ || (node.alive && node.caught_up)));
      }
    if (vacant == 0 && added > 0)
      REQUIRE(next.size() % 2 == 1); // growth lands on odd numbers
    REQUIRE(sitting + added <= std::max(sitting, seats(now_).seats));
    if (evicted > 0 && next.size() < now_.rules.min_voters)
      check_below_floor(next);
    REQUIRE(majority_lives(now_.voters));
    REQUIRE(majority_lives(next));
  }

  /// Evicted ones went below the floor: only dead ones, with whom the rest could not decide, and
  /// only because others go too.
  void check_below_floor(const std::vector<member_id>& next) {
    bool others_go = false;
    for (auto id : now_.voters) {
      if (std::ranges::find(next, id) != next.end())
        continue;
      if (find(now_, id)->status != standing::evicted) {
        others_go = true;
        continue;
      }
      REQUIRE_FALSE(nodes_[id].alive);
      auto with = next;
      with.push_back(id);
      REQUIRE_FALSE(majority_lives(with));
    }
    REQUIRE(others_go);
  }

  /// What is reached once nothing happens any more.
  void check_calm(const plan_result& result) {
    if (result.reason == plan_reason::no_majority || result.reason == plan_reason::last_member)
      return;
    const bool all_well = std::ranges::all_of(
        now_.members, [&](const member& m) { return !in_line(m) || nodes_[m.id].alive; });
    std::size_t stranded = 0;
    for (auto id : now_.voters)
      if (const auto& m = *find(now_, id); !in_line(m)) {
        ++stranded;
        REQUIRE(m.status == standing::evicted);
        REQUIRE(now_.voters.size() <= now_.rules.min_voters);
      }
    REQUIRE(now_.voters.size() <= now_.rules.max_voters);
    CAPTURE(result.detail);
    if (!all_well)
      return;
    REQUIRE(open_seats(now_) == 0);
    REQUIRE((result.reason == plan_reason::settled || stranded > 0));
  }

  [[nodiscard]] bool majority_lives(const std::vector<member_id>& half) {
    const auto living = std::ranges::count_if(half, [&](member_id id) { return nodes_[id].alive; });
    return 2 * static_cast<std::size_t>(living) > half.size();
  }

  [[nodiscard]] member_id pick() { return now_.members[random_.below(now_.members.size())].id; }
  [[nodiscard]] truth& any() { return nodes_[pick()]; }

  /// A leader that is gone is followed by any that lives; whether there is one.
  bool elect() {
    if (find(now_, leader_) && nodes_[leader_].alive)
      return true;
    std::vector<member_id> living;
    for (const auto& m : now_.members)
      if (nodes_[m.id].alive)
        living.push_back(m.id);
    leader_ = living.empty() ? member_id{} : living[random_.below(living.size())];
    return !living.empty();
  }

  void change(roster_change what) {
    if (auto next = apply(now_, what, {++entered_}))
      now_ = std::move(*next);
  }

  void enter() {
    if (now_.members.size() >= 10)
      return;
    const member_id newcomer{++entered_};
    nodes_[newcomer] = {};
    change(enter_member{{.id = newcomer}});
  }

  void mark(standing how) { change(mark_member{pick(), how}); }

  void crash() {
    if (random_.below(2) == 0)
      any().alive = false;
  }

  void evict_dead() {
    const auto who = pick();
    if (!nodes_[who].alive)
      change(mark_member{who, standing::evicted});
  }

  void drop_gone() {
    const auto who = pick();
    if (!in_line(*find(now_, who)) && now_.members.size() > 1 && who != leader_)
      change(drop_member{who});
  }

  void lower_or_raise_limit() {
    const auto t = static_cast<std::uint32_t>(1 + random_.below(7));
    change(set_rules{{.max_voters = t, .min_voters = std::min(3u, t)}});
  }

  void pin() {
    if (random_.below(3) == 0)
      change(pin_member{pick(), random_.below(2) == 0});
  }

  void pass_over() {
    auto& node = any();
    node.passed_over = !node.caught_up;
  }

  random_source random_;
  configuration now_;
  std::map<member_id, truth> nodes_;
  member_id leader_{1};
  std::uint64_t entered_ = 1;
  std::uint64_t changes_ = 0;
};

} // namespace

TEST_CASE("20,000 random histories settle, stay within T, and unseat no healthy voter") {
  std::uint64_t changes = 0;
  const auto from = membership_test::first_seed();
  const auto count = membership_test::cases(20'000);
  for (auto seed = from; seed < from + count; ++seed) {
    CAPTURE(seed);
    history run{seed};
    for (int i = 0; i < 40; ++i)
      run.step();
    REQUIRE(run.calm_down() <= 1); // one change is enough, however much has happened
    changes += run.changes();
  }
  if (count > 1)
    CHECK(changes > count); // else the walks lead nowhere
}

} // namespace plan_walk_test
