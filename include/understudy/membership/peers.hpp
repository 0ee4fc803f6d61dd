// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>

#include <algorithm>

namespace understudy::detail {

/// What the leader's core says of `id`, or null.
[[nodiscard]] inline const peer_progress* peer_of(const core_view& view, member_id id) {
  const auto found = std::ranges::find(view.peers, id, &peer_progress::id);
  return found == view.peers.end() ? nullptr : &*found;
}

[[nodiscard]] inline bool is_caught_up(const core_view& view, member_id id) {
  const auto* peer = peer_of(view, id);
  return peer && peer->caught_up;
}

[[nodiscard]] inline bool is_in_contact(const core_view& view, member_id id) {
  const auto* peer = peer_of(view, id);
  return peer && peer->in_contact;
}

} // namespace understudy::detail
