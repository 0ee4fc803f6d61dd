// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A 64-bit digest of bytes (XXH3), for noticing damage and divergence. It keeps no secret and
/// withstands no attacker.

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace understudy {

/// The digest of `data`; `seed` chains several runs into one.
[[nodiscard]] inline std::uint64_t digest_of(std::span<const std::byte> data,
                                             std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(data.data(), data.size(), seed);
}

} // namespace understudy
