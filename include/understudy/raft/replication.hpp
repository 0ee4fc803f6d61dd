// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A leader's sending side: who needs what, and how much of it is on its way (§5.3, §7).

#include <understudy/core/messages.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/raft/progress.hpp>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace understudy {

/// Replicates the log to all voters, and to claimants that asked for a seat: these are sent the
/// same but count nowhere.
class replication {
public:
  /// Takes up and drops peers so that they are the voters of both halves and the claimants.
  void choose_peers(core_state& state, const std::vector<member_id>& claimants, instant now) {
    auto wanted = all_voters(*state.newest().content);
    wanted.insert(wanted.end(), claimants.begin(), claimants.end());
    std::erase_if(
        peers_, [&](const auto& p) { return std::ranges::find(wanted, p.first) == wanted.end(); });
    for (auto id : wanted) {
      if (id == state.self || peers_.contains(id))
        continue;
      auto& peer
          = peers_.emplace(id, progress{++state.streams, state.log.last().index}).first->second;
      peer.last_answer = now; // a grace of one timeout to give a first sign
    }
  }

  [[nodiscard]] const progress* find(member_id id) const {
    const auto found = peers_.find(id);
    return found == peers_.end() ? nullptr : &found->second;
  }

  [[nodiscard]] const std::map<member_id, progress>& peers() const { return peers_; }

  /// Sends whatever each peer can take now. `read_round`: the newest round of heartbeats that has
  /// to reach everyone.
  void send(core_state& state, generation read_round, instant now, outbox& out) {
    for (auto& [id, peer] : peers_) {
      if (peer.mode() != flow::snapshot && peer.next() <= state.log.base().index)
        peer.begin_snapshot(state.image);
      if (peer.mode() == flow::snapshot && !peer.full) // else it would wait for room there
        send_chunk(id, peer, state, now, out);
      const bool sent = send_entries(id, peer, state, read_round, now, out);
      const bool due = now - peer.last_sent >= state.options.heartbeat;
      const bool news = peer.commit_sent < state.commit() || peer.round_sent < read_round;
      if (!sent && (due || news))
        send_append(id, peer, state, {}, read_round, now, out);
    }
  }

  /// Takes an answer to `append_entries`. False: it belongs to another life of this peer's stream.
  bool on(member_id from, const append_reply& m, const core_state& state, instant now) {
    auto* peer = current(from, m.stream);
    if (!peer)
      return false;
    answered(*peer, now);
    peer->unfit = m.unfit;
    peer->full = m.accepted && m.match < m.hint.index;
    peer->read_round = std::max(peer->read_round, m.read_round);
    if (m.accepted)
      peer->accepted(std::min(m.match, state.log.last().index), m.attempt);
    else // what lies below the base can not be compared: then a snapshot is due (N6)
      peer->refused(
          std::min(m.hint.index, state.log.agreement_at_most(m.hint.index, m.hint.term).index),
          m.attempt);
    return true;
  }

  /// Takes an answer to `install_snapshot`.
  void on(member_id from, const snapshot_reply& m, instant now) {
    auto* peer = current(from, m.stream);
    if (!peer)
      return;
    answered(*peer, now);
    if (peer->mode() != flow::snapshot || m.key != peer->image()->key())
      return;
    if (m.done)
      peer->snapshot_done();
    else if (m.received <= peer->image()->image.size())
      peer->chunk_received(m.received);
  }

  void lost(member_id who) {
    const auto found = peers_.find(who);
    if (found == peers_.end())
      return;
    found->second.link_lost = true;
    found->second.lost_track();
  }

  /// The newest round of heartbeats that a quorum has echoed; of the peers, only those count that
  /// are known to hold the log up to `having`. The leader's own echo, `own`, counts where it is
  /// listed, like its own log.
  [[nodiscard]] generation echoed_by_quorum(const core_state& state, generation own,
                                            log_index having = {}) const {
    return quorum_value(*state.newest().content, [&](member_id id) {
      const auto* peer = find(id);
      if (id == state.self)
        return own;
      return peer && peer->match() >= having ? peer->read_round : generation{};
    });
  }

  /// Whether an entry could be committed, as far as it is known whose disks are full (D5).
  [[nodiscard]] bool can_store(const core_state& state) const {
    return quorum_of(*state.newest().content, [&](member_id id) {
      const auto* peer = find(id);
      return id == state.self ? !state.durable.is_full() : !(peer && peer->full);
    });
  }

  /// When the next heartbeat is due.
  [[nodiscard]] instant deadline(const core_state& state) const {
    auto soonest = instant::max();
    for (const auto& [id, peer] : peers_)
      soonest = std::min(soonest, peer.last_sent + state.options.heartbeat);
    return soonest;
  }

private:
  progress* current(member_id from, generation stream) {
    const auto found = peers_.find(from);
    return found != peers_.end() && found->second.stream() == stream ? &found->second : nullptr;
  }

  static void answered(progress& peer, instant now) {
    peer.last_answer = now;
    peer.answered = true;
    peer.link_lost = false;
  }

  bool send_entries(member_id id, progress& peer, core_state& state, generation read_round,
                    instant now, outbox& out) {
    bool any = false;
    while (peer.next() <= state.log.last().index && peer.next() > state.log.base().index
           && peer.has_room(state.options.window_entries, state.options.window_bytes)) {
      auto part = state.log.slice(peer.next(), state.log.last().index,
                                  state.options.append_entries_max, state.options.append_bytes_max);
      send_append(id, peer, state, std::move(part), read_round, now, out);
      any = true;
    }
    return any;
  }

  /// With no entries it is a heartbeat; a lost probe is followed by one, and its answer tells as
  /// much. A peer that is sent a snapshot is sent heartbeats too, or reads and contact would wait
  /// for it.
  void send_append(member_id id, progress& peer, const core_state& state, std::vector<entry> part,
                   generation read_round, instant now, outbox& out) {
    const auto previous = std::max(peer.next().previous(), state.log.base().index);
    std::size_t bytes = 0;
    for (const auto& e : part)
      bytes += e.weight_bytes();
    const auto last = part.empty() ? previous : part.back().index;
    peer.sent(last, part.size(), bytes);
    peer.last_sent = now;
    peer.commit_sent = state.commit();
    peer.round_sent = read_round;
    out.send(id, append_entries{.term = state.term(),
                                .previous = {previous, *state.log.term_at(previous)},
                                .entries = std::move(part),
                                .commit = state.commit(),
                                .stream = peer.stream(),
                                .attempt = peer.attempt(),
                                .read_round = read_round});
  }

  static void send_chunk(member_id id, progress& peer, const core_state& state, instant now,
                         outbox& out) {
    if (!peer.chunk_due(now, state.options.suspect_after, state.options.heartbeat))
      return;
    out.send(id, install_snapshot{.term = state.term(),
                                  .chunk = chunk_of(*peer.image(), peer.offset(),
                                                    state.options.snapshot_chunk_bytes),
                                  .stream = peer.stream()});
    peer.chunk_sent(now);
  }

  std::map<member_id, progress> peers_;
};

} // namespace understudy
