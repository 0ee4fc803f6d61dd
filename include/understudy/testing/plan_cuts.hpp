// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A run that fails, made small: fewer faults, fewer nodes, less time, as long as it still fails.

#include <understudy/core/time.hpp>
#include <understudy/testing/fault_kinds.hpp>
#include <understudy/testing/run_plan.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace understudy::testing {

/// What is different from the plan that a seed gives. Each is an option of the simulator's program,
/// so that a run that was cut down can be repeated.
struct plan_cuts {
  std::optional<std::size_t> nodes = {};
  std::optional<std::size_t> callers = {};
  std::optional<std::chrono::milliseconds> trouble = {};
  std::vector<fault> without = {};
  bool model_disks = false; ///< no durable store below: is it the store that fails, or the rest?

  /// The plan, cut down.
  [[nodiscard]] run_plan applied_to(run_plan plan) const {
    plan.nodes = nodes.value_or(plan.nodes);
    plan.callers = callers.value_or(plan.callers);
    if (trouble)
      plan.trouble = *trouble;
    for (const auto f : without)
      plan.faults[f] = 0;
    if (model_disks)
      plan.options.segment_bytes = 0;
    return plan;
  }

  /// As the simulator's program takes them, each with a space in front.
  [[nodiscard]] std::string as_options() const {
    std::string text;
    if (nodes)
      text += " --nodes " + std::to_string(*nodes);
    if (callers)
      text += " --callers " + std::to_string(*callers);
    if (trouble)
      text += " --trouble-ms " + std::to_string(trouble->count());
    for (const auto f : without)
      text += (f == without.front() ? " --without " : ",") + std::string{to_string(f)};
    return text + (model_disks ? " --model-disks" : "");
  }

  friend bool operator==(const plan_cuts&, const plan_cuts&) = default;
};

namespace detail {

/// One cut more than `cuts`, in every way there is; the ones that save most come first.
[[nodiscard]] inline std::vector<plan_cuts> further_cuts(const run_plan& plan,
                                                         const plan_cuts& cuts) {
  std::vector<plan_cuts> all;
  const auto now = cuts.applied_to(plan);
  const auto fewer = [&](std::optional<std::size_t> plan_cuts::*what, std::size_t count) {
    for (const auto less : {count / 2, count - 1}) {
      if (less == 0 || less >= count)
        continue;
      all.push_back(cuts);
      all.back().*what = less;
    }
  };
  const auto half = std::chrono::duration_cast<std::chrono::milliseconds>(now.trouble / 2);
  if (half >= std::chrono::milliseconds{50}) {
    all.push_back(cuts);
    all.back().trouble = half;
  }
  fewer(&plan_cuts::nodes, now.nodes);
  fewer(&plan_cuts::callers, now.callers);
  for (std::size_t i = 0; i < fault_count; ++i) {
    if (now.faults[static_cast<fault>(i)] == 0)
      continue;
    all.push_back(cuts);
    all.back().without.push_back(static_cast<fault>(i));
  }
  if (now.options.segment_bytes != 0) {
    all.push_back(cuts);
    all.back().model_disks = true;
  }
  return all;
}

} // namespace detail

/// Cuts a plan down while `fails(run_plan)` holds, with at most `runs_max` tries. Every cut changes
/// all that is drawn after it, so this finds a small failure, not the smallest.
template <class Predicate>
[[nodiscard]] plan_cuts shrink(const run_plan& plan, Predicate fails, std::size_t runs_max) {
  plan_cuts best;
  for (std::size_t runs = 0; runs < runs_max;) {
    const auto candidates = detail::further_cuts(plan, best);
    const auto next = std::ranges::find_if(candidates, [&](const plan_cuts& c) {
      return runs < runs_max && (++runs, fails(c.applied_to(plan)));
    });
    if (next == candidates.end())
      break;
    best = *next;
  }
  return best;
}

} // namespace understudy::testing
