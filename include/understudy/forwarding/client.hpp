// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A caller outside the cluster, with a session that it carries to any node.
///
/// It opens its session before its first command, sends to one node until that fails it, and goes
/// on at another with the same numbers: whatever was in flight is applied once (C6). A session that
/// has expired is replaced; what was in flight under it is settled, so that only what was not
/// applied is sent under the new one.

#include <understudy/core/outbox.hpp>
#include <understudy/core/random.hpp>
#include <understudy/forwarding/call_desk.hpp>
#include <understudy/forwarding/mail_sheets.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace understudy {

/// The caller's side of a portable session. It has a member_id of its own that never enters the
/// roster.
class client {
public:
  using peer_messages = type_list<answers>;
  using notices = type_list<local_call, peer_lost, nodes_known>;

  /// `nodes` are tried in this order; the first is the one preferred, unless `spread` is set.
  client(const client_options& options, std::vector<member_id> nodes, random_source random)
      : options_{options}, desk_{options.calls, options.attempt_timeout, random.next()},
        to_nodes_{options.calls} {
    if (options.spread && !nodes.empty())
      current_ = nodes[random.below(nodes.size())];
    update_nodes(std::move(nodes));
  }

  /// Whom to call from now on. The current node stays if it is among them.
  void update_nodes(std::vector<member_id> nodes) {
    nodes_ = std::move(nodes);
    failures_ = 0;
    if (std::find(nodes_.begin(), nodes_.end(), current_) == nodes_.end())
      current_ = nodes_.empty() ? member_id{} : nodes_.front();
  }

  void on(local_call& m, instant now, outbox&) {
    call c{.caller = m.id, .body = std::move(m.body)};
    if (closing_)
      return desk_.refuse(c, errc::stopped, "the client is closed");
    c.deadline = m.deadline == instant{} ? now + options_.calls.deadline_default
                                         : std::min(m.deadline, now + options_.calls.deadline_max);
    const auto* written = std::get_if<command>(&c.body);
    c.own = written && !written->session;
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

  void on(nodes_known& m, instant, outbox&) { update_nodes(std::move(m.nodes)); }

  void on(peer_lost& m, instant now, outbox&) {
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
  /// Goes on at the next node. When all have failed in a row there is a pause.
  void leave(member_id node, instant now) {
    if (node != current_ || nodes_.empty())
      return;
    const auto place = std::find(nodes_.begin(), nodes_.end(), node);
    const auto next
        = place == nodes_.end() || place + 1 == nodes_.end() ? nodes_.begin() : place + 1;
    current_ = *next;
    if (++failures_ % nodes_.size() == 0)
      rests_until_ = now + options_.calls.retry_after;
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
  std::vector<member_id> nodes_;
  member_id current_ = {};
  std::size_t failures_ = 0; ///< nodes left since one last did what it was asked
  instant rests_until_ = {};
  bool closing_ = false;
  bool closed_session_ = false;
  call_desk desk_;
  mail_sheets<requests> to_nodes_;
};

} // namespace understudy
