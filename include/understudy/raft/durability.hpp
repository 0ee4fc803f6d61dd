// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What is durable, and what waits for it.
///
/// Every change of ballot, log or snapshot is numbered with the write that will carry it. A message
/// that asserts something (a vote, an acknowledgement) is held until the write that covers it is
/// confirmed (I14). Confirmations name the write, not an index: after a truncation the same index
/// may hold another entry, and the old write must not vouch for it (R3). When they stop coming, the
/// disk hangs or is full.

#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/time.hpp>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

namespace understudy {

/// Collects changes into writes, and holds messages back until theirs is confirmed.
class durability {
public:
  explicit durability(bool volatile_log) : volatile_{volatile_log} {}

  /// The log came back from the store, up to `last`. How much of it was synced nobody knows: a
  /// process that was killed leaves what only the system's memory has. So all of it counts as
  /// written and not as durable, until the store has synced once more.
  void recovered(log_index last) {
    pending_last_ = last;
    if (volatile_)
      durable_ = last;
    else
      open();
  }

  // -- what changed -------------------------------------------------------------------------

  void ballot_changed(ballot vote) {
    if (volatile_)
      return;
    open();
    pending_.vote = vote;
  }

  void appended(const entry& what) {
    if (volatile_) {
      durable_ = what.index;
      return;
    }
    open();
    pending_.entries.push_back(what);
    pending_last_ = what.index;
  }

  void truncated(log_index keep) {
    durable_ = std::min(durable_, keep);
    if (volatile_)
      return;
    for (auto& w : in_flight_)
      w.last = std::min(w.last, keep);
    open();
    std::erase_if(pending_.entries, [&](const entry& e) { return e.index > keep; });
    pending_.keep = pending_.keep ? std::min(*pending_.keep, keep) : keep;
    pending_last_ = keep;
  }

  /// The log starts anew at `base`.
  void restarted(std::shared_ptr<const snapshot> base) {
    const auto at = base->at.index;
    durable_ = volatile_ ? at : std::min(durable_, at);
    if (volatile_)
      return;
    for (auto& w : in_flight_)
      w.last = std::min(w.last, at);
    open();
    pending_.entries.clear();
    pending_.keep = at; // also where the store still has what was dropped in this same batch
    pending_.base = std::move(base);
    pending_last_ = at;
  }

  /// A snapshot of what the log holds already was taken; the log goes on behind it.
  void snapshot_taken(std::shared_ptr<const snapshot> image) {
    if (volatile_)
      return;
    open();
    // What the snapshot covers need not be written any more.
    std::erase_if(pending_.entries, [&](const entry& e) { return e.index <= image->at.index; });
    pending_.base = std::move(image);
  }

  // -- what is durable ----------------------------------------------------------------------

  /// All entries up to here are durable, as the log has them now.
  [[nodiscard]] log_index durable() const { return durable_; }

  /// The write that covers all changes so far.
  [[nodiscard]] generation covering() const { return is_open_ ? newest_.next() : newest_; }

  [[nodiscard]] bool is_durable(generation write) const { return write <= confirmed_; }

  /// Whether a write is under way, and none was confirmed for longer than `limit`. Many that are
  /// slow, one behind the other, are no standstill.
  [[nodiscard]] bool stalls(instant now, interval limit) const {
    return !in_flight_.empty() && now - waits_since_ > limit;
  }

  /// Sends now if everything so far is durable, else as soon as it is.
  void send_when_durable(outbox& out, member_id to, peer_message what) {
    const auto write = covering();
    if (is_durable(write))
      out.send(to, std::move(what));
    else
      held_.push_back({write, {to, std::move(what)}});
  }

  /// Drops what is held: it asserts something in a term that has passed.
  void forget_held() { held_.clear(); }

  /// Hands the collected changes to the log writer as one write.
  void flush(instant now, outbox& out) {
    if (!is_open_)
      return;
    is_open_ = false;
    if (in_flight_.empty())
      waits_since_ = now;
    pending_.write = ++newest_;
    in_flight_.push_back({newest_, pending_last_});
    out.tell(std::exchange(pending_, {}));
  }

  /// The log writer confirms all writes up to `write`.
  void confirmed(generation write, instant now, outbox& out) {
    confirmed_ = std::max(confirmed_, write);
    waits_since_ = now;
    while (!in_flight_.empty() && in_flight_.front().write <= write) {
      durable_ = std::max(durable_, in_flight_.front().last);
      in_flight_.pop_front();
    }
    while (!held_.empty() && held_.front().write <= confirmed_) {
      out.letters.push_back(std::move(held_.front().what));
      held_.pop_front();
    }
  }

private:
  struct write_in_flight {
    generation write;
    log_index last; ///< the end of the log that this write makes durable
  };
  struct held_letter {
    generation write;
    letter what;
  };

  void open() { is_open_ = true; }

  bool volatile_;
  bool is_open_ = false;
  generation newest_;    ///< the write last handed over
  generation confirmed_; ///< the write last confirmed
  instant waits_since_;  ///< for the next confirmation
  store_write pending_;
  log_index pending_last_;
  log_index durable_;
  std::deque<write_in_flight> in_flight_;
  std::deque<held_letter> held_;
};

} // namespace understudy
