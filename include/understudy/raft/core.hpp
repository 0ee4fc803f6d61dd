// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The raft core: one node's part in the group, as a pure component.
///
/// Messages and the time go in, an outbox comes out. What each role does stands in its own header
/// (following.hpp, campaigning.hpp, leading.hpp), how one becomes another in roles.hpp, who gets a
/// vote in voting.hpp, who counts in quorum.hpp; this one finds the role that a message is for. The
/// core alone writes the log: what a listener pulls goes through it, as does what a leader sends.
///
/// Sections (§) are of the Raft paper (Ongaro and Ousterhout 2014) unless the thesis is named.

#include <understudy/core/outbox.hpp>
#include <understudy/raft/announcer.hpp>
#include <understudy/raft/compaction.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/raft/leader_sight.hpp>
#include <understudy/raft/pull_desk.hpp>
#include <understudy/raft/pull_intake.hpp>
#include <understudy/raft/roles.hpp>
#include <understudy/raft/two_node_copy.hpp>
#include <understudy/raft/voting.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

namespace understudy {

/// Raft for one member. Not thread-safe: one driver, one message at a time.
class raft_core {
public:
  using peer_messages = type_list<request_vote, vote_reply, append_entries, append_reply,
                                  install_snapshot, snapshot_reply, timeout_now, pull_request>;
  using notices
      = type_list<store_written, store_failed, applied_through, snapshot_taken, snapshot_staged,
                  machine_failed, pulled_entries, pulled_chunk, pulled_divergence, leader_hint,
                  found_cluster, entered_cluster, track_members, change_roster, change_voters,
                  transfer_leadership, propose, read_request, peer_lost, order_snapshot>;

  /// `seed` decides the jitter of timeouts, and nothing else. `found`: what the store kept of an
  /// earlier life of `self`; it must be without gaps.
  raft_core(member_id self, const core_options& options, std::uint64_t seed,
            const recovered_state& found = {})
      : state_{self, options, seed}, roles_{state_}, intake_{options} {
    state_.recover(found);
  }

  // -- elections ----------------------------------------------------------------------------

  void on(member_id from, request_vote& m, instant now, outbox& out) {
    const auto ruling
        = ballots_.answer(from, m, roles_.hears_leader(state_, now), state_, now, out);
    take_role(now, out);
    if (auto* follower = roles_.as<following>())
      follower->ruled(ruling, m.round, state_, now);
  }

  void on(member_id from, vote_reply& m, instant now, outbox& out) {
    see_term(m.term, now, out);
    if (m.verdict == verdict::removed) {
      state_.was_removed(from, out);
    } else if (auto* candidate = roles_.as<campaigning>()) {
      candidate->on(from, m, state_);
    }
    take_role(now, out);
  }

  /// The leader hands over. Only a voter of the configuration in force follows the call; to all
  /// others it means nothing (E4).
  void on(member_id from, timeout_now& m, instant now, outbox& out) {
    const auto* follower = roles_.as<following>();
    if (!follower || m.term != state_.term() || follower->leader() != from || !state_.is_voter()
        || !state_.may_campaign() || state_.disk_stalls(now))
      return;
    state_.next = become_candidate{.round = round::vote, .by_transfer = true};
    take_role(now, out);
  }

  // -- replication --------------------------------------------------------------------------

  void on(member_id from, append_entries& m, instant now, outbox& out) {
    if (m.term < state_.term())
      return out.send(from, append_reply{.term = state_.term(), .stream = m.stream});
    sight_.heard(m.commit, state_, now);
    roles_.follow(m.term, from, state_, now, out).on(from, m, state_, now, out);
  }

  void on(member_id from, append_reply& m, instant now, outbox& out) {
    see_term(m.term, now, out);
    if (auto* leader = roles_.as<leading>())
      leader->on(from, m, state_, now);
  }

