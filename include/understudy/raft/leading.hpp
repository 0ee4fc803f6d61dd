// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The leader: takes proposals, replicates them, and says what is committed.

#include <understudy/core/messages.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/raft/read_lease.hpp>
#include <understudy/raft/reads.hpp>
#include <understudy/raft/replication.hpp>
#include <understudy/raft/succession.hpp>
#include <understudy/raft/transfer.hpp>
#include <understudy/roster/roster.hpp>
#include <understudy/roster/seats.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

/// The leader's part of §5.3, §5.4, §6 and of the thesis, chapters 3, 4 and 6.4.
///
/// A leader need not vote: a listener that won the election leads under the configuration in force,
/// counts itself nowhere, and goes on until it is seated or told to hand over (S5). A leader that
/// had a vote and lost it by a committed change is done.
class leading {
public:
  /// Begins the term with an entry of its own: only with it are earlier ones committed (§5.4.2).
  leading(core_state& state, instant now)
      : lease_{state.log.last().index.next()}, expired_at_{now}, since_{now},
        time_base_{state.log.last_stamp()}, first_index_{state.log.last().index.next()},
        weighed_through_{state.commit()}, had_vote_{state.holds_seat()} {
    for (auto i = weighed_through_.next(); i < first_index_; ++i)
      uncommitted_bytes_ += state.log.at(i).weight_bytes();
    choose_peers(state, now); // before the entry: so they are sent it with the first message
    append(share(no_op{}), state, now);
    state.led = state.term();
  }

  // -- what the leader is asked to do -------------------------------------------------------

  void on(propose& m, core_state& state, instant now, outbox& out) {
    if (transfer_.active())
      return transfer_.keep(std::move(m));
    proposed taken{.batch = m.batch, .first = state.log.last().index.next()};
    if (state.machine_failed) {
      taken.why = {errc::machine_stopped, "the machine of the leader has failed", state.self};
      return out.tell(std::move(taken));
    }
    if (!replication_.can_store(state)) {
      taken.why = {errc::storage_full, "the disks of too many voters are full", state.self};
      return out.tell(std::move(taken));
    }
    for (auto& what : m.what) {
      if (uncommitted_bytes_ >= state.options.uncommitted_bytes_max) {
        taken.why = {errc::overloaded, "too much is waiting to be committed", state.self};
        break;
      }
      append(std::move(what), state, now);
      ++taken.count;
    }
    out.tell(std::move(taken));
  }

  void on(const read_request& m) { reads_.ask(m); }

  void on(const change_roster& m, core_state& state, instant now, outbox& out) {
    const auto& base = state.newest();
    const auto at = state.log.last().index.next();
    if (m.heir && !is_ready(m.heir, state, now))
      return out.tell(change_taken{m.id, fail(errc::busy, "the heir is not ready")});
    auto next = apply(*base.content, m.what, at);
    if (!next)
      return out.tell(change_taken{m.id, tl::unexpected{next.error()}});
    if (*next == *base.content) // a retry: it stands there already
      return out.tell(change_taken{m.id, base.index});
    put_in_force(std::move(*next), state, now);
    out.tell(change_taken{m.id, at});
  }

  /// Joint consensus (§6). One change at a time, on top of a committed configuration, and only when
  /// an entry of the own term is committed (the 2015 bug in single-server changes; M1). And only
  /// while a majority of either half answers: a change that can not be committed and whose leader
  /// is lost holds up every election after it (M3). Who is to vote has to be ready now, whatever it
  /// was when the change was thought out (M4).
  void on(const change_voters& m, core_state& state, instant now, outbox& out) {
    const auto& base = state.newest();
    const auto refuse = [&](failure why) { out.tell(change_taken{m.id, tl::unexpected{why}}); };
    if (m.base != base.index || base.index > state.commit() || !term_committed(state))
      return refuse({errc::busy, "the configuration is another, or not committed"});
    auto next = begin_joint(*base.content, m.voters);
    if (!next)
      return refuse(next.error());
    if (!quorum_of(*next, [&](member_id id) { return answers(id, state, now); }))
      return refuse({errc::busy, "too few of the old or the new voters answer at the moment"});
    for (const auto id : next->voters)
      if (id != state.self && !has_vote(*base.content, id) && !is_ready(id, state, now))
        return refuse({errc::busy, detail::label_of(id) + " is not ready to vote"});
    const auto at = state.log.last().index.next();
    put_in_force(std::move(*next), state, now);
    out.tell(change_taken{m.id, at});
  }

