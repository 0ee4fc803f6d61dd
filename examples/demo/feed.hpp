// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Where the load comes from: the requests of a log, in whole passes.

#include "access_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace demo {

/// Hands out the requests in order, over and over; safe from any thread.
///
/// However long it is asked, it ends with a pass: so the right counts are known without looking at
/// the cluster, as those of one pass times the number of passes.
class feed {
public:
  feed(std::vector<logged_request> requests, std::uint64_t passes_min)
      : requests_{std::move(requests)}, passes_{passes_min} {}

  /// The next request; none once the last pass has been handed out, or while the feed is held.
  const logged_request* next() {
    const std::lock_guard lock{mutex_};
    if (held_ || requests_.empty() || is_over())
      return nullptr;
    const auto& request = requests_[taken_ % requests_.size()];
    ++taken_;
    return &request;
  }

  /// No new passes but those that were begun or promised.
  void finish() {
    const std::lock_guard lock{mutex_};
    finishing_ = true;
  }

  void hold(bool on) {
    const std::lock_guard lock{mutex_};
    held_ = on;
  }

  [[nodiscard]] bool over() const {
    const std::lock_guard lock{mutex_};
    return is_over();
  }

  /// How many passes were begun.
  [[nodiscard]] std::uint64_t passes() const {
    const std::lock_guard lock{mutex_};
    return begun();
  }

  /// How much of the promised passes was handed out, from 0 to 1.
  [[nodiscard]] double progress() const {
    const std::lock_guard lock{mutex_};
    const auto all = static_cast<double>(requests_.size()) * static_cast<double>(passes_);
    return all == 0 ? 1 : std::min(1.0, static_cast<double>(taken_) / all);
  }

  [[nodiscard]] std::size_t size() const { return requests_.size(); }

  /// How many requests each address has in one pass, counted without the cluster.
  [[nodiscard]] std::map<std::string, std::uint64_t> counts_per_pass() const {
    std::map<std::string, std::uint64_t> counts;
    for (const auto& request : requests_)
      ++counts[request.address];
    return counts;
  }

private:
  [[nodiscard]] std::uint64_t begun() const {
    return requests_.empty() ? 0 : (taken_ + requests_.size() - 1) / requests_.size();
  }

  [[nodiscard]] bool is_over() const {
    if (requests_.empty())
      return finishing_;
    const bool between_passes = taken_ % requests_.size() == 0;
    return finishing_ && between_passes && begun() >= passes_;
  }

  const std::vector<logged_request> requests_;
  const std::uint64_t passes_;
  mutable std::mutex mutex_;
  std::uint64_t taken_ = 0;
  bool finishing_ = false;
  bool held_ = false;
};

/// The workload for those who bring no log: a few hundred addresses, some far busier than others.
inline std::vector<logged_request> built_in_requests(std::size_t count) {
  std::vector<logged_request> requests;
  requests.reserve(count);
  std::uint64_t state = 1;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const auto draw = static_cast<std::uint32_t>(state >> 33);
    // The smaller of two draws: low numbers come up most.
    const auto host = std::min(draw % 251, (draw >> 12) % 251);
    requests.push_back(
        {"10.0." + std::to_string(host / 16) + "." + std::to_string(host % 16), draw % 50'000});
  }
  return requests;
}

} // namespace demo
