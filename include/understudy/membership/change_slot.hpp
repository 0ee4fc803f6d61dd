// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/notices.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/time.hpp>
#include <understudy/membership/tickets.hpp>

namespace understudy {

/// Room for one change that the core was asked for. The next is asked for when the view shows the
/// last one; one that the core refused is tried again later, not in a loop.
class change_slot {
public:
  [[nodiscard]] bool is_free(const core_view& view, instant now, outbox& out) const {
    if (now < hold_until_)
      out.wake(hold_until_);
    return now >= hold_until_ && !is_open(view);
  }

  /// Asked for, and not answered by the core yet, or not shown by the view.
  [[nodiscard]] bool is_open(const core_view& view) const {
    return asked_ || view.newest.index < expected_;
  }

  [[nodiscard]] ticket begin(ticket_line& tickets) { return asked_ = tickets.next(); }

  /// The core said what became of a change; whether it was this one.
  [[nodiscard]] bool taken(const change_taken& what, instant hold_until) {
    if (!asked_ || what.id != asked_)
      return false;
    asked_ = {};
    if (what.index)
      expected_ = *what.index;
    else
      hold_until_ = hold_until;
    return true;
  }

private:
  ticket asked_ = {};
  log_index expected_ = {}; ///< the last one stands in the log from here on
  instant hold_until_ = {}; ///< the core refused: not before then
};

} // namespace understudy
