// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Which role a node is in, and how it comes to another (§5.1).

#include <understudy/core/assert.hpp>
#include <understudy/raft/campaigning.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/raft/following.hpp>
#include <understudy/raft/leading.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

namespace understudy {

/// Follower, candidate or leader; what belongs to a role ends with it.
class roles {
public:
  explicit roles(core_state& state) : role_{following{state, {}, instant{}}} {}

  /// The role, if it is this one; else null.
  template <class Role> [[nodiscard]] Role* as() { return std::get_if<Role>(&role_); }
  template <class Role> [[nodiscard]] const Role* as() const { return std::get_if<Role>(&role_); }

  /// Carries out what a handler asked for; a role may at once ask for the next.
  void take_next(core_state& state, instant now, outbox& out) {
    state.silence.pass(now);
    while (state.next) {
      const auto next = *std::exchange(state.next, std::nullopt);
      if (auto* leader = as<leading>())
        leader->step_down(out);
      if (const auto* f = std::get_if<become_follower>(&next)) {
        role_ = following{state, *f, now};
      } else if (const auto* c = std::get_if<become_candidate>(&next)) {
        role_.emplace<campaigning>(state, *c, now, out).count(state);
      } else {
        state.defeats = 0;
        role_.emplace<leading>(state, now);
      }
    }
  }

  /// Takes up a term that a message showed to be newer; of its leader, if that is who sent it.
  void see_term(term_number term, member_id leader, core_state& state, instant now, outbox& out) {
    if (term <= state.term())
      return;
    state.raise_term(term);
    state.next = become_follower{leader};
    take_next(state, now, out);
  }

  /// The role in which messages of the leader of `term` are taken; the term is not an old one.
  following& follow(term_number term, member_id leader, core_state& state, instant now,
                    outbox& out) {
    see_term(term, leader, state, now, out);
    UNDERSTUDY_ASSERT(!as<leading>(), "two leaders in one term (§5.2)");
    state.silence.heard(now);
    state.defeats = 0;
    if (!as<following>()) {
      state.next = become_follower{leader};
      take_next(state, now, out);
    }
    return *as<following>();
  }

  /// Whether this node knows of a leader that is alive, or that may still be reading under a lease:
  /// then it votes for nobody else.
  [[nodiscard]] bool hears_leader(const core_state& state, instant now) const {
    if (state.abstains_for(now) > interval{0})
      return true;
    if (const auto* follower = as<following>())
      return follower->hears_leader(state, now);
    if (const auto* leader = as<leading>())
      return leader->in_contact_with_quorum(state, now);
    return false;
  }

  /// When `wake` has something to do.
  [[nodiscard]] instant deadline(const core_state& state) const {
    if (const auto* follower = as<following>())
      return follower->deadline(state);
    if (const auto* candidate = as<campaigning>())
      return candidate->deadline();
    return as<leading>()->deadline(state);
  }

private:
  std::variant<following, campaigning, leading> role_;
};

} // namespace understudy
