// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/timeline.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

namespace timeline_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;

TEST_CASE("events come in the order of their moments, and time goes with them") {
  timeline<std::string> line;
  line.add(instant{} + 3s, "third");
  line.add(instant{} + 1s, "first");
  line.add(instant{} + 2s, "second");
  CHECK(line.take() == "first");
  CHECK(line.now() == instant{} + 1s);
  CHECK(line.take() == "second");
  CHECK(line.take() == "third");
  CHECK(line.empty());
}

TEST_CASE("of two events for the same moment the one that was added first comes first") {
  timeline<int> line;
  for (int i = 0; i < 100; ++i)
    line.add(instant{} + 1s, i);
  for (int i = 0; i < 100; ++i)
    CHECK(line.take() == i);
}

TEST_CASE("an event for the past happens now") {
  timeline<int> line;
  line.pass_until(instant{} + 5s);
  line.add(instant{} + 1s, 1);
  CHECK(line.next() == instant{} + 5s);
}

TEST_CASE("time does not pass over an event") {
  timeline<int> line;
  line.add(instant{} + 1s, 1);
  CHECK_THROWS_AS(line.pass_until(instant{} + 2s), invariant_broken);
}

TEST_CASE("an event that was taken is not kept alive") {
  timeline<std::shared_ptr<int>> line;
  const auto what = std::make_shared<int>(1);
  line.add(instant{} + 1s, what);
  CHECK(what.use_count() == 2);
  line.take();
  CHECK(what.use_count() == 1);
}

} // namespace timeline_test
