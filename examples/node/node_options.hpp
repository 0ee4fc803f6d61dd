// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// From what the program is told to what its node is told.

#include <understudy/actors/node_options.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/recovery/remains_image.hpp>
#include <understudy/security/cluster_key.hpp>
#include <understudy/security/credentials.hpp>
#include <understudy/transport/tcp_network.hpp>

#include "key_value.hpp"
#include "program_options.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace node_program {

[[nodiscard]] inline understudy::interval seconds(double s) {
  return std::chrono::duration_cast<understudy::interval>(std::chrono::duration<double>{s});
}

/// What a node shows of itself, and asks others for.
struct trust {
  std::optional<understudy::security::credentials> certificates = {};
  std::optional<understudy::security::cluster_key> key = {};
};

/// Reads the files that the options name; a failure names the one that is of no use.
[[nodiscard]] inline understudy::expected<trust> read_trust(const program_options& from) {
  trust made;
  if (!from.certificate.empty()) {
    auto read = understudy::security::credentials::load(
        {.certificate = from.certificate, .key = from.key, .authority = from.authority});
    if (!read)
      return tl::unexpected<understudy::failure>{std::move(read.error())};
    made.certificates = std::move(*read);
  }
  if (!from.cluster_key.empty()) {
    auto read = understudy::security::cluster_key::load(from.cluster_key);
    if (!read)
      return tl::unexpected<understudy::failure>{std::move(read.error())};
    made.key = std::move(*read);
  }
  return made;
}

/// The node's options, for program options without a complaint. Everything that nodes of a cluster
/// have to know of each other is filled in here and nowhere else.
[[nodiscard]] inline understudy::expected<understudy::node_options>
make_node_options(const program_options& from, const trust& trusted) {
  understudy::node_options made{
      .name = from.name, .found = from.found, .directory = from.data, .log = {}};
  made.rules.max_voters = static_cast<std::uint32_t>(from.max_voters);
  made.rules.min_voters = std::min(made.rules.min_voters, made.rules.max_voters);
  made.rules.command_bytes_max = key_value::command_bytes_max;
  if (from.leave_limit > 0)
    made.monitor.leave_limit = seconds(from.leave_limit);
  if (!from.recover.empty()) {
    auto left = understudy::remains_at(from.recover);
    if (!left)
      return tl::unexpected<understudy::failure>{std::move(left.error())};
    made.recover = std::move(*left);
  }
  if (from.listen.empty())
    return made;
  for (const auto& place : from.seeds) {
    auto seed = understudy::tcp_seed(place);
    if (!seed)
      return tl::unexpected<understudy::failure>{std::move(seed.error())};
    made.seeds.push_back(std::move(*seed));
  }
  made.network = understudy::over_tcp({.listen = from.listen,
                                       .advertise = from.advertise,
                                       .certificates = trusted.certificates,
                                       .cluster_name = from.cluster_name,
                                       .key = trusted.key,
                                       .insecure = from.insecure});
  return made;
}

} // namespace node_program
