// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A node's events as text, and which of them an operator should see.

#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>

#include <functional>
#include <iostream>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>

namespace understudy {

[[nodiscard]] constexpr std::string_view to_string(node_event::kind what) {
  using enum node_event::kind;
  switch (what) {
  case founded:
    return "founded";
  case entered:
    return "entered";
  case role_changed:
    return "role_changed";
  case leader_changed:
    return "leader_changed";
  case roster_changed:
    return "roster_changed";
  case voters_changed:
    return "voters_changed";
  case settings_differ:
    return "settings_differ";
  case source_changed:
    return "source_changed";
  case copies_changed:
    return "copies_changed";
  case machine_failed:
    return "machine_failed";
  case enter_failed:
    return "enter_failed";
  case node_stopped:
    return "node_stopped";
  case protocol_violation:
    return "protocol_violation";
  case decided:
    return "decided";
  case evicted:
    return "evicted";
  case leaving:
    return "leaving";
  case left:
    return "left";
  case reconciled:
    return "reconciled";
  case storage_full:
    return "storage_full";
  case storage_ready:
    return "storage_ready";
  }
  return "unlisted";
}

inline std::ostream& operator<<(std::ostream& out, node_event::kind what) {
  return out << to_string(what);
}

/// `leader_changed 17 at 4: ...`, without what is not set.
inline std::ostream& operator<<(std::ostream& out, const node_event& e) {
  out << e.what;
  if (e.who)
    out << ' ' << e.who;
  if (e.index != log_index{})
    out << " at " << e.index;
  if (e.code != errc::none)
    out << ' ' << e.code;
  return e.detail.empty() ? out : out << ": " << e.detail;
}

/// Whether somebody may have to do something about it.
[[nodiscard]] constexpr bool is_warning(node_event::kind what) {
  using enum node_event::kind;
  return what == settings_differ || what == machine_failed || what == enter_failed
         || what == node_stopped || what == protocol_violation || what == evicted
         || what == storage_full;
}

/// Takes a node's warnings, a line each, without a line end.
using log_sink = std::function<void(std::string_view line)>;

/// Writes warnings to the standard error stream.
inline void log_to_stderr(std::string_view line) {
  std::cerr << (std::string{line} += '\n') << std::flush;
}

} // namespace understudy
