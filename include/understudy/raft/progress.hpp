// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a leader knows of one peer's log, and how much it may send it.

#include <understudy/core/assert.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/snapshot.hpp>
#include <understudy/core/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

namespace understudy {

/// How a leader sends to a peer.
enum class flow : std::uint8_t {
  probe,     ///< where the logs agree is not known: one message at a time
  replicate, ///< they agree up to `next`: as much as the windows allow, without waiting
  snapshot,  ///< the peer needs what the log no longer has: a chunk at a time
};

/// One peer, as seen by a leader. Begins anew with each leadership and each time a peer is taken up
/// again; `stream` tells these lives apart, so that a late answer is never credited to a later one
/// (R4).
class progress {
public:
  progress(generation stream, log_index last) : stream_{stream}, next_{last.next()} {}

  /// All up to here is stored at the peer. Never falls, and is always less than `next()` (R5).
  [[nodiscard]] log_index match() const { return match_; }
  /// The first entry to send.
  [[nodiscard]] log_index next() const { return next_; }
  [[nodiscard]] generation stream() const { return stream_; }
  [[nodiscard]] flow mode() const { return mode_; }
  /// Counts how often it had to be found out anew where the logs agree. What was sent before is on
  /// its way still, and its refusals say nothing that is not known: if each of them began another
  /// attempt, and each acceptance between two of them had all sent again, a window that arrived out
  /// of order would be sent again once for each message in it.
  [[nodiscard]] generation attempt() const { return attempt_; }

  /// Whether another entry of `bytes` may be sent now.
  [[nodiscard]] bool has_room(std::size_t window_entries, std::size_t window_bytes) const {
    switch (mode_) {
    case flow::probe:
      return !probing_;
    case flow::replicate:
      return entries_in_flight_ < window_entries && bytes_in_flight_ < window_bytes;
    case flow::snapshot:
      return false;
    }
    return false;
  }

  /// Entries up to `last` went out.
  void sent(log_index last, std::size_t entries, std::size_t bytes) {
    if (mode_ == flow::probe) {
      probing_ = true;
      return;
    }
    if (entries == 0)
      return;
    in_flight_.push_back({last, entries, bytes});
    entries_in_flight_ += entries;
    bytes_in_flight_ += bytes;
    next_ = last.next();
  }

  /// The peer holds everything up to `index`: true whenever it was sent. That the logs are known to
  /// agree, only an answer to this attempt says.
  void accepted(log_index index, generation attempt) {
    if (index > match_)
      match_ = index;
    if (next_ <= match_)
      next_ = match_.next();
    while (!in_flight_.empty() && in_flight_.front().last <= match_) {
      entries_in_flight_ -= in_flight_.front().entries;
      bytes_in_flight_ -= in_flight_.front().bytes;
      in_flight_.pop_front();
    }
    if (mode_ != flow::snapshot) {
      if (attempt != attempt_)
        return;
      probing_ = false;
      mode_ = flow::replicate;
    } else if (match_ >= image_->at.index) {
      snapshot_done(); // it got there by pulling
    }
  }

  /// The peer refused; the logs may agree at `agreement`. A refusal that has been overtaken, by an
  /// acceptance or by an earlier refusal, changes nothing.
  void refused(log_index agreement, generation attempt) {
    if (mode_ == flow::snapshot || attempt != attempt_)
      return;
    probing_ = false;
    auto next = std::max(agreement, match_).next();
    if (next >= next_ && mode_ == flow::replicate)
      next = match_.next();
    next_ = std::min(next_, next);
    back_to_probing();
  }

  /// Nothing came back for what was sent: find out again where the peer stands.
  void lost_track() {
    if (mode_ == flow::snapshot)
      return;
    next_ = match_.next();
    back_to_probing();
  }

  /// The log is kept from behind here on, for the peer's sake.
  [[nodiscard]] log_index needs_behind() const {
    return mode_ == flow::snapshot ? image_->at.index : match_;
  }

