// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The end of a member that was marked: once it has no vote, it is taken from the roster (M17).
///
/// An evicted one at once. A leaving one says itself when it is done, for it may still have calls
/// to answer; the leader does it in its place only if it will never say so.

#include <understudy/core/outbox.hpp>
#include <understudy/membership/change_slot.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/membership/scene.hpp>
#include <understudy/roster/roster.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace understudy {

/// The leader's housekeeping.
class dropper {
public:
  explicit dropper(std::shared_ptr<const monitor_options> options) : options_{std::move(options)} {}

  /// The core said what became of a change; whether it was this one.
  bool taken(const change_taken& what, instant now) {
    return slot_.taken(what, now + options_->seat_retry);
  }

  void pump(scene s) {
    if (!s.view.leads || s.view.term != term_)
      slot_ = {};
    term_ = s.view.leads ? s.view.term : term_number{};
    if (!s.is_firm() || !slot_.is_free(s.view, s.now, s.out))
      return;
    for (const auto& m : s.view.newest.content->members) {
      if (m.id == s.self || has_vote(*s.view.newest.content, m.id))
        continue;
      const auto why = why_drop(m, s);
      if (!why)
        continue;
      s.out.tell(change_roster{.what = drop_member{m.id}, .id = slot_.begin(s.tickets)});
      return s.note(decision::drop, m.id, detail::label_of(m.id) + " " + *why);
    }
  }

  [[nodiscard]] bool is_busy(const core_view& view) const { return slot_.is_open(view); }

private:
  [[nodiscard]] std::optional<std::string> why_drop(const member& who, scene& s) const {
    if (who.status == standing::evicted)
      return "was evicted, and has no vote";
    if (who.status != standing::leaving)
      return std::nullopt;
    if (s.signs.is_gone(who))
      return "was leaving, and its process has ended";
    const auto since = s.signs.leaving_since(who.id);
    if (!since)
      return std::nullopt;
    const std::chrono::milliseconds evict_after{s.view.committed.content->rules.evict_after_ms};
    const auto due
        = std::max(*since + 2 * options_->leave_limit, s.signs.last(who.id) + evict_after);
    if (s.now >= due)
      return "has been leaving for " + in_ms(s.now - *since) + ", and is silent";
    s.out.wake(due);
    return std::nullopt;
  }

  std::shared_ptr<const monitor_options> options_;
  term_number term_ = {};
  change_slot slot_ = {};
};

} // namespace understudy
