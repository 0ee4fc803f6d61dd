// SPDX-License-Identifier: BSL-1.0
#include <understudy/protocol/frame.hpp>
#include <understudy/testing/random.hpp>

#include <doctest/doctest.h>

#include "protocol/support/stream.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace frame_test {

using namespace understudy;
using namespace understudy::protocol;
using protocol_samples::on_the_wire;

namespace {

const std::vector<frame> some_frames{{frame_kind::ping, {}},
                                     {frame_kind::requests, bytes{"one"}},
                                     {frame_kind::answers, bytes{std::string(5'000, 'x')}},
                                     {frame_kind::presence, {}}};

/// What a reader makes of `stream`, delivered in pieces of these sizes in turn.
std::vector<frame> read_in_pieces(const std::vector<std::byte>& stream,
                                  const std::vector<std::size_t>& sizes) {
  frame_reader reader{10'000};
  std::vector<frame> found;
  std::span<const std::byte> left{stream};
  for (std::size_t i = 0; !left.empty(); ++i) {
    auto piece = left.first(std::min(left.size(), sizes[i % sizes.size()]));
    left = left.subspan(piece.size());
    for (;;) {
      const auto next = reader.next(piece);
      REQUIRE_MESSAGE(next, next.error().detail);
      if (!*next)
        break;
      found.push_back(**next);
    }
    CHECK(piece.empty());
  }
  CHECK_FALSE(reader.is_within_frame());
  return found;
}

failure refusal_of(std::vector<std::byte> stream, std::size_t limit = 10'000) {
  frame_reader reader{limit};
  std::span<const std::byte> left{stream};
  for (;;) {
    const auto next = reader.next(left);
    if (!next)
      return next.error();
    if (!*next)
      return {};
  }
}

} // namespace

TEST_CASE("frames are found however the stream is cut") {
  const auto stream = on_the_wire(some_frames);
  CHECK(read_in_pieces(stream, {stream.size()}) == some_frames);
  CHECK(read_in_pieces(stream, {1}) == some_frames);
  testing::random_stream random{3};
  for (int i = 0; i < 100; ++i) {
    std::vector<std::size_t> sizes;
    for (int k = 0; k < 7; ++k)
      sizes.push_back(random.between<std::size_t>(1, 300));
    CHECK(read_in_pieces(stream, sizes) == some_frames);
  }
}

TEST_CASE("T1: a length beyond the limit is refused before anything is allocated for it") {
  const auto header = header_of(frame_kind::requests, bytes{std::string(101, 'x')});
  const std::vector<std::byte> only_header{header.begin(), header.end()};
  const auto why = refusal_of(only_header, 100);
  CHECK(why.code == errc::too_large);
  CHECK(why.detail == "a frame of 101 bytes, where 100 are allowed");
  CHECK(refusal_of(only_header, 101).code == errc::none);
}

TEST_CASE("the limit may be raised once it is known who the peer is") {
  const auto stream = on_the_wire({some_frames[2]});
  frame_reader reader{100};
  reader.allow(5'000);
  std::span<const std::byte> left{stream};
  const auto next = reader.next(left);
  REQUIRE(next);
  CHECK(**next == some_frames[2]);
}

TEST_CASE("T2: whatever bit flips, no other frame comes of it") {
  const auto good = on_the_wire({some_frames[1]});
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    CAPTURE(bit);
    CHECK(refusal_of(bad).code == errc::undecodable);
  }
}

TEST_CASE("what speaks another protocol is told apart at its first bytes") {
  for (const std::string hello :
       {"GET / HTTP/1.1\r\nHost: localhost\r\n",
        "\x16\x03\x01\x02\x0b\x01\x01\x01\xfc\x03\x03------------------"}) {
    const auto raw = std::as_bytes(std::span{hello});
    CHECK(refusal_of({raw.begin(), raw.end()}).detail == "this is no frame");
  }
  auto later = on_the_wire({some_frames[0]});
  later[4] = std::byte{2};
  CHECK(refusal_of(later).detail == "a frame of another format");
}

TEST_CASE("random bytes are no frames, and end at the first header") {
  testing::random_stream random{11};
  for (int i = 0; i < 1'000; ++i) {
    std::vector<std::byte> noise(frame_header_bytes);
    for (auto& b : noise)
      b = static_cast<std::byte>(random.below(256));
    CHECK(refusal_of(noise).code == errc::undecodable);
  }
}

} // namespace frame_test
