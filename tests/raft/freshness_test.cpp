// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/freshness.hpp>

#include <doctest/doctest.h>

namespace freshness_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {
const auto start = instant{} + 1h;
} // namespace

TEST_CASE("data is as fresh as the last word of a leader that is applied in full") {
  freshness f;
  CHECK(f.at() == instant{});
  f.told({7}, start, {7});
  CHECK(f.at() == start);
  f.told({9}, start + 1s, {7});
  CHECK(f.at() == start);
  f.applied({8});
  CHECK(f.at() == start);
  f.applied({9});
  CHECK(f.at() == start + 1s);
}

TEST_CASE("contact with a leader makes no data fresh that is not applied") {
  freshness f;
  f.told({7}, start, {7});
  for (int i = 1; i <= 100; ++i)
    f.told({1'000u + static_cast<unsigned>(i)}, start + 50ms * i, {8});
  CHECK(f.at() == start);
  f.applied({1'001});
  CHECK(f.at() == start + 50ms); // that word is kept; later ones count from the next on
  f.told({1'200}, start + 9s, {1'300});
  CHECK(f.at() == start + 9s);
}

TEST_CASE("old news change nothing") {
  freshness f;
  f.told({7}, start, {7});
  f.told({6}, start - 1s, {7});
  CHECK(f.at() == start);
}

} // namespace freshness_test
