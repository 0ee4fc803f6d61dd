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
    notes.note({1}, {.what = kind::source_changed, .who = {source}}, counters);
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
  notes.note({1}, {.what = kind::enter_failed, .code = errc::no_leader}, counters);
  notes.note({1}, {.what = kind::enter_failed, .code = errc::timed_out}, counters);
  CHECK(notes.obstacle({1}) == errc::timed_out);
  CHECK(notes.obstacle({2}) == errc::none);
}

TEST_CASE("a node that stops, or whose peer breaks the protocol, ends the run") {
  event_notes notes;
  node_counters counters;
  CHECK_THROWS_AS(notes.note({1}, {.what = kind::node_stopped}, counters), invariant_violated);
  CHECK_THROWS_AS(notes.note({1}, {.what = kind::protocol_violation}, counters),
                  invariant_violated);
}

} // namespace event_notes_test
