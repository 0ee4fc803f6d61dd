// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Which replicated settings make sense, and how two sets of them differ.

#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace understudy {

/// The most seats a raft group may have: quorums are counted in one machine word.
inline constexpr std::uint32_t voters_limit = 63;

/// The longest lease: a group is without a leader for twice that, when it loses one.
inline constexpr std::uint32_t lease_ms_limit = 60'000;

/// What is wrong with the settings, each with the name and the value of the offending field.
[[nodiscard]] inline std::vector<std::string> complaints(const settings& s) {
  std::vector<std::string> found;
  const auto within
      = [&](std::string_view name, auto value, auto least, auto most, std::string_view bound) {
          if (value < least || value > most)
            found.push_back(std::string{name} + " must be from " + std::to_string(least) + " to "
                            + std::string{bound} + ", and is " + std::to_string(value));
        };
  const auto positive = [&](std::string_view name, auto value) {
    if (value <= 0)
      found.push_back(std::string{name} + " must be positive, and is " + std::to_string(value));
  };
  within("max_voters", s.max_voters, 1u, voters_limit, std::to_string(voters_limit));
  within("min_voters", s.min_voters, 1u, s.max_voters,
         "max_voters (" + std::to_string(s.max_voters) + ")");
  positive("evict_after_ms", s.evict_after_ms);
  positive("sessions_max", s.sessions_max);
  positive("session_expiry_ms", s.session_expiry_ms);
  positive("session_window", s.session_window);
  positive("session_bytes_max", s.session_bytes_max);
  positive("command_bytes_max", s.command_bytes_max);
  within("lease_ms", s.lease_ms, 0u, lease_ms_limit, std::to_string(lease_ms_limit));
  return found;
}

/// All complaints in one failure, or nothing.
[[nodiscard]] inline expected<void> validate(const settings& s) {
  std::string all;
  for (const auto& complaint : complaints(s))
    all += (all.empty() ? "" : "; ") + complaint;
  if (all.empty())
    return {};
  return fail(errc::invalid_option, std::move(all));
}

/// Names each field in which a node's own settings differ from its cluster's, with both values;
/// empty if none does.
[[nodiscard]] inline std::string difference(const settings& own, const settings& cluster) {
  std::string text;
  const auto compare = [&](std::string_view name, auto here, auto there) {
    if (here == there)
      return;
    text += (text.empty() ? "" : "; ") + std::string{name} + " is " + std::to_string(there)
            + " in the cluster, and " + std::to_string(here) + " was given";
  };
  compare("max_voters", own.max_voters, cluster.max_voters);
  compare("min_voters", own.min_voters, cluster.min_voters);
  compare("evict_after_ms", own.evict_after_ms, cluster.evict_after_ms);
  compare("sessions_max", own.sessions_max, cluster.sessions_max);
  compare("session_expiry_ms", own.session_expiry_ms, cluster.session_expiry_ms);
  compare("session_window", own.session_window, cluster.session_window);
  compare("session_bytes_max", own.session_bytes_max, cluster.session_bytes_max);
  compare("command_bytes_max", own.command_bytes_max, cluster.command_bytes_max);
  compare("lease_ms", own.lease_ms, cluster.lease_ms);
  return text;
}

} // namespace understudy
