// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/leader_sight.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

namespace leader_sight_test {

using namespace understudy;
using namespace std::chrono_literals;
using support::entry_of;
using support::made_of;

namespace {

const auto start = instant{} + 1h;
constexpr member_id a{1}, b{2};

/// Listener 4 in term 5, which is told of leaders.
struct listener {
  listener() {
    state.append(entry_of(1, 1, made_of({1, 2, 3, 4}, {1, 2, 3})));
    state.raise_term({5});
  }

  /// A source heard `who` so long before `when`.
  void told(member_id who, instant when, interval silent = 0ms, std::uint64_t term = 5) {
    sight.told({who, {term}, when - silent, {1}}, part, state, when);
  }

  [[nodiscard]] member_id leader(instant when) const { return sight.leader(part, state, when); }
  [[nodiscard]] known_leader passed_on(instant when) const {
    return sight.for_pullers(part, state, when);
  }

  core_state state{{4}, {}, 1};
  roles part{state};
  leader_sight sight;
  interval lasts = state.options.election_timeout_max;
};

} // namespace

TEST_CASE("a listener knows the leader as long as it is told of it") {
  listener l;
  CHECK_FALSE(l.leader(start));
  l.told(a, start);
  CHECK(l.leader(start + l.lasts - 1ms) == a);
  CHECK_FALSE(l.leader(start + l.lasts));
  l.told(b, start + 1h, 0ms, 6);
  CHECK(l.leader(start + 1h) == b);
  CHECK(l.sight.last_news(l.part, start + 2h) == start + 1h);
}

TEST_CASE("what is said of an earlier term is no news") {
  listener l;
  l.told(a, start, 0ms, 4);
  CHECK_FALSE(l.leader(start));
}

TEST_CASE("M22: the name of a dead leader does not go round for ever") {
  listener first;
  listener second;
  listener third;
  first.told(a, start); // by one that hears the leader, which dies now
  const auto tell_on = [](const listener& from, listener& to, instant when) {
    if (const auto said = from.passed_on(when); said.id)
      to.told(said.id, when, said.silent);
  };
  for (auto now = start; now < start + 1min; now += 10ms) {
    tell_on(first, second, now);
    tell_on(second, third, now);
    tell_on(third, first, now);
    CHECK(second.leader(now) == (now < start + 2 * second.lasts - 10ms ? a : member_id{}));
    CHECK_FALSE(third.leader(now)); // hearsay is passed on once
  }

  for (const auto* l : {&first, &second, &third})
    CHECK_FALSE(l->leader(start + 1min));
}

TEST_CASE("hearsay does not make older what was heard before") {
  listener l;
  l.told(a, start);
  l.told(a, start + 1ms, known_leader::hearsay);
  CHECK(l.passed_on(start + 2ms).id == a);
  CHECK(l.passed_on(start + 2ms).silent == known_leader::hearsay);
  CHECK(l.sight.last_news(l.part, start + 2ms) == start);
  l.told(b, start + 3ms, known_leader::hearsay, 6); // another one, of whom nothing is known
  CHECK(l.leader(start + 3ms) == b);
  CHECK_FALSE(l.passed_on(start + 3ms).id);
}

} // namespace leader_sight_test
