// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Between what the framework calls members, their ids, and what people call them.

#include <understudy/actors/status.hpp>
#include <understudy/core/ids.hpp>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "error_answer.hpp"
#include "http_message.hpp"
#include "nearest_name.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace node_program {

/// The member with this name or this id. A name that several members have is refused: one of them
/// is likely the new start of a node, and another its end.
[[nodiscard]] inline tl::expected<understudy::member_id, http_answer>
member_called(const std::string& text, const understudy::node_status& now) {
  std::string ids;
  std::vector<std::string> names;
  std::vector<understudy::member_id> found;
  for (const auto& m : now.members) {
    names.push_back(m.name);
    if (const auto id = std::to_string(m.id.value); m.name == text || id == text) {
      found.push_back(m.id);
      ids += (ids.empty() ? "" : ", ") + id;
    }
  }
  const auto quoted = "'" + text.substr(0, 80) + "'";
  if (found.empty())
    return tl::unexpected{error_answer("member_unknown", "no member has the name or the id "
                                                             + quoted + hint_at(text, names))};
  if (found.size() > 1)
    return tl::unexpected{error_answer("member_ambiguous", std::to_string(found.size())
                                                               + " members are called " + quoted
                                                               + ": say which by its id, " + ids)};
  return found.front();
}

/// `{"id": "17", "name": "a"}`; null for nobody. Of one that has gone only the id is known.
[[nodiscard]] inline nlohmann::ordered_json member_as_json(understudy::member_id who,
                                                           const understudy::node_status& now) {
  if (!who)
    return nullptr;
  const auto* m = now.member(who);
  return {{"id", std::to_string(who.value)}, {"name", m ? m->name : std::string{}}};
}

/// `text` with names in the place of ids, as far as they are known: `member 17 votes` is `a votes`.
[[nodiscard]] inline std::string with_names(std::string_view text,
                                            const understudy::node_status& now) {
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  const std::string_view label = "member ";
  std::string result;
  while (!text.empty()) {
    const auto from = static_cast<std::size_t>(std::ranges::find_if(text, is_digit) - text.begin());
    const auto to = static_cast<std::size_t>(
        std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), is_digit)
        - text.begin());
    const auto number = text.substr(from, to - from);
    const auto m = std::ranges::find_if(
        now.members, [&](const auto& one) { return std::to_string(one.id.value) == number; });
    result += text.substr(0, from);
    if (m == now.members.end() || m->name.empty()) {
      result += number;
    } else {
      if (result.ends_with(label))
        result.resize(result.size() - label.size());
      result += m->name;
    }
    text.remove_prefix(to);
  }
  return result;
}

} // namespace node_program
