// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A caller outside the cluster, with a session that it carries to any node.
///
/// It opens its session before its first command, sends to one node until that fails it, and goes
/// on at another with the same numbers: whatever was in flight is applied once (C6). A session that
/// has expired is replaced; what was in flight under it is settled, so that only what was not
/// applied is sent under the new one.
///
/// From its first call on it also asks the node that it calls who else is in the cluster, and is
/// told when that changes. A node that says nothing for long may be cut off, so then it asks the
/// next one as well; and as long as nobody has said anything, the others in turn: a node may be of
/// a release that knows no such question.

#include <understudy/core/outbox.hpp>
#include <understudy/core/random.hpp>
#include <understudy/forwarding/call_desk.hpp>
#include <understudy/forwarding/known_nodes.hpp>
#include <understudy/forwarding/mail_sheets.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace understudy {

/// The caller's side of a portable session. It has a member_id of its own that never enters the
/// roster.
class client {
public:
  using peer_messages = type_list<answers, members_reply>;
  using notices = type_list<local_call, peer_lost, nodes_known, seed_met>;

  /// `nodes` are tried in this order; the first is the one preferred, unless `spread` is set.
  client(const client_options& options, std::vector<member_id> nodes, random_source random)
      : options_{options}, known_{std::move(nodes)},
        desk_{options.calls, options.attempt_timeout, random.next()}, to_nodes_{options.calls},
        random_{random} {
    choose();
  }

  /// Whom to call from now on, the preferred one first; and whoever else these say is a member. The
  /// current node stays if it is among them. They are of the same cluster, or of the one that goes
  /// on with its data.
  void update_nodes(std::vector<member_id> nodes) {
    known_.name(std::move(nodes));
    asked_ = asked_for_ = {};
    failures_ = 0;
    if (!known_.counts(current_))
      current_ = known_.first();
  }

  void on(local_call& m, instant now, outbox&) {
    call c{.caller = m.id, .body = std::move(m.body)};
    if (closing_)
      return desk_.refuse(c, errc::stopped, "the client is closed");
    c.deadline = m.deadline == instant{} ? now + options_.calls.deadline_default
                                         : std::min(m.deadline, now + options_.calls.deadline_max);
    const auto* written = std::get_if<command>(&c.body);
    c.own = written && !written->session;
    has_called_ = true;
    desk_.take(std::move(c));
  }

  void on(member_id from, answers& m, instant now, outbox&) {
    for (auto& a : m.batch) {
      const auto* c = desk_.find(a.id);
      if (!c || c->stage != call_stage::sent || c->at != from)
        continue; // of an attempt that was given up
      if (a.result || meaning_of(a.result.error().code) != attempt_meaning::elsewhere)
        failures_ = 0;
      else
        leave(from, now);
      desk_.end_attempt(a.id, std::move(a.result), a.retry_after, now);
    }
  }

  /// The node that is called now may be of another cluster than the one known; of the others only
  /// news of that one counts, or as long as none is known, what one says that was asked.
  void on(member_id from, members_reply& m, instant now, outbox& out) {
    const bool same = known_.cluster() ? m.cluster == known_.cluster() : from == asked_;
    if (!options_.follow_members || !(same || from == current_) || !known_.learn(m))
      return;
    asked_for_ = {};
    pause_ = same ? take_news(now) : question_pause;
    failures_ = 0;
    leave_stranger();
    out.tell(members_heard{known_.places()});
  }

  void on(nodes_known& m, instant, outbox&) { update_nodes(std::move(m.nodes)); }

  /// The node is the same, whatever it is called.
  void on(seed_met& m, instant, outbox&) {
    const auto before = known_.met(m.contact, m.who);
    desk_.rename_node(before, m.contact);
    if (current_ == before)
      current_ = m.contact;
    if (current_ != m.contact) // it has answered, whatever the roster known says
      leave_stranger();
  }

  void on(peer_lost& m, instant now, outbox&) {
    if (m.who == current_)
      asked_for_ = {}; // it may be back, and know nothing of the question
    leave(m.who, now);
    desk_.lose_attempts_at([&](member_id at) { return at == m.who; });
  }

  /// All is done by `settle`, which follows.
  void wake(instant, outbox&) {}

  void settle(instant now, outbox& out) {
    desk_.look_at_due(now, [&](const call& c) { leave(c.at, now); });
    desk_.want_session(now);
    desk_.number_waiting(options_.window);
    if (closing_)
      close_session_when_done(now);
    send_held(now, out);
    ask_for_members(now, out);
    deliver(out);
    if (const auto due = desk_.next_due(now))
      out.wake(*due);
  }

