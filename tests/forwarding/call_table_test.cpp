// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/call_table.hpp>

#include <doctest/doctest.h>

#include <set>

namespace call_table_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

call until(instant deadline) {
  return {.deadline = deadline, .weight_bytes = 10};
}

} // namespace

TEST_CASE("a ticket finds its call until the call is removed") {
  call_table table{42};
  const auto id = table.add({.caller = {7}, .weight_bytes = 5});
  REQUIRE(table.find(id));
  CHECK(table.find(id)->caller == ticket{7});
  CHECK(table.size() == 1);
  CHECK(table.bytes() == 5);
  CHECK(table.remove(id).caller == ticket{7});
  CHECK(!table.find(id));
  CHECK(table.size() == 0);
  CHECK(table.bytes() == 0);
}

TEST_CASE("no ticket is used twice, and each is greater than those before") {
  call_table table{99};
  ticket last;
  for (int i = 0; i < 1'000; ++i) {
    const auto id = table.add({});
    CHECK(id > last);
    last = id;
    if (i % 3 != 0)
      table.remove(id);
  }
  CHECK(table.size() == 334);
}

TEST_CASE("the ticket of an earlier attempt finds nothing") {
  call_table table{1};
  const auto first = table.add({.caller = {7}});
  const auto second = table.rename(first);
  CHECK(second > first);
  CHECK(!table.find(first));
  REQUIRE(table.find(second));
  CHECK(table.find(second)->caller == ticket{7});
  CHECK_THROWS_AS((void)table.rename(first), invariant_broken);
}

TEST_CASE("no ticket is 0, not even where the count turns over") {
  call_table table{~std::uint64_t{0}};
  const auto first = table.add({});
  CHECK(first);
  CHECK(table.find(first));
  CHECK(!table.find(ticket{}));
}

TEST_CASE("calls are due at their time, in the order of their tickets") {
  call_table table{5};
  const instant now{100s};
  CHECK(!table.next_due());
  const auto late = table.add(until(now + 3s));
  const auto soon = table.add(until(now + 1s));
  const auto also_soon = table.add(until(now + 1s));
  CHECK(table.next_due() == now + 1s);
  CHECK(table.due(now).empty());
  CHECK(table.due(now + 1s) == std::vector{soon, also_soon});
  table.remove(soon);
  table.schedule(*table.find(also_soon), now + 2s);
  CHECK(table.next_due() == now + 2s);
  CHECK(table.due(now + 5s) == std::vector{late, also_soon});
}

TEST_CASE("calls are selected by what they are") {
  call_table table{5};
  const auto a = table.add({.caller = {1}});
  table.add({.caller = {2}});
  const auto c = table.add({.caller = {1}});
  CHECK(table.select([](const call& x) { return x.caller == ticket{1}; }) == std::vector{a, c});
}

} // namespace call_table_test
