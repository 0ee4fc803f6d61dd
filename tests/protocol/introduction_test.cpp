// SPDX-License-Identifier: BSL-1.0
#include <understudy/protocol/introduction.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace introduction_test {

using namespace understudy;
using namespace understudy::protocol;
using security::side;

namespace {

hello node(std::uint64_t id) {
  hello made{.id = {id}, .name = "n" + std::to_string(id)};
  made.nonce.fill(static_cast<std::byte>(id));
  return made;
}

trust_options with_key() {
  const std::string text(32, 'k');
  return {.key = *security::cluster_key::from(security::secret{std::as_bytes(std::span{text})})};
}

std::string hex_of(const bytes& data) {
  std::string text;
  for (const auto b : data.view()) {
    text += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4];
    text += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15];
  }
  return text;
}

} // namespace

TEST_CASE("without a key a hello is all that is said") {
  introduction a{node(1), side::opener, {}};
  introduction b{node(2), side::acceptor, {}};
  CHECK_FALSE(a.has_met());
  CHECK(a.version() == 0);
  CHECK_FALSE(*a.received(b.opening()));
  CHECK(a.is_complete());
  CHECK(a.theirs().name == "n2");
  CHECK(a.version() == version_max);
}

TEST_CASE("with a key the opener proves it first") {
  introduction a{node(1), side::opener, with_key()};
  introduction b{node(2), side::acceptor, with_key()};
  const auto by_a = *a.received(b.opening());
  const auto nothing = *b.received(a.opening());
  REQUIRE(by_a);
  CHECK_FALSE(nothing);
  CHECK(a.has_met());
  CHECK_FALSE(a.is_complete());
  CHECK(a.version() == 0);
  const auto by_b = *b.received(*by_a);
  REQUIRE(by_b);
  CHECK(b.is_complete());
  CHECK_FALSE(*a.received(*by_b));
  CHECK(a.is_complete());
  CHECK(a.version() == version_max);
}

TEST_CASE("proofs are what they were from the first release on") {
  // HMAC-SHA256 of "understudy opener" and the two hellos, each behind its length in 8 bytes.
  const auto first = [](std::uint64_t id) {
    auto made = node(id);
    made.protocol_max = 1;
    return made;
  };
  introduction a{first(1), side::opener, with_key()};
  introduction b{first(2), side::acceptor, with_key()};
  const auto by_a = **a.received(b.opening());
  REQUIRE(b.received(a.opening()));
  const auto by_b = **b.received(by_a);
  CHECK(
      hex_of(a.opening().body)
      == "0100000001000000010000000001000000000000000000000000000000000000000000000001010101010101"
         "01010101010101010101026e31");
  CHECK(
      hex_of(b.opening().body)
      == "0100000001000000010000000002000000000000000000000000000000000000000000000002020202020202"
         "02020202020202020201026e32");
  CHECK(hex_of(by_a.body) == "afdfb47fdb24e3cab3707f46603cb89110d59f45652c43da0a6ad49ab84a1e67");
  CHECK(hex_of(by_b.body) == "90d951028ec1b70f496decef33e6e140e53b5ada29a071d236d6a4c5f439210f");
}

TEST_CASE("whatever is changed in a hello on its way, the proof is none") {
  const introduction source{node(2), side::acceptor, with_key()};
  const auto good = source.opening();
  for (std::size_t i = 0; i < good.body.size(); ++i) {
    CAPTURE(i);
    std::vector<std::byte> raw{good.body.view().begin(), good.body.view().end()};
    raw[i] ^= std::byte{1};
    introduction a{node(1), side::opener, with_key()};
    introduction b{node(2), side::acceptor, with_key()};
    const auto by_a = a.received({frame_kind::hello, bytes{std::span<const std::byte>{raw}}});
    if (!by_a)
      continue; // it was no hello any more
    REQUIRE(b.received(a.opening()));
    const auto by_b = b.received(**by_a);
    REQUIRE_FALSE(by_b);
    CHECK(by_b.error().code == errc::not_trusted);
  }
}

TEST_CASE("a key without a number used once is a mistake of the driver") {
  auto lazy = node(1);
  lazy.nonce = {};
  CHECK_THROWS_AS((introduction{lazy, side::opener, with_key()}), invariant_broken);
  CHECK_NOTHROW((introduction{lazy, side::opener, {}}));
}

TEST_CASE("a certificate is told of before the hello") {
  introduction a{node(1), side::opener, {}};
  REQUIRE(a.received(protocol::encode(node(2))));
  CHECK_THROWS_AS(a.certified({"n2"}), invariant_broken);
}

} // namespace introduction_test
