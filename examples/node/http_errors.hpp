// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How each error is told over HTTP. One table: answers follow from it, and a test compares it with
/// docs/operating.md.

#include <understudy/core/errors.hpp>

#include "key_value.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace node_program {

/// What an answer that is no success says about a write.
enum class certainty : std::uint8_t {
  not_applied = 0, ///< it was certainly not applied by this request
  unknown = 1,     ///< it may have been applied, or may still be
  applied = 2,     ///< it was applied, but its reply can not be told
};

[[nodiscard]] constexpr std::string_view to_string(certainty c) {
  constexpr std::array<std::string_view, 3> names{"not_applied", "unknown", "applied"};
  return names[static_cast<std::size_t>(c)];
}

/// One line of the table.
struct http_error {
  std::string_view name;
  int status = 500;
  enum certainty certainty = certainty::not_applied;
  bool later = false; ///< `Retry-After` goes with it
  std::string_view meaning = {};
};

namespace detail {

using enum certainty;

/// Those of the framework that a call can end with, by the name of their `errc`.
inline constexpr std::array call_errors{
    http_error{"invalid_option", 400, not_applied, false,
               "the request makes no sense; the text names the part"},
    http_error{"undecodable", 400, not_applied, false,
               "the body is not what it should be; the text says where"},
    http_error{"session_unknown", 404, not_applied, false,
               "the session is closed, has expired, or is of another cluster; what was sent under "
               "it earlier is as it is"},
    http_error{"rejected", 409, not_applied, false,
               "the write can not be one, whatever the table holds"},
    http_error{"sequence_reused", 409, not_applied, false, "another write had this number"},
    http_error{"not_applied", 409, not_applied, false,
               "the number is used up, and nothing was applied under it"},
    http_error{"version_not_in_use", 409, not_applied, false,
               "the write came with a newer version of the table than the cluster uses"},
    http_error{"version_unsupported", 409, not_applied, false,
               "of `/admin/use-version`: a member knows less; the text names it"},
    http_error{"already_answered", 410, unknown, false,
               "the number lies below those answered: its reply is forgotten"},
    http_error{"too_large", 413, not_applied, false, "a key, a value or a body is over its limit"},
    http_error{"reply_too_large", 500, applied, false,
               "applied, but the session has no room for the reply"},
    http_error{"machine_stopped", 500, not_applied, false,
               "this node's table has stopped; ask another node"},
    http_error{"node_broken", 500, not_applied, false,
               "this node has stopped itself; ask another node"},
    http_error{"no_leader", 503, not_applied, true, "nobody leads at the moment"},
    http_error{"not_leader", 503, not_applied, true,
               "the leader is changing; of `/admin`: another node leads, the text says which"},
    http_error{"overloaded", 503, not_applied, true,
               "a queue is full, or too many requests of the session are open"},
    http_error{"busy", 503, not_applied, true, "a change of the same kind is under way"},
    http_error{"stale", 503, not_applied, true, "the data here is older than `max_age`"},
    http_error{"stopped", 503, not_applied, true, "the node is stopping; ask another node"},
    http_error{"removed", 503, not_applied, true,
               "the node is no member of its cluster any more; ask another node"},
    http_error{"too_many_sessions", 503, not_applied, true,
               "the cluster has as many sessions as it may"},
    http_error{
        "timed_out", 504, not_applied, false,
        "no answer in time; it was a read, so nothing is in doubt. Of `/admin/transfer`: nobody "
        "took over in time"},
    http_error{
        "outcome_unknown", 504, unknown, false,
        "no answer in time: ask again under the same session and number; an order, as it is"},
    http_error{"storage_full", 507, not_applied, false, "no room is left on the disk"},
};

/// Writes that were in order, and were applied, but changed nothing.
inline constexpr std::array verdict_errors{
    http_error{"key_missing", 404, not_applied, false, "there is no such key"},
    http_error{"not_a_number", 409, not_applied, false,
               "the value is no decimal integer of 64 bits"},
    http_error{"overflow", 409, not_applied, false, "the sum does not fit into 64 bits"},
    http_error{"key_exists", 412, not_applied, false, "the key was to be new, and is there"},
    http_error{"value_differs", 412, not_applied, false,
               "the key has another value than the one expected"},
    http_error{"too_many_keys", 507, not_applied, false,
               "the table holds as many keys as `/limits` allows"},
    http_error{"too_many_bytes", 507, not_applied, false,
               "the table holds as many bytes as `/limits` allows"},
};

/// Those of operators' calls alone.
inline constexpr std::array admin_errors{
    http_error{"member_unknown", 404, not_applied, false,
               "of `/admin`: no member has this name or id"},
    http_error{"member_ambiguous", 409, not_applied, false,
               "of `/admin`: several members have this name; the text has their ids"},
    http_error{"not_left", 500, unknown, false,
               "of `/admin/leave`: the node stops with something undone; the text says what"},
};

/// Those that come from HTTP alone.
inline constexpr std::array protocol_errors{
    http_error{"no_such_route", 404, not_applied, false, "there is nothing at this path"},
    http_error{"method_not_allowed", 405, not_applied, false, "`Allow` says what the path takes"},
    http_error{"unsupported_media_type", 415, not_applied, false,
               "a compressed or a multipart body is not read"},
    http_error{"draining", 503, not_applied, true, "of `/readyz`: the node is about to leave"},
    http_error{"not_ready", 503, not_applied, true, "of `/readyz` and `/livez`: the text says why"},
};

/// What no caller of this API should see: an error of starting or of operating, or an unforeseen
/// one. A write may have been applied.
inline constexpr http_error internal_error{"internal", 500, unknown, false,
                                           "a fault of this node; its log says more"};

} // namespace detail

/// Calls `use(line)` for each line of the table, in the order of the documentation.
template <class Use> void each_http_error(Use use) {
  for (const auto& line : detail::call_errors)
    use(line);
  for (const auto& line : detail::verdict_errors)
    use(line);
  for (const auto& line : detail::admin_errors)
    use(line);
  for (const auto& line : detail::protocol_errors)
    use(line);
  use(detail::internal_error);
}

/// The line for a name; that of an internal error if there is none.
[[nodiscard]] inline http_error http_error_named(std::string_view name) {
  auto result = detail::internal_error;
  each_http_error([&](const http_error& line) {
    if (line.name == name)
      result = line;
  });
  return result;
}

/// The table as the documentation has it.
[[nodiscard]] inline std::string http_errors_as_markdown() {
  std::string text
      = "| status | `error` | `certainty` | | meaning |\n| --- | --- | --- | --- | --- |\n";
  each_http_error([&](const http_error& line) {
    text += "| " + std::to_string(line.status) + " | `" + std::string{line.name} + "` | `"
            + std::string{to_string(line.certainty)} + "` | " + (line.later ? "`Retry-After`" : "")
            + " | " + std::string{line.meaning} + " |\n";
  });
  return text;
}

} // namespace node_program
