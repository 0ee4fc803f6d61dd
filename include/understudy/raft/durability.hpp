// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What is durable, and what waits for it.
///
/// Every change of ballot, log or snapshot is numbered with the write that will carry it. A message
/// that asserts something (a vote, an acknowledgement) is held until the write that covers it is
/// confirmed (I14). Confirmations name the write, not an index: after a truncation the same index
/// may hold another entry, and the old write must not vouch for it (R3). When they stop coming, the
/// disk hangs.
///
/// A full disk says that it is full, and confirms ballots ahead of what waits for room: of the log,
/// of truncations, of a snapshot (D5). Then a message that asserts nothing but the ballot, and of
/// the log only what is durable, leaves when its ballot is durable. After a crash such a node comes
/// back with a ballot that is newer than its log: with a log L that it had some time before, where
/// another one, M, was in memory. That is safe, for what was said with M in memory:
///
/// - That an entry is stored: said of durable entries only. They are in L, or a committed snapshot
///   that is in L covers them; and a node never truncates what it acknowledged and a leader has
///   committed. So L holds all of the node's part in any commit, as after any other crash.
/// - A vote for a candidate whose log is no older than M. A later leader must have what is
///   committed, and has it through a voter that had acknowledged it before it voted (§5.4.3). That
///   was durable, and no leader in between lacked it, so it was in M when M was compared, and is in
///   L. What else L may hold, such as a tail that M had dropped, counted in no commit. L may be
///   newer than the winner's log: then this node refuses more from now on, which is no harm.
/// - The own candidacy with the end of M: who wins leads with M, from memory. If the process ends,
///   so does the leadership, and never comes back in that term, for the own vote of it is durable:
///   so no two entries of one term and index ever differ. Its copy of M counted in no commit.
/// - Configurations in M: the node that acts on M is one that has M. With L it is as if what came
///   behind L had never arrived, which may happen to any node.
/// - An echo of a round of reads: that this node had voted in no later term. Terms never go back.
///
/// The ballot is what nobody may forget (E1, E2), and it is never claimed before it is durable.

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

  /// The log starts anew at `base`, the end of which is not durable before the snapshot is: until
  /// then the store has another log.
  void restarted(std::shared_ptr<const snapshot> base) {
    const auto at = base->at.index;
    durable_ = volatile_ ? at : std::min(durable_, at.previous());
    if (volatile_)
      return;
    for (auto& w : in_flight_)
      w.last = std::min(w.last, at.previous());
    open();
    pending_.entries.clear();
    pending_.keep = at; // also where the store still has what was dropped in this same batch
    pending_.base = std::move(base);
    pending_last_ = at;
    restart_ = covering();
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

  /// What may be acknowledged while other things wait. Until a snapshot that has taken the log's
  /// place is stored, what is stored below it may be another log: that is of no use to anybody.
  [[nodiscard]] log_index acknowledged() const {
    return is_durable(restart_) ? durable_ : log_index{};
  }

  /// The write that covers all changes so far.
  [[nodiscard]] generation covering() const { return is_open_ ? newest_.next() : newest_; }

  [[nodiscard]] bool is_durable(generation write) const { return write <= confirmed_; }

  /// Whether the ballot of this write is, with the log or without.
  [[nodiscard]] bool is_voted(generation write) const { return write <= ballots_; }

  /// Whether the disk is full, and all but ballots waits for room.
  [[nodiscard]] bool is_full() const { return full_; }

  /// Whether there was no room for the snapshot up to here, and its log stays in its place.
  [[nodiscard]] bool lacks_snapshot(log_index covers) const {
    return left_out_ != log_index{} && left_out_ == covers;
  }

  /// Whether a write is under way, and none was confirmed for longer than `limit`. Many that are
  /// slow, one behind the other, are no standstill.
  [[nodiscard]] bool stalls(instant now, interval limit) const {
    return !in_flight_.empty() && now - waits_since_ > limit;
  }

  /// Sends now if everything so far is durable, else as soon as it is.
  void send_when_durable(outbox& out, member_id to, peer_message what) {
    hold({covering(), false, {to, std::move(what)}}, out);
  }

  /// The same for what asserts nothing but the ballot, and of the log what is durable already: if
  /// the disk is full, it leaves as soon as the ballot is.
  void send_when_voted(outbox& out, member_id to, peer_message what) {
    hold({covering(), true, {to, std::move(what)}}, out);
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

  /// The log writer confirms writes, or of some only their ballots.
  void confirmed(const store_written& what, instant now, outbox& out) {
    if (what.write > confirmed_)
      waits_since_ = now;
    confirmed_ = std::max(confirmed_, what.write);
    ballots_ = std::max({ballots_, confirmed_, what.ballots});
    full_ = ballots_ > confirmed_;
    left_out_ = what.left_out;
    while (!in_flight_.empty() && in_flight_.front().write <= confirmed_) {
      durable_ = std::max(durable_, in_flight_.front().last);
      in_flight_.pop_front();
    }
    while (!held_.empty() && may_leave(held_.front())) {
      out.letters.push_back(std::move(held_.front().what));
      held_.pop_front();
    }
    if (!full_ || held_.empty())
      return;
    for (auto& letter : std::exchange(held_, {})) // what needs only its ballot overtakes the rest
      hold(std::move(letter), out);
  }

private:
  struct write_in_flight {
    generation write;
    log_index last; ///< the end of the log that this write makes durable
  };
  struct held_letter {
    generation write;
    bool ballot_only;
    letter what;
  };

  [[nodiscard]] bool may_leave(const held_letter& one) const {
    return one.ballot_only && full_ ? is_voted(one.write) : is_durable(one.write);
  }

  void hold(held_letter one, outbox& out) {
    if (may_leave(one))
      out.letters.push_back(std::move(one.what));
    else
      held_.push_back(std::move(one));
  }

  void open() { is_open_ = true; }

  bool volatile_;
  bool is_open_ = false;
  generation newest_;    ///< the write last handed over
  generation confirmed_; ///< the write last confirmed
  generation ballots_;   ///< the write whose ballot last was
  generation restart_;   ///< the write with which the log started anew last
  bool full_ = false;
  log_index left_out_;
  instant waits_since_; ///< for the next confirmation
  store_write pending_;
  log_index pending_last_;
  log_index durable_;
  std::deque<write_in_flight> in_flight_;
  std::deque<held_letter> held_;
};

} // namespace understudy
