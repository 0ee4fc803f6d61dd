// SPDX-License-Identifier: BSL-1.0
#include <understudy/protocol/message_codec.hpp>
#include <understudy/testing/random.hpp>

#include <doctest/doctest.h>

#include "protocol/support/samples.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace message_codec_test {

using namespace understudy;
using namespace understudy::protocol;

namespace {

std::string hex_of(const bytes& data) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto b : data.view()) {
    text += digits[std::to_integer<unsigned>(b) >> 4];
    text += digits[std::to_integer<unsigned>(b) & 15];
  }
  return text;
}

std::string line_of(const frame& f) {
  return std::to_string(static_cast<unsigned>(f.kind)) + " " + hex_of(f.body);
}

peer_message decoded(const frame& f) {
  auto read = decode(f);
  REQUIRE_MESSAGE(read, read.error().detail);
  return std::move(*read);
}

template <class M> M there_and_back(const M& what) {
  return std::get<M>(decoded(encode(what)));
}

frame with_byte(frame f, std::size_t at, unsigned value) {
  std::vector<std::byte> raw{f.body.view().begin(), f.body.view().end()};
  raw.at(at) = static_cast<std::byte>(value);
  return {f.kind, bytes{std::span<const std::byte>{raw}}};
}

/// Compares with what is kept: a line for each sample, in their order. It is only ever added to.
void check_golden(const std::string& name, const std::vector<peer_message>& samples) {
  const auto golden = std::filesystem::path{__FILE__}.parent_path() / "golden" / name;
  std::ifstream file{golden};
  REQUIRE_MESSAGE(file, golden.string());
  for (const auto& m : samples) {
    std::string line;
    std::getline(file, line);
    CHECK(line == line_of(encode(m)));
  }
}

} // namespace

TEST_CASE("every message has a kind of its own, and comes back as it was") {
  std::set<frame_kind> kinds;
  for (const auto& m : protocol_samples::all()) {
    const auto there = encode(m);
    kinds.insert(there.kind);
    CAPTURE(line_of(there));
    const auto back = decoded(there);
    CHECK(back.index() == m.index());
    CHECK(encode(back) == there);
  }
  CHECK(kinds.size() == std::variant_size_v<peer_message>);
}

TEST_CASE("what is in the fields is there afterwards") {
  const auto m = std::get<append_entries>(protocol_samples::all()[2]);
  const auto back = there_and_back(m);
  REQUIRE(back.entries.size() == m.entries.size());
  for (std::size_t i = 0; i < m.entries.size(); ++i)
    CHECK(same_content(back.entries[i], m.entries[i]));
  CHECK(back.read_round == m.read_round);

  const auto calls = std::get<requests>(protocol_samples::all()[17]);
  const auto calls_back = there_and_back(calls);
  REQUIRE(calls_back.batch.size() == calls.batch.size());
  for (std::size_t i = 0; i < calls.batch.size(); ++i)
    CHECK(calls_back.batch[i].body == calls.batch[i].body);

  const auto told = there_and_back(std::get<answers>(protocol_samples::all()[18]));
  CHECK(told.batch[0].result->body == bytes{"done"});
  CHECK(told.batch[1].result.error().detail == "later");
  CHECK(told.batch[1].retry_after == interval{7});

  const auto roster = there_and_back(std::get<enter_reply>(protocol_samples::all()[12]));
  CHECK(*roster.roster.content == *protocol_samples::some_configuration());
  CHECK(there_and_back(enter_reply{}).roster.content == nullptr);
}

TEST_CASE("version 1 is written as it was from the first release on") {
  check_golden("version_1.txt", protocol_samples::of_version_1());
  for (const auto& m : protocol_samples::of_version_1())
    CHECK(version_of(kind_of(m)) == 1);
}

TEST_CASE("what version 2 has added is written as it was from then on") {
  check_golden("version_2.txt", protocol_samples::of_version_2());
  for (const auto& m : protocol_samples::of_version_2())
    CHECK(version_of(kind_of(m)) == 2);
}

TEST_CASE("settings without a lease are what they were before there was one") {
  const auto place = encode(order_request{{1}, set_rules{}}).body.size() - 1;
  const auto old_switch = std::get<order_request>(
      decoded(with_byte(encode(order_request{{1}, set_rules{}}), place, 1)));
  CHECK(std::get<set_rules>(old_switch.what).rules == settings{});
  for (const unsigned form : {2u, 3u, 255u})
    CHECK_FALSE(decode(with_byte(encode(order_request{{1}, set_rules{}}), place, form)));
}

