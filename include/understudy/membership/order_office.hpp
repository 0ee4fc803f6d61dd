// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Where orders are carried out: the leader's side.
///
/// As with entering, the answer leaves when the configuration that shows it is committed, and a
/// retry does no harm. What must not be is refused at once, with a reason.

#include <understudy/core/errors.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/membership/handing_over.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/membership/peers.hpp>
#include <understudy/membership/scene.hpp>
#include <understudy/roster/roster.hpp>
#include <understudy/roster/seats.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

/// For people: what an order is about.
[[nodiscard]] inline std::string describe(const order& what) {
  if (const auto* m = std::get_if<mark_member>(&what))
    return (m->status == standing::evicted   ? "evict "
            : m->status == standing::leaving ? "mark as leaving "
                                             : "mark as present ")
           + detail::label_of(m->who);
  if (const auto* p = std::get_if<pin_member>(&what))
    return (p->pinned ? "pin " : "unpin ") + detail::label_of(p->who);
  if (const auto* d = std::get_if<drop_member>(&what))
    return "drop " + detail::label_of(d->who);
  if (const auto* t = std::get_if<transfer_leadership>(&what))
    return "hand leadership to " + (t->to ? detail::label_of(t->to) : "any voter");
  if (const auto* v = std::get_if<declare_versions>(&what))
    return "show that " + detail::label_of(v->who) + " knows version "
           + std::to_string(v->machine_version) + " of the machine";
  if (const auto* v = std::get_if<use_machine_version>(&what))
    return "use version " + std::to_string(v->version) + " of the machine";
  return "replace the settings";
}

/// The change of the roster that carries an order out; none for a transfer.
[[nodiscard]] inline std::optional<roster_change> roster_change_of(const order& what) {
  return std::visit(
      [](const auto& one) -> std::optional<roster_change> {
        if constexpr (std::is_convertible_v<decltype(one), roster_change>)
          return one;
        else
          return std::nullopt;
      },
      what);
}

/// Whether the leader, `self`, can carry out an order that `from` gives, on the newest
/// configuration.
[[nodiscard]] inline expected<void> judge(const order& what, member_id from, member_id self,
                                          const configuration& now) {
  if (!find(now, from))
    return fail(errc::removed, detail::label_of(from) + " gives orders, and is not in the roster");
  if (const auto* t = std::get_if<transfer_leadership>(&what)) {
    const auto line = detail::sitting(now);
    if (t->to == self || detail::is_among(line, t->to))
      return {};
    if (t->to)
      return fail(errc::invalid_option,
                  detail::label_of(t->to) + " is no voter in line: it can not lead");
    if (std::ranges::all_of(line, [&](member_id id) { return id == self; }))
      return fail(errc::invalid_option, "nobody else votes");
    return {};
  }
  if (const auto* m = std::get_if<mark_member>(&what);
      m && m->status == standing::evicted && m->who == from)
    return fail(errc::invalid_option,
                detail::label_of(from) + " can not evict itself: a node that is to go leaves");
  if (const auto* v = std::get_if<declare_versions>(&what); v && v->who != from)
    return fail(errc::invalid_option,
                "only " + detail::label_of(v->who) + " knows what its build knows");
  if (const auto* d = std::get_if<drop_member>(&what)) {
    const auto* who = find(now, d->who);
    if (who && d->who != from && who->status != standing::evicted)
      return fail(errc::invalid_option,
                  detail::label_of(d->who) + " is not evicted: only it may drop itself");
    if (who && who->status == standing::present)
      return fail(errc::invalid_option, detail::label_of(d->who) + " is not marked");
  }
  const auto next = apply(now, *roster_change_of(what), {});
  if (!next)
    return tl::unexpected{next.error()};
  if (seats(*next).count == 0 && seats(now).count > 0)
    return fail(errc::invalid_option, "no member in line would be left to vote");
  return {};
}

/// Orders from their arrival to their answer.
class order_office {
public:
  static constexpr std::size_t orders_max = 256; ///< open at a time, and answers kept

  explicit order_office(std::shared_ptr<const monitor_options> options)
      : options_{std::move(options)} {}

