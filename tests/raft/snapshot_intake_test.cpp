// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/snapshot_intake.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace snapshot_intake_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 600ms;
const auto start = instant{} + 1h;

snapshot image_of(std::uint64_t index, const std::string& text) {
  snapshot s{.at = {{index}, {2}}};
  s.image = bytes{text};
  s.digest = digest_of(s.image.view());
  return s;
}

} // namespace

TEST_CASE("chunks in order make a snapshot") {
  snapshot_intake intake{1000, patience};
  const auto sent = image_of(9, "0123456789");
  CHECK_FALSE(intake.take(chunk_of(sent, 0, 4), start));
  CHECK(intake.received() == 4);
  CHECK(intake.key() == sent.key());
  CHECK_FALSE(intake.take(chunk_of(sent, 4, 4), start));
  const auto whole = intake.take(chunk_of(sent, 8, 4), start);
  REQUIRE(whole);
  CHECK(whole->image.text() == "0123456789");
  CHECK(whole->at == sent.at);
  CHECK(intake.received() == 0);
}

TEST_CASE("doubled, late and early chunks change nothing") {
  snapshot_intake intake{1000, patience};
  const auto sent = image_of(9, "0123456789");
  intake.take(chunk_of(sent, 0, 4), start);
  intake.take(chunk_of(sent, 0, 4), start);
  intake.take(chunk_of(sent, 8, 2), start);
  CHECK(intake.received() == 4);
  intake.take(chunk_of(sent, 4, 4), start);
  intake.take(chunk_of(sent, 4, 4), start);
  CHECK(intake.take(chunk_of(sent, 8, 2), start));
}

TEST_CASE("a transfer resumes by key, at another source with other chunk sizes") {
  snapshot_intake intake{1000, patience};
  const auto here = image_of(9, "0123456789");
  const auto there = image_of(9, "0123456789");
  intake.take(chunk_of(here, 0, 3), start);
  CHECK(there.key() == intake.key());
  CHECK(intake.take(chunk_of(there, intake.received(), 7), start));
}

TEST_CASE("an empty state is a snapshot too") {
  snapshot_intake intake{1000, patience};
  CHECK(intake.take(chunk_of(image_of(9, ""), 0, 4), start));
}

TEST_CASE("a newer snapshot displaces a half-received older one, not the reverse (N4)") {
  snapshot_intake intake{1000, patience};
  const auto older = image_of(9, "0123456789");
  const auto newer = image_of(12, "abcdefghij");
  intake.take(chunk_of(older, 0, 4), start);
  intake.take(chunk_of(newer, 0, 4), start);
  CHECK(intake.key() == newer.key());
  intake.take(chunk_of(older, 4, 4), start);
  intake.take(chunk_of(older, 0, 4), start);
  CHECK(intake.key() == newer.key());
  CHECK(intake.received() == 4);
  intake.take(chunk_of(newer, 4, 4), start);
  const auto whole = intake.take(chunk_of(newer, 8, 4), start);
  REQUIRE(whole);
  CHECK(whole->image.text() == "abcdefghij");
}

TEST_CASE("two snapshots of one index do not displace each other for ever (N4)") {
  snapshot_intake intake{1000, patience};
  const auto one = image_of(9, "0123456789");
  const auto other = image_of(9, "abcdefghij");
  intake.take(chunk_of(one, 0, 4), start);
  intake.take(chunk_of(other, 0, 4), start + 1ms);
  CHECK(intake.key() == one.key());
}

TEST_CASE("a half-received snapshot whose sender is gone gives way to an older one (N4)") {
  snapshot_intake intake{1000, patience};
  const auto newer = image_of(12, "abcdefghij");
  const auto older = image_of(9, "0123456789");
  intake.take(chunk_of(newer, 0, 4), start);
  intake.take(chunk_of(newer, 0, 4), start + 300ms); // a doubled chunk is no growth
  intake.take(chunk_of(older, 0, 10), start + 599ms);
  CHECK(intake.key() == newer.key());
  CHECK(intake.take(chunk_of(older, 0, 10), start + 600ms));
}

TEST_CASE("a damaged snapshot is not used, and can be sent again (D11)") {
  snapshot_intake intake{1000, patience};
  auto sent = image_of(9, "0123456789");
  auto bad = sent;
  bad.image = bytes{"0123x56789"};
  CHECK_FALSE(intake.take(chunk_of(bad, 0, 10), start));
  CHECK(intake.received() == 0);
  CHECK(intake.take(chunk_of(sent, 0, 10), start));
}

TEST_CASE("chunks that lie about their size are refused (I15)") {
  snapshot_intake intake{8, patience};
  const auto sent = image_of(9, "0123456789");
  CHECK_FALSE(intake.take(chunk_of(sent, 0, 10), start));
  auto lie = chunk_of(image_of(9, "01234567"), 0, 8);
  lie.size = 4;
  CHECK_FALSE(intake.take(lie, start));
  lie.offset = UINT64_MAX - 2;
  lie.size = 8;
  CHECK_FALSE(intake.take(lie, start));
  CHECK(intake.received() == 0);
}

} // namespace snapshot_intake_test
