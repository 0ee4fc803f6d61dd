// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/ids.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <unordered_set>

namespace ids_test {

using namespace understudy;

namespace {

template <class A, class B>
concept adds_up = requires(A a, B b) { a + b; };

template <class A, class B>
concept compares = requires(A a, B b) { a < b; };

} // namespace

TEST_CASE("counters of different kinds neither convert nor compare") {
  CHECK_FALSE(std::is_convertible_v<term_number, log_index>);
  CHECK_FALSE(std::is_constructible_v<log_index, term_number>);
  CHECK_FALSE(compares<log_index, term_number>);
  CHECK_FALSE(adds_up<log_index, log_index>);
  CHECK_FALSE(std::is_convertible_v<std::uint64_t, log_index>);
}

TEST_CASE("a counter steps by one and stops at nought") {
  CHECK(log_index{4}.next() == log_index{5});
  CHECK(log_index{4}.previous() == log_index{3});
  CHECK(log_index{0}.previous() == log_index{0});
  CHECK(log_index{4} + 3 == log_index{7});
}

TEST_CASE("a difference of counters is never negative") {
  CHECK(log_index{7} - log_index{4} == 3);
  CHECK(log_index{4} - log_index{7} == 0);
}

TEST_CASE("an identifier of nought names nobody") {
  CHECK_FALSE(member_id{});
  CHECK(member_id{1});
}

TEST_CASE("ids can be looked up by hash") {
  const std::unordered_set<member_id> known{member_id{1}, member_id{2}};
  CHECK(known.contains(member_id{2}));
  CHECK_FALSE(known.contains(member_id{3}));
}

} // namespace ids_test
