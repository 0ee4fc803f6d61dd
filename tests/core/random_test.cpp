// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace random_test {

using namespace understudy;
using namespace std::chrono_literals;

TEST_CASE("the same seed gives the same numbers on every platform") {
  random_source source{42};
  CHECK(source.next() == 13679457532755275413u);
  CHECK(source.next() == 2949826092126892291u);
}

TEST_CASE("numbers stay within their limits and reach both ends") {
  random_source source{7};
  auto least = 1h, most = 0h;
  interval low = least, high = most;
  for (int i = 0; i < 10'000; ++i) {
    CHECK(source.below(3) < 3);
    const auto t = source.between(1ns, 5ns);
    low = std::min(low, t);
    high = std::max(high, t);
  }
  CHECK(low == 1ns);
  CHECK(high == 5ns);
  CHECK(source.below(0) == 0);
  CHECK(source.between(5ns, 5ns) == 5ns);
  CHECK(source.between(5ns, 1ns) == 5ns);
}

TEST_CASE("jitter is at most a tenth") {
  random_source source{7};
  for (int i = 0; i < 1'000; ++i) {
    const auto t = source.jittered(100ms);
    CHECK(t >= 90ms);
    CHECK(t <= 110ms);
  }
}

} // namespace random_test
