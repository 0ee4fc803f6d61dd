// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How nodectl reaches a node: an interface, so that what it does is tested without any.

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nodectl {

struct request {
  std::string method = {};
  std::string path = {};
  std::vector<std::pair<std::string, std::string>> query = {};
  std::string body = {};
};

enum class contact : std::uint8_t {
  answered = 0,
  unreachable = 1, ///< nothing was sent
  silent = 2,      ///< it was sent, and no answer came that could be understood
};

struct reply {
  contact how = contact::answered;
  int status = 0;
  nlohmann::json body = {}; ///< an object, if it answered
  std::string raw = {}; ///< in its place, where it is no JSON: what `GET /admin/remains` answers
  std::string why = {}; ///< if it did not
};

class door {
public:
  door() = default;
  door(const door&) = delete;
  door& operator=(const door&) = delete;
  virtual ~door() = default;

  [[nodiscard]] virtual reply ask(const std::string& address, const request& what) = 0;
};

} // namespace nodectl
