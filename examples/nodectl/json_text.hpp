// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Members of JSON from elsewhere, as text. A node of another release may leave out what this one
/// has, or have it in another form; that is no reason to show nothing.

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace nodectl {

/// A string as it is but for what could disturb a terminal, a number or a truth as written; empty
/// if there is nothing of the kind.
[[nodiscard]] inline std::string text_in(const nlohmann::json& from, const char* name) {
  const auto found = from.is_object() ? from.find(name) : from.end();
  if (!from.is_object() || found == from.end() || found->is_structured() || found->is_null())
    return {};
  if (!found->is_string())
    return found->dump();
  auto text = found->get<std::string>();
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f)
      c = '?';
  return text;
}

/// The elements of an array, or none.
[[nodiscard]] inline std::vector<nlohmann::json> items_in(const nlohmann::json& from,
                                                          const char* name) {
  const auto found = from.is_object() ? from.find(name) : from.end();
  if (!from.is_object() || found == from.end() || !found->is_array())
    return {};
  return {found->begin(), found->end()};
}

[[nodiscard]] inline nlohmann::json part_in(const nlohmann::json& from, const char* name) {
  return from.is_object() ? from.value(name, nlohmann::json{}) : nlohmann::json{};
}

/// The name of a member; its id if it has none.
[[nodiscard]] inline std::string called(const nlohmann::json& member) {
  const auto name = text_in(member, "name");
  return name.empty() ? text_in(member, "id") : name;
}

} // namespace nodectl
