// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A node that does not stand for election: voters between elections, and every listener.

#include <understudy/core/messages.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/raft/schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace understudy {

/// The follower's part of §5.2 and §5.3: take entries from the leader, and notice when it is gone.
class following {
public:
  /// Without a leader the term has none yet that this node knows of.
  following(core_state& state, become_follower how, instant now) : leader_{how.leader} {
    if (leader_)
      hear(now);
    else
      campaign_at_
          = now + (how.stood_since ? after_defeat(state, now - *how.stood_since) : fallback(state));
  }

  /// Whose entries it takes: the leader of this term, once that has written to it.
  [[nodiscard]] member_id leader() const { return leader_; }
  [[nodiscard]] instant heard() const { return heard_; }

  /// Whether the leader gave a sign lately: then no other candidate gets a vote. What others say of
  /// a leader is no such sign.
  [[nodiscard]] bool hears_leader(const core_state& state, instant now) const {
    return leader_ && !(lost_ && watched_ == leader_) && now - heard_ < state.options.suspect_after;
  }

  /// AppendEntries of the current term (§5.3).
  void on(member_id from, append_entries& m, core_state& state, instant now, outbox& out) {
    follow(from, now);
    append_reply answer{.term = state.term(),
                        .stream = m.stream,
                        .attempt = m.attempt,
                        .read_round = m.read_round,
                        .unfit = state.machine_failed};
    if (!state.agrees_at(m.previous)) {
      answer.hint = state.log.agreement_at_most(m.previous.index.previous(), m.previous.term);
      return out.send(from, answer);
    }
    answer.accepted = true;
    answer.match = state.merge(m.previous, m.entries);
    // Beyond what this message has matched, the log may differ from the leader's (R8).
    state.advance_commit(std::min(m.commit, std::min(answer.match, state.log.last().index)));
    if (!state.durable.is_full())
      return state.durable.send_when_durable(out, from, answer);
    // The leader need not go, and its reads go on, while entries wait for room: but none of these
    // is claimed (D5).
    answer.hint = {answer.match, state.log.term_at(answer.match).value_or(term_number{})};
    answer.match = std::min(answer.match, state.durable.acknowledged());
    state.durable.send_when_voted(out, from, answer);
  }

  /// The leader sent a chunk of a snapshot: a sign of life like any other.
  void follow(member_id from, instant now) {
    UNDERSTUDY_ASSERT(!leader_ || leader_ == from, "one leader in each term (§5.2)");
    leader_ = from;
    hear(now);
  }

  /// A source of this listener's pulls said who leads, and when it heard that leader. A listener
  /// hears nothing else of one, so the loss that starts the schedule is seen this way (S5). What
  /// was heard before the loss is no news, and mere hearsay never is.
  void told_of(member_id leader, instant heard, const core_state& state, instant now) {
    const bool alive = leader != state.self && now - heard < state.options.suspect_after;
    if (!alive || state.is_voter() || heard <= (watched_ == leader ? watched_heard_ : lost_at_))
      return;
    watched_ = leader;
    watched_heard_ = heard;
    lost_ = false;
  }

  /// This node has answered one that stands.
  void ruled(verdict what, round in, core_state& state, instant now) {
    if (what == verdict::newer_log)
      refused_older_log(state, now);
    else if (what == verdict::granted && in == round::vote)
      voted(state, now);
    else if (what == verdict::granted)
      pre_voted(state, now);
  }

  /// The link to `who` broke. If that is the leader, the schedule starts at once; but not where the
  /// leader may be reading under a lease, for then only silence counts.
  void lost(member_id who, core_state& state, instant now) {
    if (who && who == watched_ && !lost_ && lease_of(state.newest()) == interval{0})
      lose(state, now);
  }

  void wake(core_state& state, instant now) {
    if (watched_ && !lost_ && now - watched_heard_ >= patience(state))
      lose(state, now);
    if (now < campaign_at_ || (watched_ && !lost_))
      return;
    if (const auto rest = state.abstains_for(now); rest > interval{0}) {
      campaign_at_ = now + rest + (watched_ ? place_in_schedule(state) : spread(state));
      return;
    }
    campaign_at_ = now + fallback(state);
    if (state.may_campaign())
      state.next = become_candidate{};
  }

