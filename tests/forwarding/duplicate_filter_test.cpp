// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/duplicate_filter.hpp>

#include <doctest/doctest.h>

namespace duplicate_filter_test {

using namespace understudy;

namespace {

constexpr member_id a{1}, b{2};

} // namespace

TEST_CASE("C4: a message that comes twice is let in once") {
  duplicate_filter filter;
  CHECK(filter.first_time(a, {10}));
  CHECK(!filter.first_time(a, {10}));
  CHECK(filter.first_time(a, {12}));
  CHECK(!filter.first_time(a, {10}));
  CHECK(!filter.first_time(a, {12}));
}

TEST_CASE("a message that was overtaken is let in") {
  duplicate_filter filter;
  CHECK(filter.first_time(a, {12}));
  CHECK(filter.first_time(a, {10}));
  CHECK(!filter.first_time(a, {10}));
}

TEST_CASE("the messages of different peers have nothing to do with each other") {
  duplicate_filter filter;
  CHECK(filter.first_time(a, {10}));
  CHECK(filter.first_time(b, {10}));
}

TEST_CASE("C4: a message too old to be told apart counts as lost") {
  duplicate_filter filter;
  for (std::uint64_t i = 0; i <= duplicate_filter::remembered_max; ++i)
    CHECK(filter.first_time(a, {1'000 + i}));
  CHECK(!filter.first_time(a, {1'000}));
  CHECK(!filter.first_time(a, {999}));
  CHECK(!filter.first_time(a, {1'001}));
}

TEST_CASE("a process that came back under its old id is let in, wherever its tickets begin") {
  duplicate_filter filter;
  for (std::uint64_t i = 0; i < 200; ++i)
    CHECK(filter.first_time(a, {(std::uint64_t{1} << 60) + i}));
  CHECK(filter.first_time(a, {std::uint64_t{1} << 50}));
  CHECK(!filter.first_time(a, {std::uint64_t{1} << 50}));
  CHECK(filter.first_time(a, {std::uint64_t{1} << 62}));
}

TEST_CASE("C4: what is late of an earlier process does not make this one forgotten") {
  duplicate_filter filter;
  constexpr ticket old{std::uint64_t{1} << 60};
  CHECK(filter.first_time(a, old));
  CHECK(filter.first_time(a, {10}));
  CHECK(!filter.first_time(a, old));
  CHECK(filter.first_time(a, {old.value + 1}));
  CHECK(!filter.first_time(a, {10}));
}

TEST_CASE("with too many peers the quietest is forgotten") {
  duplicate_filter filter;
  CHECK(filter.first_time(a, {10}));
  CHECK(filter.first_time(b, {10}));
  for (std::uint64_t i = 0; i < duplicate_filter::peers_max - 1; ++i) {
    CHECK(filter.first_time({100 + i}, {1}));
    CHECK(!filter.first_time(b, {10}));
  }
  CHECK(!filter.first_time(b, {10}));
  CHECK(filter.first_time(a, {10}));
}

} // namespace duplicate_filter_test
