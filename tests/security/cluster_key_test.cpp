// SPDX-License-Identifier: BSL-1.0
#include <understudy/security/cluster_key.hpp>

#include <doctest/doctest.h>

#include "support/certificates.hpp"
#include "support/scratch.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace cluster_key_test {

using namespace understudy;
using namespace understudy::security;
using test_support::write_file;

namespace {

std::span<const std::byte> raw(std::string_view text) {
  return std::as_bytes(std::span{text});
}

cluster_key key_of(std::string_view text) {
  return *cluster_key::from(secret{raw(text)});
}

std::string hex_of(const mac& code) {
  std::string text;
  for (const auto b : code) {
    text += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4];
    text += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15];
  }
  return text;
}

const std::string one(32, '1');
const std::string two(32, '2');

} // namespace

TEST_CASE("the same key signs the same thing alike, and nothing else") {
  const auto signed_by_one = *key_of(one).sign({raw("a"), raw("b")});
  CHECK(is_same(signed_by_one, *key_of(one).sign({raw("a"), raw("b")})));
  CHECK_FALSE(is_same(signed_by_one, *key_of(two).sign({raw("a"), raw("b")})));
  CHECK_FALSE(is_same(signed_by_one, *key_of(one).sign({raw("ab")})));
  CHECK_FALSE(is_same(signed_by_one, *key_of(one).sign({raw("ab"), raw("")})));
  CHECK_FALSE(is_same(signed_by_one, *key_of(one).sign({raw("b"), raw("a")})));
}

TEST_CASE("a signature is an HMAC-SHA256 of each part behind its length") {
  // python3: hmac.new(b'1'*32, b'\x01'+bytes(7)+b'a'+bytes(8), 'sha256').hexdigest()
  CHECK(hex_of(*key_of(one).sign({raw("a"), raw("")}))
        == "ebe07f4c60866b2334d09217081e082a5ab4f6dfebc0d2940f0f680b468ad36b");
}

TEST_CASE("only the whole of a signature is one") {
  const auto right = *key_of(one).sign({raw("a")});
  auto wrong = right;
  wrong.back() ^= std::byte{1};
  CHECK_FALSE(is_same(right, wrong));
  CHECK_FALSE(is_same(right, std::span{right}.first(31)));
  CHECK_FALSE(is_same(right, {}));
}

TEST_CASE("a key is read from a file as it is, within its limits") {
  const test_support::scratch dir;
  const auto path = dir.path("key");
  write_file(path, one);
  const auto loaded = cluster_key::load(path);
  REQUIRE_MESSAGE(loaded, loaded.error().detail);
  CHECK(is_same(*loaded->sign({raw("a")}), *key_of(one).sign({raw("a")})));
  write_file(path, std::string(1'024, 'k'));
  CHECK(cluster_key::load(path));
}

TEST_CASE("a key that is too short, too long or not kept secret is refused, with the file's name") {
  const test_support::scratch dir;
  const auto path = dir.path("key");
  write_file(path, std::string(31, 'k'));
  const auto is_short = cluster_key::load(path);
  REQUIRE_FALSE(is_short);
  CHECK(is_short.error().code == errc::invalid_option);
  CHECK(is_short.error().detail
        == "the cluster key file " + path + ": has 31 bytes, where 32 to 1024 are needed");
  write_file(path, std::string(1'025, 'k'));
  CHECK(cluster_key::load(path).error().detail.find("more than 1024 bytes") != std::string::npos);
  write_file(path, one, 0640);
  CHECK(cluster_key::load(path).error().detail.find("has mode 0640") != std::string::npos);
  CHECK(cluster_key::load(dir.path("none")).error().detail.find(dir.path("none"))
        != std::string::npos);
  CHECK_FALSE(cluster_key::from(secret{}));
}

} // namespace cluster_key_test
