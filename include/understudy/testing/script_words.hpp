// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/time.hpp>
#include <understudy/testing/script.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace understudy::testing {

namespace detail {

/// The number that all of `text` is; nothing if it is none, or does not fit.
template <class Number> [[nodiscard]] std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto* end = text.data() + text.size();
  const auto [stop, wrong] = std::from_chars(text.data(), end, value);
  return wrong == std::errc{} && stop == end ? std::optional{value} : std::nullopt;
}

/// The length of time that all of `text` is: `250us`, `20ms`, `5s` or `2min`.
[[nodiscard]] inline std::optional<interval> time_of(std::string_view text) {
  using namespace std::chrono_literals;
  constexpr std::array<std::pair<std::string_view, interval>, 4> units{
      {{"us", 1us}, {"ms", 1ms}, {"min", 1min}, {"s", 1s}}};
  for (const auto& [unit, length] : units) {
    if (!text.ends_with(unit))
      continue;
    const auto count = number_of<std::uint32_t>(text.substr(0, text.size() - unit.size()));
    return count ? std::optional{*count * length} : std::nullopt;
  }
  return std::nullopt;
}

} // namespace detail

/// The words of a command, read from the left. What can not be read is a `bad_script`.
class script_words {
public:
  explicit script_words(const std::vector<std::string>& words) : words_{words} {}

  [[nodiscard]] bool done() const { return next_ == words_.size(); }

  /// The word `ahead` of the next one; empty behind the end.
  [[nodiscard]] std::string_view peek(std::size_t ahead = 0) const {
    return next_ + ahead < words_.size() ? std::string_view{words_[next_ + ahead]}
                                         : std::string_view{};
  }

  /// The next word, which is `what`.
  std::string take(std::string_view what) {
    if (done())
      throw bad_script{std::string{what} + " is missing"};
    return words_[next_++];
  }

  /// Takes the next word if it is this one.
  bool accept(std::string_view word) {
    const bool is = !done() && words_[next_] == word;
    next_ += is ? 1 : 0;
    return is;
  }

  void require(std::string_view word) {
    if (!accept(word))
      throw bad_script{"\"" + std::string{word} + "\" is missing"
                       + (done() ? std::string{} : " before " + std::string{peek()})};
  }

  /// All words up to the first that ends a list; at least one.
  std::vector<std::string> take_list(std::string_view what) {
    constexpr std::array<std::string_view, 7> ends{"and",   "at", "within", "while",
                                                   "seeds", "as", "where"};
    std::vector<std::string> list;
    while (!done() && std::ranges::find(ends, peek()) == ends.end())
      list.push_back(words_[next_++]);
    if (list.empty())
      throw bad_script{std::string{what} + " is missing"};
    return list;
  }

  interval take_time() {
    const auto word = take("a time");
    if (const auto time = detail::time_of(word))
      return *time;
    throw bad_script{word + " is no time, such as 20ms or 5s"};
  }

  std::uint64_t take_count(std::string_view what) {
    const auto word = take(what);
    if (const auto count = detail::number_of<std::uint64_t>(word); count && *count > 0)
      return *count;
    throw bad_script{word + " is no " + std::string{what}};
  }

  /// A `name=value`.
  std::pair<std::string, std::string> take_setting() {
    const auto word = take("a name=value");
    const auto at = word.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == word.size())
      throw bad_script{word + " is no name=value"};
    return {word.substr(0, at), word.substr(at + 1)};
  }

  /// How many words have been read.
  [[nodiscard]] std::size_t read() const { return next_; }

  /// The words that were read since `since` of them were.
  [[nodiscard]] std::string text(std::size_t since) const {
    std::string text;
    for (auto i = since; i < next_; ++i)
      text += (i == since ? "" : " ") + words_[i];
    return text;
  }

  void end() const {
    if (!done())
      throw bad_script{"nothing more is expected at " + std::string{peek()}};
  }

private:
  const std::vector<std::string>& words_;
  std::size_t next_ = 0;
};

} // namespace understudy::testing
