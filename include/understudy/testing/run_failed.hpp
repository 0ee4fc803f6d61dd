// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace understudy::testing {

/// A run that broke a rule. `what()` is the whole report: the seed, what was seen, the last events
/// and a row for each node.
class run_failed : public std::runtime_error {
public:
  run_failed(std::string rule, const std::string& report)
      : std::runtime_error{report}, rule_{std::move(rule)} {}

  /// The id of the rule (reliability.md), or what else went wrong.
  [[nodiscard]] const std::string& rule() const { return rule_; }

private:
  std::string rule_;
};

} // namespace understudy::testing
