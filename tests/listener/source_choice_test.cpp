// SPDX-License-Identifier: BSL-1.0
#include <understudy/listener/source_choice.hpp>

#include <doctest/doctest.h>

#include <set>

namespace source_choice_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

constexpr member_id self{100};
constexpr member_id a{1}, b{2}, c{3}, d{4};
const instant start{10s};
const puller_options options;

source_choice among(std::vector<member_id> voters, std::vector<member_id> outgoing = {}) {
  source_choice choice{self, options};
  choice.update({.cluster = {1}, .voters = std::move(voters), .outgoing = std::move(outgoing)});
  return choice;
}

member_id picked(source_choice& choice, instant now) {
  const auto pick = choice.pick(now);
  return pick && pick->not_before <= now ? pick->source : member_id{};
}

} // namespace

TEST_CASE("nobody is asked while no voter is known") {
  source_choice choice{self, options};
  CHECK(!choice.pick(start));
}

TEST_CASE("a node does not pull from itself") {
  auto choice = among({self, a});
  for (auto now = start; now < start + 60s; now += 1s)
    CHECK(picked(choice, now) == a);
}

TEST_CASE("S2: the followers take turns, and the leader has none") {
  auto choice = among({a, b, c});
  choice.leader_is(b);
  std::set<member_id> seen;
  member_id last;
  int changes = 0;
  for (auto now = start; now < start + 60s; now += 100ms) {
    const auto source = picked(choice, now);
    changes += source != last ? 1 : 0;
    last = source;
    seen.insert(source);
  }
  CHECK(seen == std::set{a, c});
  CHECK(changes == 12);
}

TEST_CASE("the nearest of those that answer take turns, and the leader comes last all the same") {
  auto near = options;
  near.distance = [](const member& m) -> std::uint32_t {
    if (m.name == "unmapped")
      throw 7;
    return m.name == "far" ? 9 : 1;
  };
  source_choice choice{self, near};
  choice.update({.cluster = {1},
                 .members = {{.id = a, .name = "near"},
                             {.id = b, .name = "far"},
                             {.id = c, .name = "near"},
                             {.id = d, .name = "unmapped"},
                             {.id = {5}, .name = "near"}},
                 .voters = {a, b, c, d, {5}}});
  choice.leader_is({5});
  const auto seen = [&](instant from) {
    std::set<member_id> all;
    for (auto now = from; now < from + 60s; now += 1s)
      all.insert(picked(choice, now));
    return all;
  };
  CHECK(seen(start) == std::set{a, c});
  const auto later = start + 1h;
  choice.failed(a, later);
  choice.failed(c, later);
  CHECK(picked(choice, later) == b);
  choice.failed(b, later);
  CHECK(picked(choice, later) == d);
  choice.failed(d, later);
  CHECK(picked(choice, later) == member_id{5});
  for (const auto id : {a, b, c, d})
    choice.succeeded(id);
  CHECK(seen(later + 1h) == std::set{a, c}); // success does not make it forget where they are
}

TEST_CASE("while the group is joint the members of both halves are sources") {
  auto choice = among({a, b}, {b, c});
  std::set<member_id> seen;
  for (auto now = start; now < start + 60s; now += 1s)
    seen.insert(picked(choice, now));
  CHECK(seen == std::set{a, b, c});
}

TEST_CASE("the only voter is the source, though it leads") {
  auto choice = among({a});
  choice.leader_is(a);
  CHECK(picked(choice, start) == a);
}

TEST_CASE("the leader is asked when all others have failed") {
  auto choice = among({a, b, c});
  choice.leader_is(b);
  choice.failed(a, start);
  choice.failed(c, start);
  CHECK(picked(choice, start) == b);
  SUBCASE("and no longer than that") {
    CHECK(picked(choice, start + options.backoff_min) != b);
  }
}

TEST_CASE("a source that becomes the leader is left for another") {
  auto choice = among({a, b});
  const auto first = picked(choice, start);
  choice.leader_is(first);
  CHECK(picked(choice, start + 1ms) != first);
}

TEST_CASE("M20: a failed source rests for twice as long each time, up to a limit") {
  auto now = start;
  auto rest = options.backoff_min;
  for (int failures = 1; failures <= 10; ++failures) {
    CAPTURE(failures);
    auto choice = among({a, b});
    for (int i = 0; i < failures; ++i)
      choice.failed(a, now);
    choice.leader_is(b);
    CHECK(picked(choice, now + rest - 1ms) == b);
    CHECK(picked(choice, now + rest) == a);
    rest = std::min(rest * 2, options.backoff_max);
  }
}

