// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Somebody who gives orders at the worst of times.

#include <understudy/testing/membership_rules.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/simulation.hpp>
#include <understudy/testing/workload.hpp>

#include <algorithm>
#include <functional>
#include <set>

namespace understudy::testing {

/// Has nodes leave, sends them away, pins them, moves the leadership, changes the settings and has
/// snapshots taken.
///
/// It knows better than to take the vote of one while another is dead: a leader that has not
/// noticed yet would begin a change which, should it be lost too, nobody could end.
class random_operator {
public:
  /// Whether a node is not needed, as far as anybody can tell; to be set.
  std::function<bool(member_id)> may_go = {};

  random_operator(simulation<tally>& run, random_stream random) : run_{run}, random_{random} {}

  /// Has a node leave, while there are others to take over. Returns whether there are.
  bool leave_one(member_id who) {
    const auto& clusters = run_.rules().clusters();
    if (!may_go(who) || clusters.empty()
        || run_.rules().past(clusters.front()).configurations().empty())
      return false;
    const auto& committed = run_.rules().past(clusters.front()).configurations().back();
    const auto others = std::ranges::count_if(detail::ranked(*committed.content), [&](member_id m) {
      return m != who && run_.runs(m) && !leaving_.contains(m);
    });
    if (others < 2)
      return false;
    leaving_.insert(who);
    on_the_way_out_.insert(who);
    // With much time or with little.
    run_.leave(who, random_.chance(0.5) ? interval{}
                                        : random_.between(std::chrono::milliseconds{10},
                                                          run_.options().membership.leave_limit));
    return true;
  }

  /// What an operator may think of, at node `at`. Who is sent away is started anew when all is
  /// over. Returns whether an order was given.
  bool give_order(member_id at) {
    const auto nodes = run_.nodes();
    const auto whom = random_.pick(nodes);
    const auto what = random_.below(7);
    if (what < 2 && !may_go(whom))
      return false;
    switch (what) {
    case 0:
      on_the_way_out_.insert(whom);
      run_.give_order(at, mark_member{whom, standing::evicted});
      break;
    case 1:
      pinned_.insert(whom);
      run_.give_order(at, pin_member{whom, true});
      break;
    case 2:
      run_.give_order(at, set_rules{other_rules()});
      break;
    case 3:
    case 4:
      run_.give_order(at, transfer_leadership{random_.chance(0.5) ? whom : member_id{}});
      break;
    case 5:
      run_.snapshot_now(at);
      break;
    default: // nobody stays pinned for long, or there is nobody left to vote
      unpin_all(at);
    }
    return true;
  }

  /// A node whose time to leave was up goes on while it is needed: it is sent away, so that
  /// somebody else takes its seat.
  void see_to_end_of(member_id who) {
    const auto is_done = [&](member_id id) {
      return run_.part<monitor>(id).status().leaving == leave_step::ended;
    };
    if (!is_done(who))
      return;
    for (const auto at : run_.nodes())
      if (!is_done(at))
        return run_.give_order(at, mark_member{who, standing::evicted});
  }

  /// Whether somebody was told to give up its vote, or may still be.
  [[nodiscard]] bool wants_out(member_id who) const {
    return on_the_way_out_.contains(who) || pinned_.contains(who);
  }

  /// No order is on its way any more. Who was to be sent away, and is not marked by now, stays.
  void give_up_orders() { on_the_way_out_.clear(); }

  void unpin_all(member_id at) {
    pinned_.clear();
    for (const auto id : run_.nodes())
      run_.give_order(at, pin_member{id, false});
  }

private:
  settings other_rules() {
    auto rules = run_.options().rules;
    rules.max_voters = random_.between(1u, 5u);
    rules.min_voters = random_.between(1u, rules.max_voters);
    if (rules.lease_ms > 0 && random_.chance(0.5))
      rules.lease_ms = random_.chance(0.5) ? 0u : random_.between(1u, rules.lease_ms);
    return rules;
  }

  simulation<tally>& run_;
  random_stream random_;
  std::set<member_id> leaving_;
  std::set<member_id> on_the_way_out_;
  std::set<member_id> pinned_;
};

} // namespace understudy::testing
