// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The configurations that a search has met at one return, but for those that others make useless.

#include <understudy/testing/model_rules.hpp>
#include <understudy/testing/search_configuration.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace understudy::testing {

/// Configurations of one width, each to be looked at once.
class configuration_pool {
public:
  explicit configuration_pool(std::size_t width) : width_{width} {}

  /// False if there was one before that is as good. The new one takes the place of all that it is
  /// as good as. `comparisons` grows by the number of those it was compared with.
  bool add(std::span<const std::uint64_t> words, std::uint64_t& comparisons) {
    auto& known = of_state(words[0]);
    std::size_t kept = 0;
    for (const auto number : known) {
      ++comparisons;
      // If one is as good as the new one, none before it was worse than the new one.
      if (is_as_good(entry(number), words))
        return false;
      if (is_as_good(words, entry(number)))
        is_gone_[number] = true;
      else
        known[kept++] = number;
    }
    known.resize(kept);
    const auto number = static_cast<std::uint32_t>(is_gone_.size());
    known.push_back(number);
    is_gone_.push_back(false);
    words_.insert(words_.end(), words.begin(), words.end());
    waiting_.push_back(number);
    return true;
  }

  /// The newest that was not looked at; false if there is none.
  bool take(std::span<std::uint64_t> into) {
    while (!waiting_.empty()) {
      const auto number = waiting_.back();
      waiting_.pop_back();
      if (is_gone_[number])
        continue;
      std::ranges::copy(entry(number), into.begin());
      return true;
    }
    return false;
  }

  /// What one takes, in bytes, about.
  static std::size_t entry_size(std::size_t width) {
    return width * sizeof(std::uint64_t) + 2 * sizeof(std::uint32_t) + 1;
  }
  [[nodiscard]] std::size_t memory() const { return is_gone_.size() * entry_size(width_); }

private:
  struct state_entries {
    model_state state = 0;
    std::vector<std::uint32_t> numbers = {};
  };

  [[nodiscard]] std::span<const std::uint64_t> entry(std::uint32_t number) const {
    return std::span{words_}.subspan(number * width_, width_);
  }

  std::vector<std::uint32_t>& of_state(model_state s) {
    const auto found = std::ranges::find(states_, s, &state_entries::state);
    return found != states_.end() ? found->numbers : states_.emplace_back(state_entries{s}).numbers;
  }

  std::size_t width_;
  std::vector<std::uint64_t> words_;
  std::vector<bool> is_gone_;
  std::vector<std::uint32_t> waiting_;
  std::vector<state_entries> states_;
};

} // namespace understudy::testing