  /// When `wake` has something to do.
  [[nodiscard]] instant deadline(const core_state& state) const {
    return watched_ && !lost_ ? watched_heard_ + patience(state) : campaign_at_;
  }

private:
  void hear(instant now) {
    heard_ = watched_heard_ = now;
    watched_ = leader_;
    lost_ = false;
  }

  void lose(core_state& state, instant now) {
    lost_ = true;
    lost_at_ = now;
    state.lost_leader = watched_;
    campaign_at_ = now + place_in_schedule(state);
  }

  /// A vote was given: whoever got it is given an election timeout to win.
  void voted(core_state& state, instant now) {
    leader_ = watched_ = {};
    campaign_at_ = now + fallback(state);
  }

  /// A pre-vote was given: who asked for it gets two steps to win, even if it was not its turn. The
  /// schedule goes on behind that, and no later than a timeout: others may ask who can never win.
  void pre_voted(core_state& state, instant now) {
    const auto own = 2 * state.options.campaign_step + place_among_voters(state, 0);
    campaign_at_ = std::max(campaign_at_, now + std::min(own, state.options.election_timeout_min));
  }

  /// A candidate whose log is older asked for a vote: this node takes its own place in the
  /// schedule, and waits for no listener.
  void refused_older_log(core_state& state, instant now) {
    if (!hears_leader(state, now))
      campaign_at_ = std::min(campaign_at_, now + place_among_voters(state, 0));
  }

  /// For how long a leader may be silent.
  static interval patience(const core_state& state) {
    return std::max(state.options.suspect_after,
                    abstention_for(lease_of(state.newest()), state.options));
  }

  static interval fallback(core_state& state) {
    return state.options.election_timeout_min + spread(state);
  }

  /// So that not all who waited equally long stand at the same moment.
  static interval spread(core_state& state) {
    return state.random.between(interval{0}, state.options.election_timeout_max
                                                 - state.options.election_timeout_min);
  }

  /// Others got the votes, and it took so long to learn that. One of them may have won and learn it
  /// as much later, when the last vote for it is stored, and then write to all: this node must not
  /// depose it. So it stands again after twice that time, at its place in the schedule, and within
  /// a span that grows with each defeat (§9.3: it is chance that ends a tie).
  interval after_defeat(core_state& state, interval took) const {
    const auto step = std::max(state.options.campaign_step, 2 * took);
    const auto span = step * (std::int64_t{1} << std::min(++state.defeats, 16u));
    return std::min(step + place_in_schedule(state) + state.random.between(interval{0}, span),
                    fallback(state));
  }

  /// The own turn after the leader was lost: the listener who would have its seat comes first.
  interval place_in_schedule(core_state& state) const {
    if (!state.newest().content)
      return fallback(state);
    const auto& ranks = state.committed().content;
    const auto first
        = ranks ? understudy_of(*ranks, *state.newest().content, state.lost_leader) : member_id{};
    return first == state.self ? interval{0} : place_among_voters(state, first ? 1 : 0);
  }

  /// A node without a vote has no place, and looks again later; so does one that can not apply, or
  /// not store: others go first, but it may be the only one with the log that wins.
  interval place_among_voters(core_state& state, std::size_t first) const {
    const auto& in_force = state.newest().content;
    const auto place
        = in_force ? campaign_place(*in_force, state.self, state.lost_leader, first) : std::nullopt;
    if (!place || state.machine_failed || state.durable.is_full())
      return fallback(state);
    return state.random.jittered(state.options.campaign_step * static_cast<std::int64_t>(*place));
  }

  member_id leader_;
  instant heard_ = {};         ///< when it last wrote to this node
  member_id watched_;          ///< the leader whose loss starts the schedule; maybe only told of
  instant watched_heard_ = {}; ///< its last sign, by whatever way
  bool lost_ = false;          ///< the watched one's link broke, or it fell silent
  instant lost_at_ = {};
  instant campaign_at_ = {};
};

} // namespace understudy
