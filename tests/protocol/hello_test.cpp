// SPDX-License-Identifier: BSL-1.0
#include <understudy/protocol/hello.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace hello_test {

using namespace understudy;
using namespace understudy::protocol;

namespace {

security::nonce some_nonce() {
  security::nonce made{};
  for (std::size_t i = 0; i < made.size(); ++i)
    made[i] = static_cast<std::byte>(0xa0 + i);
  return made;
}

const hello some_node{.protocol_max = 1,
                      .machine_version = 7,
                      .role = peer_role::node,
                      .id = {5},
                      .start = 6,
                      .cluster = {77},
                      .nonce = some_nonce(),
                      .keyed = true,
                      .name = "n5"};

hello from(member_id id) {
  auto h = some_node;
  h.id = id;
  return h;
}

errc refusal(const hello& own, const hello& theirs) {
  const auto agreed = agree(own, theirs);
  return agreed ? errc::none : agreed.error().code;
}

} // namespace

TEST_CASE("a hello comes back as it was, and is small") {
  const auto there = protocol::encode(some_node);
  CHECK(*decode_hello(there) == some_node);
  auto longest = some_node;
  longest.name = std::string(255, 'n');
  CHECK(protocol::encode(longest).body.size() <= hello_bytes_max);
}

TEST_CASE("a hello is written as it was from the first release on") {
  const auto written = protocol::encode(some_node);
  std::string hex;
  for (const auto b : written.body.view()) {
    hex += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4];
    hex += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15];
  }
  CHECK(
      hex
      == "01000000010000000700000000050000000000000006000000000000004d00000000000000a0a1a2a3a4a5a6"
         "a7a8a9aaabacadaeaf01026e35");
}

TEST_CASE("both ends use the newest version that they have in common") {
  auto old = from({1});
  auto young = from({2});
  old.protocol_min = 1;
  old.protocol_max = 3;
  young.protocol_min = 2;
  young.protocol_max = 4;
  CHECK(*agree(old, young) == 3);
  CHECK(*agree(young, old) == 3);
  young.protocol_min = 4;
  CHECK(refusal(old, young) == errc::version_unsupported);
  CHECK(agree(old, young).error().detail
        == "the other end speaks versions 4 to 4, and this one 1 to 3");
}

TEST_CASE("B14: nodes of two clusters do not talk, and who is of none may ask") {
  auto other = from({2});
  other.cluster = {78};
  CHECK(refusal(from({1}), other) == errc::cluster_mismatch);
  other.cluster = {};
  CHECK(refusal(from({1}), other) == errc::none);
  CHECK(refusal(other, from({1})) == errc::none);
}

TEST_CASE("T6: who says that it is this node itself is refused") {
  CHECK(refusal(from({1}), from({1})) == errc::duplicate_id);
}

TEST_CASE("what is no hello is refused, with the reason") {
  CHECK(decode_hello({frame_kind::ping, {}}).error().detail == "the first frame is no hello");
  CHECK(decode_hello({frame_kind::hello, bytes{"GET / HTTP/1.1"}}).error().code
        == errc::undecodable);
  auto nobody = some_node;
  nobody.id = {};
  CHECK_FALSE(decode_hello(protocol::encode(nobody)));
  auto odd = some_node;
  odd.role = static_cast<peer_role>(3);
  CHECK_FALSE(decode_hello(protocol::encode(odd)));
  auto backwards = some_node;
  backwards.protocol_min = 5;
  CHECK_FALSE(decode_hello(protocol::encode(backwards)));
}

} // namespace hello_test