  void on(const track_members& m, core_state& state, instant now) {
    claimants_ = m.claimants;
    choose_peers(state, now);
  }

  void on(const transfer_leadership& m, core_state& state, instant now) {
    const auto to = m.to ? m.to : best_successor(replication_, state, now);
    // In the middle of a change only this leader may take it back.
    if (!to || transfer_.active() || !can_succeed(to, replication_, state, now)
        || changes_voters(state))
      return;
    transfer_.begin(to, now + state.options.transfer_limit);
  }

  // -- what the peers answer ----------------------------------------------------------------

  void on(member_id from, const append_reply& m, core_state& state, instant now) {
    if (m.term != state.term())
      return;
    const bool claims = std::ranges::find(claimants_, from) != claimants_.end();
    const bool before = claims && is_ready(from, state, now);
    replication_.on(from, m, state, now);
    if (claims && before != is_ready(from, state, now))
      news_ = true;
  }

  void on(member_id from, const snapshot_reply& m, core_state& state, instant now) {
    if (m.term == state.term())
      replication_.on(from, m, now);
  }

  void lost(member_id who, core_state& state, instant now, outbox& out) {
    replication_.lost(who);
    if (transfer_.active() && transfer_.to() == who)
      end_transfer(state, now, out);
  }

  // -- time, and the end of a batch ---------------------------------------------------------

  void wake(core_state& state, instant now, outbox& out) {
    if (transfer_.active() && now >= transfer_.until())
      end_transfer(state, now, out);
    if (!in_contact_with_quorum(state, now))
      state.next = become_follower{}; // another may lead already (check-quorum, E11)
    if (should_pass_on(state, now))
      pass_on(state, now);
    expire_idle_sessions(state, now);
  }

  void settle(core_state& state, instant now, outbox& out) {
    commit(state);
    continue_change(state, now);
    commit(state); // a group of one commits what it has just appended
    weigh_committed(state);
    if (reads_.waits() && leased(state, now)) {
      reads_.answer_all(state.commit(), out);
      ++state.counts.lease_reads;
    }
    reads_.begin_round(state, term_committed(state), now);
    replication_.send(state, reads_.round(), now, out);
    if (reads_.waits())
      reads_.confirm(replication_.echoed_by_quorum(state, reads_.round()), out);
    if (transfer_.active() && !transfer_.asked())
      ask_successor(transfer_.to(), state, out);
    had_vote_ = had_vote_ || state.is_voter();
    if (is_dismissed(state))
      hand_on(state, now, out);
  }

  /// The leadership ends: whoever waits for it is told.
  void step_down(outbox& out) {
    reads_.refuse_all(out);
    for (auto& kept : transfer_.end())
      out.tell(proposed{.batch = kept.batch, .why = {errc::not_leader, {}, {}}});
  }

  // -- for everyone to see ------------------------------------------------------------------

  [[nodiscard]] const std::map<member_id, progress>& peers() const { return replication_.peers(); }

  /// Whether an entry of the own term is committed.
  [[nodiscard]] bool term_committed(const core_state& state) const {
    return state.commit() >= first_index_;
  }

  /// Whether reads are answered without a round at the moment.
  [[nodiscard]] bool leased(const core_state& state, instant now) const {
    return lease_.holds(state, replication_, reads_, now);
  }

  /// Whether a claimant has caught up, or fallen back, since this was last asked.
  [[nodiscard]] bool take_news() { return std::exchange(news_, false); }

