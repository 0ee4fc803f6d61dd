// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>

namespace understudy {

/// Draws the numbers by which answers are told apart, from 1 on.
class ticket_line {
public:
  [[nodiscard]] ticket next() { return {++drawn_}; }

private:
  std::uint64_t drawn_ = 0;
};

} // namespace understudy
