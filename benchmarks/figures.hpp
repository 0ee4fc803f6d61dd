// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What is measured in rounds, and what is said of several rounds.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace benchmarks {

using seconds = std::chrono::duration<double>;
using milliseconds = std::chrono::duration<double, std::milli>;
using microseconds = std::chrono::duration<double, std::micro>;

/// What the callers of one round saw.
struct round_figures {
  seconds took{0};                                  ///< from the first request to the last answer
  seconds cpu{0};                                   ///< of the whole process in that time
  std::vector<std::chrono::nanoseconds> waits = {}; ///< of each request that was answered
  std::size_t failed = 0;
  std::string why = {}; ///< the first failure

  [[nodiscard]] double per_second() const {
    return static_cast<double>(waits.size()) / took.count();
  }
};

/// The value that a share of `values` does not exceed; 0 if there are none.
template <class T> [[nodiscard]] T quantile(std::vector<T> values, double share) {
  if (values.empty())
    return T{};
  const auto last = static_cast<double>(values.size() - 1);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * last + 0.5);
  std::ranges::nth_element(values, at);
  return *at;
}

template <class T> [[nodiscard]] T median(std::vector<T> values) {
  return quantile(std::move(values), 0.5);
}

/// Several rounds of the same.
class series {
public:
  void add(round_figures round) {
    rates_.push_back(round.per_second());
    cpu_.push_back(microseconds{round.cpu}.count() / static_cast<double>(round.waits.size()));
    waits_.insert(waits_.end(), round.waits.begin(), round.waits.end());
  }

  /// Of the median round.
  [[nodiscard]] double per_second() const { return median(rates_); }
  /// What one request costs the process, in the median round.
  [[nodiscard]] microseconds cpu() const { return microseconds{median(cpu_)}; }
  /// Of the requests of all rounds.
  [[nodiscard]] microseconds wait(double share) const { return quantile(waits_, share); }

private:
  std::vector<double> rates_;
  std::vector<double> cpu_;
  std::vector<std::chrono::nanoseconds> waits_;
};

} // namespace benchmarks
