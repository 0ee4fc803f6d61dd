// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Records: what stands in a file behind its header, one after the other.
///
/// | bytes | content |
/// | --- | --- |
/// | 0-3 | length of the payload, at least 1 |
/// | 4 | kind |
/// | 5-7 | a check of bytes 0-4 and 8-23, seeded like the payload's digest |
/// | 8-15 | the offset below which all of the file was synced when this was written |
/// | 16-23 | XXH3 of the payload and the zeros that fill it up to 8 bytes |
/// | 24-31 | XXH3 of bytes 0-23, check included, seeded with the same field of the record before |
/// | 32- | payload, filled up with zeros to a multiple of 8 |
///
/// Two digests do two things. The one in the last field chains each record to all before it, down
/// to the file's header, so that nothing old, copied or moved passes for what follows. The
/// payload's is seeded with the file's header and the record's offset alone, so that a record can
/// be told for genuine although what came before it is unreadable: if it was written after the
/// unreadable part had been synced, this is damage and no torn write (D3). The check keeps that
/// search from taking a digest at every place that happens, or was made, to look like a header.

#include <understudy/core/assert.hpp>
#include <understudy/core/digest.hpp>
#include <understudy/storage/little_endian.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace understudy::storage {

/// Part of the format: never reused.
enum class record_kind : std::uint8_t {
  entry = 1,      ///< goes to the end of the log
  truncation = 2, ///< drops every entry above an index
  members = 3,    ///< of a snapshot: the configuration
  piece = 4,      ///< of a snapshot: a run of its image
};

/// Where the next record goes, and to what it is chained.
struct chain_end {
  std::uint64_t offset = 0;
  std::uint64_t chain = 0;

  friend bool operator==(const chain_end&, const chain_end&) = default;
};

inline constexpr std::size_t record_header_bytes = 32;
inline constexpr std::size_t record_payload_max = std::size_t{1} << 30;

/// What a record with a payload of `length` bytes takes.
[[nodiscard]] constexpr std::uint64_t record_bytes(std::uint64_t length) {
  return record_header_bytes + (length + 7) / 8 * 8;
}

namespace detail {

inline constexpr std::uint64_t length_and_kind_mask = (std::uint64_t{1} << 40) - 1;

[[nodiscard]] inline std::uint64_t payload_digest(std::span<const std::byte> padded,
                                                  std::uint64_t salt, std::uint64_t offset) {
  return understudy::digest_of(padded, salt + offset);
}

/// A header's first eight bytes: length and kind, and the check of them and of the two fields that
/// follow. They are put together from whole words, and never read back in pieces: a processor waits
/// long for what it has only just written in another width. Flattened, as the link below: of a
/// digest for all lengths only what 24 bytes take is left, an eighth of a small record's cost.
[[nodiscard, gnu::flatten]] inline std::uint64_t
checked_start(std::uint64_t length_and_kind, std::uint64_t synced, std::uint64_t payload_digest,
              std::uint64_t salt, std::uint64_t offset) {
  std::array<std::byte, 24> bare;
  put(bare.data(), length_and_kind);
  put(bare.data() + 8, synced);
  put(bare.data() + 16, payload_digest);
  return length_and_kind | understudy::digest_of(bare, salt + offset) >> 40 << 40;
}

[[nodiscard, gnu::flatten]] inline std::uint64_t link_digest(const std::byte* header,
                                                             std::uint64_t before) {
  return understudy::digest_of(std::span{header, 24}, before);
}

} // namespace detail

/// A record's first bytes.
struct record_header {
  std::uint32_t length = 0;
  record_kind kind = {};
  std::uint64_t synced = 0;
  std::uint64_t payload_digest = 0;
  std::uint64_t chain = 0;

  [[nodiscard]] std::uint64_t size_bytes() const { return record_bytes(length); }
};

