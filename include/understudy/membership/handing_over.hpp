// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// To whom leadership goes, and when a leader that should not lead gives it back (S5).

#include <understudy/core/outbox.hpp>
#include <understudy/membership/claimants.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/membership/peers.hpp>
#include <understudy/membership/plan.hpp>
#include <understudy/membership/scene.hpp>
#include <understudy/roster/roster.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace understudy {

/// The voter in line that answers and has most of the log, of those that are caught up if any is;
/// none if there is no such voter. One whose machine has stopped is none.
[[nodiscard]] inline member_id best_successor(const core_view& view, member_id self) {
  const auto worth = [](const peer_progress& p) { return std::pair{p.caught_up, p.match}; };
  const peer_progress* best = nullptr;
  for (auto id : detail::sitting(*view.newest.content)) {
    const auto* peer = detail::peer_of(view, id);
    if (id != self && peer && peer->in_contact && !peer->unfit
        && (!best || worth(*peer) > worth(*best)))
      best = peer;
  }
  return best ? best->id : member_id{};
}

/// Gives leadership back: a listener that won an election does once all voters are well and there
/// is no seat for it, an evicted node as soon as it can.
class hand_back {
public:
  explicit hand_back(std::shared_ptr<const monitor_options> options)
      : options_{std::move(options)} {}

  /// `planned` is what plan() came to.
  void pump(scene s, const std::optional<plan_result>& planned) {
    if (!s.is_firm()) {
      told_ = {};
      return;
    }
    const auto why = reason(s, planned);
    const auto to = why.empty() ? member_id{} : best_successor(s.view, s.self);
    if (!to) {
      told_ = {};
      return;
    }
    if (s.now >= next_) {
      next_ = s.now + options_->seat_retry;
      s.out.tell(transfer_leadership{to});
      if (std::exchange(told_, to) != to)
        s.note(decision::hand_back, to, "leadership goes to " + detail::label_of(to) + ": " + why);
    }
    s.out.wake(next_);
  }

private:
  /// Why to hand back now; empty: no reason.
  [[nodiscard]] static std::string reason(const scene& s,
                                          const std::optional<plan_result>& planned) {
    const auto& now = *s.view.newest.content;
    if (const auto* own = find(now, s.self); own && own->status == standing::evicted)
      return "this node is evicted";
    if (has_vote(now, s.self) || !planned || !is_at_rest(planned->reason))
      return {};
    if (detail::is_among(claimants(now), s.self))
      return {}; // its seat may still come
    for (auto id : detail::sitting(now))
      if (!detail::is_in_contact(s.view, id))
        return {}; // it may become free
    return "this node does not vote, and every voter answers";
  }

  std::shared_ptr<const monitor_options> options_;
  member_id told_ = {}; ///< the successor that was named last
  instant next_ = {};
};

} // namespace understudy
