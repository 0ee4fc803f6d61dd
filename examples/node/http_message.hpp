// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A request and its answer, apart from whatever carries them: the API is a function from one to
/// the other, and is tested as such.

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace node_program {

/// Names are compared as HTTP compares them: `Content-Type` is `content-type`.
[[nodiscard]] inline bool same_header(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

using name_value = std::pair<std::string, std::string>;

struct http_request {
  std::string method = {};
  std::string path = {}; ///< decoded, without the query
  std::vector<name_value> query = {};
  std::vector<name_value> headers = {};
  std::string body = {};

  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const {
    const auto found = std::ranges::find(query, name, &name_value::first);
    return found == query.end() ? std::nullopt : std::optional{found->second};
  }
  [[nodiscard]] std::optional<std::string> header(std::string_view name) const {
    const auto found = std::ranges::find_if(
        headers, [&](const name_value& h) { return same_header(h.first, name); });
    return found == headers.end() ? std::nullopt : std::optional{found->second};
  }
};

struct http_answer {
  int status = 200;
  std::string type = "application/json";
  std::string body = {};
  std::vector<name_value> headers = {};

  [[nodiscard]] std::string header(std::string_view name) const {
    const auto found = std::ranges::find_if(
        headers, [&](const name_value& h) { return same_header(h.first, name); });
    return found == headers.end() ? std::string{} : found->second;
  }
};

} // namespace node_program
