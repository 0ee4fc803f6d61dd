// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a node tells Prometheus. One table: /metrics, --metrics-help and docs/metrics.md follow
/// from it.

#include <understudy/actors/status.hpp>
#include <understudy/version.hpp>

#include "key_value.hpp"

#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace node_program {

/// What the HTTP side counts. Written by many threads.
struct http_counters {
  std::array<std::atomic<std::uint64_t>, 6> answers = {}; ///< by the first digit of the status
  std::atomic<std::uint64_t> microseconds = 0;            ///< in all, from request to answer
  std::atomic<std::uint64_t> open = 0;                    ///< requests
  std::atomic<std::uint64_t> connections = 0;
};

/// Everything at one moment.
struct metrics_view {
  understudy::node_status status = {};
  std::optional<key_value::totals> table = {}; ///< none: the table can not be asked just now
  const http_counters* http = nullptr;
  double uptime_seconds = 0;
  double resident_bytes = 0;
  bool draining = false;
};

enum class metric_kind : std::uint8_t { gauge = 0, counter = 1 };

/// One line of the table. Lines of one name stand together and differ in their labels.
struct metric {
  std::string_view name;
  std::string_view labels = {}; ///< as in the output, without the braces
  metric_kind kind = metric_kind::gauge;
  std::string_view unit = {};
  std::string_view help = {};
  double (*value)(const metrics_view&) = nullptr;
};

