// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The node's front door (S7).
///
/// Any node takes requests, whatever its role. The leader puts writes through the log and answers
/// linearizable reads once it has shown that it leads; every other node sends them to the leader
/// and hands the answer on. What a caller asks is applied once (C6): a request whose leader was
/// lost is sent to the next one under the same number, until it is known what became of it or the
/// caller's deadline passes. A forwarded request is never passed on again (C5).
///
/// `open_session` has no number. If its answer is lost the retry may open a second session, which
/// nobody uses and which expires.

#include <understudy/core/outbox.hpp>
#include <understudy/core/random.hpp>
#include <understudy/forwarding/call_desk.hpp>
#include <understudy/forwarding/data_age.hpp>
#include <understudy/forwarding/draining.hpp>
#include <understudy/forwarding/duplicate_filter.hpp>
#include <understudy/forwarding/leader_finder.hpp>
#include <understudy/forwarding/mail_sheets.hpp>
#include <understudy/forwarding/members_desk.hpp>
#include <understudy/forwarding/own_place.hpp>
#include <understudy/forwarding/reconciling.hpp>
#include <understudy/forwarding/serving.hpp>
#include <understudy/forwarding/session_owner.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace understudy {

/// The request forwarder of one node.
class forwarder {
public:
  using peer_messages = type_list<requests, answers, members_request>;
  using notices = type_list<core_view, proposed, read_ready, applied_outcomes, replica_answer,
                            local_call, peer_lost, sent_away, drain_calls>;

  forwarder(member_id self, const forwarder_options& options, random_source random,
            node_life life = node_life::first)
      : self_{self}, options_{options}, finder_{self}, place_{self, life},
        desk_{options.calls, options.suspect_after, random.next()},
        to_leader_{options.calls, requests{.forwarded = true, .batch = {}}},
        to_callers_{options.calls} {}

  // -- callers -----------------------------------------------------------------------------------

  void on(local_call& m, instant now, outbox& out) {
    call c{.caller = m.id, .body = std::move(m.body)};
    const auto* written = std::get_if<command>(&c.body);
    c.own = written && !written->session;
    c.offline = written && options_.accept_offline && !finder_.known();
    if (m.deadline == instant{})
      c.deadline = now + (c.offline ? options_.offline_patience : options_.calls.deadline_default);
    else
      c.deadline = std::min(m.deadline, now + options_.calls.deadline_max);
    if (c.own && desk_.own_open() >= rules_.session_window)
      return desk_.refuse(c, errc::overloaded, "as many commands are open as a session may have");
    take(std::move(c), now, out);
  }

  void on(member_id from, requests& m, instant now, outbox& out) {
    if (m.batch.empty() || !seen_.first_time(from, m.batch.front().id))
      return;
    for (auto& r : m.batch) {
      call c{.origin = from, .caller = r.id, .body = std::move(r.body)};
      c.deadline = desk_.deadline_for(r.time_left, now);
      c.last_hop = m.forwarded;
      take(std::move(c), now, out);
    }
  }

  void on(member_id from, members_request& m, instant, outbox&) { members_.ask(from, m); }

  // -- the leader's answers ----------------------------------------------------------------------

  void on(member_id from, answers& m, instant now, outbox&) {
    finder_.answered(from);
    for (auto& a : m.batch) {
      const auto* c = desk_.find(a.id);
      if (!c || c->stage != call_stage::sent || c->at != from)
        continue; // of an attempt that was given up
      if (!a.result && a.result.error().code == errc::not_leader)
        finder_.refused(from, a.result.error().leader);
      desk_.end_attempt(a.id, std::move(a.result), a.retry_after, now);
    }
  }

  // -- raft core ---------------------------------------------------------------------------------

  void on(core_view& v, instant, outbox&) {
    const bool new_term = v.term != finder_.term();
    const bool new_leader = finder_.update(v);
    const bool was_leading = std::exchange(leads_, v.leads);
    age_.update(v);
    if (v.newest.content)
      rules_ = v.newest.content->rules;
    roster_ = v.newest.content;
    term_committed_ = v.term_committed;
    if (v.committed.content)
      version_ = v.committed.content->machine_version;
    if (was_leading && (!leads_ || new_term))
      lose_leadership();
    if (leads_)
      desk_.lose_attempts_at([](member_id) { return true; });
    else if (new_leader && v.leader)
      desk_.lose_attempts_at([&](member_id at) { return at != v.leader; });
    if (new_leader && v.leader)
      desk_.resume_all();
    members_.update(v.committed);
    follow_roster(v.committed);
  }

  void on(proposed& m, instant now, outbox&) {
    serving_.on(m,
                [&](ticket id) { desk_.end_attempt(id, tl::unexpected{m.why}, interval{0}, now); });
  }

  void on(read_ready& m, instant now, outbox& out) {
    serving_.on(m, [&](ticket id) {
      auto* c = desk_.find(id);
      if (!c)
        return;
      if (m.code != errc::none)
        return desk_.end_attempt(id, fail(m.code, {}, finder_.leader()), interval{0}, now);
      ask(id, *c, m.index, out);
    });
  }

