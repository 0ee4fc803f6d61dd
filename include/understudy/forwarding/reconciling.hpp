// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a node brings along when it takes a seat (S6).
///
/// A listener has taken calls. When it joins the raft group, the writes among them that are open
/// are what the node holds and the leader may lack: they are with a leader that is there, or were
/// sent to one that is gone, or never sent because nobody led. Each is settled with the leader
/// through the log, so that committed data is never overwritten and nothing is done twice:
///
/// - What is with a leader is left to it, and counted when its answer comes.
/// - What may have been applied by another is asked about first. `settle` returns the stored reply,
///   or uses the number up, and then the command goes again under a fresh one. A plain retry would
///   be as safe, but its answer does not tell which of the two it was.
/// - A client's command keeps its number, which is the client's: it is retried under it.
/// - What was never sent is sent.

#include <understudy/core/outbox.hpp>
#include <understudy/forwarding/call_desk.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace understudy {

/// What became of the calls that were reconciled.
struct reconcile_counters {
  std::uint64_t taken = 0;
  std::uint64_t applied_before = 0; ///< an attempt from before had been applied
  std::uint64_t applied_after = 0; ///< applied since; a client's, perhaps by an attempt from before
  std::uint64_t not_applied = 0;   ///< certainly not, and the caller knows why
  std::uint64_t unknown = 0;       ///< the deadline passed first

  friend bool operator==(const reconcile_counters&, const reconcile_counters&) = default;
};

/// The calls that are being settled, and what became of those before.
class reconciling {
public:
  /// Takes in those open writes for which `concerns(call)` holds; they are tried at once. `since`
  /// is the configuration that was the reason: what stands in the log up to there was done before.
  template <class Concerns> void begin(log_index since, call_desk& desk, Concerns concerns) {
    if (!under_way_) {
      since_ = since;
      run_ = {};
    }
    under_way_ = true;
    const auto wanted = [&](const call& c) {
      return is_write(c.body) && !c.internal && !c.last_hop && !c.reconciling && concerns(c);
    };
    for (const auto id : desk.select(wanted)) {
      auto& c = *desk.find(id);
      c.reconciling = true;
      ++open_;
      ++run_.taken;
      ++total_.taken;
      if (c.own && c.doubtful)
        settle_first(id, desk);
      desk.resume(id);
    }
  }

  /// A call is closed; those that were not taken in mean nothing here.
  void closed(const ended_call& e) {
    if (!e.reconciling)
      return;
    --open_;
    const auto end = end_of(e);
    ++(run_.*end);
    ++(total_.*end);
  }

  /// Tells the event when the last of them is closed.
  void tell_when_done(member_id self, outbox& out) {
    if (!under_way_ || open_ > 0)
      return;
    under_way_ = false;
    out.tell(node_event{
        .what = node_event::kind::reconciled, .who = self, .index = since_, .detail = summary()});
  }

  /// Over the node's whole life.
  [[nodiscard]] const reconcile_counters& total() const { return total_; }

private:
  /// From the next attempt on it is the question that is sent. An attempt at another node is given
  /// up, since its answer could not be told from that to the question. One with the own core has
  /// its place in the log, and its outcome comes soon.
  static void settle_first(ticket id, call_desk& desk) {
    auto& c = *desk.find(id);
    if (c.settling || c.stage == call_stage::proposed)
      return;
    if (c.stage == call_stage::sent)
      desk.lose_attempt(id);
    c.settling = true;
  }

  using counter = std::uint64_t reconcile_counters::*;

  [[nodiscard]] counter end_of(const ended_call& e) const {
    if (e.result)
      return e.settling || e.result->index <= since_ ? &reconcile_counters::applied_before
                                                     : &reconcile_counters::applied_after;
    switch (e.result.error().code) {
    case errc::reply_too_large:
      return e.settling ? &reconcile_counters::applied_before : &reconcile_counters::applied_after;
    case errc::already_answered:
    case errc::outcome_unknown:
      return &reconcile_counters::unknown;
    default:
      return &reconcile_counters::not_applied;
    }
  }

  [[nodiscard]] std::string summary() const {
    const auto text = [](std::uint64_t n) { return std::to_string(n); };
    auto said = text(run_.taken) + (run_.taken == 1 ? " call: " : " calls: ")
                + text(run_.applied_before) + " applied before, " + text(run_.applied_after)
                + " applied now, " + text(run_.not_applied) + " not applied";
    if (run_.unknown > 0)
      said += ", " + text(run_.unknown) + " unknown";
    return said;
  }

  bool under_way_ = false;
  log_index since_ = {};
  std::size_t open_ = 0;
  reconcile_counters run_;   ///< since the last event
  reconcile_counters total_; ///< since ever
};

} // namespace understudy
