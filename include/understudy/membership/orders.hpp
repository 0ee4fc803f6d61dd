// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How an order gets to the leader, from whichever node it was given at.
///
/// It goes under one number until it is answered: to the same leader again and again, to another
/// one as soon as there is one. So a lost letter costs a pause and nothing else.

#include <understudy/core/errors.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/membership/order_office.hpp>
#include <understudy/membership/scene.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

/// The side of whoever gives an order: an operator at this node, or this node itself.
class order_desk {
public:
  explicit order_desk(std::shared_ptr<const monitor_options> options)
      : options_{std::move(options)} {}

  /// An operator's order.
  void take(local_order& what, scene s) {
    if (open_.size() >= order_office::orders_max)
      return s.out.tell(order_done{what.id, fail(errc::overloaded, "too many orders are open")});
    const bool given = what.deadline > instant{};
    open_.push_back({.id = s.tickets.next(),
                     .caller = what.id,
                     .own = false,
                     .what = std::move(what.what),
                     .deadline = given ? what.deadline : s.now + options_->order_patience});
  }

  /// An order of this node's own: what becomes of it is fetched with `result`.
  [[nodiscard]] ticket place(order what, instant deadline, scene s) {
    open_.push_back({.id = s.tickets.next(),
                     .caller = {},
                     .own = true,
                     .what = std::move(what),
                     .deadline = deadline});
    return open_.back().id;
  }

  /// The result of an own order, once.
  [[nodiscard]] std::optional<expected<log_index>> result(ticket id) {
    const auto found = results_.find(id);
    if (found == results_.end())
      return std::nullopt;
    auto outcome = std::move(found->second);
    results_.erase(found);
    return outcome;
  }

  /// An own order is of no interest any more.
  void withdraw(ticket id) {
    std::erase_if(open_, [&](const open_order& o) { return o.id == id; });
    results_.erase(id);
  }

  /// The leader, or somebody that was taken for it, answered.
  void answered(member_id from, ticket id, const expected<log_index>& outcome, scene s) {
    const auto found = std::ranges::find(open_, id, &open_order::id);
    if (found == open_.end() || std::ranges::find(found->asked, from) == found->asked.end())
      return;
    if (!outcome && outcome.error().code == errc::not_leader)
      return; // it is asked again, or whoever leads then
    finish(*found, outcome, s);
    open_.erase(found);
  }

  /// Sends what is to be sent, to `office` if this node leads, and ends what took too long.
  void pump(scene s, order_office& office) {
    std::erase_if(open_, [&](open_order& one) { return is_over(one, s); });
    for (auto& one : open_) {
      s.out.wake(one.deadline);
      if (!s.view.leader)
        continue;
      if (one.sent_to() != s.view.leader || one.term != s.view.term || s.now >= one.next)
        send(one, s, office);
      if (!s.view.leads)
        s.out.wake(one.next);
    }
  }

  /// Fetches what the office has answered to this node itself.
  void collect(scene s, order_office& office) {
    for (const auto& r : office.take_own())
      answered(s.self, r.id, r.outcome, s);
  }

  /// Ends all orders of operators: this node can give none any more.
  void abandon(const failure& why, scene s) {
    for (auto& one : open_)
      if (!one.own)
        finish(one, one.sent_to() ? fail(errc::outcome_unknown, why.detail) : tl::unexpected{why},
               s);
    std::erase_if(open_, [](const open_order& o) { return !o.own; });
  }

private:
  struct open_order {
    ticket id;     ///< under which it is sent
    ticket caller; ///< the operator's number for it
    bool own;
    order what;
    instant deadline;
    std::vector<member_id> asked = {}; ///< the newest last: any of them may still answer
    term_number term = {};
    instant next = {};

    [[nodiscard]] member_id sent_to() const { return asked.empty() ? member_id{} : asked.back(); }
  };

  void send(open_order& one, scene& s, order_office& office) {
    if (one.sent_to() != s.view.leader)
      one.asked.push_back(s.view.leader);
    one.term = s.view.term;
    one.next = s.now + options_->seat_retry;
    if (s.view.leads)
      office.take(s.self, one.id, one.what, s);
    else
      s.out.send(s.view.leader, order_request{one.id, one.what});
  }

  /// A transfer is over when another leads; anything when its time is.
  [[nodiscard]] bool is_over(const open_order& one, scene& s) {
    const auto* t = std::get_if<transfer_leadership>(&one.what);
    const auto leader = s.view.leader;
    if (t && one.sent_to() && leader && leader != one.sent_to() && (!t->to || leader == t->to)) {
      finish(one, s.view.committed.index, s);
      return true;
    }
    if (s.now < one.deadline)
      return false;
    finish(one,
           one.sent_to() ? fail(errc::outcome_unknown, describe(one.what) + ": no answer in time")
                         : fail(errc::no_leader, describe(one.what) + ": nobody led to be told"),
           s);
    return true;
  }

  void finish(const open_order& one, expected<log_index> outcome, scene& s) {
    if (!one.own)
      return s.out.tell(order_done{one.caller, std::move(outcome)});
    results_.insert_or_assign(one.id, std::move(outcome));
    s.out.wake(s.now); // whoever gave it looks after it then
  }

  std::shared_ptr<const monitor_options> options_;
  std::vector<open_order> open_ = {};
  std::map<ticket, expected<log_index>> results_ = {};
};

/// An order of a node's own that is given until it is carried out: again, after a pause, if it
/// comes to nothing.
class own_order {
public:
  /// Gives it if it is time to. What became of it, as soon as that is known.
  [[nodiscard]] std::optional<expected<log_index>> pump(order what, instant deadline,
                                                        interval pause, order_desk& desk, scene s) {
    if (!id_ && s.now >= next_)
      id_ = desk.place(std::move(what), deadline, s);
    auto outcome = desk.result(id_);
    if (outcome) {
      id_ = {};
      next_ = s.now + pause;
    }
    if (!id_ && !(outcome && *outcome))
      s.out.wake(next_);
    return outcome;
  }

  /// It is of no interest any more, and nor is its answer, which may have been lost.
  void withdraw(order_desk& desk) {
    desk.withdraw(id_);
    *this = {};
  }

private:
  ticket id_ = {}; ///< on its way
  instant next_ = {};
};

} // namespace understudy
