// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What nodes answer, as tables for people.

#include <nlohmann/json.hpp>

#include "json_text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace nodectl {

/// Columns as wide as what is in them; a cell with nothing in it is a dash, but for the last.
[[nodiscard]] inline std::string table(const std::vector<std::vector<std::string>>& rows) {
  const auto letters = [](const std::string& text) { // those of UTF-8 that take no column: none
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (c & '\xc0') != '\x80'; }));
  };
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max({widths[i], letters(row[i]), std::size_t{1}});
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      const auto& cell = row[i].empty() && !last ? std::string{"-"} : row[i];
      line += cell;
      if (!last)
        line.append(widths[i] - letters(cell) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

namespace detail {

[[nodiscard]] inline std::uint64_t number_in(const nlohmann::json& from, const char* name) {
  const auto found = part_in(from, name);
  return found.is_number_unsigned() || (found.is_number_integer() && found >= 0)
             ? found.get<std::uint64_t>()
             : 0;
}

[[nodiscard]] inline bool is_true(const nlohmann::json& from, const char* name) {
  return part_in(from, name) == true;
}

/// Who knows most: a leader, of the newest term.
[[nodiscard]] inline bool knows_less(const nlohmann::json& a, const nlohmann::json& b) {
  const auto rank = [](const nlohmann::json& s) {
    return std::tuple{!items_in(s, "members").empty(), number_in(s, "term"),
                      text_in(s, "role") == "leader", number_in(part_in(s, "log"), "commit")};
  };
  return rank(a) < rank(b);
}

inline void add_remark(std::string& to, const std::string& what) {
  if (!what.empty())
    to += (to.empty() ? "" : "; ") + what;
}

/// What there is to say of a member beside the numbers. `own`: what it says of itself, or null.
[[nodiscard]] inline std::string remarks_on(const nlohmann::json& member,
                                            const nlohmann::json& own) {
  std::string text;
  if (own.is_null())
    add_remark(text, "not asked");
  if (part_in(member, "present") == false)
    add_remark(text, "is marked: it leaves, or was evicted");
  const auto leaving = text_in(own, "leaving");
  add_remark(text, text_in(own, "why_not_voter"));
  if (is_true(member, "pinned") && text.find("pinned") == std::string::npos)
    add_remark(text, "pinned");
  if (is_true(own, "draining") || (!leaving.empty() && leaving != "none"))
    add_remark(text, "is about to leave");
  const auto trouble = part_in(own, "trouble");
  if (trouble.is_object())
    add_remark(text, text_in(trouble, "error") + ": " + text_in(trouble, "detail"));
  return text;
}

/// How far it is behind: what it says itself, or else what the leader has heard.
[[nodiscard]] inline std::string lag_of(const nlohmann::json& member, const nlohmann::json& own,
                                        const nlohmann::json& best) {
  if (!own.is_null())
    return text_in(own, "lag");
  const auto match = number_in(member, "match");
  const auto commit = number_in(part_in(best, "log"), "commit");
  if (match == 0)
    return {};
  return std::to_string(commit > match ? commit - match : 0);
}

/// `tcp:10.0.0.1:7000/5f...`, as the roster has it, is `10.0.0.1:7000` for people.
[[nodiscard]] inline std::string place_of(const nlohmann::json& member) {
  const std::string_view tcp = "tcp:";
  const auto text = text_in(member, "address");
  return text.starts_with(tcp) ? text.substr(tcp.size(), text.find('/') - tcp.size()) : text;
}

[[nodiscard]] inline std::vector<std::string>
row_of(const nlohmann::json& member, const nlohmann::json& own, const nlohmann::json& best) {
  return {called(member),
          text_in(own.is_null() ? member : own, "role"),
          text_in(member, "rank"),
          lag_of(member, own, best),
          text_in(own.is_null() ? member : own, "machine_version"),
          place_of(member),
          remarks_on(member, own)};
}

} // namespace detail

/// The cluster, from what its nodes say: each of itself, and of the rest the one that knows most.
/// Nodes that are not in the roster stand below.
[[nodiscard]] inline std::string status_table(const std::vector<nlohmann::json>& all) {
  if (all.empty())
    return {};
  const auto& best = *std::ranges::max_element(all, detail::knows_less);
  std::vector<std::vector<std::string>> rows{
      {"name", "role", "rank", "lag", "version", "address", "remarks"}};
  std::vector<std::string> listed;
  std::string leader = "nobody";
  for (const auto& m : items_in(best, "members")) {
    const auto id = text_in(m, "id");
    listed.push_back(id);
    const auto own
        = std::ranges::find_if(all, [&](const auto& s) { return text_in(s, "id") == id; });
    rows.push_back(detail::row_of(m, own == all.end() ? nlohmann::json{} : *own, best));
    if (!id.empty() && id == text_in(best, "leader"))
      leader = called(m);
  }
  for (const auto& s : all)
    if (std::ranges::find(listed, text_in(s, "id")) == listed.end())
      rows.push_back(detail::row_of(s, s, best));
  std::string text = table(rows) + leader + " leads in term " + text_in(best, "term") + ", "
                     + std::to_string(items_in(best, "voters").size()) + " vote, entry "
                     + text_in(part_in(best, "log"), "commit") + " is committed";
  if (const auto version = text_in(best, "version_in_use"); !version.empty())
    text += ", version " + version + " is used";
  text += '\n';
  if (detail::is_true(best, "changing"))
    text += "the voters or the roster are being changed\n";
  if (const auto plan = text_in(best, "plan");
      !plan.empty() && !detail::is_true(best, "plan_settled"))
    text += "plan: " + plan + '\n';
  return text;
}

/// Decisions of several nodes, in the order of their clocks. Each is `{"node": N, ...}`.
[[nodiscard]] inline std::string journal_table(std::vector<nlohmann::json> lines) {
  std::ranges::stable_sort(lines, {}, [](const auto& l) { return text_in(l, "when"); });
  std::vector<std::vector<std::string>> rows{{"when", "node", "term", "what", "reason"}};
  for (const auto& l : lines)
    rows.push_back({text_in(l, "when"), text_in(l, "node"), text_in(l, "term"), text_in(l, "what"),
                    text_in(l, "text")});
  return table(rows);
}

[[nodiscard]] inline std::string settings_table(const nlohmann::json& rules) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : rules.items())
    rows.push_back({item.key(), text_in(rules, item.key().c_str())});
  return table(rows);
}

namespace detail {

[[nodiscard]] inline std::string names_in(const nlohmann::json& from, const char* name) {
  std::string text;
  for (const auto& m : items_in(from, name))
    text += ' ' + called(m);
  return text;
}

} // namespace detail

[[nodiscard]] inline std::string plan_text(const nlohmann::json& forecast) {
  std::string text;
  for (const auto& step : items_in(forecast, "steps")) {
    const auto to = detail::names_in(step, "voters");
    text += text_in(step, "reason") + (to.empty() ? "" : " to" + to) + ": "
            + text_in(step, "detail") + '\n';
  }
  text += "voters:" + detail::names_in(forecast, "voters");
  text += detail::is_true(forecast, "majority") ? "\na majority of them answers"
                                                : "\ntoo few of them answer for a majority";
  text += detail::is_true(forecast, "complete") ? ", and every seat is taken\n"
                                                : ", and a seat is left open\n";
  return text;
}

} // namespace nodectl
