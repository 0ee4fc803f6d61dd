// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/eviction_book.hpp>

#include <doctest/doctest.h>

namespace eviction_book_test {

using namespace understudy;
using testing::eviction_book;

namespace {

constexpr member_id a{1}, b{2};

} // namespace

TEST_CASE("I12: whom a leader sends away while it runs needs an heir, and nobody else does") {
  eviction_book book;
  CHECK_FALSE(book.needs_heir(a));
  book.decided(a, true);
  CHECK(book.needs_heir(a));
  CHECK_FALSE(book.needs_heir(b));
  book.decided(a, false); // what was decided before was not written down, and now it has ended
  CHECK_FALSE(book.needs_heir(a));
}

TEST_CASE("I12: whom an operator wants to go needs none, whatever a leader decides besides") {
  eviction_book book;
  SUBCASE("before") {
    book.ordered(a);
    book.decided(a, true);
  }
  SUBCASE("or after") {
    book.decided(a, true);
    book.ordered(a);
  }
  CHECK_FALSE(book.needs_heir(a));
}

} // namespace eviction_book_test