  void on(member_id from, install_snapshot& m, instant now, outbox& out) {
    snapshot_reply answer{.term = state_.term(), .key = m.chunk.key, .stream = m.stream};
    if (m.term < state_.term())
      return out.send(from, answer);
    roles_.follow(m.term, from, state_, now, out).follow(from, now);
    answer.term = state_.term();
    intake_.on(m.chunk, state_, now, out);
    answer.done = m.chunk.key.at.index <= state_.commit();
    answer.received = intake_.received(m.chunk.key);
    if (answer.done)
      state_.durable.send_when_durable(out, from, answer);
    else // what has come of it says nothing of the disk: where that is full, no piece is sent twice
      state_.durable.send_when_voted(out, from, answer);
  }

  void on(member_id from, snapshot_reply& m, instant now, outbox& out) {
    see_term(m.term, now, out);
    if (auto* leader = roles_.as<leading>())
      leader->on(from, m, state_, now);
  }

  // -- pulls --------------------------------------------------------------------------------

  void on(member_id from, pull_request& m, instant now, outbox& out) {
    desk_.ask(from, m, state_, known_leader_now(now), now, out);
  }

  void on(pulled_entries& m, instant now, outbox& out) {
    take_in(
        m.term, [&] { intake_.on(m, state_); }, now, out);
  }

  void on(pulled_chunk& m, instant now, outbox& out) {
    take_in(
        m.term, [&] { intake_.on(m.chunk, state_, now, out); }, now, out);
  }

  /// Pulls start from the commit index, so a source that has something else there belongs to
  /// another history. Nothing here is given up for it.
  void on(pulled_divergence&, instant, outbox& out) {
    out.tell(
        node_event{.what = node_event::kind::protocol_violation,
                   .index = state_.commit(),
                   .detail = "a source holds another entry where this node has a committed one"});
  }

  void on(leader_hint& m, instant now, outbox&) { sight_.told(m, roles_, state_, now); }

  // -- founding and membership --------------------------------------------------------------

  /// Writes the first configuration, with this node as its only voter, and leads (S8).
  void on(found_cluster& m, instant now, outbox& out) {
    UNDERSTUDY_ASSERT(state_.log.last() == log_position{}, "a cluster is founded on an empty log");
    state_.raise_term(state_.term().next());
    state_.give_vote(state_.self);
    state_.entered = log_index{1};
    state_.append({.index = log_index{1},
                   .term = state_.term(),
                   .stamp = {},
                   .what = share(configuration_ptr{std::make_shared<configuration>(m.first)})});
    UNDERSTUDY_ASSERT(state_.is_voter(), "a founder votes in what it founds");
    state_.next = become_leader{};
    take_role(now, out);
    out.tell(node_event{.what = node_event::kind::founded, .who = state_.self});
  }

  void on(entered_cluster& m, instant, outbox&) { state_.entered = m.entered; }

  void on(track_members& m, instant now, outbox&) {
    if (auto* leader = roles_.as<leading>())
      leader->on(m, state_, now);
  }

  void on(change_roster& m, instant now, outbox& out) { change(m, now, out); }
  void on(change_voters& m, instant now, outbox& out) { change(m, now, out); }

  void on(transfer_leadership& m, instant now, outbox&) {
    if (auto* leader = roles_.as<leading>())
      leader->on(m, state_, now);
  }

  // -- requests -----------------------------------------------------------------------------

  void on(propose& m, instant now, outbox& out) {
    if (auto* leader = roles_.as<leading>())
      return leader->on(m, state_, now, out);
    out.tell(proposed{.batch = m.batch, .why = {errc::not_leader, {}, leader_now(now)}});
  }

  void on(read_request& m, instant, outbox& out) {
    if (auto* leader = roles_.as<leading>())
      return leader->on(m);
    out.tell(read_ready{.ask = m.ask, .code = errc::not_leader});
  }

  // -- storage and replica ------------------------------------------------------------------

  void on(store_written& m, instant now, outbox& out) {
    state_.durable.confirmed(m, now, out);
    if (auto* candidate = roles_.as<campaigning>())
      candidate->count(state_);
    take_role(now, out);
  }

