// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <demo/measure.hpp>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>

namespace measure_test {

using namespace std::chrono_literals;
using demo::moment;
using demo::score_book;

namespace {

constexpr moment start{1h};
const std::map<std::string, std::uint64_t> three_of_a{{"a", 3}};

/// A book in which the callers of "a" were told these counts.
void tell(score_book& book, std::initializer_list<std::uint64_t> counts) {
  for (const auto count : counts)
    book.applied("a", count, start, start);
}

} // namespace

TEST_CASE("counts that are exactly 1 to n are right, in whatever order they came") {
  score_book book;
  tell(book, {2, 3, 1});
  CHECK(book.compare(three_of_a).lost == 0);
  CHECK(book.compare(three_of_a).duplicated == 0);
}

TEST_CASE("a count that nobody was told is lost") {
  score_book book;
  tell(book, {1, 3});
  CHECK(book.compare(three_of_a).lost == 1);
  CHECK(book.compare({{"a", 3}, {"b", 2}}).lost == 3);
}

TEST_CASE("a count told twice, beyond the end, or as none at all is doubled") {
  for (const std::uint64_t extra : {2u, 4u, 0u}) {
    CAPTURE(extra);
    score_book book;
    tell(book, {1, 2, 3, extra});
    CHECK(book.compare(three_of_a).duplicated == 1);
    CHECK(book.compare(three_of_a).lost == 0);
  }
  score_book stranger;
  stranger.applied("b", 1, start, start);
  CHECK(stranger.compare({}).duplicated == 1);
}

TEST_CASE("a wait belongs to every step that it touches, and to no other") {
  score_book book;
  for (int step = 0; step < 3; ++step) {
    book.begin_step(start + step * 100ms);
    if (step < 2)
      book.end_step(start + (step + 1) * 100ms);
  }
  book.applied("a", 1, start + 50ms, start + 150ms); // begun in the first, ended in the second
  book.applied("a", 2, start + 210ms, start + 215ms);
  const auto steps = book.steps();
  CHECK(steps[0].longest_pause == 100ms);
  CHECK(steps[1].longest_pause == 100ms);
  CHECK(steps[2].longest_pause == 5ms);
}

TEST_CASE("an uncertain outcome is told apart from a refusal") {
  score_book book;
  book.begin_step(start);
  book.refused(understudy::errc::outcome_unknown, start, start);
  book.refused(understudy::errc::overloaded, start, start);
  book.refused(understudy::errc::stopped, start, start);
  CHECK(book.all().unknown == 1);
  CHECK(book.all().failed == 2);
  CHECK(book.steps()[0].unknown == 1);
  CHECK(book.steps()[0].failed == 2);
}

} // namespace measure_test
