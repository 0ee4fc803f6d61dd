// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Whose session a request uses.
///
/// A member's own session has the index of the entry that took it in: a number that everybody can
/// see. Whoever used it would take the numbers of that member's own commands, which would then be
/// answered with what somebody else's have done, and not be applied.

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>

#include <algorithm>
#include <variant>

namespace understudy {

/// The session that a request names; none, if it names none.
[[nodiscard]] inline session_id named_session(const request_body& body) {
  return std::visit(
      [](const auto& what) {
        if constexpr (requires { what.session; })
          return session_id{what.session};
        else
          return session_id{};
      },
      body);
}

/// Whether a request from `from` (none: from this node's own application) uses the own session of
/// another member of `roster`.
[[nodiscard]] inline bool uses_anothers_session(const configuration& roster, member_id from,
                                                const request_body& body) {
  const auto session = named_session(body);
  return session && std::ranges::any_of(roster.members, [&](const member& m) {
           return m.id != from && m.entered.value == session.value;
         });
}

} // namespace understudy