  void on(store_failed& m, instant, outbox&) { throw invariant_broken{"storage failed: " + m.why}; }
  void on(order_snapshot& m, instant, outbox&) { compaction_.order(m.id); }

  void on(applied_through& m, instant, outbox&) {
    state_.applied = std::max(state_.applied, m.index);
    sight_.applied(state_);
  }

  void on(snapshot_taken& m, instant now, outbox& out) {
    compaction_.on(m, state_, needed_from(m.at.index, now), out);
  }

  void on(snapshot_staged& m, instant now, outbox& out) {
    compaction_.on(m, state_, needed_from(m.what.at.index, now), now, out);
  }

  void on(machine_failed& m, instant now, outbox& out) {
    state_.machine_stopped(m, out);
    wake(now, out);
  }

  void on(peer_lost& m, instant now, outbox& out) {
    desk_.lost(m.who);
    if (auto* leader = roles_.as<leading>())
      leader->lost(m.who, state_, now, out);
    if (auto* follower = roles_.as<following>())
      follower->lost(m.who, state_, now);
    reconsider_vote(now, out);
    take_role(now, out);
  }

  // -- time ---------------------------------------------------------------------------------

  void wake(instant now, outbox& out) {
    if (!started_ && state_.image)
      out.tell(restore_snapshot{state_.image});
    if (auto* follower = roles_.as<following>()) {
      if (!started_)
        *follower = following{state_, {}, now};
      follower->wake(state_, now);
      reconsider_vote(now, out);
    } else if (auto* candidate = roles_.as<campaigning>()) {
      candidate->wake(state_, now);
    } else {
      roles_.as<leading>()->wake(state_, now, out);
    }
    started_ = true;
    take_role(now, out);
  }

  void settle(instant now, outbox& out) {
    if (auto* leader = roles_.as<leading>())
      leader->settle(state_, now, out);
    else if (auto* candidate = roles_.as<campaigning>())
      candidate->count(state_);
    take_role(now, out);
    if (leads())
      desk_.remind_absent(state_, now, out);
    desk_.serve(state_, known_leader_now(now), now, out);
    hand_over(now, out);
    compaction_.consider(state_, now, out);
    state_.durable.flush(now, out);
    intake_.report(state_, out);
    state_.half_installed = intake_.half_installed();
    announce(now, out);
    out.wake(next_wake(now));
  }

  // -- for drivers, tests and status --------------------------------------------------------

  [[nodiscard]] const raft_log& log() const { return state_.log; }
  [[nodiscard]] ballot vote() const { return state_.vote(); }
  [[nodiscard]] log_index commit() const { return state_.commit(); }
  [[nodiscard]] log_index heard_commit() const { return sight_.committed(); }
  [[nodiscard]] log_index handed() const { return state_.handed(); }
  [[nodiscard]] log_index durable() const { return state_.durable.durable(); }
  [[nodiscard]] bool leads() const { return roles_.as<leading>() != nullptr; }
  [[nodiscard]] bool campaigning_now() const { return roles_.as<campaigning>() != nullptr; }
  [[nodiscard]] const placed_configuration& newest() const { return state_.newest(); }
  [[nodiscard]] const placed_configuration& committed() const { return state_.committed(); }
  [[nodiscard]] const std::shared_ptr<const snapshot>& image() const { return state_.image; }
  [[nodiscard]] const core_state& state() const { return state_; }
  [[nodiscard]] const leading* leadership() const { return roles_.as<leading>(); }
  [[nodiscard]] const pull_desk& desk() const { return desk_; }

private:
  void see_term(term_number term, instant now, outbox& out) {
    roles_.see_term(term, {}, state_, now, out);
  }

  /// The leader may be lost since a candidate was refused for its sake.
  void reconsider_vote(instant now, outbox& out) {
    if (roles_.hears_leader(state_, now))
      return;
    const auto ruling = ballots_.leader_lost(state_, now, out);
    if (auto* follower = roles_.as<following>(); follower && ruling)
      follower->ruled(*ruling, round::pre_vote, state_, now);
  }

