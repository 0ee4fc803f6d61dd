// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a seat is asked for, and given (S4, S8, S9).

#include <understudy/core/outbox.hpp>
#include <understudy/membership/claimants.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/membership/plan.hpp>
#include <understudy/membership/tickets.hpp>
#include <understudy/roster/roster.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace understudy {

/// The listener's side: asks the leader for a seat for as long as it may take one.
class seat_asker {
public:
  explicit seat_asker(std::shared_ptr<const monitor_options> options)
      : options_{std::move(options)} {}

  void pump(const core_view& view, instant now, outbox& out) {
    if (!view.leader || view.leads || !may_ask(view, now, out)) {
      asked_ = {};
      return;
    }
    if (view.leader != asked_ || now >= next_ask_) {
      asked_ = view.leader;
      next_ask_ = now + options_->seat_retry;
      out.send(view.leader, seat_request{view.last});
    }
    out.wake(next_ask_);
  }

private:
  /// By the committed configuration, like everyone else; a seat on its way in the newest one need
  /// not be asked for.
  [[nodiscard]] bool may_ask(const core_view& view, instant now, outbox& out) {
    const auto self = options_->self.id;
    const auto& known = *view.committed.content;
    auto first = claimants(known);
    if (first != waited_for_) {
      waited_for_ = std::move(first);
      waiting_since_ = now;
    }
    if (has_vote(*view.newest.content, self))
      return false;
    if (detail::is_among(waited_for_, self))
      return true;
    const auto passed_over = [&](member_id id) { return detail::is_among(waited_for_, id); };
    if (!detail::is_among(claimants(known, passed_over), self))
      return false;
    const auto patience_ends = waiting_since_ + options_->catch_up_limit;
    if (now >= patience_ends)
      return true;
    out.wake(patience_ends);
    return false;
  }

  std::shared_ptr<const monitor_options> options_;
  std::vector<member_id> waited_for_ = {}; ///< those before us that may take the open seats
  instant waiting_since_ = {};
  member_id asked_ = {}; ///< the leader that was asked last
  instant next_ask_ = {};
};

/// The leader's side: remembers who asked, has the core bring them up to date, and changes the
/// voters when the plan says so.
class seat_giver {
public:
  explicit seat_giver(std::shared_ptr<const monitor_options> options)
      : options_{std::move(options)} {}

  /// A member asked for a seat; whether it may have one is decided by `pump`.
  void asked(member_id from, const core_view& view) {
    const auto* who = view.leads ? find(*view.committed.content, from) : nullptr;
    if (who && in_line(*who) && !detail::is_among(asked_, from))
      asked_.push_back(from);
  }

  /// The core said what became of a change; whether it was this one.
  bool taken(const change_taken& what, instant now) {
    if (!change_ || what.id != change_)
      return false;
    change_ = {};
    if (what.index)
      expected_ = *what.index;
    else
      hold_until_ = now + options_->seat_retry;
    return true;
  }

  void pump(const core_view& view, instant now, ticket_line& tickets, outbox& out) {
    if (!view.leads || view.term != term_)
      forget();
    if (!view.leads)
      return;
    term_ = view.term;
    refresh_claims(view, now, out);
    track(out);
    if (now < hold_until_)
      return out.wake(hold_until_);
    if (change_ || view.newest.index < expected_)
      return;
    last_ = plan(input_of(view, now));
    if (last_->reason != plan_reason::change)
      return;
    change_ = tickets.next();
    out.tell(change_voters{.base = view.newest.index, .voters = last_->voters, .id = change_});
  }

  /// What the plan came to last; nothing unless this node leads.
  [[nodiscard]] const std::optional<plan_result>& last() const { return last_; }

private:
  struct claimant {
    member_id id;
    instant since; ///< not caught up since then
  };

  void forget() {
    asked_.clear();
    claims_.clear();
    tracked_.reset();
    change_ = {};
    expected_ = {};
    hold_until_ = {};
    last_.reset();
    term_ = {};
  }

  [[nodiscard]] bool passed_over(member_id id, instant now) const {
    const auto found = std::ranges::find(claims_, id, &claimant::id);
    return found != claims_.end() && now - found->since >= options_->catch_up_limit;
  }

  /// Brings `claims_` up to date: those that may take an open seat, and those passed over for it.
  void refresh_claims(const core_view& view, instant now, outbox& out) {
    for (auto& c : claims_)
      if (c.id == options_->self.id || caught_up(view, c.id))
        c.since = now;
    const auto passed = [&](member_id id) { return passed_over(id, now); };
    const auto& known = *view.committed.content;
    const auto may = claimants(known, passed);
    const bool open = open_seats(known) > 0;
    std::erase_if(claims_, [&](const claimant& c) {
      const auto* who = find(known, c.id);
      const bool stands = who && in_line(*who) && !detail::is_among(known.voters, c.id);
      return !open || !stands || (!detail::is_among(may, c.id) && !passed(c.id));
    });
    for (auto id : may)
      if (std::ranges::find(claims_, id, &claimant::id) == claims_.end())
        claims_.push_back({id, now});
    for (const auto& c : claims_)
      if (!passed(c.id))
        out.wake(c.since + options_->catch_up_limit);
  }

  /// Tells the core whom to bring up to date: those that asked and may still have a seat.
  void track(outbox& out) {
    std::erase_if(asked_, [&](member_id id) {
      return std::ranges::find(claims_, id, &claimant::id) == claims_.end();
    });
    if (tracked_ == asked_)
      return;
    tracked_ = asked_;
    out.tell(track_members{asked_});
  }

  [[nodiscard]] static bool caught_up(const core_view& view, member_id id) {
    const auto found = std::ranges::find(view.peers, id, &peer_progress::id);
    return found != view.peers.end() && found->caught_up;
  }

  [[nodiscard]] plan_input input_of(const core_view& view, instant now) const {
    plan_input in{.self = options_->self.id,
                  .newest = view.newest.content,
                  .committed = view.committed.index == view.newest.index,
                  .term_committed = view.term_committed};
    for (const auto& p : view.peers)
      in.outlooks.push_back({.id = p.id,
                             .asked = detail::is_among(asked_, p.id),
                             .caught_up = p.caught_up,
                             .in_contact = p.in_contact,
                             .passed_over = passed_over(p.id, now)});
    for (const auto& c : claims_)
      if (std::ranges::find(in.outlooks, c.id, &outlook::id) == in.outlooks.end())
        in.outlooks.push_back({.id = c.id, .passed_over = passed_over(c.id, now)});
    return in;
  }

  std::shared_ptr<const monitor_options> options_;
  term_number term_ = {};
  std::vector<member_id> asked_ = {}; ///< in the order in which they did
  std::vector<claimant> claims_ = {};
  std::optional<std::vector<member_id>> tracked_ = {}; ///< what the core was told
  ticket change_ = {};                                 ///< not answered by the core yet
  log_index expected_ = {};                            ///< stands in the log from here on
  instant hold_until_ = {};                            ///< the core refused: not before then
  std::optional<plan_result> last_ = {};
};

} // namespace understudy
