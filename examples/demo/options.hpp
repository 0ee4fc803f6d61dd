// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/roster/settings.hpp>

#include "stage.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace demo {

/// What the command line says.
struct demo_options {
  std::string input;
  std::uint64_t repeat = 1;
  std::size_t nodes = 7;
  std::uint32_t max_voters = 5;
  std::size_t clients = 2;
  double rate = 0;
  std::string report_path;
  std::string durable; ///< where nodes keep their data; none: in memory
  std::uint64_t seed = 1;
  bool plain = false;
};

[[nodiscard]] inline understudy::settings rules_of(const demo_options& options) {
  understudy::settings rules;
  rules.max_voters = options.max_voters;
  rules.min_voters = std::min(rules.min_voters, options.max_voters);
  return rules;
}

/// A cluster for these options, with data of its own.
[[nodiscard]] inline stage_options stage_of(const demo_options& options, const char* part,
                                            std::uint64_t seed) {
  stage_options made{.rules = rules_of(options), .clients_per_node = options.clients, .seed = seed};
  if (!options.durable.empty())
    made.directory = std::filesystem::path{options.durable} / part;
  return made;
}

} // namespace demo
