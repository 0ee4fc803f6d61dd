// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a seat is asked for, and given (S4, S8, S9).

#include <understudy/core/outbox.hpp>
#include <understudy/membership/change_slot.hpp>
#include <understudy/membership/claimants.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/membership/peers.hpp>
#include <understudy/membership/plan.hpp>
#include <understudy/membership/scene.hpp>
#include <understudy/roster/roster.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
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
    begin_term(view);
    const auto* who = view.leads ? find(*view.committed.content, from) : nullptr;
    if (who && in_line(*who) && !detail::is_among(asked_, from))
      asked_.push_back(from);
  }

  /// The core said what became of a change; whether it was this one.
  bool taken(const change_taken& what, instant now) {
    return slot_.taken(what, now + options_->seat_retry);
  }

  /// `substitutes` are brought up to date besides those that asked. While `busy`, another change is
  /// on its way to the core, and would be in the way of one of the voters.
  void pump(scene s, const std::vector<member_id>& substitutes, bool busy) {
    begin_term(s.view);
    if (!s.view.leads)
      return;
    refresh_claims(s);
    track(substitutes, s.out);
    wake_for_bounds(s);
    if (busy || !slot_.is_free(s.view, s.now, s.out))
      return;
    auto next = plan(input_of(s));
    if (next != last_)
      s.note(decision::plan, {}, text_of(next));
    last_ = std::move(next);
    if (last_->reason != plan_reason::change)
      return;
    s.out.tell(change_voters{
        .base = s.view.newest.index, .voters = last_->voters, .id = slot_.begin(s.tickets)});
  }

  /// What the plan came to last; nothing unless this node leads.
  [[nodiscard]] const std::optional<plan_result>& last() const { return last_; }

  /// What plan() would look at if a listener that gives signs of life were taken to be ready, as it
  /// pulls all the time. For questions in advance; leading only.
  [[nodiscard]] plan_input supposed_input(const core_view& view, const signs_of_life& signs,
                                          instant now) const {
    auto in = input_of(view, signs, now);
    for (auto& one : in.outlooks) {
      if (detail::peer_of(view, one.id)) {
        one.asked = true;
        continue;
      }
      const bool heard
          = now - signs.last(one.id) <= options_->presence_every + options_->suspect_after;
      one.asked = one.caught_up = one.in_contact = heard;
    }
    return in;
  }

private:
  struct claimant {
    member_id id;
    instant since;      ///< not caught up since then
    bool noted = false; ///< that it was passed over
  };

  /// What was known in another term counts no more. The first request of a term may arrive together
  /// with the news that it has begun.
  void begin_term(const core_view& view) {
    const auto term = view.leads ? view.term : term_number{};
    if (term_ == term)
      return;
    term_ = term;
    asked_.clear();
    claims_.clear();
    tracked_.reset();
    slot_ = {};
    last_.reset();
  }

  [[nodiscard]] bool passed_over(member_id id, instant now) const {
    const auto found = std::ranges::find(claims_, id, &claimant::id);
    return found != claims_.end() && now - found->since >= options_->catch_up_limit;
  }

  /// Brings `claims_` up to date: those that may take an open seat, and those passed over for it.
  void refresh_claims(scene& s) {
    const auto passed = [&](member_id id) { return passed_over(id, s.now); };
    for (auto& c : claims_) {
      if ((c.id == options_->self.id && !s.view.unfit) || detail::is_caught_up(s.view, c.id)) {
        c.since = s.now;
        c.noted = false;
      }
      if (passed(c.id) && !std::exchange(c.noted, true))
        s.note(decision::passed_over, c.id,
               detail::label_of(c.id) + " has not caught up for " + in_ms(s.now - c.since)
                   + ": the next in line may ask");
    }
    const auto& known = *s.view.committed.content;
    const auto may = claimants(known, passed);
    const bool open = open_seats(known) > 0;
    std::erase_if(claims_, [&](const claimant& c) {
      const auto* who = find(known, c.id);
      const bool stands = who && in_line(*who) && !detail::is_among(known.voters, c.id);
      return !open || !stands || (!detail::is_among(may, c.id) && !passed(c.id));
    });
    for (auto id : may)
      if (std::ranges::find(claims_, id, &claimant::id) == claims_.end())
        claims_.push_back({id, s.now});
    for (const auto& c : claims_)
      if (!passed(c.id))
        s.out.wake(c.since + options_->catch_up_limit);
  }

  /// Tells the core whom to bring up to date: those that asked and may still have a seat.
  void track(const std::vector<member_id>& substitutes, outbox& out) {
    std::erase_if(asked_, [&](member_id id) {
      return std::ranges::find(claims_, id, &claimant::id) == claims_.end();
    });
    auto all = asked_;
    for (auto id : substitutes)
      if (!detail::is_among(all, id))
        all.push_back(id);
    if (tracked_ == all)
      return;
    tracked_ = all;
    out.tell(track_members{std::move(all)});
  }

  /// A leaving voter's bound ends without anything arriving.
  void wake_for_bounds(scene& s) const {
    for (auto id : s.view.newest.content->voters)
      if (const auto since = s.signs.leaving_since(id); since && !is_overdue(*since, s.now))
        s.out.wake(*since + options_->leave_limit);
  }

  [[nodiscard]] bool is_overdue(instant since, instant now) const {
    return now - since >= options_->leave_limit;
  }

  [[nodiscard]] static std::string text_of(const plan_result& result) {
    std::string text{to_string(result.reason)};
    for (auto id : result.voters)
      text += " " + std::to_string(id.value);
    return text + (result.detail.empty() ? "" : ": ") + result.detail;
  }

  [[nodiscard]] plan_input input_of(const scene& s) const {
    return input_of(s.view, s.signs, s.now);
  }

  /// What is known of everybody, in the roster's order.
  [[nodiscard]] plan_input input_of(const core_view& view, const signs_of_life& signs,
                                    instant now) const {
    plan_input in{.self = options_->self.id,
                  .newest = view.newest.content,
                  .committed = view.committed.index == view.newest.index,
                  .term_committed = view.term_committed,
                  .self_unfit = view.unfit};
    for (const auto& m : view.newest.content->members) {
      const auto* peer = detail::peer_of(view, m.id);
      const auto leaving = signs.leaving_since(m.id);
      in.outlooks.push_back({.id = m.id,
                             .asked = detail::is_among(asked_, m.id),
                             .caught_up = peer && peer->caught_up,
                             .in_contact = peer && peer->in_contact,
                             .passed_over = passed_over(m.id, now),
                             .overdue = leaving && is_overdue(*leaving, now)});
    }
    return in;
  }

  std::shared_ptr<const monitor_options> options_;
  term_number term_ = {};
  std::vector<member_id> asked_ = {}; ///< in the order in which they did
  std::vector<claimant> claims_ = {};
  std::optional<std::vector<member_id>> tracked_ = {}; ///< what the core was told
  change_slot slot_ = {};
  std::optional<plan_result> last_ = {};
};

} // namespace understudy
