// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/outbox.hpp>
#include <understudy/core/time.hpp>
#include <understudy/membership/journal.hpp>
#include <understudy/membership/signs.hpp>
#include <understudy/membership/tickets.hpp>

#include <string>
#include <utility>

namespace understudy {

/// What every task of the monitor is handed: how things stand, and where to say what it wants.
struct scene {
  member_id self;
  const core_view& view;
  const signs_of_life& signs;
  instant now;
  ticket_line& tickets;
  journal& notes;
  outbox& out;

  /// Whether a leader may decide on the ground of the newest configuration: it can not be taken
  /// back any more, and is no step between two others (M1).
  [[nodiscard]] bool is_firm() const {
    return view.leads && view.term_committed && view.newest.index == view.committed.index
           && !view.newest.content->joint();
  }

  void note(decision what, member_id who, std::string text) {
    notes.note({now, view.term, view.newest.index, what, who, std::move(text)}, out);
  }
};

/// A length of time, for people.
[[nodiscard]] inline std::string in_ms(interval time) {
  return std::to_string(time / std::chrono::milliseconds{1}) + " ms";
}

} // namespace understudy
