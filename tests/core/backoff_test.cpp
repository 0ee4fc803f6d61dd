// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/backoff.hpp>

#include <doctest/doctest.h>

namespace backoff_test {

using namespace understudy;
using namespace std::chrono_literals;

TEST_CASE("each wait is about twice the one before, up to the limit") {
  random_source random{7};
  backoff wait{50ms, 1s};
  for (const interval expected : {50ms, 100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    const auto actual = wait.next(random);
    CHECK(actual >= expected - expected / 10);
    CHECK(actual <= expected + expected / 10);
  }
}

TEST_CASE("two nodes do not come back at the same time") {
  random_source one{1}, other{2};
  backoff a{50ms, 1s}, b{50ms, 1s};
  CHECK(a.next(one) != b.next(other));
}

} // namespace backoff_test
