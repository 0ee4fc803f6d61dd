// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a node can say of the leader: at first hand, or only what it was told.

#include <understudy/core/notices.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/raft/freshness.hpp>
#include <understudy/raft/pull_desk.hpp>
#include <understudy/raft/roles.hpp>

namespace understudy {

/// Puts together what the role knows and what the sources of pulls have said.
class leader_sight {
public:
  /// What a source says of the leader serves to find it, and a listener to notice its loss. It
  /// never makes this node refuse a vote.
  void told(const leader_hint& m, roles& part, const core_state& state, instant now) {
    if (m.term < state.term())
      return;
    const auto before = hint_.leader == m.leader && hint_.term == m.term ? hint_.heard : instant{};
    hint_ = m;
    hint_.heard = std::max(m.heard, before);
    told_at_ = now;
    fresh_.told(m.commit, m.heard, state.applied);
    if (auto* follower = part.as<following>())
      follower->told_of(m.leader, m.heard, state, now);
  }

  /// The leader itself says what is committed.
  void heard(log_index commit, const core_state& state, instant now) {
    committed_ = std::max(committed_, commit);
    fresh_.told(commit, now, state.applied);
  }

  /// What a leader has said itself to be committed.
  [[nodiscard]] log_index committed() const { return committed_; }

  void applied(const core_state& state) { fresh_.applied(state.applied); }

  /// The name counts for as long as others go on saying it.
  [[nodiscard]] member_id leader(const roles& part, const core_state& state, instant now) const {
    if (const auto known = at_first_hand(part, state))
      return known;
    return hint_.term >= state.term() && now - told_at_ < lasts(state) ? hint_.leader : member_id{};
  }

  /// When the leader last gave a sign to this node itself.
  [[nodiscard]] static instant last_sign(const roles& part, instant now) {
    if (part.as<leading>())
      return now;
    const auto* follower = part.as<following>();
    return follower && follower->leader() ? follower->heard() : instant{};
  }

  /// When it last gave a sign to this node, or to one that told this node of it.
  [[nodiscard]] instant last_news(const roles& part, instant now) const {
    return std::max(last_sign(part, now), hint_.leader ? hint_.heard : instant{});
  }

  /// All that was committed at this moment, as far as this node was told, is applied here.
  [[nodiscard]] instant fresh_at(const roles& part, instant now) const {
    return part.as<leading>() ? now : fresh_.at();
  }

  /// What pullers are told. Hearsay is passed on by name only: of a sign of life that goes from
  /// mouth to mouth the age is lost, and a dead leader would seem alive for ever. It is passed on
  /// once: of those who name the leader to others, each has heard of a sign of life itself.
  [[nodiscard]] known_leader for_pullers(const roles& part, const core_state& state,
                                         instant now) const {
    if (const auto known = at_first_hand(part, state))
      return {known, now - last_sign(part, now)};
    const bool fresh = now - hint_.heard < lasts(state);
    return {fresh ? leader(part, state, now) : member_id{}, known_leader::hearsay};
  }

private:
  [[nodiscard]] static member_id at_first_hand(const roles& part, const core_state& state) {
    if (part.as<leading>())
      return state.self;
    const auto* follower = part.as<following>();
    return follower ? follower->leader() : member_id{};
  }

  /// By then there is another leader, if there can be one.
  [[nodiscard]] static interval lasts(const core_state& state) {
    return state.options.election_timeout_max;
  }

  leader_hint hint_;
  log_index committed_;
  instant told_at_ = {};
  freshness fresh_;
};

} // namespace understudy
