// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a session is named over HTTP: its number, and a digest of it and of the cluster.
///
/// The numbers of sessions are small, and nodes have sessions of their own among them. With a bare
/// number a slip of the pen, or a session of the cluster that was here before, would be somebody
/// else's session, and what is numbered in it would not be applied. The digest finds both. It is no
/// secret: who may write to the table may do worse.

#include <understudy/core/digest.hpp>
#include <understudy/core/ids.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace node_program {

/// `17-9f86d081884c7d65`.
[[nodiscard]] inline std::string session_token(understudy::cluster_id cluster,
                                               understudy::session_id session) {
  std::array<std::byte, 16> both{};
  for (std::size_t i = 0; i < 8; ++i) {
    both[i] = static_cast<std::byte>(cluster.value >> (8 * i) & 0xff);
    both[8 + i] = static_cast<std::byte>(session.value >> (8 * i) & 0xff);
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = std::to_string(session.value) + '-';
  const auto digest = understudy::digest_of(both);
  for (int shift = 60; shift >= 0; shift -= 4)
    text += digits[digest >> shift & 0xf];
  return text;
}

/// The session behind a token; none if it is no token of this cluster.
[[nodiscard]] inline std::optional<understudy::session_id>
read_session_token(understudy::cluster_id cluster, std::string_view token) {
  understudy::session_id session;
  const auto* end = token.data() + token.size();
  const auto read = std::from_chars(token.data(), end, session.value);
  if (read.ec != std::errc{} || !session || session_token(cluster, session) != token)
    return std::nullopt;
  return session;
}

} // namespace node_program
