// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A node's applied state at one index, in place of the log up to there (§7).

#include <understudy/core/bytes.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/digest.hpp>
#include <understudy/core/entry.hpp>

#include <cstddef>
#include <cstdint>

namespace understudy {

/// Tells one snapshot from another, also across nodes: transfers resume only within the same key.
struct snapshot_key {
  log_position at = {};
  std::uint64_t digest = 0;

  friend bool operator==(const snapshot_key&, const snapshot_key&) = default;

  template <class Archive> void serialize(Archive& archive) { archive(at, digest); }
};

/// All of the state at `at`: the machine and the session table in `image`, and the configuration
/// that was in force at exactly that index (N1). Never covers an uncommitted entry (M9).
struct snapshot {
  log_position at = {};
  log_time stamp = {};
  placed_configuration members = {};
  bytes image = {};
  std::uint64_t digest = 0; ///< of `image`

  [[nodiscard]] snapshot_key key() const { return {at, digest}; }
  [[nodiscard]] bool intact() const { return digest_of(image.view()) == digest; }
};

/// A piece of a snapshot on its way.
struct snapshot_chunk {
  snapshot_key key = {};
  log_time stamp = {};
  placed_configuration members = {};
  std::uint64_t size = 0;   ///< of the whole image
  std::uint64_t offset = 0; ///< of this piece
  bytes data = {};

  [[nodiscard]] bool last() const { return offset + data.size() == size; }
};

/// The piece of `whole` that starts at `offset`; shares its bytes.
[[nodiscard]] inline snapshot_chunk chunk_of(const snapshot& whole, std::uint64_t offset,
                                             std::size_t bytes_max) {
  return {.key = whole.key(),
          .stamp = whole.stamp,
          .members = whole.members,
          .size = whole.image.size(),
          .offset = offset,
          .data = whole.image.part(static_cast<std::size_t>(offset), bytes_max)};
}

} // namespace understudy