namespace detail {

using view = metrics_view;

[[nodiscard]] inline double flag(bool b) {
  return b ? 1 : 0;
}
[[nodiscard]] inline double count(std::uint64_t n) {
  return static_cast<double>(n);
}
template <std::size_t Class> double answers(const view& v) {
  return v.http ? count(v.http->answers[Class]) : 0;
}
[[nodiscard]] inline double of_table(const view& v, std::uint64_t key_value::totals::*part) {
  return v.table ? count(*v.table.*part) : std::numeric_limits<double>::quiet_NaN();
}
[[nodiscard]] inline std::uint64_t in_contact(const view& v) {
  std::uint64_t found = 0;
  for (const auto& m : v.status.members)
    found += m.in_contact ? 1 : 0;
  return found;
}
[[nodiscard]] inline bool votes(const view& v) {
  return std::ranges::find(v.status.voters, v.status.id) != v.status.voters.end();
}

#define NODE_PROGRAM_TEXT(x) #x
#define NODE_PROGRAM_DIGITS(x) NODE_PROGRAM_TEXT(x)
inline constexpr std::string_view version_label
    = "version=\"" NODE_PROGRAM_DIGITS(UNDERSTUDY_VERSION_MAJOR) "." NODE_PROGRAM_DIGITS(
        UNDERSTUDY_VERSION_MINOR) "." NODE_PROGRAM_DIGITS(UNDERSTUDY_VERSION_PATCH) "\"";
#undef NODE_PROGRAM_DIGITS
#undef NODE_PROGRAM_TEXT

inline constexpr auto gauge = metric_kind::gauge;
inline constexpr auto counter = metric_kind::counter;

inline constexpr std::array metrics_table{
    metric{"understudy_build_info", version_label, gauge, "",
           "1; the label says which release runs", [](const view&) { return 1.0; }},
    metric{"understudy_uptime_seconds", "", gauge, "seconds", "since the process began to serve",
           [](const view& v) { return v.uptime_seconds; }},
    metric{"process_resident_memory_bytes", "", gauge, "bytes", "memory of the process",
           [](const view& v) { return v.resident_bytes; }},

    metric{"understudy_ready", "", gauge, "", "1: the node can serve, and stays",
           [](const view& v) { return flag(v.status.ready && !v.draining); }},
    metric{"understudy_broken", "", gauge, "", "1: the node or its table has stopped for good",
           [](const view& v) { return flag(v.status.trouble.code != understudy::errc::none); }},
    metric{"understudy_leads", "", gauge, "",
           "1: this node leads; the sum over all nodes should be 1",
           [](const view& v) { return flag(v.status.role == understudy::role::leader); }},
    metric{"understudy_votes", "", gauge, "", "1: this node is a voter",
           [](const view& v) { return flag(votes(v)); }},
    metric{"understudy_knows_leader", "", gauge, "", "1: somebody is known to lead",
           [](const view& v) { return flag(bool{v.status.leader}); }},
    metric{"understudy_rank", "", gauge, "", "place in line, from 1; 0: none",
           [](const view& v) { return count(v.status.rank); }},
    metric{"understudy_term", "", gauge, "", "Raft's term; it grows with each election",
           [](const view& v) { return count(v.status.term.value); }},
    metric{"understudy_members", "", gauge, "nodes", "in the roster, as this node knows it",
           [](const view& v) { return count(v.status.members.size()); }},
    metric{"understudy_voters", "", gauge, "nodes", "that vote",
           [](const view& v) { return count(v.status.voters.size()); }},
    metric{"understudy_members_in_contact", "", gauge, "nodes",
           "that answered lately; at the leader only",
           [](const view& v) { return count(in_contact(v)); }},
    metric{"understudy_voters_changing", "", gauge, "", "1: a change of the voters is under way",
           [](const view& v) { return flag(v.status.changing); }},
    metric{"understudy_copies", "", gauge, "nodes",
           "on which a write is when it is answered; at the leader only",
           [](const view& v) { return count(v.status.copies); }},

    metric{"understudy_log_last_index", "", gauge, "entries", "end of the log",
           [](const view& v) { return count(v.status.last.value); }},
    metric{"understudy_log_commit_index", "", gauge, "entries",
           "up to which the log is committed, as known here",
           [](const view& v) { return count(v.status.commit.value); }},
    metric{"understudy_log_applied_index", "", gauge, "entries", "up to which it is in the table",
           [](const view& v) { return count(v.status.applied.value); }},
    metric{"understudy_lag_entries", "", gauge, "entries",
           "committed somewhere, and not in the table here",
           [](const view& v) { return count(v.status.lag); }},
    metric{"understudy_table_keys", "", gauge, "keys", "in the table, as this node has it",
           [](const view& v) { return of_table(v, &key_value::totals::keys); }},
    metric{"understudy_table_bytes", "", gauge, "bytes", "of all keys and values",
           [](const view& v) { return of_table(v, &key_value::totals::bytes); }},
    metric{"understudy_table_keys_max", "", gauge, "keys", "that /limits allows",
           [](const view& v) { return of_table(v, &key_value::totals::keys_max); }},
    metric{"understudy_table_bytes_max", "", gauge, "bytes", "that /limits allows",
           [](const view& v) { return of_table(v, &key_value::totals::bytes_max); }},
    metric{"understudy_sessions", "", gauge, "sessions", "open in the whole cluster",
           [](const view& v) { return count(v.status.sessions); }},

    metric{"understudy_open_calls", "", gauge, "calls", "taken by this node and not answered yet",
           [](const view& v) { return count(v.status.open_calls); }},
    metric{"understudy_call_retries_total", "", counter, "calls",
           "sent once more, to another leader or again",
           [](const view& v) { return count(v.status.retries); }},
    metric{"understudy_reconciled_total", R"(result="applied_before")", counter, "calls",
           "open when this node took a seat, or found a leader again",
           [](const view& v) { return count(v.status.reconciled.applied_before); }},
    metric{"understudy_reconciled_total", R"(result="applied_after")", counter, "calls", "",
           [](const view& v) { return count(v.status.reconciled.applied_after); }},
    metric{"understudy_reconciled_total", R"(result="not_applied")", counter, "calls", "",
           [](const view& v) { return count(v.status.reconciled.not_applied); }},
    metric{"understudy_reconciled_total", R"(result="unknown")", counter, "calls", "",
           [](const view& v) { return count(v.status.reconciled.unknown); }},

    metric{"understudy_pulls_total", "", counter, "questions",
           "that this node asked while listening",
           [](const view& v) { return count(v.status.pulls.asked); }},
    metric{"understudy_pull_answers_total", R"(from="leader")", counter, "answers",
           "to those, by who gave them",
           [](const view& v) { return count(v.status.pulls.from_leader); }},
    metric{"understudy_pull_answers_total", R"(from="others")", counter, "answers", "",
           [](const view& v) { return count(v.status.pulls.from_followers); }},
    metric{"understudy_pull_failures_total", R"(why="late")", counter, "answers",
           "that were of no use, or never came",
           [](const view& v) { return count(v.status.pulls.late); }},
    metric{"understudy_pull_failures_total", R"(why="refused")", counter, "answers", "",
           [](const view& v) { return count(v.status.pulls.refused); }},
    metric{"understudy_pull_failures_total", R"(why="silent")", counter, "answers", "",
           [](const view& v) { return count(v.status.pulls.silent); }},
    metric{"understudy_pulled_entries_total", "", counter, "entries", "got by pulling",
           [](const view& v) { return count(v.status.pulls.entries); }},
    metric{"understudy_pulled_bytes_total", "", counter, "bytes",
           "got by pulling, of entries and of snapshots",
           [](const view& v) { return count(v.status.pulls.bytes); }},
    metric{"understudy_unexpected_messages_total", "", counter, "messages",
           "that no part of the node has a use for",
           [](const view& v) { return count(v.status.unexpected_messages); }},

    metric{"understudy_connections", "", gauge, "connections",
           "to other nodes, and from clients and operators",
           [](const view& v) { return count(v.status.connections.open); }},
    metric{"understudy_connections_total", R"(end="accepted")", counter, "connections",
           "that there have been, by who has made them",
           [](const view& v) { return count(v.status.connections.accepted); }},
    metric{"understudy_connections_total", R"(end="dialed")", counter, "connections", "",
           [](const view& v) { return count(v.status.connections.dialed); }},
    metric{"understudy_connections_refused_total", "", counter, "connections",
           "closed at once, as there were too many",
           [](const view& v) { return count(v.status.connections.refused); }},
    metric{"understudy_connections_faulty_total", "", counter, "connections",
           "closed because of what the other end did, or did not do",
           [](const view& v) { return count(v.status.connections.faulty); }},
    metric{"understudy_messages_dropped_total", "", counter, "messages",
           "for which there was no connection, or no room",
           [](const view& v) { return count(v.status.connections.dropped); }},
    metric{"understudy_sent_bytes_total", "", counter, "bytes",
           "to other nodes, clients and operators, as they go over the wire",
           [](const view& v) { return count(v.status.connections.sent_bytes); }},
    metric{"understudy_received_bytes_total", "", counter, "bytes", "from them",
           [](const view& v) { return count(v.status.connections.received_bytes); }},

    metric{"understudy_http_answers_total", R"(class="2xx")", counter, "answers",
           "given over HTTP, by class of status", answers<2>},
    metric{"understudy_http_answers_total", R"(class="4xx")", counter, "answers", "", answers<4>},
    metric{"understudy_http_answers_total", R"(class="5xx")", counter, "answers", "", answers<5>},
    metric{"understudy_http_seconds_total", "", counter, "seconds",
           "from request to answer, of all answers together",
           [](const view& v) { return v.http ? count(v.http->microseconds) / 1e6 : 0; }},
    metric{"understudy_http_open_requests", "", gauge, "requests", "being answered",
           [](const view& v) { return v.http ? count(v.http->open) : 0; }},
    metric{"understudy_http_connections", "", gauge, "connections",
           "being served; --http-connections is the most",
           [](const view& v) { return v.http ? count(v.http->connections) : 0; }},
};

} // namespace detail

