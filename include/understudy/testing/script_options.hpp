// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The options of a run by name, as a script sets them: `max_voters=3 evict_after=2s drop=0.1`.

#include <understudy/core/configuration.hpp>
#include <understudy/core/time.hpp>
#include <understudy/forwarding/options.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/raft/options.hpp>
#include <understudy/roster/settings.hpp>
#include <understudy/testing/script.hpp>
#include <understudy/testing/script_words.hpp>
#include <understudy/testing/simulated_node.hpp>
#include <understudy/testing/simulation_options.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// What a script decides before its first node starts.
struct script_setup {
  simulation_options options = {};
  std::uint64_t seed = 5;
};

namespace detail {

/// What a value should have been, for the complaint; empty: it is set.
using wanted = std::string_view;

inline wanted set_from(bool& to, std::string_view value) {
  to = value == "yes";
  return value == "yes" || value == "no" ? "" : "yes or no";
}

template <std::integral T> wanted set_from(T& to, std::string_view value) {
  const auto number = number_of<T>(value);
  to = number.value_or(to);
  return number ? "" : "a whole number that fits";
}

inline wanted set_from(double& to, std::string_view value) {
  const auto number = number_of<double>(value);
  to = number.value_or(to);
  return number && *number >= 0 && *number <= 1 ? "" : "a number from 0 to 1";
}

inline wanted set_from(interval& to, std::string_view value) {
  const auto time = time_of(value);
  to = time.value_or(to);
  return time ? "" : "a time, such as 20ms or 5s";
}

/// In milliseconds, as the replicated settings have it.
template <std::integral T> wanted set_ms_from(T& to, std::string_view value) {
  interval time{};
  const auto wrong = set_from(time, value);
  if (wrong.empty())
    to = static_cast<T>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
  return wrong;
}

/// A component that takes each notice only after a time of up to this.
inline wanted slow_down(pace_options& pace, place_of which, std::string_view value) {
  const auto at = static_cast<std::size_t>(which);
  pace.mailboxes.resize(std::max(pace.mailboxes.size(), at + 1));
  pace.mailboxes[at].slow = 1;
  return set_from(pace.mailboxes[at].delay_max, value);
}

/// One name, and what it sets.
template <class Target> struct option_row {
  std::string_view name;
  wanted (*set)(Target&, std::string_view);
};

inline constexpr option_row<settings> rule_rows[]{
    {"max_voters", [](settings& s, std::string_view v) { return set_from(s.max_voters, v); }},
    {"min_voters", [](settings& s, std::string_view v) { return set_from(s.min_voters, v); }},
    {"evict_after",
     [](settings& s, std::string_view v) { return set_ms_from(s.evict_after_ms, v); }},
    {"session_expiry",
     [](settings& s, std::string_view v) { return set_ms_from(s.session_expiry_ms, v); }},
    {"lease", [](settings& s, std::string_view v) { return set_ms_from(s.lease_ms, v); }},
    {"sessions_max", [](settings& s, std::string_view v) { return set_from(s.sessions_max, v); }},
};

using core_row = option_row<core_options>;
inline constexpr core_row core_rows[]{
    {"append_entries_max",
     [](core_options& o, std::string_view v) { return set_from(o.append_entries_max, v); }},
    {"window_entries",
     [](core_options& o, std::string_view v) { return set_from(o.window_entries, v); }},
    {"catch_up_gap",
     [](core_options& o, std::string_view v) { return set_from(o.catch_up_gap, v); }},
    {"snapshot_after_bytes",
     [](core_options& o, std::string_view v) { return set_from(o.snapshot_after_bytes, v); }},
    {"snapshot_chunk_bytes",
     [](core_options& o, std::string_view v) { return set_from(o.snapshot_chunk_bytes, v); }},
    {"retain_entries",
     [](core_options& o, std::string_view v) { return set_from(o.retain_entries, v); }},
    {"retain_bytes_max",
     [](core_options& o, std::string_view v) { return set_from(o.retain_bytes_max, v); }},
    {"transfer_limit",
     [](core_options& o, std::string_view v) { return set_from(o.transfer_limit, v); }},
    {"volatile_log",
     [](core_options& o, std::string_view v) { return set_from(o.volatile_log, v); }},
};

using setup_row = option_row<script_setup>;
inline constexpr setup_row setup_rows[]{
    {"seed", [](script_setup& s, std::string_view v) { return set_from(s.seed, v); }},
    {"delay_min",
     [](script_setup& s, std::string_view v) { return set_from(s.options.links.delay_min, v); }},
    {"delay_max",
     [](script_setup& s, std::string_view v) { return set_from(s.options.links.delay_max, v); }},
    {"drop", [](script_setup& s, std::string_view v) { return set_from(s.options.links.drop, v); }},
    {"duplicate",
     [](script_setup& s, std::string_view v) { return set_from(s.options.links.duplicate, v); }},
    {"straggle",
     [](script_setup& s, std::string_view v) { return set_from(s.options.links.straggle, v); }},
    {"clock_drift_permille",
     [](script_setup& s, std::string_view v) {
       return set_from(s.options.clock_drift_permille, v);
     }},
    {"durable", [](script_setup& s, std::string_view v) { return set_from(s.options.durable, v); }},
    {"crash_noticed",
     [](script_setup& s, std::string_view v) { return set_from(s.options.crash_noticed, v); }},
    {"catch_up_limit",
     [](script_setup& s, std::string_view v) {
       return set_from(s.options.membership.catch_up_limit, v);
     }},
    {"deadline",
     [](script_setup& s, std::string_view v) {
       return set_from(s.options.forwarder.calls.deadline_default, v);
     }},
    {"slow_writer",
     [](script_setup& s, std::string_view v) {
       return slow_down(s.options.pace, place_of::writer, v);
     }},
    {"slow_replica",
     [](script_setup& s, std::string_view v) {
       return slow_down(s.options.pace, place_of::replica, v);
     }},
};

/// Sets what the row of that name is about. Returns whether there is one.
template <class Target, std::size_t N>
bool set_by_name(Target& to, const option_row<Target> (&rows)[N], const std::string& name,
                 const std::string& value) {
  const auto* row = std::ranges::find(rows, name, &option_row<Target>::name);
  if (row == std::end(rows))
    return false;
  if (const auto wrong = row->set(to, value); !wrong.empty())
    throw bad_script{name + " must be " + std::string{wrong} + ", and is " + value};
  return true;
}

inline void refuse(const std::vector<std::string>& complaints) {
  if (!complaints.empty())
    throw bad_script{complaints.front()};
}

} // namespace detail

/// Sets one of the replicated settings.
inline void set_rule(settings& to, const std::string& name, const std::string& value) {
  if (!detail::set_by_name(to, detail::rule_rows, name, value))
    throw bad_script{"there is no setting " + name};
}

/// Sets an option of the run.
inline void set_option(script_setup& to, const std::string& name, const std::string& value) {
  if (!detail::set_by_name(to.options.rules, detail::rule_rows, name, value)
      && !detail::set_by_name(to.options.core, detail::core_rows, name, value)
      && !detail::set_by_name(to, detail::setup_rows, name, value))
    throw bad_script{"there is no option " + name};
}

/// Throws if the options do not go together.
inline void check_setup(const script_setup& s) {
  auto membership = s.options.membership;
  membership.self = {.id = {1}, .name = "a", .address = "a", .start = 1};
  membership.found = true;
  membership.rules = s.options.rules;
  detail::refuse(complaints(s.options.rules));
  detail::refuse(complaints(membership));
  detail::refuse(complaints(s.options.core));
  detail::refuse(complaints(s.options.forwarder));
  if (s.options.links.delay_min > s.options.links.delay_max)
    throw bad_script{"delay_min must not exceed delay_max"};
}

} // namespace understudy::testing
