// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What somebody who mistyped a name has probably meant.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace node_program {

/// In how many places one text has to be changed to be the other: a character put in, left out,
/// replaced, or exchanged with its neighbour.
[[nodiscard]] inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::vector<std::size_t> next(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = a[i - 1] == b[j - 1] ? 0 : 1;
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], last[j - 2] + 1);
    }
    std::swap(last, row);
    std::swap(row, next);
  }
  return row[b.size()];
}

/// The name nearest to `wrong`; empty if none is near enough to have been meant.
[[nodiscard]] inline std::string nearest_name(std::string_view wrong,
                                              const std::vector<std::string>& known) {
  constexpr std::size_t length_max = 64; // longer than any name, so no name is near
  if (wrong.size() > length_max)
    return {};
  std::string best;
  std::size_t least = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  for (const auto& name : known)
    if (const auto distance = edit_distance(wrong, name); distance < least) {
      least = distance;
      best = name;
    }
  return best;
}

/// `; did you mean NAME?`, or nothing.
[[nodiscard]] inline std::string hint_at(std::string_view wrong,
                                         const std::vector<std::string>& known) {
  const auto name = nearest_name(wrong, known);
  return name.empty() ? std::string{} : "; did you mean " + name + '?';
}

} // namespace node_program
