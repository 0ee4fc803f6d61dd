// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// An answer that says what went wrong, by the table of errors.

#include <understudy/core/errors.hpp>

#include "http_errors.hpp"
#include "http_message.hpp"
#include "json_bodies.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace node_program {

[[nodiscard]] inline http_answer error_answer(std::string_view name, std::string detail = {}) {
  const auto line = http_error_named(name);
  nlohmann::ordered_json body{
      {"error", line.name},
      {"detail", detail.empty() ? std::string{line.meaning} : std::move(detail)},
      {"certainty", to_string(line.certainty)}};
  http_answer answer{.status = line.status, .body = dump(body)};
  if (line.later)
    answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

[[nodiscard]] inline http_answer error_answer(const understudy::failure& why) {
  const auto name = to_string(why.code);
  const auto line = http_error_named(name);
  // One that is not in the table is named in the text.
  return error_answer(line.name,
                      line.name == name
                          ? why.detail
                          : std::string{name} + (why.detail.empty() ? "" : ": ") + why.detail);
}

} // namespace node_program
