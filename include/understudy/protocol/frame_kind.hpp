// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a frame can carry.

#include <understudy/core/messages.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

namespace understudy::protocol {

/// Part of the protocol: never reused. Below 16 is what the two ends of a connection say to each
/// other; the others are the messages between nodes.
enum class frame_kind : std::uint8_t {
  hello = 1,
  ping = 2,
  pong = 3,
  goodbye = 4,
  proof = 5,

  request_vote = 16,
  vote_reply = 17,
  append_entries = 18,
  append_reply = 19,
  install_snapshot = 20,
  snapshot_reply = 21,
  timeout_now = 22,
  pull_request = 23,
  pull_reply = 24,
  census_request = 25,
  census_reply = 26,
  enter_request = 27,
  enter_reply = 28,
  seat_request = 29,
  presence = 30,
  order_request = 31,
  order_reply = 32,
  requests = 33,
  answers = 34,
  members_request = 35, ///< these two: since version 2
  members_reply = 36,
};

/// The oldest and the newest version of the protocol that this release speaks.
///
/// Version 2 has `members_request` and `members_reply`, by which clients learn who is in the
/// cluster; all else is as in version 1.
inline constexpr std::uint32_t version_min = 1;
inline constexpr std::uint32_t version_max = 2;

/// The first version that has this kind: on a connection of an older one it is not sent, and who
/// sends it all the same is at fault.
[[nodiscard]] constexpr std::uint32_t version_of(frame_kind kind) {
  return kind == frame_kind::members_request || kind == frame_kind::members_reply ? 2 : 1;
}

namespace detail {

/// In the order of `peer_message`.
inline constexpr std::array message_kinds{
    frame_kind::request_vote,   frame_kind::vote_reply,       frame_kind::append_entries,
    frame_kind::append_reply,   frame_kind::install_snapshot, frame_kind::snapshot_reply,
    frame_kind::timeout_now,    frame_kind::pull_request,     frame_kind::pull_reply,
    frame_kind::census_request, frame_kind::census_reply,     frame_kind::enter_request,
    frame_kind::enter_reply,    frame_kind::seat_request,     frame_kind::presence,
    frame_kind::order_request,  frame_kind::order_reply,      frame_kind::requests,
    frame_kind::answers,        frame_kind::members_request,  frame_kind::members_reply,
};
static_assert(message_kinds.size() == std::variant_size_v<peer_message>);

} // namespace detail

[[nodiscard]] constexpr frame_kind kind_of(const peer_message& what) {
  return detail::message_kinds[what.index()];
}

/// The place in `peer_message` of what a frame carries; none, for what is no message.
[[nodiscard]] constexpr std::optional<std::size_t> message_index(frame_kind kind) {
  for (std::size_t i = 0; i < detail::message_kinds.size(); ++i)
    if (detail::message_kinds[i] == kind)
      return i;
  return std::nullopt;
}

} // namespace understudy::protocol
