// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/mail_sheets.hpp>

#include <doctest/doctest.h>

namespace mail_sheets_test {

using namespace understudy;

namespace {

constexpr member_id a{1}, b{2};

} // namespace

TEST_CASE("what is for one peer leaves as one message, with what is common to all") {
  outbox out;
  mail_sheets<requests> sheets{call_options{}, requests{.forwarded = true, .batch = {}}};
  for (std::uint64_t i = 1; i <= 3; ++i) {
    sheets.add(a, request{.id = {i}}, 1, out);
    sheets.add(b, request{.id = {i + 10}}, 1, out);
  }
  CHECK(out.letters.empty());
  sheets.flush(out);
  REQUIRE(out.letters.size() == 2);
  CHECK(out.letters[0].to == a);
  CHECK(out.letters[1].to == b);
  const auto& first = std::get<requests>(out.letters[0].what);
  CHECK(first.forwarded);
  REQUIRE(first.batch.size() == 3);
  CHECK(first.batch[2].id == ticket{3});
  out.clear();
  sheets.flush(out);
  CHECK(out.empty());
}

TEST_CASE("a message has a limit in requests and in bytes") {
  outbox out;
  mail_sheets<answers> sheets{call_options{.batch_max = 3, .batch_bytes_max = 100}};
  SUBCASE("requests") {
    for (std::uint64_t i = 1; i <= 7; ++i)
      sheets.add(a, answer{.id = {i}}, 1, out);
    CHECK(out.letters.size() == 2);
    sheets.flush(out);
    CHECK(out.letters.size() == 3);
  }
  SUBCASE("bytes") {
    sheets.add(a, answer{.id = {1}}, 60, out);
    sheets.add(a, answer{.id = {2}}, 60, out);
    CHECK(out.letters.size() == 1);
    sheets.add(a, answer{.id = {3}}, 1'000, out);
    sheets.flush(out);
    CHECK(out.letters.size() == 3);
  }
  for (const auto& l : out.letters)
    CHECK(std::get<answers>(l.what).batch.size() <= 3);
}

} // namespace mail_sheets_test