/// What the first bytes of a record at `offset` say, if they can be one's at all: a kind that there
/// is, a length that the `room` bytes from there on hold, and the check. The digests are not
/// looked at.
[[nodiscard]] inline bool plausible(const std::byte* at, std::uint64_t salt, std::uint64_t offset,
                                    std::uint64_t room, record_header& found) {
  found = {.length = get<std::uint32_t>(at),
           .kind = static_cast<record_kind>(get<std::uint8_t>(at + 4)),
           .synced = get<std::uint64_t>(at + 8),
           .payload_digest = get<std::uint64_t>(at + 16),
           .chain = get<std::uint64_t>(at + 24)};
  return found.kind >= record_kind::entry && found.kind <= record_kind::piece && found.length > 0
         && found.length <= record_payload_max && found.size_bytes() <= room
         && found.synced <= offset
         && get<std::uint64_t>(at)
                == detail::checked_start(get<std::uint64_t>(at) & detail::length_and_kind_mask,
                                         found.synced, found.payload_digest, salt, offset);
}

/// Records that wait to be written, in one run of bytes.
///
/// `salt` is the digest in the file's header. The buffer is kept from batch to batch.
class record_batch {
public:
  record_batch(std::uint64_t salt, chain_end at) : salt_{salt}, start_{at}, end_{at} {}

  /// Adds a record whose payload is the `length` bytes that `write` puts to where it is told; at
  /// least one, and no more than `record_payload_max`. `synced`: see above.
  template <std::invocable<std::byte*> Write>
  void add(record_kind kind, std::uint64_t synced, std::size_t length, Write write) {
    UNDERSTUDY_ASSERT(length > 0 && length <= record_payload_max,
                      "a record that can not be read again is not written");
    const auto size = static_cast<std::size_t>(record_bytes(length));
    auto* at = extend(size);
    auto* payload = at + record_header_bytes;
    write(payload);
    std::fill(payload + length, at + size, std::byte{0});
    const auto digest = detail::payload_digest({payload, at + size}, salt_, end_.offset);
    put(at, detail::checked_start(length | static_cast<std::uint64_t>(kind) << 32, synced, digest,
                                  salt_, end_.offset));
    put(at + 8, synced);
    put(at + 16, digest);
    const auto chain = detail::link_digest(at, end_.chain);
    put(at + 24, chain);
    end_ = {end_.offset + size, chain};
  }

  void add(record_kind kind, std::uint64_t synced, std::span<const std::byte> payload) {
    add(kind, synced, payload.size(), [&](std::byte* to) { std::ranges::copy(payload, to); });
  }

  /// Adds what `other` holds, for another file or another place.
  void add_all(const record_batch& other, std::uint64_t synced) {
    for (std::size_t at = 0; at < other.used_;) {
      const auto* from = other.buffer_.data() + at;
      const auto length = get<std::uint32_t>(from);
      add(static_cast<record_kind>(get<std::uint8_t>(from + 4)), synced,
          {from + record_header_bytes, length});
      at += static_cast<std::size_t>(record_bytes(length));
    }
  }

  /// All records, to be written at `start().offset`.
  [[nodiscard]] std::span<const std::byte> view() const { return {buffer_.data(), used_}; }
  [[nodiscard]] bool empty() const { return used_ == 0; }
  [[nodiscard]] const chain_end& start() const { return start_; }
  [[nodiscard]] const chain_end& end() const { return end_; }

  /// They are written: the next batch goes behind them.
  void clear() {
    used_ = 0;
    start_ = end_;
  }

  /// The next batch goes to another file.
  void move_to(std::uint64_t salt, chain_end at) {
    salt_ = salt;
    used_ = 0;
    start_ = end_ = at;
  }

private:
  std::byte* extend(std::size_t more) {
    if (more > buffer_.size() - used_)
      buffer_.resize(std::max(used_ + more, buffer_.size() * 2));
    auto* at = buffer_.data() + used_;
    used_ += more;
    return at;
  }

  std::uint64_t salt_;
  chain_end start_;
  chain_end end_;
  std::vector<std::byte> buffer_;
  std::size_t used_ = 0;
};

} // namespace understudy::storage