  /// Whether a quorum answers: then no other leader can have been elected.
  [[nodiscard]] bool in_contact_with_quorum(const core_state& state, instant now) const {
    return quorum_of(*state.newest().content, [&](member_id id) {
      if (id == state.self)
        return true;
      const auto* peer = replication_.find(id);
      return peer && peer->in_contact(now, state.options.election_timeout_max);
    });
  }

  /// The lowest index that some peer still has to be sent from.
  [[nodiscard]] log_index needed_from(log_index otherwise) const {
    for (const auto& [id, peer] : replication_.peers())
      otherwise = std::min(otherwise, peer.needs_behind());
    return otherwise;
  }

  [[nodiscard]] std::vector<peer_progress> report(const core_state& state, instant now) const {
    std::vector<peer_progress> all;
    for (const auto& [id, peer] : replication_.peers())
      all.push_back({.id = id,
                     .match = peer.match(),
                     .caught_up = caught_up(peer, state, now),
                     .in_contact = peer.has_answered(now, state.options.suspect_after),
                     .unfit = peer.unfit});
    return all;
  }

  [[nodiscard]] instant deadline(const core_state& state) const {
    const auto heartbeat = replication_.deadline(state);
    return transfer_.active() ? std::min(heartbeat, transfer_.until()) : heartbeat;
  }

private:
  void append(std::shared_ptr<const payload> what, core_state& state, instant now) {
    // Log time goes on from where the log left it, at the pace of this leader's clock.
    const auto stamp = std::max(state.log.last_stamp(), time_base_ + (now - since_));
    entry e{state.log.last().index.next(), state.term(), stamp, std::move(what)};
    uncommitted_bytes_ += e.weight_bytes();
    state.append(std::move(e));
  }

  void put_in_force(configuration next, core_state& state, instant now) {
    append(share(configuration_ptr{std::make_shared<configuration>(std::move(next))}), state, now);
    choose_peers(state, now);
  }

  /// Sessions end by log time, so it is the log that has to say when (C9). Often enough that none
  /// lives a tenth longer than it should.
  void expire_idle_sessions(core_state& state, instant now) {
    const std::chrono::milliseconds expiry{state.newest().content->rules.session_expiry_ms};
    if (now - expired_at_ < std::max<interval>(expiry / 10, std::chrono::seconds{1})
        || !replication_.can_store(state))
      return;
    expired_at_ = now;
    append(share(expire_sessions{}), state, now);
  }

  void choose_peers(core_state& state, instant now) {
    replication_.choose_peers(state, claimants_, now);
  }

  /// Commits what a quorum holds durably. Only an entry of the own term is committed by counting;
  /// those before it come with it (§5.4.2, R1). The leader counts itself where it is listed, and
  /// only what it has made durable itself (R6).
  void commit(core_state& state) {
    const auto held = quorum_value(*state.newest().content, [&](member_id id) {
      if (id == state.self)
        return state.durable.durable();
      const auto* peer = replication_.find(id);
      return peer ? peer->match() : log_index{};
    });
    if (held > state.commit() && held >= first_index_)
      state.advance_commit(held);
  }

  void weigh_committed(const core_state& state) {
    while (weighed_through_ < state.commit())
      uncommitted_bytes_ -= state.log.at(++weighed_through_).weight_bytes();
  }

  /// Takes a joint configuration on to its new voters, or back to the old ones.
  ///
  /// On or back once an entry of the own term is committed under it: until then another leader may
  /// know nothing of it, and choose otherwise. One exception: the leader that began the change in
  /// this very term may take it back while it is uncommitted, when the new voters have lost their
  /// majority: nobody else can have finished it, for that takes an entry of a later term on a
  /// majority of the old voters, and then this leader's own would not be committed any more.
  void continue_change(core_state& state, instant now) {
    const auto newest = state.newest();
    if (!newest.content->joint())
      return;
    const auto contact = [&](member_id id) { return is_reachable(id, state, now); };
    const bool new_voters_answer = majority_of(newest.content->voters, contact);
    const auto began = state.log.voters_since();
    const bool decided = state.commit() >= std::max(began, first_index_);
    const bool own = began >= first_index_;
    if (decided && new_voters_answer)
      put_in_force(finish_joint(*newest.content), state, now);
    else if ((decided || own) && !new_voters_answer)
      put_in_force(go_back(*newest.content), state, now);
  }

