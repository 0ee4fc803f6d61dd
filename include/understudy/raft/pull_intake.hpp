// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The puller's side of a pull, at the log: only the raft core writes there.

#include <understudy/core/notices.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/raft/snapshot_intake.hpp>

#include <algorithm>
#include <utility>

namespace understudy {

/// Stores what other members have committed, and tells the puller where to go on.
///
/// A pull asks from the commit index, not from the end of the log: what lies above it, left from an
/// earlier life as a voter, is dropped only where a committed entry contradicts it.
class pull_intake {
public:
  explicit pull_intake(const core_options& limits)
      : chunks_{limits.snapshot_bytes_max, limits.election_timeout_max} {}

  void on(pulled_entries& m, core_state& state) {
    to_report_ = true;
    if (!state.agrees_at(m.previous))
      return;
    const auto agreed = state.merge(m.previous, m.entries);
    state.advance_commit(std::min({m.commit, agreed, state.log.last().index}));
  }

  /// A piece of a snapshot, from a source or from the leader.
  void on(const snapshot_chunk& chunk, core_state& state, instant now, outbox& out) {
    to_report_ = true;
    if (chunk.key.at.index <= state.commit())
      return;
    if (auto whole = chunks_.take(chunk, now))
      state.install(std::move(whole), out);
  }

  /// How much of this snapshot is here.
  [[nodiscard]] std::uint64_t received(const snapshot_key& key) const {
    return chunks_.key() == key ? chunks_.received() : 0;
  }

  /// Whether a snapshot has arrived in part.
  [[nodiscard]] bool half_installed() const { return chunks_.received() > 0; }

  /// Tells the puller where to go on, once what it brought is durable.
  void report(const core_state& state, outbox& out) {
    if (chunks_.key().at.index <= state.commit())
      chunks_.forget(); // entries came to the same
    if (!to_report_ || !state.durable.is_durable(state.durable.covering()))
      return;
    to_report_ = false;
    const auto at = state.commit();
    out.tell(stored_through{.last = {at, state.log.term_at(at).value_or(term_number{})},
                            .commit = at,
                            .resume = chunks_.key(),
                            .received = chunks_.received()});
  }

private:
  snapshot_intake chunks_;
  bool to_report_ = true; ///< the puller waits to hear where to go on, first of all at the start
};

} // namespace understudy