  // -- replica -----------------------------------------------------------------------------------

  void on(applied_outcomes& m, instant now, outbox&) {
    const auto done = [&](ticket id, outcome& o) {
      desk_.end_attempt(id, std::move(o.result).map([&](bytes body) {
        return reply{.body = std::move(body), .index = o.index, .copies = m.copies};
      }),
                        interval{0}, now);
    };
    serving_.on(m, done, [&](ticket id) { desk_.lose_attempt(id); });
  }

  void on(replica_answer& m, instant now, outbox&) {
    const auto* c = desk_.find(m.id);
    if (!c || c->stage != call_stage::asking)
      return;
    const auto& asked = std::get<query>(c->body);
    if (asked.consistency == consistency::linearizable) {
      desk_.end_attempt(m.id, std::move(m.result).map([&](bytes body) {
        return reply{.body = std::move(body), .index = m.applied};
      }),
                        interval{0}, now);
      return;
    }
    const auto age = age_.at(now);
    if (m.result && is_too_old(asked, age))
      return desk_.close(m.id, fail(errc::stale, {}, finder_.leader()));
    desk_.close(m.id, std::move(m.result).map([&](bytes body) {
      return reply{.body = std::move(body), .index = m.applied, .age = age};
    }));
  }

  // -- driver ------------------------------------------------------------------------------------

  void on(peer_lost& m, instant now, outbox&) {
    desk_.lose_attempts_at([&](member_id at) { return at == m.who; });
    finder_.link_lost(m.who, now + options_.suspect_after);
    members_.forget(m.who);
  }

  /// The node is about to leave: no more calls are taken, and the open ones go on to their end.
  /// The own roster need not show it, nor anybody who is still there.
  void on(sent_away& m, instant, outbox&) {
    if (place_.send_away())
      end_membership({m.leader});
  }

  void on(drain_calls&, instant, outbox&) { draining_.begin(); }

  /// All is done by `settle`, which follows.
  void wake(instant, outbox&) {}

  void settle(instant now, outbox& out) {
    desk_.look_at_due(now, [&](const call& c) {
      if (now < c.deadline) // else its caller may only have been impatient
        finder_.silent(c.at);
    });
    reconcile_offline();
    number_own(now);
    send_held(now, out);
    serving_.flush(out);
    deliver(out);
    members_.flush(out);
    reconciling_.tell_when_done(self_, out);
    draining_.tell_when_done(desk_.waited_for(), out);
    if (const auto due = desk_.next_due(now))
      out.wake(*due);
  }

  /// Closes every call: `stopped` where nothing was done for certain, else `outcome_unknown`. From
  /// now on all that comes is answered `stopped`.
  void stop(instant, outbox& out) {
    draining_.begin();
    desk_.close_all();
    deliver(out);
  }

  [[nodiscard]] std::size_t open_calls() const { return desk_.size(); }
  /// Those of them that somebody waits for; at most `calls_max`.
  [[nodiscard]] std::size_t waited_for() const { return desk_.waited_for(); }
  [[nodiscard]] const forwarder_options& options() const { return options_; }
  [[nodiscard]] std::uint64_t retries() const { return desk_.retries(); }
  /// What became of the calls that hung when this node took a seat, or found a leader again.
  [[nodiscard]] const reconcile_counters& reconciled() const { return reconciling_.total(); }

private:
  void take(call c, instant now, outbox& out) {
    if (draining_.begun())
      return desk_.refuse(c, errc::stopped, "");
    if (roster_ && uses_anothers_session(*roster_, c.origin, c.body))
      return desk_.refuse(c, errc::session_unknown, "the session is a member's own");
    if (const auto* written = std::get_if<command>(&c.body))
      if (auto why = complaint(*written, c); why.code != errc::none)
        return desk_.refuse(c, why.code, std::move(why.detail));
    const auto* asked = std::get_if<query>(&c.body);
    if (asked && asked->consistency != consistency::linearizable)
      return take_local_query(std::move(c), now, out);
    if (c.last_hop && !leads_)
      return desk_.refuse(c, errc::not_leader, "", finder_.leader());
    offline_waiting_ = offline_waiting_ || c.offline;
    desk_.take(std::move(c));
  }

  /// Why a command can not be proposed at all.
  [[nodiscard]] failure complaint(const command& c, const call& from) const {
    if (from.own && place_.removed())
      return {.code = errc::removed, .detail = "the node has left the roster"};
    if (c.body.size() > rules_.command_bytes_max)
      return {errc::too_large, "the command takes " + std::to_string(c.body.size())
                                   + " bytes, command_bytes_max is "
                                   + std::to_string(rules_.command_bytes_max)};
    if (!c.session && !from.own)
      return {errc::session_unknown, "the call is of no session, and not of this node"};
    if (c.number - c.answered_below >= rules_.session_window)
      return {errc::overloaded, "session_window is " + std::to_string(rules_.session_window)
                                    + ", and so many requests of the session are open"};
    return {};
  }

