// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/random.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <vector>

namespace random_test {

using namespace understudy::testing;

TEST_CASE("the same seed draws the same numbers, another one others") {
  random_stream a{7};
  random_stream b{7};
  random_stream c{8};
  const auto first = a.next();
  CHECK(first == b.next());
  CHECK(first != c.next());
}

TEST_CASE("the numbers are the same on every platform and in every release") {
  random_stream random{42};
  CHECK(random.next() == 13679457532755275413u);
  CHECK(random.between(1, 6) == 2);
  CHECK(random.fork("plan").next() == 6720127266324700707u);
}

TEST_CASE("a fork depends on the seed and its name, not on what was drawn before") {
  random_stream early{1};
  random_stream late{1};
  late.next();
  CHECK(early.fork("network").next() == late.fork("network").next());
  CHECK(early.fork("network").next() != early.fork("faults").next());
  CHECK(early.fork("node", 1).next() != early.fork("node", 2).next());
}

TEST_CASE("a chance of 0 never comes, one of 1 always, and one of a half about half the time") {
  random_stream random{3};
  int heads = 0;
  for (int i = 0; i < 10'000; ++i) {
    REQUIRE_FALSE(random.chance(0));
    REQUIRE(random.chance(1));
    heads += random.chance(0.5) ? 1 : 0;
  }
  CHECK(heads > 4'800);
  CHECK(heads < 5'200);
}

TEST_CASE("a range has both its ends, and nothing beyond") {
  random_stream random{5};
  std::array<int, 5> seen{};
  for (int i = 0; i < 1'000; ++i) {
    const auto drawn = random.between(-2, 2);
    REQUIRE(drawn >= -2);
    REQUIRE(drawn <= 2);
    ++seen[static_cast<std::size_t>(drawn + 2)];
    const auto time = random.between(std::chrono::microseconds{1}, std::chrono::microseconds{3});
    REQUIRE(time >= std::chrono::microseconds{1});
    REQUIRE(time <= std::chrono::microseconds{3});
  }
  for (const auto times : seen)
    CHECK(times > 100);
}

TEST_CASE("every element of a range can be picked") {
  random_stream random{9};
  const std::vector<int> from{0, 1, 2};
  std::array<int, 3> seen{};
  for (int i = 0; i < 300; ++i)
    ++seen[static_cast<std::size_t>(random.pick(from))];
  for (const auto times : seen)
    CHECK(times > 50);
}

} // namespace random_test
