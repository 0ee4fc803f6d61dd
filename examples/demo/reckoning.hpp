// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What is compared when the load has come to its end: pauses, counts and states.

#include "load.hpp"
#include "report.hpp"
#include "stage.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace demo {

/// Whether every node that lives has applied the same index, and knows of nothing beyond it.
[[nodiscard]] inline bool all_have_applied_the_same(const stage& stage) {
  std::optional<understudy::log_index> common;
  for (const auto& p : stage.players()) {
    if (!p.alive)
      continue;
    const auto s = p.node.status();
    if (s.applied != s.commit || (common && *common != s.applied))
      return false;
    common = s.applied;
  }
  return common.has_value();
}

/// How long callers waited in each step, and whether that was too long.
inline void note_steps(const std::vector<step_figures>& figures, demo_report& report) {
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    auto& step = report.steps[i];
    if (!step.skipped.empty())
      continue;
    step.longest_pause_ms = figures[i].longest_pause.count();
    step.failed = figures[i].failed;
    step.unknown = figures[i].unknown;
    if (step.longest_pause_ms > step.pause_max_ms)
      step.complaints.push_back("a caller waited longer than " + std::to_string(step.pause_max_ms)
                                + " ms");
    for (const auto& complaint : step.complaints)
      report.complaints.push_back(step.name + ": " + complaint);
  }
}

/// The counts that callers were told, against those of the input.
inline void compare_counts(const stage& stage, const load_control& control, demo_report& report) {
  auto expected = control.feed.counts_per_pass();
  for (auto& [address, count] : expected)
    count *= control.feed.passes();
  report.passes = control.feed.passes();
  report.requests = control.scores.all();
  report.retries = stage.retries();
  report.reconciled = stage.reconciled();
  report.elections_won_by_listener = stage.won_from_outside();
  report.difference = control.scores.compare(expected);
  const auto& r = report.requests;
  if (r.failed + r.unknown > 0)
    report.complaints.push_back(std::to_string(r.failed) + " requests failed, "
                                + std::to_string(r.unknown) + " have an unknown outcome");
  for (const auto& [why, count] : control.scores.reasons())
    report.complaints.push_back(std::to_string(count) + " answers were " + why);
  if (report.difference.lost + report.difference.duplicated > 0)
    report.complaints.push_back(std::to_string(report.difference.lost) + " counts lost, "
                                + std::to_string(report.difference.duplicated) + " doubled");
  for (const auto& p : stage.players()) {
    const auto pulls = p.node.status().pulls;
    report.pulls_from_leader += pulls.from_leader;
    report.pulls_from_followers += pulls.from_followers;
  }
}

/// The states of all nodes that live, against each other.
inline void compare_states(const stage& stage, demo_report& report) {
  report.equal = true;
  for (const auto& p : stage.players()) {
    if (!p.alive)
      continue;
    const auto summary
        = p.node.query(web_tier::summarize{20}, {.consistency = understudy::consistency::local})
              .get();
    if (!summary) {
      report.complaints.push_back(p.name + " gave no summary: " + summary.error().detail);
      report.equal = false;
      continue;
    }
    report.digests[p.name] = summary->digest;
    report.equal = report.equal && summary->digest == report.digests.begin()->second;
    report.top_clients = summary->busiest;
  }
  if (!report.equal)
    report.complaints.push_back("the nodes' states differ");
}

} // namespace demo
