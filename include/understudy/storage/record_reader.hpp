// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Reads records back, and believes none that does not verify.

#include <understudy/core/bytes.hpp>
#include <understudy/storage/directory.hpp>
#include <understudy/storage/read_buffer.hpp>
#include <understudy/storage/record.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace understudy::storage {

/// One record that verified.
struct record {
  record_kind kind = {};
  bytes payload = {}; ///< shares the reader's buffer: nothing is copied
  std::uint64_t offset = 0;
  std::uint64_t synced = 0;
};

/// Goes through the records of one file.
///
/// Reads a window at a time, so that what is held of the file follows what is held of its records.
class record_reader {
public:
  /// Reads `from` between `start` and `limit`; `salt` is the digest in the file's header.
  record_reader(file& from, std::uint64_t salt, chain_end start, std::uint64_t limit)
      : from_{&from}, salt_{salt}, end_{start}, limit_{limit} {}

  /// The next record; none where no valid one stands, then `why` says what does. Nothing is
  /// allocated for a record that the file has no room for.
  [[nodiscard]] expected<std::optional<record>> next() {
    const auto room = limit_ - std::min(limit_, end_.offset);
    if (room == 0)
      return stop({});
    if (room < record_header_bytes)
      return stop("there is no room for a record");
    if (auto done = load(record_header_bytes); !done)
      return tl::unexpected<failure>{done.error()};
    if (held() < record_header_bytes)
      return stop("the file ends within a record");
    const auto* at = window_.view().data() + position_;
    record_header header;
    if (!plausible(at, salt_, end_.offset, room, header))
      return stop(is_zero(at) ? "" : "this is no record");
    if (header.chain != detail::link_digest(at, end_.chain))
      return stop("the record does not follow the one before it");
    const auto size = static_cast<std::size_t>(header.size_bytes());
    if (auto done = load(size); !done)
      return tl::unexpected<failure>{done.error()};
    if (held() < size)
      return stop("the file ends within a record");
    at = window_.view().data() + position_;
    const auto padded = std::span{at + record_header_bytes, size - record_header_bytes};
    if (header.payload_digest != detail::payload_digest(padded, salt_, end_.offset))
      return stop("the content does not match its checksum");
    record found{.kind = header.kind,
                 .payload = window_.part(position_ + record_header_bytes, header.length),
                 .offset = end_.offset,
                 .synced = header.synced};
    position_ += size;
    end_ = {end_.offset + size, header.chain};
    return found;
  }

  /// Behind the last record that was read.
  [[nodiscard]] const chain_end& end() const { return end_; }

  /// What is wrong there; empty where there are only zeros, or the limit.
  [[nodiscard]] const std::string& why() const { return why_; }

private:
  [[nodiscard]] std::size_t held() const { return window_.size() - position_; }

  static bool is_zero(const std::byte* at) {
    return std::all_of(at, at + record_header_bytes, [](std::byte b) { return b == std::byte{0}; });
  }

  std::optional<record> stop(std::string why) {
    why_ = std::move(why);
    return std::nullopt;
  }

  /// Makes `size` bytes from the next record on available, as far as the file goes.
  expected<void> load(std::size_t size) {
    if (held() >= size)
      return {};
    const auto left = limit_ - end_.offset;
    const auto wanted = static_cast<std::size_t>(
        std::min<std::uint64_t>(std::max(size, read_window_bytes), left));
    const auto storage = make_read_buffer(wanted);
    const auto got = from_->read(end_.offset, {storage.get(), wanted});
    if (!got)
      return tl::unexpected<failure>{got.error()};
    window_ = bytes::adopt(storage, *got);
    position_ = 0;
    return {};
  }

  file* from_;
  std::uint64_t salt_;
  chain_end end_;
  std::uint64_t limit_;
  bytes window_;
  std::size_t position_ = 0;
  std::string why_;
};

/// What stands behind the last record that verifies.
enum class log_tail : std::uint8_t {
  nothing, ///< zeros, to the end
  torn,    ///< what a crash may have left of a write
  synced,  ///< a genuine record, written after what stands at the start had been synced
};

namespace detail {

/// Whether the record that `header` announces at `offset` is there.
[[nodiscard]] inline expected<bool> is_genuine(file& from, const record_header& header,
                                               std::uint64_t salt, std::uint64_t offset) {
  const auto size = static_cast<std::size_t>(header.size_bytes()) - record_header_bytes;
  const auto storage = std::make_unique_for_overwrite<std::byte[]>(size);
  const auto got = from.read(offset + record_header_bytes, {storage.get(), size});
  if (!got)
    return tl::unexpected<failure>{got.error()};
  return *got == size
         && payload_digest({storage.get(), size}, salt, offset) == header.payload_digest;
}

} // namespace detail

/// Looks through `from` between `start` and `limit`, where the next record would stand. `synced`
/// means that something before it is damaged.
[[nodiscard]] inline expected<log_tail> look_behind(file& from, std::uint64_t salt,
                                                    std::uint64_t start, std::uint64_t limit) {
  constexpr std::size_t window_bytes = std::size_t{1} << 20;
  const auto window = std::make_unique_for_overwrite<std::byte[]>(window_bytes);
  auto found = log_tail::nothing;
  for (auto base = start; base < limit; base += window_bytes - record_header_bytes) {
    const auto wanted
        = static_cast<std::size_t>(std::min<std::uint64_t>(window_bytes, limit - base));
    const auto got = from.read(base, {window.get(), wanted});
    if (!got)
      return tl::unexpected<failure>{got.error()};
    for (std::size_t at = 0; at + 8 <= *got; at += 8) {
      const auto* here = window.get() + at;
      if (get<std::uint64_t>(here) == 0) // no record starts so
        continue;
      found = log_tail::torn;
      record_header header;
      if (*got - at < record_header_bytes
          || !plausible(here, salt, base + at, limit - base - at, header) || header.synced <= start)
        continue;
      const auto genuine = detail::is_genuine(from, header, salt, base + at);
      if (!genuine)
        return tl::unexpected<failure>{genuine.error()};
      if (*genuine)
        return log_tail::synced;
    }
    if (*got < wanted)
      break;
  }
  return found;
}

} // namespace understudy::storage
