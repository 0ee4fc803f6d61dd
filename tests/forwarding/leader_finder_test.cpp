// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/leader_finder.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace leader_finder_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

constexpr member_id self{100}, a{1}, b{2}, c{3};
constexpr instant now{100s};

core_view led_by(member_id leader, std::uint64_t term = 3) {
  return {.term = {term}, .leader = leader, .leads = leader == self};
}

/// A finder whose core has said who leads.
leader_finder following(member_id leader) {
  leader_finder it{self};
  it.update(led_by(leader));
  return it;
}

} // namespace

TEST_CASE("whom the core calls the leader is the target; without one, or leading, nobody is") {
  leader_finder it{self};
  CHECK(!it.target(now));
  CHECK(it.update(led_by(a)));
  CHECK(it.target(now) == a);
  CHECK_MESSAGE(!it.update(led_by(a)), "nothing new");
  CHECK_MESSAGE(it.update(led_by(a, 4)), "another term is another leadership");
  it.update(led_by(self, 5));
  CHECK(!it.target(now));
  CHECK(it.known());
}

TEST_CASE("M15: a node that does not lead may name who does, until the core knows better") {
  auto it = following(a);
  it.refused(c, b);
  CHECK_MESSAGE(it.target(now) == a, "that node was not believed to lead");
  it.refused(a, b);
  CHECK(it.target(now) == b);
  SUBCASE("it does not lead either") {
    it.refused(b, {});
    CHECK(it.target(now) == a);
  }
  SUBCASE("it is lost") {
    it.link_lost(b, now + 1s);
    CHECK(it.target(now) == a);
  }
  SUBCASE("it does not answer, and the core still says who leads") {
    it.silent(b);
    CHECK(it.target(now) == a);
    it.refused(a, b); // not yet, perhaps
    CHECK(it.target(now) == b);
  }
  SUBCASE("the core names another") {
    it.update(led_by(c, 4));
    CHECK(it.target(now) == c);
  }
}

TEST_CASE("a leader whose link broke is left alone for a while") {
  auto it = following(a);
  it.link_lost(a, now + 300ms);
  CHECK(!it.target(now));
  CHECK(it.next_target(now) == now + 300ms);
  CHECK(it.target(now + 300ms) == a);
  it.update(led_by(b));
  CHECK(it.target(now) == b);
  CHECK(!it.next_target(now));
}

TEST_CASE("a leader that can not be reached is not known to lead") {
  for (const bool cut_off : {false, true})
    for (const bool replaced : {false, true}) {
      auto it = following(a);
      it.silent(b);
      it.link_lost(c, now);
      CHECK(it.known());
      if (cut_off)
        it.link_lost(a, now);
      else
        it.silent(a);
      CHECK(!it.known());
      it.answered(b);
      CHECK(!it.known());
      if (replaced)
        it.update(led_by(b));
      else
        it.answered(a);
      CHECK(it.known());
    }
}

TEST_CASE("who hears of no leader asks around, and follows what it is told") {
  auto it = following({});
  it.ask_around({a, self, b, c});
  std::vector<member_id> asked{it.target(now)};
  it.refused(asked.back(), {}); // it does not know either
  asked.push_back(it.target(now));
  it.silent(asked.back());
  asked.push_back(it.target(now));
  it.link_lost(asked.back(), now + 1s);
  CHECK(asked == std::vector{a, b, c});
  it.refused(a, b);
  CHECK(it.target(now) == b);
  it.silent(b);
  CHECK_MESSAGE(it.target(now) != member_id{}, "who was named does not answer: it goes on");
}

TEST_CASE("who asks around is led back to the leader that it had given up") {
  auto it = following(a);
  it.ask_around({b, c});
  CHECK(it.target(now) == a);
  it.silent(a);
  CHECK(it.target(now) == b);
  it.refused(b, a);
  CHECK(it.target(now) == a);
}

} // namespace leader_finder_test
