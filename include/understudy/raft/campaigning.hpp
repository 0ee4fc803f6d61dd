// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A candidate, in the pre-vote or in the vote itself (§5.2, §9.6 of the thesis).

#include <understudy/core/messages.hpp>
#include <understudy/raft/core_state.hpp>

#include <algorithm>
#include <set>

namespace understudy {

/// Asks every voter of the newest configuration in its own log, and needs a majority of each half.
/// It counts itself only in those that list it.
class campaigning {
public:
  /// Starts a round. In the vote itself the term is raised and the own vote given; both are durable
  /// before anyone is asked (§5.2, E2).
  campaigning(core_state& state, become_candidate how, instant now, outbox& out)
      : round_{how.round}, began_{now}, lost_answers_{how.lost_answers || how.by_transfer},
        give_up_at_{now
                    + state.random.between(state.options.election_timeout_min,
                                           state.options.election_timeout_max)} {
    if (round_ == round::vote) {
      state.raise_term(state.term().next());
      state.give_vote(state.self);
    }
    own_vote_ = state.durable.covering();
    const request_vote question{.term = asked_term(state),
                                .round = round_,
                                .last = state.log.last(),
                                .entered = state.entered,
                                .by_transfer = how.by_transfer};
    for (auto id : all_voters(*state.newest().content))
      if (id != state.self)
        state.durable.send_when_voted(out, id, question);
  }

  [[nodiscard]] enum round round() const { return round_; }

  /// Counts an answer to this round's question; all others are out of date (E15).
  void on(member_id from, const vote_reply& m, core_state& state) {
    lost_answers_ = lost_answers_ || from == state.lost_leader;
    if (m.round != round_ || m.asked != asked_term(state))
      return;
    if (m.verdict == verdict::granted) {
      granted_.insert(from);
      refused_.erase(from);
    } else if (m.verdict != verdict::hears_leader && !granted_.contains(from)) {
      refused_.insert(from); // one that still hears the leader may yet say otherwise
      outdated_ = outdated_ || m.verdict == verdict::newer_log;
    }
    count(state);
  }

  /// Looks whether the round is decided; called when something may have changed that.
  void count(core_state& state) {
    const auto& voters = *state.newest().content;
    const bool own = state.durable.is_voted(own_vote_);
    const auto yes = [&](member_id id) { return id == state.self ? own : granted_.contains(id); };
    if (quorum_of(voters, yes)) {
      if (round_ == round::pre_vote)
        state.next = become_candidate{.round = round::vote, .lost_answers = lost_answers_};
      else
        state.next = become_leader{};
    } else if (is_outvoted(state)) {
      state.next = become_follower{.stood_since = began_};
    } else if (quorum_lost(voters, [&](member_id id) { return refused_.contains(id); })) {
      state.next = become_follower{};
    }
  }

  void wake(core_state& state, instant now) {
    if (now >= give_up_at_ || !state.may_campaign())
      state.next = become_follower{};
  }

  [[nodiscard]] instant deadline() const { return give_up_at_; }

private:
  /// So many votes went to others that this node can not win. The leader that was lost is not
  /// waited for, unless it answers. Who was refused for its log is no match for the others.
  [[nodiscard]] bool is_outvoted(const core_state& state) const {
    return round_ == round::vote && !refused_.empty() && !outdated_
           && quorum_lost(*state.newest().content, [&](member_id id) {
                return refused_.contains(id) || (id == state.lost_leader && !lost_answers_);
              });
  }

  /// A pre-vote asks for the term that a vote would have.
  [[nodiscard]] term_number asked_term(const core_state& state) const {
    return round_ == round::pre_vote ? state.term().next() : state.term();
  }

  enum round round_;
  instant began_;
  bool lost_answers_; ///< so it is not lost after all
  instant give_up_at_;
  generation own_vote_; ///< the write that makes the own vote count
  std::set<member_id> granted_;
  std::set<member_id> refused_;
  bool outdated_ = false; ///< one of those has a newer log
};

} // namespace understudy
