// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>
#include <understudy/core/recovered_state.hpp>

#include <cstdint>
#include <functional>

namespace understudy::testing {

/// What a run asks of whoever made it, if it is set.
template <class M> struct simulation_hooks {
  /// Whether a node whose time to leave was up before it had left may end by now; always if unset.
  std::function<bool(member_id)> may_end = {};

  /// Does something to the machine of a node before it starts: no two need be the same.
  std::function<void(member_id, M&)> prepare = {};

  /// The newest version of the machine that a node knows which is about to start with what is on
  /// its disk; 1 if unset.
  std::function<std::uint32_t(member_id, const recovered_state&)> build = {};
};

} // namespace understudy::testing
