// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The numbers of one session, as its owner keeps them (C6).
///
/// Each command gets a number, and keeps it in every attempt: so it is applied once, however often
/// and to whomever it is sent. Sent along is the number below which the owner wants no reply any
/// more, which lets the replicated table forget.
///
/// That number may also pass a command whose caller gave up with its outcome unknown. Nobody sends
/// such a command again, and a late copy of it is either applied for the first time, or comes after
/// a command that carries the passed number and is refused: in no order is it applied twice.

#include <understudy/core/assert.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>

namespace understudy {

/// One session's numbers: which is next, and which are still open.
class call_window {
public:
  /// Begins with a session that has had no command yet.
  void opened(session_id id) {
    session_ = id;
    base_ = request_number{1};
    closed_.clear();
  }

  /// The session is gone; nothing happens if `id` is not the current one.
  void lost(session_id id) {
    if (id == session_)
      opened({});
  }

  [[nodiscard]] bool open() const { return static_cast<bool>(session_); }
  [[nodiscard]] session_id session() const { return session_; }

  /// Whether another number would lie `limit` or more beyond the oldest open one.
  [[nodiscard]] bool full(std::uint32_t limit) const { return closed_.size() >= limit; }

  /// Every number below this one is closed.
  [[nodiscard]] request_number answered_below() const { return base_; }

  /// Gives `c` its name for good.
  void number(command& c) {
    UNDERSTUDY_ASSERT(open() && !c.session, "a command is numbered once, in an open session");
    c.session = session_;
    c.number = base_ + closed_.size();
    closed_.push_back(false);
  }

  /// Brings an open command up to date for its next attempt.
  void refresh(command& c) const {
    if (c.session == session_)
      c.answered_below = base_;
  }

  /// The caller of `c` waits no more, whatever came of it.
  void close(const command& c) {
    if (!c.session || c.session != session_ || c.number < base_)
      return;
    const auto place = static_cast<std::size_t>(c.number - base_);
    UNDERSTUDY_ASSERT(place < closed_.size(), "only numbers that were given are closed");
    closed_[place] = true;
    for (; !closed_.empty() && closed_.front(); ++base_)
      closed_.pop_front();
  }

private:
  session_id session_ = {};
  request_number base_{1};
  std::deque<bool> closed_; ///< from `base_` on; the first is open
};

} // namespace understudy
