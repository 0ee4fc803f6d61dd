// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/event_notes.hpp>

#include <doctest/doctest.h>

namespace event_notes_test {

using namespace understudy;
using namespace understudy::testing;
using kind = node_event::kind;

TEST_CASE("another source is a switch, the first one of a process is none") {
  event_notes notes;
  node_counters counters;
  const auto goes_to = [&](std::uint64_t source) {
    static_cast<void>(notes.note({1}, {.what = kind::source_changed, .who = {source}}, counters));
  };
  goes_to(2);
  goes_to(2);
  CHECK(counters.source_switches == 0);
  goes_to(3);
  CHECK(counters.source_switches == 1);
  notes.ended({1});
  goes_to(2);
  CHECK(counters.source_switches == 1);
}

TEST_CASE("what kept a node out last is remembered") {
  event_notes notes;
  node_counters counters;
  CHECK(notes.obstacle({1}) == errc::none);
  for (const auto why : {errc::no_leader, errc::timed_out})
    static_cast<void>(notes.note({1}, {.what = kind::enter_failed, .code = why}, counters));
  CHECK(notes.obstacle({1}) == errc::timed_out);
  CHECK(notes.obstacle({2}) == errc::none);
}

TEST_CASE("a leader that sends a node away is told apart from all others") {
  event_notes notes;
  node_counters counters;
  const auto sends_away = [&](kind what, const char* detail) {
    return notes.note({1}, {.what = what, .who = {2}, .detail = detail}, counters);
  };
  CHECK(sends_away(kind::decided, "eviction: n2 was silent"));
  CHECK_FALSE(sends_away(kind::decided, "plan: settled"));
  CHECK_FALSE(sends_away(kind::evicted, "eviction"));
  CHECK(counters.evictions == 1);
}

TEST_CASE("a node that stops, or whose peer breaks the protocol, ends the run") {
  event_notes notes;
  node_counters counters;
  for (const auto what : {kind::node_stopped, kind::protocol_violation})
    CHECK_THROWS_AS(static_cast<void>(notes.note({1}, {.what = what}, counters)),
                    invariant_violated);
}

} // namespace event_notes_test