  void take_role(instant now, outbox& out) { roles_.take_next(state_, now, out); }

  /// Takes in what was pulled, and the term of its source, which is at least that of the leader
  /// who committed it: so no leader of the own term or a later one ever contradicts what is
  /// committed here. A newer term makes a follower of every role; a changed log of a candidate,
  /// which asked for votes with another one. A leader of this term holds all of it already.
  template <class Step>
  void take_in(term_number committed_by, Step step, instant now, outbox& out) {
    see_term(committed_by, now, out);
    const auto term = state_.term();
    const auto last = state_.log.last();
    step();
    const bool newer = state_.term() > term;
    const bool changed = state_.log.last() != last;
    UNDERSTUDY_ASSERT(!leads() || newer || !changed, "a leader lacked a committed entry (§5.4.3)");
    if (newer || (changed && campaigning_now()))
      state_.next = become_follower{};
    take_role(now, out);
  }

  template <class Change> void change(Change& m, instant now, outbox& out) {
    if (auto* leader = roles_.as<leading>())
      return leader->on(m, state_, now, out);
    out.tell(change_taken{m.id, fail(errc::not_leader, {}, leader_now(now))});
  }

  /// The lowest index, up to `at`, that somebody still has to be sent from.
  [[nodiscard]] log_index needed_from(log_index at, instant now) {
    const auto pulled = desk_.needed_from(at, now, state_.options.election_timeout_max);
    const auto* leader = roles_.as<leading>();
    return leader ? leader->needed_from(pulled) : pulled;
  }

  [[nodiscard]] member_id leader_now(instant now) const {
    return sight_.leader(roles_, state_, now);
  }

  [[nodiscard]] known_leader known_leader_now(instant now) const {
    return sight_.for_pullers(roles_, state_, now);
  }

  void hand_over(instant now, outbox& out) {
    release limit{state_.commit(), 1};
    if (leads())
      limit = copy_.decide(state_, desk_, now);
    copies_ = limit.copies;
    state_.hand_over(limit.through, leads(), limit.copies, out);
  }

  void announce(instant now, outbox& out) {
    auto view = look(now);
    auto* leader = roles_.as<leading>();
    const bool ready = leader && leader->take_news();
    if (!ready && !announcer_.is_news(view) && now < next_view_)
      return;
    next_view_ = now + state_.options.heartbeat;
    if (leader)
      view.peers = leader->report(state_, now);
    announcer_.announce(std::move(view), out);
  }

  [[nodiscard]] core_view look(instant now) const {
    const auto* leader = roles_.as<leading>();
    return {.term = state_.term(),
            .leader = leader_now(now),
            .leader_heard = leader_sight::last_sign(roles_, now),
            .leader_known = sight_.last_news(roles_, now),
            .fresh_at = sight_.fresh_at(roles_, now),
            .leads = leads(),
            .campaigning = campaigning_now(),
            .term_committed = leader && leader->term_committed(state_),
            .unfit = state_.machine_failed,
            .last = state_.log.last(),
            .commit = state_.commit(),
            .applied = state_.applied,
            .leader_commit = sight_.committed(),
            .committed = state_.committed(),
            .newest = state_.newest(),
            .peers = {},
            .copies = copies_};
  }

  [[nodiscard]] instant next_wake(instant now) const {
    return std::min({desk_.deadline(), roles_.deadline(state_), now + state_.options.heartbeat});
  }

  core_state state_;
  roles roles_;
  pull_desk desk_;
  pull_intake intake_;
  ballot_box ballots_;
  compaction compaction_;
  two_node_copy copy_;
  announcer announcer_;
  leader_sight sight_;
  instant next_view_ = {};
  std::uint32_t copies_ = 1;
  bool started_ = false;
};

} // namespace understudy
