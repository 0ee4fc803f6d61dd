// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the demo found out: as a table for people, and as JSON for programs.

#include <nlohmann/json.hpp>

#include "stage.hpp"

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iomanip>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace demo {

/// One step of the play.
struct step_report {
  std::string name;
  std::vector<std::string> rows; ///< which rows of the specification it shows
  std::string skipped = {};      ///< why it was left out; empty if it was played
  std::size_t nodes = 0;
  casting roles = {};
  double healed_ms = 0;
  double longest_pause_ms = 0;
  double pause_max_ms = 0; ///< the longest that is right
  double machine_stall_ms = 0;
  std::uint64_t failed = 0;
  std::uint64_t unknown = 0;
  std::uint64_t retries = 0;
  std::uint64_t reconciled = 0; ///< calls that were open at a node when it took a seat
  std::uint32_t copies_min
      = 0;       ///< the least copies that the leader stated, looked at many times a second
  int tries = 0; ///< of an election that a voter can win as well
  std::vector<std::string> complaints = {}; ///< what it should have shown, and did not
};

struct demo_report {
  std::string path;
  std::size_t input_requests = 0;
  std::vector<std::size_t> skipped_lines;
  std::uint64_t passes = 0;
  std::uint32_t max_voters = 0;
  std::vector<step_report> steps;
  score_book::totals requests;
  std::uint64_t retries = 0;
  std::uint64_t reconciled = 0;
  std::uint64_t elections_won_by_listener = 0;
  score_book::difference difference;
  std::uint64_t pulls_from_leader = 0;
  std::uint64_t pulls_from_followers = 0;
  bool equal = false;
  std::map<std::string, std::uint64_t> digests;
  std::vector<std::pair<std::string, std::uint64_t>> top_clients;
  std::vector<std::string> complaints; ///< of the run as a whole
};

[[nodiscard]] inline nlohmann::json as_json(const step_report& s) {
  nlohmann::json j{{"name", s.name}, {"rows", s.rows}};
  if (!s.skipped.empty()) {
    j["skipped"] = s.skipped;
    return j;
  }
  j["nodes"] = s.nodes;
  j["leader"] = s.roles.leader;
  j["voters"] = s.roles.voters;
  j["temporary_listeners"] = s.roles.temporary_listeners;
  j["listeners"] = s.roles.listeners;
  j["healed_ms"] = s.healed_ms;
  j["longest_pause_ms"] = s.longest_pause_ms;
  j["machine_stall_ms"] = s.machine_stall_ms;
  j["failed"] = s.failed;
  j["unknown"] = s.unknown;
  j["retries"] = s.retries;
  j["reconciled"] = s.reconciled;
  j["copies_min"] = s.copies_min;
  if (s.tries > 0)
    j["tries"] = s.tries;
  return j;
}

[[nodiscard]] inline nlohmann::json as_json(const demo_report& r) {
  nlohmann::json steps = nlohmann::json::array();
  for (const auto& s : r.steps)
    steps.push_back(as_json(s));
  nlohmann::json digests = nlohmann::json::object();
  for (const auto& [name, digest] : r.digests) {
    std::ostringstream text;
    text << std::hex << std::setw(16) << std::setfill('0') << digest;
    digests[name] = text.str();
  }
  nlohmann::json top = nlohmann::json::array();
  for (const auto& [address, count] : r.top_clients)
    top.push_back({address, count});
  return {
      {"input",
       {{"path", r.path},
        {"requests", r.input_requests},
        {"skipped", r.skipped_lines.size()},
        {"passes", r.passes}}},
      {"max_voters", r.max_voters},
      {"steps", steps},
      {"requests",
       {{"submitted", r.requests.submitted},
        {"applied", r.requests.applied},
        {"failed", r.requests.failed},
        {"unknown", r.requests.unknown},
        {"retries", r.retries},
        {"lost", r.difference.lost},
        {"duplicated", r.difference.duplicated}}},
      {"elections_won_by_listener", r.elections_won_by_listener},
      {"reconciled", r.reconciled},
      {"pulls", {{"from_leader", r.pulls_from_leader}, {"from_followers", r.pulls_from_followers}}},
      {"state", {{"equal", r.equal}, {"digests", digests}, {"top_clients", top}}}};
}

[[nodiscard]] inline std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words)
    line += (line.empty() ? "" : " ") + word;
  return line.empty() ? "-" : line;
}

/// The table of the steps.
inline void print(std::ostream& out, const demo_report& r) {
  constexpr int name = 18, rows = 16, narrow = 7, wide = 11;
  out << std::left << std::setw(name) << "step" << std::setw(rows) << "rows" << std::right;
  for (const auto* head : {"nodes", "voters", "copies"})
    out << std::setw(narrow) << head;
  for (const auto* head : {"healed ms", "pause ms", "stall ms"})
    out << std::setw(wide) << head;
  for (const auto* head : {"failed", "unknown", "retries", "reconciled"})
    out << std::setw(wide) << head;
  out << '\n' << std::fixed << std::setprecision(1);
  for (const auto& s : r.steps) {
    out << std::left << std::setw(name) << s.name << std::setw(rows) << joined(s.rows)
        << std::right;
    if (!s.skipped.empty()) {
      out << "  skipped: " << s.skipped << '\n';
      continue;
    }
    out << std::setw(narrow) << s.nodes << std::setw(narrow) << s.roles.voters.size()
        << std::setw(narrow) << s.copies_min;
    for (const auto figure : {s.healed_ms, s.longest_pause_ms, s.machine_stall_ms})
      out << std::setw(wide) << figure;
    for (const auto figure : {s.failed, s.unknown, s.retries, s.reconciled})
      out << std::setw(wide) << figure;
    out << '\n';
  }
}

} // namespace demo
