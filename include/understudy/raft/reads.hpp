// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Linearizable reads without writing to the log (§6.4 of the thesis).

#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/raft/core_state.hpp>

#include <deque>
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

  /// Gives the questions that wait a round of their own; true if there is one to send.
  bool begin_round(core_state& state, bool term_committed) {
    if (!newest_ || !term_committed)
      return false;
    newest_round_ = ++state.rounds;
    waiting_.push_back({*newest_, newest_round_, state.commit()});
    newest_.reset();
    return true;
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

  generation newest_round_;
  std::optional<generation> newest_;
  std::deque<waiting> waiting_;
};

} // namespace understudy
