// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A scenario as text: commands for a simulated cluster, and what is to come of them.
///
/// \code
/// # E6: a voter that was removed while it was cut off disturbs nobody.
/// options max_voters=3
/// nodes 4
/// partition c | a b d
/// evict c at a
/// wait voters a b d
/// heal
/// run 5s while a leads
/// show voters
///   a
///   a>a,b,c
///   a,b,c
///   a,b,c>a,b,d
///   a,b,d
/// \endcode
///
/// One command a line, in words; `#` begins a comment. The indented lines below a `show` are its
/// recorded outcome: they are compared, and can be written anew. What the commands are is in
/// script_commands.hpp and docs/scenarios.md; play.hpp plays them.

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// A script that can not be played as it is written: says why. Whoever knows the line adds it.
class bad_script : public std::runtime_error {
public:
  explicit bad_script(const std::string& what, std::size_t line = 0)
      : std::runtime_error{what}, line_{line} {}

  /// Counted from 1; 0: not known here.
  [[nodiscard]] std::size_t line() const { return line_; }

private:
  std::size_t line_;
};

/// One line of a script.
struct script_line {
  std::size_t number = 0;                ///< from 1 on
  std::string text = {};                 ///< as written
  std::vector<std::string> words = {};   ///< of a command; none: a comment, or blank
  std::vector<std::string> outcome = {}; ///< the recorded lines below it, without their indent
};

namespace detail {

/// The words of a line. What stands between quotes is one word.
[[nodiscard]] inline std::vector<std::string> words_of(std::string_view text) {
  constexpr std::string_view blank = " \t\r";
  std::vector<std::string> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    if (text.empty() || text.front() == '#')
      return words;
    const bool quoted = text.front() == '"';
    if (quoted)
      text.remove_prefix(1);
    const auto end = quoted ? text.find('"') : std::min(text.find_first_of(blank), text.size());
    if (end == std::string_view::npos)
      throw bad_script{"a quote is not closed"};
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end + (quoted ? 1 : 0));
  }
}

} // namespace detail

/// The lines of a script, each command with its outcome.
class script {
public:
  /// How far the lines of an outcome are indented.
  static constexpr std::string_view indent = "  ";

  /// Throws `bad_script` where the text is none.
  [[nodiscard]] static script parse(std::string_view text) {
    script result;
    bool expects = false;
    for (std::size_t number = 1; !text.empty(); ++number) {
      const auto end = std::min(text.find('\n'), text.size());
      result.add(number, std::string{text.substr(0, end)});
      text.remove_prefix(std::min(end + 1, text.size()));
      const auto& words = result.lines_.back().words;
      expects = expects
                || (!words.empty()
                    && (words.front() == "expect" || words.front() == "show"
                        || std::ranges::find(words, "while") != words.end()));
    }
    if (!expects)
      throw bad_script{"nothing is expected: no line says expect, show or while",
                       result.lines_.empty() ? 1 : result.lines_.back().number};
    return result;
  }

  [[nodiscard]] const std::vector<script_line>& lines() const { return lines_; }

  /// Records what came of the command in `lines()[at]`.
  void record(std::size_t at, std::vector<std::string> outcome) {
    lines_.at(at).outcome = std::move(outcome);
  }

  /// The script as text again.
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& line : lines_) {
      all += line.text + "\n";
      for (const auto& row : line.outcome)
        all += std::string{indent} + row + "\n";
    }
    return all;
  }

private:
  void add(std::size_t number, std::string text) {
    text.erase(text.find_last_not_of(" \t\r") + 1);
    if (!text.starts_with(' ') && !text.starts_with('\t')) {
      try {
        lines_.push_back({.number = number, .text = text, .words = detail::words_of(text)});
      } catch (const bad_script& bad) {
        throw bad_script{bad.what(), number};
      }
      return;
    }
    if (!text.starts_with(indent))
      throw bad_script{"an outcome is indented by two spaces", number};
    if (lines_.empty() || lines_.back().words.empty() || lines_.back().words.front() != "show")
      throw bad_script{"an outcome stands below a show", number};
    lines_.back().outcome.push_back(text.substr(indent.size()));
  }

  std::vector<script_line> lines_;
};

} // namespace understudy::testing
