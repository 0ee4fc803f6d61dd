// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/dropping.hpp>

#include <doctest/doctest.h>

#include "drill.hpp"

namespace dropping_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::drill;
using membership_test::ids;

TEST_CASE("an evicted member is dropped when it has no vote, and not before") {
  drill b{3};
  b.change(mark_member{{3}, standing::evicted});
  b.run(1min);
  CHECK(b.listed(3)); // kept by the floor
  b.enter(4, 4);
  CHECK(b.voters() == ids({1, 2, 4}));
  CHECK_FALSE(b.listed(3));
  CHECK(b.line(1, decision::drop) == "member 3 was evicted, and has no vote");
}

TEST_CASE("while the roster is not certain nobody is dropped") {
  drill b{4, 3};
  b.commits = false;
  b.change(mark_member{{4}, standing::evicted});
  b.run(1min);
  CHECK(find(*b.log().newest().content, {4}) != nullptr);
  b.commits = true;
  b.commit();
  b.run(0ms);
  CHECK_FALSE(b.listed(4));
}

TEST_CASE("a leaving member stays in the roster until it says itself that it is done") {
  drill b{4, 3};
  b.drains = false; // its calls take long
  b.leave(4, 1h);
  b.run(5min);
  CHECK(b.listed(4));
  CHECK(find(b.content(), {4})->status == standing::leaving);
  b.ask(4, calls_drained{});
  b.run(1s);
  CHECK_FALSE(b.listed(4));
  CHECK(b.lines(1, decision::drop) == 0);
}

TEST_CASE("a leaving member whose process has ended is dropped at once") {
  drill b{4, 3};
  b.drains = false;
  b.leave(4, 1h);
  b.run(1s);
  b.crash(4);
  b.run(0ms);
  CHECK_FALSE(b.listed(4));
  CHECK(b.line(1, decision::drop) == "member 4 was leaving, and its process has ended");
}

TEST_CASE("a leaving member that fell silent is dropped when its bound is long over") {
  drill b{4, 3};
  b.drains = false;
  b.leave(4, 1h);
  b.run(1s);
  b.stop(4);
  b.run(18s);
  CHECK(b.listed(4));
  b.run(2s);
  CHECK_FALSE(b.listed(4));
  CHECK(b.line(1, decision::drop).starts_with("member 4 has been leaving for 20000 ms"));
}

TEST_CASE("a drop that the core refuses is tried again later, not in a loop") {
  drill b{4, 3};
  b.blind = {{4}};
  b.change(mark_member{{4}, standing::leaving});
  b.refuses_roster = true;
  const auto before = b.node(1).roster_changes.size();
  b.crash(4);
  b.run(1s);
  const auto tries = b.node(1).roster_changes.size() - before;
  CHECK(tries >= 9);
  CHECK(tries <= 11);
  b.refuses_roster = false;
  b.run(1s);
  CHECK_FALSE(b.listed(4));
}

} // namespace dropping_test
