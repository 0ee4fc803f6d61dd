// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Nodes that are known by where they listen, before anybody knows who they are.

#include <understudy/actors/cast.hpp>
#include <understudy/core/digest.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/protocol/endpoint.hpp>

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace understudy {

/// What a node calls a seed until it has met it: the same each time, and nobody's id.
[[nodiscard]] inline member_id seed_name(const protocol::endpoint& where) {
  const auto text = protocol::to_address(where);
  const auto name = digest_of(std::as_bytes(std::span{text}));
  return {name != 0 ? name : 1};
}

/// A seed, or a node for a client to call, that listens at `HOST:PORT`. `invalid_option` says what
/// is wrong with that.
[[nodiscard]] inline expected<contact> tcp_seed(std::string_view host_and_port) {
  auto where = protocol::parse_host_and_port(host_and_port);
  if (!where)
    return tl::unexpected<failure>{std::move(where.error())};
  if (where->port == 0)
    return fail(errc::invalid_option,
                "'" + std::string{host_and_port} + "': nobody listens at port 0");
  return contact{seed_name(*where), protocol::to_address(*where)};
}

} // namespace understudy
