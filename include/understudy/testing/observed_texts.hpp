// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The beginnings of some texts, as numbers.
///
/// A text that grows is of interest only while it is the beginning of something that was read. So
/// a state is a place in the tree of all beginnings, which is never built: the texts are sorted,
/// and a place is the first text that begins so and the length of the beginning.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// A sorted set of texts, none of which changes.
class observed_texts {
public:
  /// The first text with this beginning, and the beginning's length.
  struct place {
    std::uint32_t text = 0;
    std::uint32_t length = 0;
    friend bool operator==(const place&, const place&) = default;
  };

  observed_texts() = default;

  explicit observed_texts(std::vector<std::string> texts) : texts_{std::move(texts)} {
    std::ranges::sort(texts_);
    texts_.erase(std::ranges::unique(texts_).begin(), texts_.end());
    // shared_[k][i] is how much the texts from i to i + 2^k have in common.
    shared_.emplace_back();
    for (std::size_t i = 0; i + 1 < texts_.size(); ++i)
      shared_[0].push_back(common(texts_[i], texts_[i + 1]));
    for (std::size_t width = 1; 2 * width < texts_.size(); width *= 2) {
      const auto& half = shared_.back();
      std::vector<std::uint32_t> whole;
      for (std::size_t i = 0; i + width < half.size(); ++i)
        whole.push_back(std::min(half[i], half[i + width]));
      shared_.push_back(std::move(whole));
    }
  }

  [[nodiscard]] std::size_t size() const { return texts_.size(); }

  /// Where a text stands that is one of them.
  [[nodiscard]] std::uint32_t number(std::string_view text) const {
    return static_cast<std::uint32_t>(std::ranges::lower_bound(texts_, text) - texts_.begin());
  }

  /// The place of the first `length` bytes of a text.
  [[nodiscard]] place beginning(std::uint32_t text, std::uint32_t length) const {
    std::uint32_t first = 0;
    for (std::uint32_t last = text; first < last;) {
      const auto middle = first + (last - first) / 2;
      if (in_common(middle, text) >= length)
        last = middle;
      else
        first = middle + 1;
    }
    return {first, length};
  }

  /// Whether the text begins so.
  [[nodiscard]] bool begins(place at, std::uint32_t text) const {
    return text >= at.text && texts_[text].size() >= at.length
           && in_common(at.text, text) >= at.length;
  }

  /// The place after `more`, if any of the texts goes on so.
  [[nodiscard]] std::optional<place> extended(place at, std::string_view more) const {
    if (texts_.empty() || more.size() > texts_.back().max_size() - at.length)
      return std::nullopt;
    const auto goes_on = [&](std::uint32_t text) {
      return std::string_view{texts_[text]}.substr(at.length, more.size());
    };
    // Of the texts that begin so, which stand together, the first that is not before `more`.
    std::uint32_t first = at.text;
    auto last = static_cast<std::uint32_t>(texts_.size());
    while (first < last) {
      const auto middle = first + (last - first) / 2;
      if (begins(at, middle) && goes_on(middle) < more)
        first = middle + 1;
      else
        last = middle;
    }
    if (first == texts_.size() || !begins(at, first) || goes_on(first) != more)
      return std::nullopt;
    return place{first, at.length + static_cast<std::uint32_t>(more.size())};
  }

private:
  static std::uint32_t common(const std::string& a, const std::string& b) {
    const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    return static_cast<std::uint32_t>(differ.first - a.begin());
  }

  /// How much two of them have in common.
  [[nodiscard]] std::uint32_t in_common(std::uint32_t a, std::uint32_t b) const {
    if (a == b)
      return static_cast<std::uint32_t>(texts_[a].size());
    const auto level = static_cast<std::size_t>(std::bit_width(b - a)) - 1;
    return std::min(shared_[level][a], shared_[level][b - (std::uint32_t{1} << level)]);
  }

  std::vector<std::string> texts_;
  std::vector<std::vector<std::uint32_t>> shared_;
};

} // namespace understudy::testing
