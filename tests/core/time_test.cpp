// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/time.hpp>

#include <doctest/doctest.h>

namespace time_test {

using namespace understudy;
using namespace std::chrono_literals;

TEST_CASE("log time moves on by lengths of time and tells how long ago something was") {
  const log_time founding;
  const auto later = founding + 5s;
  CHECK(later - founding == 5s);
  CHECK(founding < later);
}

} // namespace time_test
