// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a node leaves (docs/membership.md): step by step, so that at no moment anything is missing
/// that those who stay need, and within a limit.

#include <understudy/core/outbox.hpp>
#include <understudy/membership/handing_over.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/membership/orders.hpp>
#include <understudy/membership/scene.hpp>
#include <understudy/roster/roster.hpp>
#include <understudy/roster/seats.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy {

/// How far a node is with leaving.
enum class leave_step : std::uint8_t {
  none = 0,      ///< it does not leave
  announce = 1,  ///< its mark is to be committed
  hand_over = 2, ///< leadership and vote go to others
  drain = 3,     ///< its open calls are to be answered
  drop_out = 4,  ///< it is to be taken from the roster
  ended = 5,
};

[[nodiscard]] constexpr std::string_view to_string(leave_step step) {
  switch (step) {
  case leave_step::none:
    return "none";
  case leave_step::announce:
    return "announce";
  case leave_step::hand_over:
    return "hand over";
  case leave_step::drain:
    return "drain";
  case leave_step::drop_out:
    return "drop out";
  case leave_step::ended:
    return "ended";
  }
  return "unlisted";
}

/// Whether nobody could take over from `self`: no other votes, or stands in line.
[[nodiscard]] inline bool is_last_member(const configuration& in, member_id self) {
  return std::ranges::none_of(in.members, [&](const member& m) {
    return m.id != self && (in_line(m) || has_vote(in, m.id));
  });
}

/// Whether others are on their way out as well. They need whoever is last, to answer what they have
/// open and to take them from the roster.
[[nodiscard]] inline bool is_needed_by_leavers(const configuration& in, member_id self) {
  return std::ranges::any_of(
      in.members, [&](const member& m) { return m.id != self && m.status == standing::leaving; });
}

/// The leaver's side of leaving.
class leaver {
public:
  explicit leaver(std::shared_ptr<const monitor_options> options) : options_{std::move(options)} {}

  /// Begins to leave. A second call joins the first; one that comes too late is told its end.
  void start(interval limit, scene s) {
    if (step_ == leave_step::ended)
      return s.out.tell(end_);
    if (step_ != leave_step::none)
      return;
    until_ = s.now + (limit > interval{0} ? limit : options_->leave_limit);
    show(leave_step::announce, s);
  }

  /// All calls of this node are answered.
  void drained() { drained_ = true; }

  /// Goes on as far as it can. `outside`: this node has no place in the roster any more, or never
  /// had one.
  void pump(scene s, order_desk& desk, bool outside) {
    if (step_ == leave_step::none && is_marked(s))
      start({}, s); // an operator ordered it at another node
    while (is_under_way() && advance(s, desk, outside))
      ;
    if (!is_under_way())
      return;
    if (s.now >= until_)
      return end(leave_outcome::timed_out, undone(s), s, desk);
    s.out.wake(until_);
  }

  /// Whether leadership is being handed over: the change of the voters is better left to whoever
  /// leads then. Not for ever: it is the way out if nobody can be brought to lead.
  [[nodiscard]] bool is_handing_over() const { return tries_ > 0 && tries_ <= tries_max; }

  [[nodiscard]] leave_step step() const { return step_; }
  [[nodiscard]] bool has_begun() const { return step_ != leave_step::none; }
  [[nodiscard]] bool is_under_way() const { return has_begun() && step_ != leave_step::ended; }

private:
  static constexpr int tries_max = 5;

  [[nodiscard]] static const member* own_entry(const scene& s) {
    const auto& known = s.view.committed.content;
    return known ? find(*known, s.self) : nullptr;
  }

  [[nodiscard]] static bool is_marked(const scene& s) {
    const auto* own = own_entry(s);
    return own && own->status == standing::leaving;
  }

  void enter(leave_step next, scene& s, order_desk& desk) {
    order_.withdraw(desk);
    retry_at_ = {};
    tries_ = 0;
    show(next, s);
  }

  void show(leave_step next, scene& s) {
    step_ = next;
    const std::string name{to_string(next)};
    s.out.tell(node_event{.what = node_event::kind::leaving, .who = s.self, .detail = name});
    s.note(decision::leave, s.self, name);
    if (next == leave_step::drain)
      s.out.tell(drain_calls{});
  }

