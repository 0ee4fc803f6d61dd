// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/testing/configuration_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace understudy::testing {

/// The configurations that a search has met, by the return that comes next.
class search_frontier {
public:
  search_frontier(std::size_t events, std::size_t width) : width_{width}, pools_(events) {}

  /// One was met before return number `event`.
  void add(std::size_t event, std::span<const std::uint64_t> words) {
    auto& pool = pools_[event];
    if (!pool)
      pool = std::make_unique<configuration_pool>(width_);
    memory_ -= pool->memory();
    if (pool->add(words, comparisons_))
      furthest_ = std::max(furthest_, event);
    memory_ += pool->memory();
  }

  /// The one to look at next: one that came as far as any.
  bool take_furthest(std::span<std::uint64_t> into) {
    for (; furthest_ > 0; --furthest_)
      if (take(furthest_, into))
        return true;
    return take(0, into);
  }

  /// The one to look at next: none is further behind. Those that were passed are forgotten.
  bool take_nearest(std::span<std::uint64_t> into) {
    for (; nearest_ < pools_.size(); ++nearest_) {
      if (take(nearest_, into))
        return true;
      if (pools_[nearest_])
        memory_ -= pools_[nearest_]->memory();
      pools_[nearest_].reset();
    }
    return false;
  }

  [[nodiscard]] std::size_t memory() const { return memory_; }
  /// How often two configurations were compared.
  [[nodiscard]] std::uint64_t comparisons() const { return comparisons_; }

private:
  bool take(std::size_t event, std::span<std::uint64_t> into) {
    return pools_[event] && pools_[event]->take(into);
  }

  std::size_t width_;
  std::vector<std::unique_ptr<configuration_pool>> pools_;
  std::size_t furthest_ = 0;
  std::size_t nearest_ = 0;
  std::size_t memory_ = 0;
  std::uint64_t comparisons_ = 0;
};

} // namespace understudy::testing
