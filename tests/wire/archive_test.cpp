// SPDX-License-Identifier: BSL-1.0
#include <understudy/wire/archive.hpp>
#include <understudy/wire/codec.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace archive_test {

namespace {

using namespace understudy;

std::vector<std::byte> raw(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values)
    result.push_back(static_cast<std::byte>(value));
  return result;
}

std::vector<std::byte> copy(const bytes& data) {
  return {data.view().begin(), data.view().end()};
}

/// The encoding of a size alone.
std::vector<std::byte> size_as_written(std::uint64_t size) {
  wire::output_archive out;
  out.write_size(size);
  return copy(out.take());
}

/// A tree, to nest as deep as one likes.
struct tree {
  std::vector<tree> branches;
  template <class Archive> void serialize(Archive& archive) { archive(branches); }
};

tree nested(int depth) {
  tree result;
  for (int i = 1; i < depth; ++i) {
    tree outer;
    outer.branches.push_back(std::move(result));
    result = std::move(outer);
  }
  return result;
}

enum class colour : std::uint16_t { red = 1, blue = 0x0203 };

struct versioned {
  int a = 0;
  int b = 0;
  template <class Archive> void serialize(Archive& archive, const std::uint32_t version) {
    archive(a);
    if (version >= 2)
      archive(b);
  }
};

} // namespace

} // namespace archive_test

CEREAL_CLASS_VERSION(archive_test::versioned, 2)

namespace archive_test {

TEST_CASE("numbers are written little-endian at their full width") {
  CHECK(copy(wire::encode(std::uint32_t{0x01020304})) == raw({4, 3, 2, 1}));
  CHECK(copy(wire::encode(std::int16_t{-2})) == raw({0xfe, 0xff}));
  CHECK(copy(wire::encode(1.0)) == raw({0, 0, 0, 0, 0, 0, 0xf0, 0x3f}));
  CHECK(copy(wire::encode(true, false)) == raw({1, 0}));
  CHECK(copy(wire::encode(colour::blue)) == raw({3, 2}));
  CHECK(copy(wire::encode(std::string{"ab"})) == raw({2, 'a', 'b'}));
  CHECK(copy(wire::encode(std::array<std::uint16_t, 2>{1, 2})) == raw({1, 0, 2, 0}));
}

TEST_CASE("a size takes as many bytes as it needs, and has one form only") {
  CHECK(size_as_written(0) == raw({0}));
  CHECK(size_as_written(127) == raw({0x7f}));
  CHECK(size_as_written(128) == raw({0x80, 0x01}));
  CHECK(size_as_written(std::numeric_limits<std::uint64_t>::max()).size() == 10);

  const auto read = [](std::vector<std::byte> data) {
    wire::input_archive in{data};
    return in.read_size();
  };
  CHECK(read(raw({2, 0, 0})) == 2);
  CHECK_THROWS_AS(read(raw({0x80, 0x00, 1, 1})), wire::malformed);
  CHECK_THROWS_AS(read(raw({0x80})), wire::malformed);
  auto endless = raw({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01});
  CHECK_THROWS_AS(read(endless), wire::malformed);
  auto beyond_64_bits = raw({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02});
  CHECK_THROWS_AS(read(beyond_64_bits), wire::malformed);
}

TEST_CASE("a size that the bytes left can not hold is refused, also by the width of its items") {
  const auto data = raw({4, 1, 2, 3, 4});
  CHECK(wire::input_archive{data}.read_size() == 4);
  CHECK_THROWS_AS(static_cast<void>(wire::input_archive{data}.read_size(2)), wire::malformed);
  CHECK_THROWS_AS(static_cast<void>(wire::input_archive{std::span{data}.first(4)}.read_size()),
                  wire::malformed);
}

TEST_CASE("reading past the end throws and moves nothing") {
  const auto data = raw({1, 2, 3});
  wire::input_archive in{data};
  std::uint32_t number = 7;
  CHECK_THROWS_AS(in(number), wire::malformed);
  CHECK(number == 7);
  CHECK(in.left() == 3);
}

TEST_CASE("a bool is 0 or 1, also in an array") {
  CHECK_FALSE(wire::decode<bool>(raw({2})));
  CHECK_FALSE(wire::decode<std::array<bool, 2>>(raw({1, 255})));
  CHECK(wire::decode<std::array<bool, 2>>(raw({1, 0})).value() == std::array{true, false});
}

TEST_CASE("values of any length come out whole") {
  for (const std::size_t length : {0u, 1u, 500u, 511u, 512u, 513u, 1024u, 1025u, 100'000u}) {
    CAPTURE(length);
    std::string text(length, 'x');
    for (std::size_t i = 0; i < length; ++i)
      text[i] = static_cast<char>('a' + i % 26);
    CHECK(wire::decode<std::string>(wire::encode(text).view()).value() == text);
    // In two halves, so that the buffer grows with something in it.
    const auto half = text.substr(0, length / 2);
    const auto rest = text.substr(length / 2);
    std::string half_back;
    std::string rest_back;
    const auto both = wire::encode(half, rest);
    REQUIRE(wire::decode_into(both.view(), "halves", half_back, rest_back));
    CHECK(half_back + rest_back == text);
  }
}

TEST_CASE("SEC5: nesting is bounded on both sides, at the same depth") {
  // A tree and its vector are a level each.
  const auto deepest = nested(wire::depth_max / 2);
  const auto encoded = wire::encode(deepest);
  CHECK(wire::decode<tree>(encoded.view()));
  CHECK_THROWS_AS(static_cast<void>(wire::encode(nested(wire::depth_max / 2 + 1))),
                  wire::malformed);

  const std::vector<std::byte> hostile(1'000'000, std::byte{1});
  const auto refused = wire::decode<tree>(hostile, "tree");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::undecodable);
  CHECK(refused.error().detail.find("nested") != std::string::npos);
}

TEST_CASE("shared pointers do not compile: their input names objects by number") {
  static_assert(!wire::codable<std::shared_ptr<int>>);
  static_assert(!wire::codable<std::weak_ptr<int>>);
  static_assert(!wire::codable<long double>);
  static_assert(wire::codable<int>);
  CHECK_FALSE(wire::codable<std::shared_ptr<std::string>>);
}

TEST_CASE("cereal's class versions are written and read") {
  const auto back = wire::decode<versioned>(wire::encode(versioned{3, 4}).view());
  REQUIRE(back);
  CHECK(back->a == 3);
  CHECK(back->b == 4);
  // As version 1 wrote it.
  const auto old = wire::decode<versioned>(wire::encode(std::uint32_t{1}, 5).view());
  REQUIRE(old);
  CHECK(old->a == 5);
  CHECK(old->b == 0);
}

} // namespace archive_test