TEST_CASE("an answer makes up for all failures before it") {
  auto choice = among({a, b});
  choice.leader_is(b);
  for (int i = 0; i < 10; ++i)
    choice.failed(a, start);
  choice.succeeded(a);
  CHECK(picked(choice, start) == a);
  choice.failed(a, start);
  CHECK(picked(choice, start + options.backoff_min) == a);
}

TEST_CASE("when all have failed, the oldest failure is retried, after a pause") {
  auto choice = among({a, b, c});
  for (int i = 0; i < 6; ++i)
    for (const auto id : {a, b, c})
      choice.failed(id, start);
  choice.failed(c, start + 10ms);
  choice.failed(a, start + 20ms);
  choice.failed(b, start + 30ms);
  const auto pick = choice.pick(start + 30ms);
  REQUIRE(pick);
  CHECK(pick->source == c);
  CHECK(pick->not_before == start + 10ms + options.backoff_min);
  CHECK(choice.pick(pick->not_before)->not_before == pick->not_before);
}

TEST_CASE("a source whose process has ended is not asked while anybody else is left") {
  auto choice = among({a, b, c});
  choice.gone(a, start);
  choice.gone(d, start); // of which this node's roster knows nothing yet
  std::set<member_id> seen;
  for (auto now = start; now < start + 60s; now += 100ms)
    seen.insert(picked(choice, now));
  CHECK(seen == std::set{b, c});
  choice.update({.cluster = {1}, .voters = {a, b, c, d}});
  for (auto now = start + 60s; now < start + 120s; now += 100ms)
    seen.insert(picked(choice, now));
  CHECK(seen == std::set{b, c});
  const auto later = start + 1h;
  choice.failed(b, later);
  choice.failed(c, later);
  const auto last = picked(choice, later);
  CHECK((last == a || last == d)); // it may have come back under its id
  choice.succeeded(last);
  choice.succeeded(b);
  for (auto now = later; now < later + 60s; now += 100ms)
    seen.insert(picked(choice, now));
  CHECK(seen == std::set{b, c, last});
}

TEST_CASE("a leader whose process has ended is not asked either") {
  auto choice = among({a, b});
  choice.gone(b, start);
  choice.leader_is(b);
  choice.failed(a, start);
  CHECK(picked(choice, start + options.backoff_min) == a);
}

TEST_CASE("a leader that gives a sign after its end has come back, and is asked") {
  auto choice = among({a, b});
  choice.gone(a, start);
  choice.gone(b, start + 500ms);
  choice.leader_is(b, start + 499ms); // from before
  CHECK(picked(choice, start + 1s) == a);
  choice.leader_is(b, start + 1s);
  for (auto now = start + 1s; now < start + 60s; now += 100ms)
    CHECK(picked(choice, now) == b); // though a has not been asked for longer
}

TEST_CASE("of those that seem gone each has its turn, for any may have come back") {
  auto choice = among({a, b, c, d});
  for (const auto id : {a, b, c, d})
    choice.gone(id, start);
  std::set<member_id> seen;
  for (auto now = start + options.backoff_max; now < start + 60s; now += 100ms)
    if (const auto id = picked(choice, now)) {
      seen.insert(id);
      choice.failed(id, now);
    }
  CHECK(seen == std::set{a, b, c, d});
}

TEST_CASE("a change of the voters keeps what is known of those that stay") {
  auto choice = among({a, b});
  choice.failed(a, start);
  choice.update({.cluster = {1}, .voters = {a, c}, .outgoing = {}});
  CHECK(picked(choice, start) == c);
  choice.update({.cluster = {1}, .voters = {d}, .outgoing = {}});
  CHECK(picked(choice, start) == d);
}

TEST_CASE("N7: a source that has sent half a snapshot is asked on, its turn over or not") {
  auto choice = among({a, b, c});
  const auto first = picked(choice, start);
  const auto later = start + options.turn * 3;
  CHECK(choice.pick(later, true)->source == first);
  CHECK(picked(choice, later) != first);
  const auto second = picked(choice, later);
  choice.failed(second, later);
  CHECK(choice.pick(later, true)->source != second); // unless it has failed
}

} // namespace source_choice_test
