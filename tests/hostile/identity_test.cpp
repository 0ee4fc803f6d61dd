// SPDX-License-Identifier: BSL-1.0

// Those that are not who they say they are, or say what is not for them to say; many of them, and a
// node that serves others meanwhile.

#include <understudy/core/messages.hpp>
#include <understudy/security/tls_session.hpp>

#include <doctest/doctest.h>

#include "hostile/support/hellos.hpp"
#include "hostile/support/tls_files.hpp"
#include "hostile/support/victim.hpp"
#include "protocol/support/samples.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace identity_test {

using namespace hostile;
using namespace understudy;

namespace {

constexpr std::uint64_t huge = std::uint64_t{1} << 63;

/// Shakes hands, and says `then` as soon as this end would. Returns what the other end has answered
/// to that; it has to end the connection.
[[nodiscard]] std::string over_tls(std::uint16_t port, const security::tls_context& own,
                                   const std::vector<frame>& then) {
  stranger line{port};
  auto session = security::tls_session::begin(own, security::side::opener);
  REQUIRE(session);
  std::vector<std::byte> plain;
  for (bool said = false;;) {
    if (session->is_established() && !std::exchange(said, true))
      REQUIRE(session->send(on_the_wire(then)));
    line.say(std::span<const std::byte>{session->take_output()});
    const auto came = line.hear();
    if (came.empty() || !session->received(came, plain))
      break;
  }
  CHECK(line.ends());
  return {reinterpret_cast<const char*>(plain.data()), plain.size()};
}

} // namespace

TEST_CASE("T5: who speaks of terms and votes, and is no node, changes nothing") {
  victim node;
  const auto term = node.status()["term"];
  const std::vector<peer_message> lies{
      request_vote{.term = {huge}, .last = {{huge}, {huge}}, .by_transfer = true},
      append_entries{.term = {huge}, .commit = {huge}}, timeout_now{.term = {huge}},
      install_snapshot{.term = {huge}, .chunk = protocol_samples::some_chunk()},
      seat_request{.last = {{huge}, {huge}}}};
  std::uint64_t id = 100;
  for (const auto& what : lies) {
    const auto said = protocol::encode(what);
    for (const auto role : {peer_role::client, peer_role::operator_}) {
      guest one{node.port(), hello_of(role, ++id), {said}};
      CHECK(has(one.last_word(), "not for one of its role"));
      CHECK(one.line().ends());
    }
    stranger unheard{node.port()}; // without a word of who it is
    unheard.say(on_the_wire({said}));
    CHECK(has(unheard.hear_all(), "the first frame is no hello"));
    CHECK(unheard.is_over());
  }
  CHECK(node.status()["term"] == term);
  CHECK(node.process().says("event=connection_trouble"));
  node.must_end_well();
}

TEST_CASE("T6: who takes a member's id, or the node's own, does not come between them") {
  victim first;
  victim second{{}, &first, "b"};
  const auto term = first.status()["term"];
  const auto claims = [&](std::uint64_t id, const std::string& name, peer_role role) {
    guest impostor{first.port(), hello_of(role, id, name)};
    CHECK(impostor.line().ends());
  };
  for (int i = 0; i < 20; ++i) {
    claims(second.id(), "c", peer_role::node);
    claims(second.id(), "b", peer_role::client);
    claims(second.id(), "b", peer_role::operator_);
    claims(first.id(), "a", peer_role::node);
  }
  for (const auto* why : {"has another name", "one that is no node says it is b", "duplicate_id"})
    CHECK(first.process().says(why));
  CHECK(first.has_timed_nobody_out());
  second.must_serve(); // by way of the first, and of the connection between them
  const auto now = first.status();
  CHECK(now["term"] == term);
  CHECK(now["members"].size() == 2);
  second.must_end_well();
  first.must_end_well();
}

TEST_CASE("T7: another version, or another cluster, is refused with the reason") {
  victim node;
  auto newer = hello_of(peer_role::node, 5);
  newer.protocol_min = protocol::version_max + 1;
  newer.protocol_max = protocol::version_max + 9;
  CHECK(has(guest{node.port(), newer}.last_word(), "version_unsupported"));
  auto foreign = hello_of(peer_role::node, 6);
  foreign.cluster = {4711};
  CHECK(has(guest{node.port(), foreign}.last_word(), "cluster_mismatch"));
  node.must_end_well();
}

TEST_CASE(
    "SEC3: hundreds without the cluster's key, or with another, are let go, and cost little") {
  const test_support::scratch disk;
  test_support::write_file(disk.path("key"), std::string(32, 'k'));
  victim node{{"--cluster-key", disk.path("key")}};
  watch others{node};
  for (std::uint64_t i = 1; i <= 100; ++i) {
    auto own = hello_of(peer_role::node, i);
    guest keyless{node.port(), own, {protocol::encode(request_vote{.term = {huge}})}};
    CHECK(has(keyless.last_word(), "has no cluster key"));
    own.keyed = true;
    own.nonce.fill(std::byte{7});
    guest guesses{node.port(), own, {{frame_kind::proof, bytes{std::string(32, 'x')}}}};
    CHECK(has(guesses.last_word(), "has another key"));
    guest skips{node.port(), own, {protocol::encode(request_vote{.term = {huge}})}};
    CHECK(has(skips.last_word(), "has not proved"));
  }
  others.end();
  CHECK(others.grown_bytes_max() < 32 * mebibyte);
  CHECK(node.status()["term"].get<std::uint64_t>() < huge);
  CHECK_FALSE(has(node.process().last_words(), std::string(8, 'k')));
  node.must_end_well();
}

TEST_CASE("T8: a hundred with certificates that are not theirs get nothing, and cost little") {
  const test_support::authority ours;
  const tls_files own{{.names = {"a"}}, ours};
  victim node{own.options()};
  const tls_files others_name{{.names = {"b"}}, ours};
  const tls_files no_name{{.common_name = ""}, ours};
  const tls_files expired{{.names = {"c"}, .valid_from = -7'200, .valid_to = -3'600}, ours};
  const test_support::authority theirs;
  const tls_files of_others{{.names = {"c"}}, theirs, &ours};
  const std::vector says{protocol::encode(hello_of(peer_role::node, 5, "c")),
                         protocol::encode(request_vote{.term = {huge}})};
  watch others{node};
  for (int i = 0; i < 25; ++i) {
    CHECK(
        has(over_tls(node.port(), others_name.context(), says), "another than its certificate's"));
    CHECK(has(over_tls(node.port(), no_name.context(), says), "not_trusted"));
    CHECK(over_tls(node.port(), expired.context(), says).empty());
    CHECK(over_tls(node.port(), of_others.context(), says).empty());
  }
  others.end();
  CHECK(others.grown_bytes_max() < 32 * mebibyte);
  CHECK(node.status()["term"].get<std::uint64_t>() < huge);
  CHECK(node.process().says("not_trusted: TLS"));
  CHECK(node.has_timed_nobody_out());
  node.must_end_well();
}

} // namespace identity_test
