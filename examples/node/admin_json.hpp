// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What operators are answered, as JSON.

#include <understudy/actors/status.hpp>
#include <understudy/core/time.hpp>
#include <understudy/membership/journal.hpp>
#include <understudy/membership/whatif.hpp>

#include <nlohmann/json.hpp>

#include "log.hpp"
#include "member_names.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace node_program {

/// Moments of this process's own clock, told as the time of day.
[[nodiscard]] inline nlohmann::ordered_json
journal_as_json(const std::vector<understudy::journal_line>& lines,
                const understudy::node_status& now) {
  const auto here = std::chrono::steady_clock::now();
  const auto there = std::chrono::system_clock::now();
  auto all = nlohmann::ordered_json::array();
  for (const auto& line : lines)
    all.push_back(
        {{"when", as_utc(there
                         - std::chrono::duration_cast<std::chrono::system_clock::duration>(
                             here - line.when))},
         {"term", line.term.value},
         {"base", line.base.value},
         {"what", to_string(line.what)},
         {"who", member_as_json(line.who, now)},
         {"text", with_names(line.text, now)}});
  return all;
}

[[nodiscard]] inline nlohmann::ordered_json forecast_as_json(const understudy::forecast& from,
                                                             const understudy::node_status& now) {
  const auto members = [&](const std::vector<understudy::member_id>& ids) {
    auto all = nlohmann::ordered_json::array();
    for (const auto id : ids)
      all.push_back(member_as_json(id, now));
    return all;
  };
  auto steps = nlohmann::ordered_json::array();
  for (const auto& step : from.steps)
    steps.push_back({{"reason", to_string(step.reason)},
                     {"voters", members(step.voters)},
                     {"detail", with_names(step.detail, now)}});
  return {{"voters", members(from.voters)},
          {"majority", from.majority},
          {"complete", from.complete},
          {"steps", std::move(steps)}};
}

} // namespace node_program
