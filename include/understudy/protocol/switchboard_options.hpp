// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/protocol/connection.hpp>
#include <understudy/protocol/endpoint.hpp>
#include <understudy/protocol/route.hpp>
#include <understudy/security/credentials.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace understudy::protocol {

/// Limits of a node's connections.
struct switchboard_options {
  connection_options connection = {};
  dialing_options dialing = {};
  std::size_t connections_max = 4'096; ///< more are refused; > 0
  std::size_t strangers_max = 128; ///< connections whose other end has not said who it is; where
                                   ///< there are more, the oldest goes (T4); > 0
  /// Where a process had answered and connecting is refused, that process has ended. Not so behind
  /// something that refuses in the place of others; then a node without a directory counts as gone
  /// only when it has been silent for long.
  bool refused_means_ended = true;
  /// TLS for every connection, with what they are when it begins.
  std::optional<security::credentials> certificates = {};
};

/// What the roster says of a member.
struct known_member {
  std::string name = {};
  std::optional<endpoint> where = {}; ///< none: it can not be connected to
};

/// What is wrong with these; empty: nothing.
[[nodiscard]] inline std::vector<std::string> complaints(const switchboard_options& o) {
  auto found = complaints(o.connection);
  const auto require = [&](bool good, const char* text) {
    if (!good)
      found.emplace_back(text);
  };
  require(o.dialing.retry > interval{0}, "retry must be positive");
  require(o.dialing.retry_max >= o.dialing.retry, "retry_max must not be less than retry");
  require(o.dialing.rest_after > interval{0}, "rest_after must be positive");
  require(o.connections_max > 0, "connections_max must be positive");
  require(o.strangers_max > 0, "strangers_max must be positive");
  require(!o.connection.trust.require_certificate || o.certificates,
          "require_certificate needs certificates");
  return found;
}

} // namespace understudy::protocol
