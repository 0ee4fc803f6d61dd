// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What everyone who answers for a call has to do, be it a node's front door or a client.
///
/// The desk keeps the open calls, numbers commands, tries again with the same number, and closes
/// every call by its deadline with a result that is true: "not applied" only where that is certain
/// (C4). Where a call is sent is the business of the component that owns the desk.

#include <understudy/forwarding/call_table.hpp>
#include <understudy/forwarding/call_window.hpp>
#include <understudy/forwarding/options.hpp>
#include <understudy/forwarding/retry_rule.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy {

/// The open calls of one component, in the order in which they came.
class call_desk {
public:
  call_desk(const call_options& options, interval first_attempt, std::uint64_t random)
      : options_{options}, first_attempt_{first_attempt}, calls_{random} {}

  // -- in ----------------------------------------------------------------------------------------

  /// Takes a call in, to be sent; or closes it at once if there is no room.
  void take(call c) {
    if (const auto id = take_aside(std::move(c)))
      hold(id);
  }

  /// Likewise, but it is the owner who says what happens with it. None: there was no room.
  [[nodiscard]] ticket take_aside(call c) {
    c.weight_bytes = weight_of(c.body);
    const bool room = calls_.size() < options_.calls_max
                      && calls_.bytes() + c.weight_bytes <= options_.bytes_max;
    if (!room && !c.internal) {
      refuse(c, errc::overloaded, "too many open calls");
      return {};
    }
    own_open_ += c.own ? 1 : 0;
    internal_open_ += c.internal ? 1 : 0;
    return calls_.add(std::move(c));
  }

  /// Closes a call that never came in.
  void refuse(const call& c, errc code, std::string detail, member_id leader = {}) {
    const auto retry_after = code == errc::overloaded ? options_.retry_after : interval{0};
    ended_.push_back(
        {c.origin, c.caller, fail(code, std::move(detail), leader), retry_after, false, false});
  }

  /// The moment at which a caller who named `wanted` stops waiting.
  [[nodiscard]] instant deadline_for(interval wanted, instant now) const {
    return now + std::clamp(wanted, interval{0}, options_.deadline_max);
  }

  // -- looking -----------------------------------------------------------------------------------

  [[nodiscard]] call* find(ticket id) { return calls_.find(id); }
  [[nodiscard]] std::size_t size() const { return calls_.size(); }
  /// Calls that somebody waits for.
  [[nodiscard]] std::size_t waited_for() const { return calls_.size() - internal_open_; }
  [[nodiscard]] std::size_t own_open() const { return own_open_; } ///< own commands
  /// Attempts at other nodes, without the first of each call.
  [[nodiscard]] std::uint64_t retries() const { return retries_; }
  [[nodiscard]] call_window& window() { return window_; }
  [[nodiscard]] const call_window& window() const { return window_; }
  [[nodiscard]] bool waits_for_session() const { return !waiting_.empty(); }
  [[nodiscard]] bool anything_held() const { return !held_.empty(); }

  /// The calls for which `wanted(call)` holds, oldest attempt first.
  template <class Predicate> [[nodiscard]] std::vector<ticket> select(Predicate wanted) const {
    return calls_.select(wanted);
  }

  // -- attempts ----------------------------------------------------------------------------------

  /// Sees to it that a portable session is opened if commands wait for one.
  void want_session(instant now) {
    if (window_.open() || opening_ || waiting_.empty())
      return;
    opening_ = true;
    take({.body = open_session{}, .deadline = now + options_.deadline_default, .internal = true});
  }

  /// Numbers waiting commands, as many as the session and `limit` allow; they are held from then
  /// on.
  void number_waiting(std::uint32_t limit) {
    while (!waiting_.empty() && window_.open() && !window_.full(limit)) {
      const auto id = waiting_.front();
      waiting_.pop_front();
      if (auto* c = calls_.find(id)) {
        window_.number(std::get<command>(c->body));
        held_.push_back(id);
      }
    }
  }

  /// Closes all commands that wait for a session, which they will not get.
  void fail_waiting(const failure& why) {
    for (const auto id : std::exchange(waiting_, {}))
      if (calls_.find(id))
        close(id, tl::unexpected{why});
  }

  /// Calls `send(ticket, call&)` for each call that is to be sent, oldest first. What it does not
  /// put into another stage is held on.
  template <class Send> void each_held(Send send) {
    std::swap(held_, sending_);
    for (const auto id : sending_)
      if (auto* c = calls_.find(id); c && c->stage == call_stage::held) {
        send(id, *c);
        if (c = calls_.find(id); c && c->stage == call_stage::held)
          held_.push_back(id);
      }
    sending_.clear();
  }