  /// Answered by this node's own replica, whoever leads.
  void take_local_query(call c, instant now, outbox& out) {
    const auto& asked = std::get<query>(c.body);
    if (is_too_old(asked, age_.at(now)))
      return desk_.refuse(c, errc::stale, "", finder_.leader());
    const auto at_least = asked.consistency == consistency::session ? asked.at_least : log_index{};
    if (const auto id = desk_.take_aside(std::move(c)))
      ask(id, *desk_.find(id), at_least, out);
  }

  void ask(ticket id, call& c, log_index at_least, outbox& out) {
    c.stage = call_stage::asking;
    out.tell(ask_replica{id, std::get<query>(c.body).body, at_least, c.deadline});
  }

  void follow_roster(const placed_configuration& committed) {
    const auto news = place_.update(committed);
    if (news.session_open)
      desk_.window().opened(place_.session());
    if (news.seated)
      reconciling_.begin(committed.index, desk_, [](const call&) { return true; });
    if (news.removed)
      end_membership(committed.content->voters);
  }

  /// The calls that are open go on from outside, as a client's would. The cluster closes the node's
  /// own session; a session that the node opened for itself stays.
  void end_membership(const std::vector<member_id>& to_ask) {
    if (desk_.window().open() && desk_.window().session() == place_.session())
      desk_.leave_session();
    finder_.ask_around(to_ask);
  }

  /// What was taken while nobody led is settled with the leader that has come up.
  void reconcile_offline() {
    if (!offline_waiting_ || !finder_.known())
      return;
    offline_waiting_ = false;
    reconciling_.begin(place_.seen(), desk_, [](const call& c) { return c.offline; });
  }

  /// A node that has entered has a session, so if there is none it was lost, or never this life's.
  void number_own(instant now) {
    if (place_.session())
      desk_.want_session(now);
    desk_.number_waiting(rules_.session_window);
  }

  void send_held(instant now, outbox& out) {
    if (!desk_.anything_held())
      return;
    if (leads_)
      return desk_.each_held([&](ticket id, call& c) {
        if (is_in_use(id, c, now))
          serve(id, c);
      });
    const auto to = finder_.target(now);
    if (!to) {
      if (const auto later = finder_.next_target(now))
        out.wake(*later);
      return;
    }
    desk_.each_held([&](ticket id, call& c) {
      const auto bytes = c.weight_bytes;
      to_leader_.add(to, desk_.begin_attempt(id, to, now), bytes, out);
    });
    to_leader_.flush(out);
  }

  /// Whether the cluster uses the version of the machine that brought a command. A leader knows
  /// once an entry of its term is committed: until then what may be too new waits.
  [[nodiscard]] bool is_in_use(ticket id, const call& c, instant now) {
    const auto* written = std::get_if<command>(&c.body);
    if (!written || c.settling || !options_.since_of)
      return true;
    const auto since = options_.since_of(written->body);
    if (since > version_ && term_committed_)
      desk_.end_attempt(
          id,
          fail(errc::version_not_in_use, "the command came with version " + std::to_string(since)
                                             + " of the machine, and the cluster uses "
                                             + std::to_string(version_)),
          interval{0}, now);
    return since <= version_;
  }

  void serve(ticket id, call& c) {
    if (is_write(c.body)) {
      c.stage = call_stage::proposed;
      // Who may not pass it on needs it no more, once it is proposed.
      serving_.propose(id, payload_of(c.last_hop ? std::move(c.body) : desk_.next_body(c)));
    } else {
      c.stage = call_stage::reading;
      serving_.read(id);
    }
  }

  /// What stands in the log may be committed by the next leader, or not: it is sent there again.
  void lose_leadership() {
    serving_.give_up([&](ticket id) { desk_.lose_attempt(id); });
    if (!leads_)
      desk_.refuse_last_hops(finder_.leader());
  }

  void deliver(outbox& out) {
    for (auto& e : desk_.ended()) {
      reconciling_.closed(e);
      if (!e.origin) {
        out.tell(local_answer{e.caller, std::move(e.result), e.retry_after});
        continue;
      }
      const auto bytes = e.result ? e.result->body.size() : e.result.error().detail.size();
      to_callers_.add(e.origin, answer{e.caller, std::move(e.result), e.retry_after}, bytes, out);
    }
    desk_.ended().clear();
    to_callers_.flush(out);
  }

  member_id self_;
  forwarder_options options_;

  leader_finder finder_;
  own_place place_;
  draining draining_;
  reconciling reconciling_;
  bool leads_ = false;
  bool term_committed_ = false;
  std::uint32_t version_ = 1;    ///< of the machine, in use for certain
  bool offline_waiting_ = false; ///< commands were taken while nobody was known to lead
  data_age age_;
  settings rules_ = {};
  configuration_ptr roster_ = {};

  call_desk desk_;
  serving serving_;
  duplicate_filter seen_;
  members_desk members_;
  mail_sheets<requests> to_leader_;
  mail_sheets<answers> to_callers_;
};

} // namespace understudy
