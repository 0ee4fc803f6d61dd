// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/snapshot.hpp>
#include <understudy/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace understudy {

/// Puts a snapshot together from its chunks, whoever sends them.
///
/// Chunks of one snapshot may come from several sources, be doubled and late: only the next one
/// counts, and `received()` says which that is. A newer snapshot displaces a half-received older
/// one; the reverse only when that one has not grown for `patience`: whoever had it may be gone,
/// and what is left in the group may be older (N4). Memory grows with what has arrived, not with
/// what was announced.
class snapshot_intake {
public:
  snapshot_intake(std::size_t bytes_max, interval patience)
      : bytes_max_{bytes_max}, patience_{patience} {}

  /// Takes a chunk. Returns the snapshot once it is whole and its digest is right.
  std::shared_ptr<const snapshot> take(const snapshot_chunk& chunk, instant now) {
    if (chunk.size > bytes_max_ || chunk.offset > chunk.size
        || chunk.data.size() > chunk.size - chunk.offset)
      return nullptr;
    if (chunk.key != key_ && !start(chunk, now))
      return nullptr;
    if (chunk.offset != buffer_.size())
      return nullptr;
    grew_at_ = now;
    const auto data = chunk.data.view();
    buffer_.insert(buffer_.end(), data.begin(), data.end());
    if (!chunk.last())
      return nullptr;
    auto whole
        = std::make_shared<snapshot>(snapshot{.at = chunk.key.at,
                                              .stamp = chunk.stamp,
                                              .members = chunk.members,
                                              .image = bytes{std::span<const std::byte>{buffer_}},
                                              .digest = chunk.key.digest});
    forget();
    return whole->intact() ? whole : nullptr; // else: from the beginning
  }

  /// Which snapshot is half received; an empty key if none is.
  [[nodiscard]] snapshot_key key() const { return key_; }

  /// How much of it.
  [[nodiscard]] std::uint64_t received() const { return buffer_.size(); }

  void forget() {
    key_ = {};
    buffer_ = {};
  }

private:
  bool start(const snapshot_chunk& chunk, instant now) {
    const bool newer = chunk.key.at.index > key_.at.index;
    if (chunk.offset != 0 || (!newer && now - grew_at_ < patience_))
      return false;
    forget();
    key_ = chunk.key;
    return true;
  }

  std::size_t bytes_max_;
  interval patience_;
  instant grew_at_ = {};
  snapshot_key key_;
  std::vector<std::byte> buffer_;
};

} // namespace understudy
