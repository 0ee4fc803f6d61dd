// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

namespace test_support {

/// A number that whoever runs the tests may have set.
inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::stoull(text) : otherwise;
}

/// Sweeps over all bytes or bits look at one of so many (UNDERSTUDY_STRIDE): every one, unless a
/// sanitizer makes each many times as long.
inline std::uint64_t sweep_stride() {
  return number_from("UNDERSTUDY_STRIDE", 1);
}

/// How many seeds to walk from where `usual` ones are the rule: one of so many (UNDERSTUDY_THIN),
/// since what a sanitizer looks for is in each.
inline std::uint64_t walks(std::uint64_t usual) {
  const auto left = usual / number_from("UNDERSTUDY_THIN", 1);
  return left > 0 ? left : 1;
}

} // namespace test_support
