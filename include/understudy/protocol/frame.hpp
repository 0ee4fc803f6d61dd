// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Frames: what a connection between two processes is cut into.
///
/// | bytes | content |
/// | --- | --- |
/// | 0-3 | `usdy` |
/// | 4 | format of the frame, 1 |
/// | 5 | kind (frame_kind.hpp) |
/// | 6-7 | zero |
/// | 8-11 | length of the body |
/// | 12-15 | check: XXH3 of bytes 0-11 and 16-23, cut to 32 bits |
/// | 16-23 | XXH3 of the body |
/// | 24- | body |
///
/// The header is believed only as a whole, and before anything is allocated for the body (SEC5).
/// The digests notice what is no frame, or was damaged; they keep no secret and withstand no
/// attacker, which is TLS's work. After a frame that is none the connection is of no use any more.

#include <understudy/core/bytes.hpp>
#include <understudy/core/digest.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/protocol/frame_kind.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace understudy::protocol {

inline constexpr std::size_t frame_header_bytes = 24;

/// One frame. Several may share an allocation.
struct frame {
  frame_kind kind = {};
  bytes body = {};

  friend bool operator==(const frame&, const frame&) = default;
};

using frame_header = std::array<std::byte, frame_header_bytes>;

namespace detail {

inline constexpr std::array<std::byte, 5> frame_start{std::byte{'u'}, std::byte{'s'},
                                                      std::byte{'d'}, std::byte{'y'}, std::byte{1}};

template <class T> void put(frame_header& into, std::size_t at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    into[at + i] = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i));
}

template <class T> [[nodiscard]] T get(const frame_header& from, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value |= std::to_integer<std::uint64_t>(from[at + i]) << (8 * i);
  return static_cast<T>(value);
}

[[nodiscard]] inline std::uint32_t check_of(const frame_header& header) {
  const auto body = get<std::uint64_t>(header, 16);
  return static_cast<std::uint32_t>(understudy::digest_of(std::span{header}.first(12), body));
}

/// What is wrong with a header, besides its length; nothing, if it is one.
[[nodiscard]] inline const char* complaint(const frame_header& header) {
  if (!std::equal(frame_start.begin(), frame_start.end() - 1, header.begin()))
    return "this is no frame";
  if (header[4] != frame_start[4])
    return "a frame of another format";
  if (get<std::uint32_t>(header, 12) != check_of(header) || get<std::uint16_t>(header, 6) != 0)
    return "a frame whose header is damaged";
  return nullptr;
}

} // namespace detail

/// The header of a frame with this body, whose size must fit into 32 bits.
[[nodiscard]] inline frame_header header_of(frame_kind kind, const bytes& body) {
  frame_header header{};
  std::ranges::copy(detail::frame_start, header.begin());
  detail::put(header, 5, static_cast<std::uint8_t>(kind));
  detail::put(header, 8, static_cast<std::uint32_t>(body.size()));
  detail::put(header, 16, understudy::digest_of(body.view()));
  detail::put(header, 12, detail::check_of(header));
  return header;
}

/// Finds the frames in what a connection delivers, however it is cut.
///
/// Holds no more than one unfinished frame, whose body is within the limit.
class frame_reader {
public:
  /// Bodies may have this many bytes.
  explicit frame_reader(std::size_t body_bytes_max) : body_bytes_max_{body_bytes_max} {}

  /// The next frame in `data`, which is cut to what was not looked at yet; none: more has to come.
  /// `undecodable` for what is no frame, and `too_large` for a body beyond the limit: then this is
  /// not to be used any more.
  [[nodiscard]] expected<std::optional<frame>> next(std::span<const std::byte>& data) {
    if (!body_) {
      take(data, header_, header_held_);
      if (header_held_ < header_.size())
        return std::nullopt;
      if (auto good = begin_body(); !good)
        return tl::unexpected<failure>{std::move(good.error())};
    }
    take(data, {body_.get(), length_}, body_held_);
    if (body_held_ < length_)
      return std::nullopt;
    return finish();
  }

  /// From now on, once it is known who the peer is. A frame that has begun keeps its limit.
  void allow(std::size_t body_bytes_max) { body_bytes_max_ = body_bytes_max; }

  /// Whether a frame has begun, and has not ended.
  [[nodiscard]] bool is_within_frame() const { return header_held_ > 0; }

private:
  static void take(std::span<const std::byte>& from, std::span<std::byte> into, std::size_t& held) {
    const auto part = from.first(std::min(from.size(), into.size() - held));
    std::ranges::copy(part, into.begin() + static_cast<std::ptrdiff_t>(held));
    held += part.size();
    from = from.subspan(part.size());
  }

  expected<void> begin_body() {
    if (const auto* why = detail::complaint(header_))
      return fail(errc::undecodable, why);
    length_ = detail::get<std::uint32_t>(header_, 8);
    if (length_ > body_bytes_max_)
      return fail(errc::too_large, "a frame of " + std::to_string(length_) + " bytes, where "
                                       + std::to_string(body_bytes_max_) + " are allowed");
    body_ = std::make_shared_for_overwrite<std::byte[]>(std::max<std::size_t>(length_, 1));
    body_held_ = 0;
    return {};
  }

  expected<std::optional<frame>> finish() {
    frame done{static_cast<frame_kind>(detail::get<std::uint8_t>(header_, 5)),
               bytes::adopt(std::exchange(body_, nullptr), length_)};
    header_held_ = 0;
    if (understudy::digest_of(done.body.view()) != detail::get<std::uint64_t>(header_, 16))
      return fail(errc::undecodable, "a frame whose body is damaged");
    return done;
  }

  std::size_t body_bytes_max_;
  frame_header header_{};
  std::size_t header_held_ = 0;
  std::size_t length_ = 0;
  std::size_t body_held_ = 0;
  std::shared_ptr<std::byte[]> body_;
};

} // namespace understudy::protocol
