// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The cluster's settings as JSON, each under the name that it has in the framework.

#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/roster/settings.hpp>

#include "json_bodies.hpp"

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace node_program {

/// Calls `use(name, value)` for each of them; `Settings` may be const.
template <class Settings, class Use> void each_setting(Settings& of, Use use) {
  use("max_voters", of.max_voters);
  use("min_voters", of.min_voters);
  use("evict_after_ms", of.evict_after_ms);
  use("sessions_max", of.sessions_max);
  use("session_expiry_ms", of.session_expiry_ms);
  use("session_window", of.session_window);
  use("session_bytes_max", of.session_bytes_max);
  use("command_bytes_max", of.command_bytes_max);
  use("lease_ms", of.lease_ms);
}

[[nodiscard]] inline nlohmann::ordered_json settings_as_json(const understudy::settings& from) {
  nlohmann::ordered_json all;
  each_setting(from, [&](const char* name, const auto& value) { all[name] = value; });
  return all;
}

/// `{"max_voters": 7}`: `now` with the settings that are named changed, if that makes sense.
[[nodiscard]] inline understudy::expected<understudy::settings>
read_settings(const std::string& body, understudy::settings now) {
  const auto fields = json_fields::read(body);
  if (!fields)
    return tl::unexpected{fields.error()};
  std::vector<std::string> known;
  each_setting(now, [&](const char* name, const auto&) { known.emplace_back(name); });
  auto good = fields->only(known);
  each_setting(now, [&]<class Value>(const char* name, Value& value) {
    if (!good || !fields->has(name))
      return;
    good = fields->number<Value>(name).map([&](Value wanted) { value = wanted; });
  });
  return good.and_then([&] { return understudy::validate(now); }).map([&] { return now; });
}

} // namespace node_program