TEST_CASE("settings with a lease are of no use to a release that knows of none") {
  const auto leased = encode(order_request{{1}, set_rules{{.lease_ms = 100}}});
  const auto place = leased.body.size() - 5;
  CHECK(leased.body.text()[place] == '\x02'); // where those releases read true or false
  const auto back = std::get<order_request>(decoded(leased));
  CHECK(std::get<set_rules>(back.what).rules == settings{.lease_ms = 100});
  CHECK_FALSE(decode(with_byte(leased, place + 1, 0))); // a lease of nothing is none
}

TEST_CASE(
    "a version of the machine goes with the configuration, and with no order about settings") {
  const auto back = there_and_back(
      enter_reply{.roster = {{52}, protocol_samples::configuration_of_version_2()}});
  CHECK(*back.roster.content == *protocol_samples::configuration_of_version_2());

  const auto leased = encode(order_request{{1}, set_rules{{.lease_ms = 100}}});
  std::string raw{leased.body.text().substr(0, leased.body.size() - 5)};
  raw += std::string{"\x03\x64\0\0\0\x02\0\0\0", 9}; // a lease, and version 2
  CHECK_FALSE(decode({leased.kind, bytes{std::string_view{raw}}}));
  raw[raw.size() - 4] = 1; // version 1 is not written at all
  CHECK_FALSE(decode({leased.kind, bytes{std::string_view{raw}}}));
}

TEST_CASE("SEC5: a message that is cut off anywhere is refused") {
  for (const auto& m : protocol_samples::all()) {
    const auto whole = encode(m);
    for (std::size_t size = 0; size < whole.body.size(); ++size) {
      const auto read = decode({whole.kind, whole.body.part(0, size)});
      CAPTURE(line_of(whole));
      CAPTURE(size);
      REQUIRE_FALSE(read);
      CHECK(read.error().code == errc::undecodable);
    }
  }
}

TEST_CASE("SEC5: whatever the bytes are, what comes of them is a message or a refusal") {
  testing::random_stream random{17};
  int refused = 0;
  for (const auto& m : protocol_samples::all())
    for (int i = 0; i < 300; ++i) {
      auto f = encode(m);
      for (auto flips = random.between(1, 4); flips > 0 && !f.body.empty(); --flips)
        f = with_byte(f, static_cast<std::size_t>(random.below(f.body.size())),
                      static_cast<unsigned>(random.below(256)));
      const auto read = decode(f);
      refused += read ? 0 : 1;
      if (read) // it is one that could have been sent
        CHECK(encode(*read).kind == f.kind);
    }
  CHECK(refused > 100);
}

TEST_CASE("T5: a value that is none of its enum is refused, with the kind of message") {
  const auto vote = encode(request_vote{.term = {5}});
  const auto read = decode(with_byte(vote, 8, 2));
  REQUIRE_FALSE(read);
  CHECK(read.error().detail == "message: holds a value that is none of its enum (kind 16)");
  CHECK_FALSE(
      decode(with_byte(encode(order_request{{1}, mark_member{{2}, standing::present}}), 20, 9)));
}

TEST_CASE("an error that a later release has thought of claims as little as can be") {
  auto reply = encode(order_reply{.id = {1}, .result = fail(errc::busy)});
  const auto back = std::get<order_reply>(decoded(with_byte(reply, 9, 200)));
  REQUIRE_FALSE(back.result);
  CHECK(is_uncertain(back.result.error().code));
}

TEST_CASE("what is no message is not taken for one") {
  for (unsigned kind = 0; kind < 256; ++kind) {
    const frame f{static_cast<frame_kind>(kind), {}};
    if (message_index(f.kind))
      continue;
    const auto read = decode(f);
    REQUIRE_FALSE(read);
    CHECK(read.error().detail.find("a frame that is no message") == 0);
  }
}

TEST_CASE("bytes behind a message are refused") {
  const auto good = encode(timeout_now{{5}});
  CHECK_FALSE(decode({good.kind, bytes{std::string{good.body.text()} + "x"}}));
}

} // namespace message_codec_test
