// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// From what the program is told to what its node is told.

#include <understudy/actors/node_options.hpp>
#include <understudy/core/errors.hpp>

#include "key_value.hpp"
#include "program_options.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace node_program {

[[nodiscard]] inline understudy::interval seconds(double s) {
  return std::chrono::duration_cast<understudy::interval>(std::chrono::duration<double>{s});
}

/// The node's options, for program options without a complaint. Everything that nodes of a cluster
/// have to know of each other is filled in here and nowhere else.
[[nodiscard]] inline understudy::expected<understudy::node_options>
make_node_options(const program_options& from) {
  if (!from.seeds.empty() || !from.listen.empty())
    return understudy::fail(understudy::errc::invalid_option,
                            "--seed and --listen: this release connects nodes of one process only");
  understudy::node_options made{
      .name = from.name, .found = from.found, .directory = from.data, .log = {}};
  made.rules.max_voters = static_cast<std::uint32_t>(from.max_voters);
  made.rules.min_voters = std::min(made.rules.min_voters, made.rules.max_voters);
  made.rules.command_bytes_max = key_value::command_bytes_max;
  if (from.leave_limit > 0)
    made.monitor.leave_limit = seconds(from.leave_limit);
  return made;
}

} // namespace node_program
