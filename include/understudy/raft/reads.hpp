// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Linearizable reads without writing to the log (§6.4 of the thesis), and what else the echo of a
/// round of heartbeats proves: that whoever echoes it was there when it was sent.

#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/raft/core_state.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <optional>

namespace understudy {

/// The leader's queue of read questions.
///
/// All questions that queued up share one round of heartbeats. A question may be answered from the
/// commit index it was given, once a quorum has echoed its round: then no other leader can have
/// committed anything before it was asked. Rounds are never used twice and die with the leadership,
/// so an echo from before a pause vouches for nothing that came after it (C2). No round starts
/// before an entry of the own term is committed: until then the commit index may be behind (C1).
class read_queue {
public:
  void ask(read_request what) { newest_ = what.ask; }

  /// Gives the questions that wait a round of their own. Without any there is one each heartbeat,
  /// so that an echo tells how old the contact is.
  void begin_round(core_state& state, bool term_committed, instant now) {
    const bool asked = newest_ && term_committed;
    const bool due = beats_.empty() || now - beats_.back().at >= state.options.heartbeat;
    if (!asked && !due)
      return;
    newest_round_ = ++state.rounds;
    if (due)
      beats_.push_back({newest_round_, now});
    if (beats_.size() > beats_max)
      beats_.pop_front();
    if (!asked)
      return;
    waiting_.push_back({*newest_, newest_round_, state.commit()});
    newest_.reset();
  }

  /// When whoever echoed `round` was certainly there, or later; a process that was stopped reads
  /// answers that are older than they look. The beginning of time if nobody remembers.
  [[nodiscard]] instant proven_at(generation round) const {
    const auto later = std::ranges::upper_bound(beats_, round, {}, &beat::round);
    return later == beats_.begin() ? instant{} : std::prev(later)->at;
  }

  /// Answers every question, those that wait for a round as well: there are some, and a lease
  /// holds.
  void answer_all(log_index commit, outbox& out) {
    const auto newest = newest_ ? *newest_ : waiting_.back().ask;
    out.tell(read_ready{.ask = newest, .index = commit});
    newest_.reset();
    waiting_.clear();
  }

  /// Answers every question whose round a quorum has echoed.
  void confirm(generation round, outbox& out) {
    std::optional<waiting> answered;
    while (!waiting_.empty() && waiting_.front().round <= round) {
      answered = waiting_.front();
      waiting_.pop_front();
    }
    if (answered)
      out.tell(read_ready{.ask = answered->ask, .index = answered->index});
  }

  /// The leadership ends: nothing that waits will be answered here.
  void refuse_all(outbox& out) {
    if (!newest_ && waiting_.empty())
      return;
    out.tell(read_ready{.ask = newest_ ? *newest_ : waiting_.back().ask, .code = errc::not_leader});
    newest_.reset();
    waiting_.clear();
  }

  [[nodiscard]] generation round() const { return newest_round_; }
  [[nodiscard]] bool waits() const { return newest_ || !waiting_.empty(); }

private:
  struct waiting {
    generation ask;
    generation round;
    log_index index;
  };
  struct beat {
    generation round;
    instant at;
  };
  static constexpr std::size_t beats_max = 64;

  std::deque<beat> beats_; ///< the newest
  generation newest_round_;
  std::optional<generation> newest_;
  std::deque<waiting> waiting_;
};

} // namespace understudy
