// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Somebody who gives orders at the worst of times.

#include <understudy/testing/membership_rules.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/simulation.hpp>
#include <understudy/testing/workload.hpp>

#include <algorithm>
#include <set>

namespace understudy::testing {

/// Has nodes leave, sends them away, pins them, moves the leadership and changes the settings.
class random_operator {
public:
  random_operator(simulation<tally>& run, random_stream random) : run_{run}, random_{random} {}

  /// Has a node leave, while there are others to take over.
  void leave_one(member_id who) {
    const auto& clusters = run_.rules().clusters();
    if (clusters.empty() || run_.rules().past(clusters.front()).configurations().empty())
      return;
    const auto& committed = run_.rules().past(clusters.front()).configurations().back();
    const auto others = std::ranges::count_if(detail::ranked(*committed.content), [&](member_id m) {
      return m != who && run_.runs(m) && !leaving_.contains(m);
    });
    if (others < 2)
      return;
    leaving_.insert(who);
    // With much time or with little.
    run_.leave(who, random_.chance(0.5) ? interval{}
                                        : random_.between(std::chrono::milliseconds{10},
                                                          run_.options().membership.leave_limit));
  }

  /// What an operator may think of, at node `at`. Who is sent away is started anew when all is
  /// over.
  void give_order(member_id at) {
    const auto nodes = run_.nodes();
    const auto whom = random_.pick(nodes);
    switch (random_.below(6)) {
    case 0:
      return run_.give_order(at, mark_member{whom, standing::evicted});
    case 1:
      return run_.give_order(at, pin_member{whom, true});
    case 2:
      return run_.give_order(at, set_rules{other_rules()});
    case 3:
    case 4:
      return run_.give_order(at, transfer_leadership{random_.chance(0.5) ? whom : member_id{}});
    default: // nobody stays pinned for long, or there is nobody left to vote
      return unpin_all(at);
    }
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

  void unpin_all(member_id at) {
    for (const auto id : run_.nodes())
      run_.give_order(at, pin_member{id, false});
  }

private:
  settings other_rules() {
    auto rules = run_.options().rules;
    rules.max_voters = random_.between(1u, 5u);
    rules.min_voters = random_.between(1u, rules.max_voters);
    return rules;
  }

  simulation<tally>& run_;
  random_stream random_;
  std::set<member_id> leaving_;
};

} // namespace understudy::testing
