// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a leader's front door has under way with its raft core.
///
/// Writes are collected and proposed as one batch; the core says at which index the batch begins,
/// and from then on the index is what a call waits for. Indexes only grow while a term lasts, so
/// the waiting calls are a queue and each outcome is found at its head. Reads are collected
/// likewise: one proof of leadership answers for all of them.
///
/// Every call in here is given up when the term ends. An index says nothing any more then: another
/// leader may have put something else there.

#include <understudy/core/assert.hpp>
#include <understudy/core/outbox.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace understudy {

/// Calls on their way through the log, by ticket. A ticket whose call is closed is still here until
/// its turn comes, and means nothing to the owner then.
class serving {
public:
  /// Adds a write to the next batch.
  void propose(ticket id, std::shared_ptr<const payload> what) {
    collected_.push_back(id);
    payloads_.push_back(std::move(what));
  }

  /// Adds a linearizable read to the next batch.
  void read(ticket id) { reading_.push_back(id); }

  /// Tells the core what was collected.
  void flush(outbox& out) {
    if (!collected_.empty()) {
      out.tell(propose_notice{++last_batch_, std::exchange(payloads_, {})});
      batches_.push_back({last_batch_, std::exchange(collected_, {})});
    }
    if (!reading_.empty()) {
      out.tell(read_request{++last_read_});
      reads_.push_back({last_read_, std::exchange(reading_, {})});
    }
  }

  /// A batch stands in the log; calls `refused(ticket)` for what does not.
  template <class Refused> void on(const proposed& m, Refused refused) {
    const auto place = std::find_if(batches_.begin(), batches_.end(),
                                    [&](const auto& b) { return b.name == m.batch; });
    if (place == batches_.end())
      return; // given up meanwhile
    const auto batch = std::move(place->calls);
    batches_.erase(place);
    UNDERSTUDY_ASSERT(m.count <= batch.size(), "no more is proposed than was asked for");
    UNDERSTUDY_ASSERT(m.count == 0 || in_log_.empty() || in_log_.back().index < m.first,
                      "within a term the log only grows");
    for (std::size_t i = 0; i < m.count; ++i)
      in_log_.push_back({m.first + i, batch[i]});
    for (std::size_t i = m.count; i < batch.size(); ++i)
      refused(batch[i]);
  }

  /// Entries were applied; calls `done(ticket, outcome&)` for those that stand in the queue, and
  /// `lost(ticket)` for those in it that were passed over.
  template <class Done, class Lost> void on(applied_outcomes& m, Done done, Lost lost) {
    for (auto& o : m.batch) {
      for (; !in_log_.empty() && in_log_.front().index < o.index; in_log_.pop_front())
        lost(in_log_.front().id);
      if (!in_log_.empty() && in_log_.front().index == o.index) {
        done(in_log_.front().id, o);
        in_log_.pop_front();
      }
    }
  }

  /// Questions were answered, one way or the other; calls `ready(ticket)` for each.
  template <class Ready> void on(const read_ready& m, Ready ready) {
    while (!reads_.empty() && reads_.front().name <= m.ask) {
      const auto calls = std::move(reads_.front().calls);
      reads_.pop_front();
      for (const auto id : calls)
        ready(id);
    }
  }

  /// The term is over; calls `lost(ticket)` for all that was under way, oldest first.
  template <class Lost> void give_up(Lost lost) {
    for (const auto& waiting : std::exchange(in_log_, {}))
      lost(waiting.id);
    for (auto* list : {&batches_, &reads_})
      for (const auto& batch : std::exchange(*list, {}))
        for (const auto id : batch.calls)
          lost(id);
    payloads_.clear();
    for (auto* list : {&collected_, &reading_})
      for (const auto id : std::exchange(*list, {}))
        lost(id);
  }

private:
  using propose_notice = understudy::propose;

  struct batch_of_calls {
    generation name = {};
    std::vector<ticket> calls = {};
  };
  struct waiting_call {
    log_index index = {};
    ticket id = {};
  };

  std::vector<ticket> collected_;
  std::vector<std::shared_ptr<const payload>> payloads_; ///< of `collected_`
  std::vector<ticket> reading_;
  std::deque<batch_of_calls> batches_; ///< told to the core, and not in the log yet
  std::deque<waiting_call> in_log_;    ///< by index
  std::deque<batch_of_calls> reads_;
  generation last_batch_ = {};
  generation last_read_ = {};
};

} // namespace understudy
