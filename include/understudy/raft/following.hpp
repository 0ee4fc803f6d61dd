// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A node that does not stand for election: voters between elections, and every listener.

#include <understudy/core/messages.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/raft/schedule.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace understudy {

/// The follower's part of §5.2 and §5.3: take entries from the leader, and notice when it is gone.
class following {
public:
  /// `leader`: whose follower; none: the term has no leader yet that this node knows of.
  following(core_state& state, member_id leader, instant now) : leader_{leader} {
    if (leader)
      hear(now);
    else
      campaign_at_ = now + fallback(state);
  }

  [[nodiscard]] member_id leader() const { return leader_; }
  [[nodiscard]] instant heard() const { return heard_; }

  /// Whether the leader gave a sign lately: then no other candidate gets a vote.
  [[nodiscard]] bool hears_leader(const core_state& state, instant now) const {
    return leader_ && !lost_ && now - heard_ < state.options.suspect_after;
  }

  /// AppendEntries of the current term (§5.3).
  void on(member_id from, append_entries& m, core_state& state, instant now, outbox& out) {
    follow(from, now);
    append_reply answer{.term = state.term(), .stream = m.stream, .read_round = m.read_round};
    if (!state.agrees_at(m.previous)) {
      answer.hint = state.log.agreement_at_most(m.previous.index.previous(), m.previous.term);
      return out.send(from, answer);
    }
    answer.accepted = true;
    answer.match = state.merge(m.previous, m.entries);
    // Beyond what this message has matched, the log may differ from the leader's (R8).
    state.advance_commit(std::min(m.commit, std::min(answer.match, state.log.last().index)));
    state.durable.send_when_durable(out, from, answer);
  }

  /// The leader sent a chunk of a snapshot: a sign of life like any other.
  void follow(member_id from, instant now) {
    UNDERSTUDY_ASSERT(!leader_ || leader_ == from, "one leader in each term (§5.2)");
    leader_ = from;
    hear(now);
  }

  /// A vote was given: whoever got it is given an election timeout to win.
  void voted(core_state& state, instant now) {
    leader_ = {};
    campaign_at_ = now + fallback(state);
  }

  /// The link to `who` broke. If that is the leader, the schedule starts at once.
  void lost(member_id who, core_state& state, instant now) {
    if (who != leader_ || lost_)
      return;
    lost_ = true;
    campaign_at_ = now + place_in_schedule(state);
  }

  /// A candidate whose log is older asked for a vote: this node takes its own place in the
  /// schedule.
  void refused_older_log(core_state& state, instant now) {
    if (!hears_leader(state, now))
      campaign_at_ = std::min(campaign_at_, now + place_in_schedule(state));
  }

  void wake(core_state& state, instant now) {
    if (leader_ && !lost_ && now - heard_ >= state.options.suspect_after)
      lost(leader_, state, now);
    if (now < campaign_at_ || (leader_ && !lost_))
      return;
    campaign_at_ = now + fallback(state);
    if (state.may_campaign())
      state.next = become_candidate{};
  }

  /// When `wake` has something to do.
  [[nodiscard]] instant deadline(const core_state& state) const {
    return leader_ && !lost_ ? heard_ + state.options.suspect_after : campaign_at_;
  }

private:
  void hear(instant now) {
    heard_ = now;
    lost_ = false;
  }

  static interval fallback(core_state& state) {
    return state.random.between(state.options.election_timeout_min,
                                state.options.election_timeout_max);
  }

  /// The own turn after the leader was lost; a node without a vote has none, and looks again later.
  interval place_in_schedule(core_state& state) const {
    if (!state.newest().content)
      return fallback(state);
    const auto place = campaign_place(*state.newest().content, state.self, leader_);
    if (!place)
      return fallback(state);
    return state.random.jittered(state.options.campaign_step * static_cast<std::int64_t>(*place));
  }

  member_id leader_;
  instant heard_ = {};
  bool lost_ = false; ///< the leader is known, and its link broke or it fell silent
  instant campaign_at_ = {};
};

} // namespace understudy
