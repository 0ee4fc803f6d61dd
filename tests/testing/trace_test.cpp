// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/trace.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace trace_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;

namespace {

traced arrival(std::uint64_t term, instant at = instant{} + 1'500us) {
  return {.at = at,
          .who = member_id{1},
          .other = member_id{2},
          .what = summary_of(peer_message{timeout_now{term_number{term}}})};
}

std::string name(member_id id) {
  return id.value == 1 ? "ada" : "bob";
}

} // namespace

TEST_CASE("the hash tells what happened, when, to whom and in which order") {
  const auto hash_of = [](std::initializer_list<traced> events) {
    trace t{4};
    for (const auto& e : events)
      t.add(e);
    return t.hash();
  };
  const auto one = hash_of({arrival(1), arrival(2)});
  CHECK(one == hash_of({arrival(1), arrival(2)}));
  CHECK(one != hash_of({arrival(2), arrival(1)}));
  CHECK(one != hash_of({arrival(1), arrival(3)}));
  CHECK(one != hash_of({arrival(1), arrival(2, instant{} + 2ms)}));
  auto other = arrival(2);
  other.who = member_id{3};
  CHECK(one != hash_of({arrival(1), other}));
}

TEST_CASE("the last events can be read, oldest first") {
  trace t{4};
  for (std::uint64_t term = 1; term <= 6; ++term)
    t.add(arrival(term));
  const auto lines = t.last(name);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "   0.001500  ada <- bob timeout_now term=3");
  CHECK(lines[3] == "   0.001500  ada <- bob timeout_now term=6");
  CHECK(t.count() == 6);
}

TEST_CASE("a notice is named as in the header that lists it") {
  CHECK(summary_of(sibling_message{store_write{}}).name == "store_write");
  CHECK(summary_of(sibling_message{core_view{}}).name == "core_view");
  CHECK(summary_of(sibling_message{peer_lost{}}).name == "peer_lost");
  CHECK(summary_of(sibling_message{node_event{}}).name == "node_event");
}

} // namespace trace_test