  /// A committed configuration took this node's vote: it led the change to the end, and is done
  /// (§6).
  [[nodiscard]] bool is_dismissed(const core_state& state) const {
    return had_vote_ && state.newest().index <= state.commit() && !state.is_voter();
  }

  /// Steps down in favour of the best successor.
  void hand_on(core_state& state, instant now, outbox& out) {
    if (const auto best = best_successor(replication_, state, now))
      out.send(best, timeout_now{state.term()});
    state.next = become_follower{};
  }

  /// A leader that can not apply should not lead, and neither should one that can not store, while
  /// the others can do without it (D14): where its vote is needed, so is its disk.
  [[nodiscard]] bool should_pass_on(const core_state& state, instant now) const {
    if (transfer_.active())
      return false;
    return state.machine_failed
           || (state.disk_stalls(now) && quorum_of(*state.newest().content, [&](member_id id) {
                 return id != state.self && answers(id, state, now);
               }));
  }

  /// Hands over to one voter after the other, until one takes it. The leader does not step down
  /// before that: it may be the only one with all that is committed.
  void pass_on(core_state& state, instant now) {
    const auto next = std::ranges::find_if(replication_.peers(), [&](const auto& p) {
      return p.first > offered_to_ && can_succeed(p.first, replication_, state, now);
    });
    offered_to_ = next == replication_.peers().end() ? member_id{} : next->first;
    if (offered_to_)
      on(transfer_leadership{offered_to_}, state, now);
  }

  void ask_successor(member_id to, const core_state& state, outbox& out) {
    const auto* peer = replication_.find(to);
    if (!peer || peer->match() < state.log.last().index)
      return;
    transfer_.ask();
    lease_.end_for_good();
    out.send(to, timeout_now{state.term()});
  }

  void end_transfer(core_state& state, instant now, outbox& out) {
    for (auto& kept : transfer_.end())
      on(kept, state, now, out);
  }

  /// Whether a change of the voters is not committed yet.
  [[nodiscard]] static bool changes_voters(const core_state& state) {
    return state.newest().content->joint() && state.log.voters_since() > state.commit();
  }

  /// Whether `id` has answered within the last few heartbeats, and what was sent not long before.
  [[nodiscard]] bool answers(member_id id, const core_state& state, instant now) const {
    const auto* peer = replication_.find(id);
    const auto limit = 3 * state.options.heartbeat;
    return id == state.self
           || (peer && peer->has_answered(now, limit)
               && now - reads_.proven_at(peer->read_round) <= 2 * limit);
  }

  [[nodiscard]] bool is_reachable(member_id id, const core_state& state, instant now) const {
    const auto* peer = replication_.find(id);
    return id == state.self || (peer && peer->is_of_use(now, state.options.suspect_after));
  }

  [[nodiscard]] bool is_ready(member_id id, const core_state& state, instant now) const {
    const auto* peer = replication_.find(id);
    return peer && caught_up(*peer, state, now);
  }

  [[nodiscard]] bool caught_up(const progress& peer, const core_state& state, instant now) const {
    return peer.caught_up(first_index_, state.log.last().index, state.options.catch_up_gap)
           && peer.is_of_use(now, state.options.suspect_after);
  }

  replication replication_;
  read_queue reads_;
  read_lease lease_;
  transfer transfer_;
  std::vector<member_id> claimants_;
  instant expired_at_;        ///< when sessions were last looked through
  instant since_;             ///< when this node was elected
  log_time time_base_;        ///< log time at that moment
  log_index first_index_;     ///< of the first entry of this term
  log_index weighed_through_; ///< what `uncommitted_bytes_` does not count any more
  std::size_t uncommitted_bytes_ = 0;
  bool had_vote_;        ///< at some time in this leadership
  member_id offered_to_; ///< to whom it was passed on last
  bool news_ = false;    ///< a claimant has caught up, or fallen back
};

} // namespace understudy