  /// What the call's next attempt says.
  [[nodiscard]] request_body next_body(call& c) const {
    if (auto* written = std::get_if<command>(&c.body)) {
      if (c.settling)
        return settle{written->session, written->number};
      if (c.own)
        window_.refresh(*written);
    }
    return c.body;
  }

  /// Begins an attempt at another node. Returns the request to send.
  [[nodiscard]] request begin_attempt(ticket id, member_id at, instant now) {
    const auto fresh = calls_.rename(id);
    auto& c = *calls_.find(fresh);
    retries_ += c.at ? 1 : 0;
    if (c.at != at)
      c.attempts = 0;
    const auto time_left = std::min(c.deadline - now,
                                    first_attempt_ * (1 << std::min<std::uint32_t>(c.attempts, 3)));
    ++c.attempts;
    c.at = at;
    c.stage = call_stage::sent;
    calls_.schedule(c, std::min(c.deadline, now + time_left + options_.answer_grace));
    return {fresh, next_body(c), time_left};
  }

  /// The result of an attempt: closes the call or prepares the next attempt.
  void end_attempt(ticket id, expected<reply> result, interval retry_after, instant now) {
    auto* c = calls_.find(id);
    if (!c)
      return;
    if (result || c->last_hop)
      return close(id, std::move(result), retry_after);
    const auto code = result.error().code;
    const auto step = step_after(*c, code);
    c->doubtful
        = c->doubtful || (meaning_of(code) == attempt_meaning::unknown && is_write(c->body));
    if (c->own && code == errc::session_unknown)
      window_.lost(std::get<command>(c->body).session);
    switch (step) {
    case next_step::answer:
      return close(id, std::move(result), retry_after);
    case next_step::again:
      return pause(id, now + options_.retry_pause);
    case next_step::later:
      return pause(id, now + std::max(retry_after, options_.retry_after));
    case next_step::renew:
      return renew(id, *c);
    case next_step::settle:
      c->settling = true;
      return hold(id);
    case next_step::give_up:
      return close(id, fail(errc::outcome_unknown, "an earlier attempt may have been applied"));
    }
  }

  /// An attempt whose answer will not come: the call may have been applied, and is tried again.
  void lose_attempt(ticket id) {
    auto* c = calls_.find(id);
    if (!c)
      return;
    c->doubtful = in_doubt(*c);
    if (c->last_hop)
      return close(id, c->doubtful ? fail(errc::outcome_unknown, "leadership was lost")
                                   : fail(errc::not_leader));
    hold(id);
  }

  /// Loses every attempt at another node for which `lost(member)` holds.
  template <class Predicate> void lose_attempts_at(Predicate lost) {
    for (const auto id :
         calls_.select([&](const call& c) { return c.stage == call_stage::sent && lost(c.at); }))
      lose_attempt(id);
  }

  /// Attempts at `before` are answered by `now`, which is the same node.
  void rename_node(member_id before, member_id now) { calls_.rename_node(before, now); }

  /// Tries a call that has paused again, without waiting any longer.
  void resume(ticket id) {
    if (calls_.find(id)->stage == call_stage::paused)
      hold(id);
  }

  /// Likewise, all of them: who made them pause does not decide any more.
  void resume_all() {
    for (const auto id : calls_.select([](const call& c) { return c.stage == call_stage::paused; }))
      hold(id);
  }

  /// The session of the own commands is closed, though its table can still be read. What may have
  /// been applied under it is settled; what certainly was not gets another name. What is in flight
  /// ends as it ends: a closed session applies nothing.
  void leave_session() {
    const auto session = window_.session();
    window_.lost(session);
    for (const auto id : calls_.select([&](const call& c) {
           return c.own && std::get<command>(c.body).session == session
                  && (c.stage == call_stage::held || c.stage == call_stage::paused);
         })) {
      auto& c = *calls_.find(id);
      if (!c.doubtful) {
        renew(id, c);
        continue;
      }
      c.settling = true;
      resume(id);
    }
    std::erase_if(held_, [&](ticket id) {
      const auto* c = calls_.find(id);
      return !c || needs_number(*c);
    });
  }

  /// Closes the held calls that may not be passed on: this node does not lead any more.
  void refuse_last_hops(member_id leader) {
    for (const auto id :
         calls_.select([](const call& c) { return c.last_hop && c.stage == call_stage::held; }))
      close(id, fail(errc::not_leader, {}, leader));
  }

  // -- time --------------------------------------------------------------------------------------