  void end(leave_outcome how, std::string detail, scene& s, order_desk& desk) {
    order_.withdraw(desk);
    tries_ = 0;
    step_ = leave_step::ended;
    end_ = {how, std::move(detail)};
    auto text = how == leave_outcome::left          ? std::string{"left"}
                : how == leave_outcome::last_member ? std::string{"last member"}
                                                    : std::string{"timed out"};
    if (!end_.detail.empty())
      text += ": " + end_.detail;
    s.note(decision::leave, s.self, text);
    s.out.tell(
        node_event{.what = node_event::kind::left, .who = s.self, .detail = std::move(text)});
    s.out.tell(end_);
  }

  /// Takes the open step, if that can be done now. Whether there is another one to look at.
  bool advance(scene& s, order_desk& desk, bool outside) {
    const auto* own = own_entry(s);
    if (step_ <= leave_step::hand_over && outside) { // nothing to give away
      enter(leave_step::drain, s, desk);
      return true;
    }
    if (step_ > leave_step::hand_over && own && own->status == standing::present) {
      enter(leave_step::announce, s, desk); // its request to enter was granted after all
      return true;
    }
    if (step_ <= leave_step::hand_over && own && is_last_member(*s.view.newest.content, s.self)) {
      if (is_needed_by_leavers(*s.view.newest.content, s.self) && s.now < until_)
        return false;
      end(leave_outcome::last_member, "nobody is left to take over", s, desk);
      return false;
    }
    switch (step_) {
    case leave_step::announce:
      if (!own || own->status == standing::present) {
        if (own)
          ordered(mark_member{s.self}, s, desk); // done when the roster shows it
        return false;
      }
      enter(leave_step::hand_over, s, desk);
      return true;
    case leave_step::hand_over:
      if (!own || !is_relieved(s))
        return false;
      enter(leave_step::drain, s, desk);
      return true;
    case leave_step::drain:
      if (drained_)
        enter(leave_step::drop_out, s, desk);
      return drained_;
    case leave_step::drop_out:
      if (outside || ordered(drop_member{s.self}, s, desk))
        end(leave_outcome::left, {}, s, desk);
      return false;
    default:
      return false;
    }
  }

  /// Gives an order again and again; whether it was carried out just now. A node that the roster
  /// does not show any more has nothing left to be marked or dropped.
  bool ordered(order what, scene& s, order_desk& desk) {
    const auto outcome = order_.pump(std::move(what), until_, options_->seat_retry, desk, s);
    return outcome && (*outcome || outcome->error().code == errc::removed);
  }

  /// Whether others have leadership and vote. Until then, a leader hands over if there is somebody
  /// to lead; one that votes alone is replaced first, and its core hands over then.
  bool is_relieved(scene& s) {
    if (s.view.leads) {
      const auto to = best_successor(s.view, s.self);
      if (to && s.now >= retry_at_) {
        retry_at_ = s.now + options_->seat_retry;
        ++tries_;
        s.out.tell(transfer_leadership{to});
      }
      if (to)
        s.out.wake(retry_at_);
      else
        tries_ = 0;
      return false;
    }
    tries_ = 0;
    const auto& newest = s.view.newest;
    return newest.index == s.view.committed.index && !newest.content->joint()
           && !has_vote(*newest.content, s.self);
  }

  [[nodiscard]] std::string undone(const scene& s) const {
    std::string text{to_string(step_)};
    switch (step_) {
    case leave_step::announce:
      return text + ": the mark is not committed";
    case leave_step::hand_over:
      return text
             + (s.view.leads ? ": nobody took over leadership" : ": nobody took over the vote");
    case leave_step::drain:
      return text + ": calls are open";
    default:
      return text + ": the roster still shows this node";
    }
  }

  std::shared_ptr<const monitor_options> options_;
  leave_step step_ = leave_step::none;
  instant until_ = {};
  own_order order_ = {};  ///< for the open step
  instant retry_at_ = {}; ///< leadership is handed over
  int tries_ = 0;         ///< to do so
  bool drained_ = false;
  leave_ended end_ = {};
};

} // namespace understudy