  /// An order from a member's monitor; of this node's own, perhaps.
  void take(member_id from, ticket id, order what, scene s) {
    if (!s.view.leads || !s.view.newest.content)
      return send({from, id, fail(errc::not_leader, {}, s.view.leader)}, s);
    begin_term(s.view);
    const auto same = [&](const auto& one) { return one.from == from && one.id == id; };
    if (const auto old = std::ranges::find_if(done_, same); old != done_.end())
      return send(*old, s); // the answer was lost
    if (std::ranges::any_of(open_, same))
      return; // a retry: the answer is under way
    if (open_.size() >= orders_max)
      return send({from, id, fail(errc::overloaded, "too many orders are open")}, s);
    s.note(decision::instruction, from, detail::label_of(from) + " orders: " + describe(what));
    if (auto good = judge(what, from, s.self, *s.view.newest.content); !good)
      return answer(from, id, tl::unexpected{good.error()}, s);
    if (const auto* t = std::get_if<transfer_leadership>(&what))
      return begin_transfer(from, id, t->to, s);
    open_.push_back({.from = from, .id = id, .change = s.tickets.next()});
    s.out.tell(change_roster{.what = *roster_change_of(what), .id = open_.back().change});
  }

  /// The core said what became of a change; whether it was one of these.
  bool taken(const change_taken& what, scene s) {
    const auto found = std::ranges::find(open_, what.id, &open_order::change);
    if (!what.id || found == open_.end())
      return false;
    found->change = {};
    if (what.index) {
      found->at = *what.index;
      return true;
    }
    const auto over = *found;
    open_.erase(found);
    if (what.index.error().code == errc::not_leader)
      send({over.from, over.id, tl::unexpected{what.index.error()}}, s);
    else
      answer(over.from, over.id, tl::unexpected{what.index.error()}, s);
    return true;
  }

  /// Answers whatever is committed now, and pushes a transfer on. Once this node leads no more, or
  /// in another term, it can not know what becomes of the rest: they are asked for again.
  void pump(scene s) {
    begin_term(s.view);
    for (std::size_t i = 0; i < open_.size();) {
      auto& one = open_[i];
      if (one.until ? push(one, s) : one.at == log_index{} || s.view.committed.index < one.at) {
        ++i;
        continue;
      }
      const auto over = one;
      open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
      if (over.until)
        answer(over.from, over.id,
               fail(errc::timed_out,
                    (over.to ? detail::label_of(over.to) + " did not" : "no voter did")
                        + " take over"),
               s);
      else
        answer(over.from, over.id, over.at, s);
    }
  }

  struct result {
    member_id from; ///< who gave the order
    ticket id;
    expected<log_index> outcome;
  };

  /// Answers to orders of this node itself.
  [[nodiscard]] std::vector<result> take_own() { return std::exchange(own_, {}); }

private:
  struct open_order {
    member_id from;
    ticket id;
    ticket change = {};                ///< not answered by the core yet
    log_index at = {};                 ///< stands in the log there
    member_id to = {};                 ///< of a transfer; none: to whoever has most
    std::optional<instant> until = {}; ///< of a transfer
    instant next = {};
  };

  void begin_term(const core_view& view) {
    if (!view.leads || view.term != term_)
      open_.clear();
    term_ = view.term;
  }

  void begin_transfer(member_id from, ticket id, member_id to, scene& s) {
    if (to == s.self)
      return answer(from, id, s.view.committed.index, s);
    if (std::ranges::any_of(open_, [](const open_order& o) { return o.until.has_value(); }))
      return answer(from, id, fail(errc::busy, "leadership is being handed over already"), s);
    open_.push_back(
        {.from = from, .id = id, .to = to, .until = s.now + options_->order_patience / 2});
  }

  /// Tells the core to hand over, as soon as the successor is up to date: until then it would only
  /// hold up the writers. Whether there is time left; success is seen by whoever gave the order.
  [[nodiscard]] bool push(open_order& one, scene& s) const {
    if (s.now >= *one.until)
      return false;
    s.out.wake(*one.until);
    const auto to = one.to ? one.to : best_successor(s.view, s.self);
    if (s.now >= one.next && detail::is_caught_up(s.view, to)) {
      one.next = s.now + options_->seat_retry;
      s.out.tell(transfer_leadership{to});
    }
    if (one.next > s.now)
      s.out.wake(one.next);
    return true;
  }

  void answer(member_id to, ticket id, expected<log_index> outcome, scene& s) {
    if (!outcome)
      s.note(decision::instruction, to,
             "of " + detail::label_of(to) + " refused: " + outcome.error().detail);
    if (done_.size() == orders_max)
      done_.pop_front();
    done_.push_back({to, id, std::move(outcome)});
    send(done_.back(), s);
  }

  void send(const result& what, scene& s) {
    if (what.from == s.self)
      own_.push_back(what);
    else
      s.out.send(what.from, order_reply{what.id, what.outcome});
  }

  std::shared_ptr<const monitor_options> options_;
  term_number term_ = {};
  std::vector<open_order> open_ = {}; ///< at most `orders_max`
  std::deque<result> done_ = {};      ///< at most `orders_max`: so that a retry is answered alike
  std::vector<result> own_ = {};
};

} // namespace understudy