  // -- snapshot -----------------------------------------------------------------------------

  void begin_snapshot(std::shared_ptr<const snapshot> image) {
    UNDERSTUDY_ASSERT(image, "a log is compacted only behind a snapshot");
    mode_ = flow::snapshot;
    image_ = std::move(image);
    offset_ = 0;
    probing_ = false;
    forget_in_flight();
  }

  [[nodiscard]] const std::shared_ptr<const snapshot>& image() const { return image_; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

  /// Whether a chunk may be sent: none is on its way, or it is lost. It counts as lost when it was
  /// not answered for `patience`, though a heartbeat that went out behind it was: a slow link and a
  /// dead peer are not sent the same chunk again and again (N9).
  [[nodiscard]] bool chunk_due(instant now, interval patience, interval heartbeat) const {
    return !probing_
           || (now - chunk_sent_at_ >= patience && last_answer >= chunk_sent_at_ + heartbeat);
  }

  void chunk_sent(instant now) {
    probing_ = true;
    chunk_sent_at_ = now;
  }

  /// The peer holds so much. Only news lets the next chunk go, so that a doubled answer does not
  /// double what is under way.
  void chunk_received(std::uint64_t received) {
    if (received == offset_)
      return;
    offset_ = received;
    probing_ = false;
  }

  void snapshot_done() {
    const auto at = image_->at.index;
    image_.reset();
    mode_ = flow::probe;
    probing_ = false;
    match_ = std::max(match_, at);
    next_ = match_.next();
  }

  // -- contact ------------------------------------------------------------------------------

  instant last_answer = {};   ///< when the peer last answered in this stream
  instant last_sent = {};     ///< when something was last sent
  log_index commit_sent = {}; ///< the commit index the peer was last told
  generation round_sent = {}; ///< the newest round of heartbeats it was sent
  generation read_round = {}; ///< the newest round it has echoed
  bool link_lost = false;     ///< the link broke, and nothing was heard since
  bool unfit = false;         ///< its machine has stopped
  bool full = false;          ///< so is its disk: it agrees to more than it has stored
  bool answered = false;      ///< ever, in this stream; until then it is given time to

  [[nodiscard]] bool in_contact(instant now, interval limit) const {
    return !link_lost && last_answer != instant{} && now - last_answer <= limit;
  }

  /// Whether it also stores what it is sent.
  [[nodiscard]] bool is_of_use(instant now, interval limit) const {
    return !full && in_contact(now, limit);
  }

  /// The same without the time that a peer is given for its first answer: for decisions that rest
  /// on its being there.
  [[nodiscard]] bool has_answered(instant now, interval limit) const {
    return answered && is_of_use(now, limit);
  }

  /// Whether it could vote from now on and hold nobody up: it has something of the leader's own
  /// term, which begins at `term`, and is at most `gap` behind `last`.
  [[nodiscard]] bool caught_up(log_index term, log_index last, std::size_t gap) const {
    return !unfit && mode() == flow::replicate && match() >= term && last - match() <= gap;
  }

private:
  struct batch {
    log_index last;
    std::size_t entries;
    std::size_t bytes;
  };

  void back_to_probing() {
    mode_ = flow::probe;
    ++attempt_;
    forget_in_flight();
    UNDERSTUDY_ASSERT(next_ > match_, "what a peer holds is not sent again");
  }

  void forget_in_flight() {
    in_flight_.clear();
    entries_in_flight_ = 0;
    bytes_in_flight_ = 0;
  }

  generation stream_;
  generation attempt_;
  log_index match_;
  log_index next_;
  flow mode_ = flow::probe;
  bool probing_ = false; ///< a probe or a chunk is on its way
  instant chunk_sent_at_ = {};
  std::deque<batch> in_flight_;
  std::size_t entries_in_flight_ = 0;
  std::size_t bytes_in_flight_ = 0;
  std::shared_ptr<const snapshot> image_;
  std::uint64_t offset_ = 0;
};

} // namespace understudy
