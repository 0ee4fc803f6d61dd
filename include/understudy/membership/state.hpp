// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/errors.hpp>
#include <understudy/membership/leaving.hpp>
#include <understudy/membership/plan.hpp>

#include <cstdint>
#include <optional>
#include <ostream>
#include <string_view>

namespace understudy {

/// How far a node is.
enum class membership : std::uint8_t {
  founding = 0, ///< was told to make a cluster, and has not yet
  entering = 1, ///< asks to be taken in, or catches up to its own enter entry
  member = 2,   ///< stands in a committed roster
  failed = 3,   ///< can not found or enter, or was sent away; the next start may do better
};

[[nodiscard]] constexpr std::string_view to_string(membership state) {
  switch (state) {
  case membership::founding:
    return "founding";
  case membership::entering:
    return "entering";
  case membership::member:
    return "member";
  case membership::failed:
    return "failed";
  }
  return "unlisted";
}

inline std::ostream& operator<<(std::ostream& out, membership m) {
  return out << to_string(m);
}

/// What the monitor can say of itself.
struct membership_status {
  membership state = membership::entering;
  failure obstacle = {}; ///< `failed`: why; `entering`: what is in the way
  leave_step leaving = leave_step::none;
  std::optional<plan_result> plan = {}; ///< leading: who should vote, and what it waits for
};

} // namespace understudy