  /// Takes no more calls, lets the open ones end, and then closes the session.
  void close() { closing_ = true; }
  [[nodiscard]] bool closed() const { return closing_ && closed_session_ && desk_.size() == 0; }

  /// Closes every call at once: `stopped` where nothing was done for certain, else
  /// `outcome_unknown`. The session is left to expire.
  void stop(instant, outbox& out) {
    closing_ = closed_session_ = true;
    desk_.close_all();
    deliver(out);
  }

  [[nodiscard]] member_id node() const { return current_; } ///< whom it calls now
  [[nodiscard]] session_id session() const { return desk_.window().session(); }
  [[nodiscard]] std::size_t open_calls() const { return desk_.size(); }
  [[nodiscard]] std::uint64_t retries() const { return desk_.retries(); }

private:
  /// A node keeps a question until it has news; should it have none for so long another is asked.
  static constexpr interval question_patience = std::chrono::seconds{10};
  /// The next question comes no sooner than this, whatever happens; but after news at once, so that
  /// what comes next is not missed: the node that is asked may be the next to go. A faulty node
  /// that always has news is asked at once so many times within that pause.
  static constexpr interval question_pause = std::chrono::seconds{1};
  static constexpr int news_max = 32;

  /// Returns how soon to ask again.
  interval take_news(instant now) {
    if (now - news_since_ >= question_pause) {
      news_since_ = now;
      news_ = 0;
    }
    return ++news_ <= news_max ? interval{0} : question_pause;
  }

  /// Those that count come first in the order.
  void choose() {
    current_ = known_.first();
    const auto count = std::ranges::count_if(known_.in_order(),
                                             [this](member_id id) { return known_.counts(id); });
    if (options_.spread && count > 0)
      current_ = known_.in_order()[random_.below(static_cast<std::size_t>(count))];
  }

  /// Does not stay at a node that is no member.
  void leave_stranger() {
    if (!known_.counts(current_))
      choose();
  }

  /// Goes on at the next node. When all have failed in a row there is a pause.
  void leave(member_id node, instant now) {
    if (node != current_ || known_.size() == 0)
      return;
    current_ = known_.after(node);
    if (++failures_ % known_.size() == 0)
      rests_until_ = now + options_.calls.retry_after;
  }

  void ask_for_members(instant now, outbox& out) {
    if (!options_.follow_members || !has_called_ || closing_ || !current_)
      return;
    const bool waits = asked_for_ == current_;
    const auto due = asked_at_ + (waits ? question_patience : pause_);
    if (asked_at_ != instant{} && now < due)
      return out.wake(due);
    const bool in_turn = waits && (asked_ == current_ || !known_.cluster());
    asked_ = in_turn ? known_.after(asked_) : current_;
    asked_for_ = current_;
    asked_at_ = now;
    pause_ = question_pause;
    out.send(asked_, known_.question());
    out.wake(now + question_patience);
  }

  void send_held(instant now, outbox& out) {
    if (!desk_.anything_held() || !current_)
      return;
    if (now < rests_until_)
      return out.wake(rests_until_);
    desk_.each_held([&](ticket id, call& c) {
      const auto bytes = c.weight_bytes;
      to_nodes_.add(current_, desk_.begin_attempt(id, current_, now), bytes, out);
    });
    to_nodes_.flush(out);
  }

  void close_session_when_done(instant now) {
    if (closed_session_ || desk_.size() > 0)
      return;
    closed_session_ = true;
    if (desk_.window().open())
      desk_.take({.body = close_session{desk_.window().session()},
                  .deadline = now + options_.calls.deadline_default,
                  .internal = true});
  }

  void deliver(outbox& out) {
    for (auto& e : desk_.ended())
      out.tell(local_answer{e.caller, std::move(e.result), e.retry_after});
    desk_.ended().clear();
  }

  client_options options_;
  known_nodes known_;
  member_id current_ = {};
  member_id asked_ = {};     ///< who was asked last who is a member
  member_id asked_for_ = {}; ///< who was called then; none: there is something new to ask
  instant asked_at_ = {};
  interval pause_{0}; ///< until the next question, if there is something new to ask
  instant news_since_ = {};
  int news_ = 0;             ///< since then, and within a pause
  bool has_called_ = false;  ///< who calls nobody need not know anybody
  std::size_t failures_ = 0; ///< nodes left since one last did what it was asked
  instant rests_until_ = {};
  bool closing_ = false;
  bool closed_session_ = false;
  call_desk desk_;
  mail_sheets<requests> to_nodes_;
  random_source random_;
};

} // namespace understudy
