// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The vote rule: who gets this node's vote, in either round.
///
/// It does not ask what this node's own role is: one that was promoted and does not know it yet
/// must vote, or a live majority could be stuck (E5). Whether the vote counts is the candidate's
/// configuration's business.

#include <understudy/core/messages.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/roster/roster.hpp>

#include <optional>
#include <utility>

namespace understudy {

/// Whether a committed configuration shows that the candidate left the roster: it is newer than the
/// entry by which the candidate came in, and does not list it. Only then is a node told that it was
/// removed, never because this node has not heard of it yet.
[[nodiscard]] inline bool was_removed(const core_state& state, member_id candidate,
                                      const request_vote& asked) {
  const auto& known = state.committed();
  if (!known.content || asked.entered == log_index{} || known.index < asked.entered)
    return false;
  return find(*known.content, candidate) == nullptr;
}

/// Judges a request whose term has been dealt with: in a vote, the own term is at least the
/// candidate's.
///
/// `hears_leader`: a leader has given a sign lately. Then nobody else gets a vote, whatever the
/// term (thesis §4.2.3), unless the leader itself sent the candidate.
[[nodiscard]] inline verdict judge(const core_state& state, member_id candidate,
                                   const request_vote& asked, bool hears_leader) {
  if (was_removed(state, candidate, asked))
    return verdict::removed;
  if (hears_leader && !asked.by_transfer)
    return verdict::hears_leader;
  if (asked.term < state.term())
    return verdict::refused;
  const auto& own = state.vote();
  const bool free = asked.term > own.term || !own.vote || own.vote == candidate;
  if (!free)
    return verdict::refused;
  if (asked.last < state.log.last())
    return verdict::newer_log;
  return verdict::granted;
}

/// Gives and refuses votes, and remembers a refusal that may soon have to be taken back.
class ballot_box {
public:
  /// Answers a request. A vote raises the own term to the candidate's first, unless a leader is
  /// heard or the candidate was removed: such a candidate must not disturb anyone (E6).
  verdict answer(member_id from, const request_vote& m, bool hears_leader, core_state& state,
                 instant now, outbox& out) {
    const bool heeded = (!hears_leader || m.by_transfer) && !was_removed(state, from, m);
    if (m.round == round::vote && heeded && m.term > state.term()) {
      state.raise_term(m.term);
      state.next = become_follower{};
    }
    const auto ruling = judge(state, from, m, hears_leader);
    if (ruling == verdict::newer_log)
      state.refused_with = state.log.last();
    if (ruling == verdict::granted && m.round == round::vote) {
      state.give_vote(from);
      state.durable.send_when_voted(out, from, reply_to(m, ruling, state));
    } else {
      out.send(from, reply_to(m, ruling, state));
    }
    if (ruling == verdict::hears_leader && m.round == round::pre_vote)
      put_off_ = {from, m, now};
    return ruling;
  }

  /// The leader is not heard any more. A candidate that was refused within the last step of the
  /// schedule gets another answer: a loss is not noticed everywhere at once. With a lease the
  /// candidate had waited for as long as this node, so it may be one heartbeat ahead. Returns the
  /// answer to its pre-vote, if there is one.
  std::optional<verdict> leader_lost(core_state& state, instant now, outbox& out) {
    const auto question = std::exchange(put_off_, std::nullopt);
    const bool leased = lease_of(state.newest()) > interval{0};
    const auto& times = state.options;
    if (!question || now - question->at > (leased ? times.suspect_after : times.campaign_step))
      return std::nullopt;
    return answer(question->from, question->asked, false, state, now, out);
  }

private:
  struct put_off_question {
    member_id from;
    request_vote asked;
    instant at;
  };

  static vote_reply reply_to(const request_vote& m, verdict ruling, const core_state& state) {
    return {.term = state.term(), .round = m.round, .asked = m.term, .verdict = ruling};
  }

  std::optional<put_off_question> put_off_;
};

} // namespace understudy
