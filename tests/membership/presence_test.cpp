// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/presence.hpp>

#include <doctest/doctest.h>

#include "drill.hpp"

namespace presence_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::drill;

TEST_CASE("whoever does not lead says every second that it is there, voter or not") {
  drill b{4, 3};
  for (std::uint64_t id : {2u, 4u}) {
    const auto before = b.count_sent<presence>(id);
    b.run(10s);
    CHECK(b.count_sent<presence>(id) - before == 10);
  }
  CHECK(b.count_sent<presence>(1) == 0);
}

TEST_CASE("a new leader is told at once") {
  drill b{3, 3};
  b.run(500ms); // in the middle of a pause
  const auto before = b.count_sent<presence>(3);
  b.lead(2);
  CHECK(b.count_sent<presence>(3) == before + 1);
  CHECK(b.sent.back().to == member_id{2});
}

TEST_CASE("without a leader there is nobody to tell") {
  drill b{3, 3};
  b.leaderless();
  const auto before = b.count_sent<presence>(3);
  b.run(10s);
  CHECK(b.count_sent<presence>(3) == before);
}

TEST_CASE("in a cluster that waits less long a node says so more often than it was told") {
  drill b;
  auto o = drill::founder(1);
  o.rules.evict_after_ms = 400;
  o.presence_every = 100ms;
  b.start(o);
  b.run(0ms);
  b.start(drill::options(2, {1})); // every second, by its own options
  b.run(1min);
  CHECK(b.listed(2));
  CHECK(b.count_sent<presence>(2) >= 590);
}

} // namespace presence_test
