// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>

#include <cstdint>

namespace understudy {

/// Draws the numbers by which answers are told apart.
///
/// Those that leave the process begin at random: a node that came back under its id must not be
/// given the answers of its earlier life.
class ticket_line {
public:
  /// The first number is the one behind `drawn`.
  explicit ticket_line(std::uint64_t drawn = 0) : drawn_{drawn} {}

  [[nodiscard]] ticket next() { return {++drawn_}; }

private:
  std::uint64_t drawn_;
};

} // namespace understudy
