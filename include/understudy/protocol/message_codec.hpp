// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Messages between nodes to frames, and frames to messages or to a reason why not.

#include <understudy/core/errors.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/protocol/frame.hpp>
#include <understudy/protocol/frame_kind.hpp>
#include <understudy/protocol/message_fields.hpp>
#include <understudy/wire/codec.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace understudy::protocol {

[[nodiscard]] inline frame encode(const peer_message& what) {
  return {kind_of(what), std::visit([](const auto& m) { return wire::encode(m); }, what)};
}

namespace detail {

template <std::size_t... I>
[[nodiscard]] expected<peer_message> message_at(std::size_t place, const bytes& body,
                                                std::index_sequence<I...>) {
  expected<peer_message> result = fail(errc::undecodable, "a frame that is no message");
  const auto read = [&]<std::size_t At>(std::integral_constant<std::size_t, At>) {
    std::variant_alternative_t<At, peer_message> what{};
    if (auto done = wire::decode_into(body.view(), "message", what); !done)
      result = tl::unexpected<failure>{std::move(done.error())};
    else
      result = std::move(what);
    return true;
  };
  static_cast<void>(((place == I && read(std::integral_constant<std::size_t, I>{})) || ...));
  return result;
}

} // namespace detail

/// Fails with `undecodable` for what no release up to this one writes; what it says names the kind.
[[nodiscard]] inline expected<peer_message> decode(const frame& from) {
  const auto place = message_index(from.kind);
  auto read = detail::message_at(place.value_or(std::variant_size_v<peer_message>), from.body,
                                 std::make_index_sequence<std::variant_size_v<peer_message>>{});
  if (!read)
    read.error().detail += " (kind " + std::to_string(static_cast<unsigned>(from.kind)) + ")";
  return read;
}

} // namespace understudy::protocol