[[nodiscard]] inline std::span<const metric> metrics() {
  return detail::metrics_table;
}

[[nodiscard]] constexpr std::string_view to_string(metric_kind kind) {
  return kind == metric_kind::gauge ? "gauge" : "counter";
}

namespace detail {

/// The shortest text that is this number, as Prometheus reads it.
[[nodiscard]] inline std::string short_number(double value) {
  if (std::isnan(value))
    return "NaN";
  std::array<char, 32> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), written.ptr};
}

} // namespace detail

/// The answer to a scrape: Prometheus's text format, version 0.0.4.
[[nodiscard]] inline std::string metrics_as_text(const metrics_view& v) {
  std::string text;
  std::string_view last;
  for (const auto& m : metrics()) {
    const std::string name{m.name};
    if (m.name != last) {
      text += "# HELP " + name + ' ' + std::string{m.help} + '\n';
      text += "# TYPE " + name + ' ' + std::string{to_string(m.kind)} + '\n';
    }
    last = m.name;
    text += name;
    if (!m.labels.empty())
      text += '{' + std::string{m.labels} + '}';
    text += ' ' + detail::short_number(m.value(v)) + '\n';
  }
  return text;
}

/// The table as the documentation has it.
[[nodiscard]] inline std::string metrics_as_markdown() {
  std::string text = "| metric | kind | unit | meaning |\n| --- | --- | --- | --- |\n";
  std::string_view last;
  for (const auto& m : metrics()) {
    if (m.name == last) // one line a name
      continue;
    last = m.name;
    text += "| `" + std::string{m.name};
    if (const auto label = m.labels.substr(0, m.labels.find('=')); !label.empty())
      text += '{' + std::string{label} + '}';
    text += "` | " + std::string{to_string(m.kind)} + " | " + std::string{m.unit} + " | "
            + std::string{m.help} + " |\n";
  }
  return text;
}

} // namespace node_program