  /// Closes calls whose deadline has passed, and tries again what has paused or waited for long
  /// enough; `silent(call)` is called for each attempt that was not answered in time.
  template <class Silent> void look_at_due(instant now, Silent silent) {
    if (now < next_look_)
      return;
    const auto due = calls_.due(now);
    for (const auto id : due) {
      auto* c = calls_.find(id);
      if (!c)
        continue;
      if (c->stage == call_stage::sent)
        silent(std::as_const(*c));
      if (now >= c->deadline)
        expire(id, *c);
      else if (c->stage == call_stage::sent)
        lose_attempt(id);
      else
        hold(id);
    }
    if (due.empty())
      return;
    next_look_ = now + look_pause;
    forget_closed();
  }

  /// When to look again; nothing if nothing is open.
  [[nodiscard]] std::optional<instant> next_due(instant now) const {
    const auto due = calls_.next_due();
    return due ? std::optional{std::max(*due, now + look_pause)} : std::nullopt;
  }

  // -- out ---------------------------------------------------------------------------------------

  /// Closes a call.
  void close(ticket id, expected<reply> result, interval retry_after = interval{0}) {
    const auto c = calls_.remove(id);
    if (c.own) {
      --own_open_;
      window_.close(std::get<command>(c.body));
    }
    if (c.internal) {
      --internal_open_;
      return end_internal(c, result);
    }
    if (!result && meaning_of(result.error().code) == attempt_meaning::crowded
        && retry_after == interval{0})
      retry_after = options_.retry_after;
    ended_.push_back(
        {c.origin, c.caller, std::move(result), retry_after, c.reconciling, c.settling});
  }

  /// Closes everything: nobody is left to try again.
  void close_all() {
    for (const auto id : calls_.select([](const call&) { return true; })) {
      if (in_doubt(*calls_.find(id)))
        close(id, fail(errc::outcome_unknown, "stopped with the request in flight"));
      else
        close(id, fail(errc::stopped));
    }
    forget_closed();
  }

  /// The calls closed since the last time, to be answered.
  [[nodiscard]] std::vector<ended_call>& ended() { return ended_; }

private:
  /// Calls that are due within this time are looked at together.
  static constexpr interval look_pause = std::chrono::milliseconds{1};

  /// An own command waits for its session and number before it can be sent.
  [[nodiscard]] static bool needs_number(const call& c) {
    return c.own && !std::get<command>(c.body).session;
  }

  void hold(ticket id) {
    auto& c = *calls_.find(id);
    c.stage = call_stage::held;
    calls_.schedule(c, c.deadline);
    if (needs_number(c))
      waiting_.push_back(id);
    else
      held_.push_back(id);
  }

  void pause(ticket id, instant until) {
    auto& c = *calls_.find(id);
    c.stage = call_stage::paused;
    calls_.schedule(c, std::min(until, c.deadline));
  }

  /// Certainly not applied, and under this name it never will be: it gets another one.
  void renew(ticket id, call& c) {
    auto& written = std::get<command>(c.body);
    window_.close(written);
    written.session = {};
    written.number = {};
    c.doubtful = false;
    c.settling = false;
    hold(id);
  }

  void expire(ticket id, const call& c) {
    const bool out = c.stage != call_stage::held && c.stage != call_stage::paused;
    if (in_doubt(c))
      close(id, fail(errc::outcome_unknown, "the deadline passed with the request in flight"));
    else if (out)
      close(id, fail(errc::timed_out, "the deadline passed before an answer came"));
    else
      close(id, fail(errc::no_leader, "the deadline passed with nobody to send to"));
  }

  /// An open that got no answer is tried again by the next `want_session`: should it have succeeded
  /// all the same, nobody uses that session and it expires.
  void end_internal(const call& c, const expected<reply>& result) {
    if (!std::holds_alternative<open_session>(c.body))
      return;
    opening_ = false;
    if (result)
      window_.opened(session_id{result->index.value});
    else if (meaning_of(result.error().code) == attempt_meaning::final_word
             || meaning_of(result.error().code) == attempt_meaning::refused)
      fail_waiting(result.error());
  }

  /// Calls can close while they wait in a list; with no leader for long the lists must not grow.
  void forget_closed() {
    const auto closed = [&](ticket id) { return !calls_.find(id); };
    std::erase_if(held_, closed);
    std::erase_if(waiting_, closed);
  }

  call_options options_;
  interval first_attempt_;
  call_table calls_;
  call_window window_;
  std::vector<ticket> held_;    ///< to be sent
  std::vector<ticket> sending_; ///< only in `each_held`; kept for its memory
  std::deque<ticket> waiting_;  ///< own commands that have no number yet
  std::size_t own_open_ = 0;
  std::size_t internal_open_ = 0;
  bool opening_ = false;
  instant next_look_ = {};
  std::uint64_t retries_ = 0;
  std::vector<ended_call> ended_;
};

} // namespace understudy
