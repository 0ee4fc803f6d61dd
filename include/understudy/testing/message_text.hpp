// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Messages for people: a name and the few numbers that tell a story.

#include <understudy/core/messages.hpp>
#include <understudy/core/notices.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

namespace understudy::testing {

/// A name, and up to four numbers with labels. Cheap to make: text is only built when it is read.
struct summary {
  std::string_view name = {};
  std::array<std::string_view, 4> labels = {};
  std::array<std::uint64_t, 4> values = {};
};

namespace detail {

/// One row for each message: what is worth a column in a trace.
struct peer_summaries {
  summary operator()(const request_vote& m) const {
    return {m.round == round::vote ? "request_vote" : "request_pre_vote",
            {"term", "last", "of"},
            {m.term.value, m.last.index.value, m.last.term.value}};
  }
  summary operator()(const vote_reply& m) const {
    return {m.round == round::vote ? "vote_reply" : "pre_vote_reply",
            {"term", "asked", "verdict"},
            {m.term.value, m.asked.value, static_cast<std::uint64_t>(m.verdict)}};
  }
  summary operator()(const append_entries& m) const {
    return {"append_entries",
            {"term", "behind", "count", "commit"},
            {m.term.value, m.previous.index.value, m.entries.size(), m.commit.value}};
  }
  summary operator()(const append_reply& m) const {
    if (m.accepted)
      return {"append_reply", {"term", "match"}, {m.term.value, m.match.value}};
    return {"append_refused", {"term", "hint"}, {m.term.value, m.hint.index.value}};
  }
  summary operator()(const install_snapshot& m) const {
    return {"install_snapshot",
            {"term", "at", "offset", "size"},
            {m.term.value, m.chunk.key.at.index.value, m.chunk.offset, m.chunk.size}};
  }
  summary operator()(const snapshot_reply& m) const {
    return {"snapshot_reply",
            {"term", "at", "received", "done"},
            {m.term.value, m.key.at.index.value, m.received, m.done ? 1u : 0u}};
  }
  summary operator()(const timeout_now& m) const {
    return {"timeout_now", {"term"}, {m.term.value}};
  }
  summary operator()(const pull_request& m) const {
    return {"pull_request",
            {"ask", "behind", "of"},
            {m.ask.value, m.from.index.value, m.from.term.value}};
  }
  summary operator()(const pull_reply& m) const {
    return {"pull_reply",
            {"ask", "verdict", "count", "commit"},
            {m.ask.value, static_cast<std::uint64_t>(m.verdict), m.entries.size(), m.commit.value}};
  }
  summary operator()(const census_request& m) const {
    return {"census_request", {"founding"}, {m.founding ? 1u : 0u}};
  }
  summary operator()(const census_reply& m) const {
    return {"census_reply", {"members", "founding"}, {m.members, m.founding ? 1u : 0u}};
  }
  summary operator()(const enter_request&) const { return {"enter_request", {}, {}}; }
  summary operator()(const enter_reply& m) const {
    return {"enter_reply",
            {"code", "roster"},
            {static_cast<std::uint64_t>(m.code), m.roster.index.value}};
  }
  summary operator()(const seat_request& m) const {
    return {"seat_request", {"last"}, {m.last.index.value}};
  }
  summary operator()(const presence&) const { return {"presence", {}, {}}; }
  summary operator()(const order_request& m) const {
    return {"order_request", {"kind"}, {m.what.index()}};
  }
  summary operator()(const order_reply& m) const {
    return {"order_reply", {"ok"}, {m.result ? 1u : 0u}};
  }
  summary operator()(const requests& m) const {
    return {"requests", {"count", "forwarded"}, {m.batch.size(), m.forwarded ? 1u : 0u}};
  }
  summary operator()(const answers& m) const {
    const bool failed = !m.batch.empty() && !m.batch.front().result;
    return {"answers",
            {"count", "first"},
            {m.batch.size(),
             failed ? static_cast<std::uint64_t>(m.batch.front().result.error().code) : 0u}};
  }
  summary operator()(const members_request& m) const {
    return {"members_request", {"known"}, {m.known.value}};
  }
  summary operator()(const members_reply& m) const {
    return {"members_reply", {"index", "members"}, {m.index.value, m.members.size()}};
  }
};

/// The names alone, in the order of `sibling_message`.
inline constexpr std::array<std::string_view, std::variant_size_v<sibling_message>> notice_names{
    "store_write",       "store_written",       "store_failed",     "apply_entries",
    "restore_snapshot",  "take_snapshot",       "applied_through",  "snapshot_taken",
    "write_down",        "not_written",         "stage_snapshot",   "snapshot_staged",
    "machine_failed",    "core_view",           "pulled_entries",   "pulled_chunk",
    "pulled_divergence", "stored_through",      "leader_hint",      "found_cluster",
    "entered_cluster",   "track_members",       "change_roster",    "change_voters",
    "change_taken",      "transfer_leadership", "propose",          "proposed",
    "read_request",      "read_ready",          "applied_outcomes", "ask_replica",
    "replica_answer",    "peer_lost",           "local_call",       "local_answer",
    "node_event",        "nodes_known",         "seed_met",         "local_order",
    "order_snapshot",    "order_done",          "leave_cluster",    "leave_ended",
    "sent_away",         "drain_calls",         "calls_drained",    "members_heard"};

} // namespace detail

[[nodiscard]] inline summary summary_of(const peer_message& what) {
  return std::visit(detail::peer_summaries{}, what);
}

[[nodiscard]] inline summary summary_of(const sibling_message& what) {
  return {detail::notice_names[what.index()], {}, {}};
}

} // namespace understudy::testing
