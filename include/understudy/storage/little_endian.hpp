// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Whole numbers in memory as they stand on a disk: lowest byte first, whatever the machine.

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace understudy::storage {

/// Writes `value` to the `sizeof(T)` bytes at `to`.
template <std::unsigned_integral T> void put(std::byte* to, T value) {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(to, &value, sizeof value);
  } else {
    for (std::size_t i = 0; i < sizeof value; ++i)
      to[i] = static_cast<std::byte>(value >> (8 * i));
  }
}

/// Reads what `put` wrote.
template <std::unsigned_integral T> [[nodiscard]] T get(const std::byte* from) {
  T value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, from, sizeof value);
  } else {
    for (std::size_t i = 0; i < sizeof value; ++i)
      value = static_cast<T>(value | static_cast<T>(std::to_integer<T>(from[i]) << (8 * i)));
  }
  return value;
}

} // namespace understudy::storage
