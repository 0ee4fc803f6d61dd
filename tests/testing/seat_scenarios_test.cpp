// SPDX-License-Identifier: BSL-1.0

// How seats become free and are taken again, each told on whole nodes.

#include <doctest/doctest.h>

#include <testing/scripted_cluster.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace seat_scenarios_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;
using test_support::scripted_cluster;

namespace {

/// How long nobody leads from now on, until somebody else than `old` does.
interval gap_in_leadership(scripted_cluster& x, member_id old) {
  x.wait([&] { return !x.leads(old); });
  const auto since = x.run.now();
  x.wait_for_leader_besides({old});
  return x.run.now() - since;
}

simulation_options at_most_voters(std::uint32_t max) {
  simulation_options options;
  options.rules.max_voters = max;
  return options;
}

} // namespace

TEST_CASE("M6: a leader that leaves answers who waits, and leadership goes over at once") {
  scripted_cluster x{4};
  const auto client = x.run.add_client("client");
  const auto outside = x.run.submit(client, tally::bump{2});
  const auto own = x.run.submit(x.a, tally::bump{1});
  x.run.leave(x.a);
  const auto late = x.run.submit(x.a, tally::bump{1});
  CHECK(gap_in_leadership(x, x.a) < x.run.options().core.election_timeout_min);
  x.wait([&] { return !x.run.runs(x.a); });
  CHECK(x.run.counters().left == 1);
  CHECK(x.run.result<tally::bump>(own).value() == 1);
  CHECK(x.run.result<tally::bump>(late).value() == 2);
  CHECK(x.run.result<tally::bump>(outside).value() == 1);
  x.rest();
  CHECK(x.voters(x.run.leader()) == std::vector{x.b, x.c, x.d});
  CHECK(x.count(x.d) == 2);
}

TEST_CASE("M6: a leader that is sent away is replaced, and does not go on leading") {
  scripted_cluster x{4};
  x.run.give_order(x.b, mark_member{x.a, standing::evicted});
  CHECK(gap_in_leadership(x, x.a) < x.run.options().core.election_timeout_min);
  const auto lead = x.run.leader();
  x.wait([&] { return x.voters(lead) == std::vector{x.b, x.c, x.d} && !x.mark(lead, x.a); });
  x.wait([&] { return x.place(x.a).state == membership::failed; });
  x.bump(lead);
  CHECK_FALSE(x.leads(x.a));
  CHECK(x.run.counters().orders == 1);
}

TEST_CASE("M7: of two, the leader that leaves runs until the other one leads") {
  // Cut off just when the change of the voters, or what follows from it, stands in its log, and
  // just when that is committed.
  const std::vector<std::function<bool(scripted_cluster&)>> moments{
      [](scripted_cluster& x) { return x.mark(x.a, x.a) == standing::leaving; },
      [](scripted_cluster& x) { return x.is_joint(x.a); },
      [](scripted_cluster& x) {
        return !x.is_joint(x.a) && x.newest(x.a).voters == std::vector{x.b};
      },
      [](scripted_cluster& x) { return x.voters(x.a) == std::vector{x.b}; }};
  for (std::size_t i = 0; i < moments.size(); ++i) {
    CAPTURE(i);
    scripted_cluster x{2};
    x.bump(x.a);
    x.run.leave(x.a);
    x.wait([&] { return moments[i](x); });
    x.run.cut(x.a, x.b);
    bool led = false;
    const auto gone = [&] {
      led = led || x.leads(x.b);
      return !x.run.runs(x.a);
    };
    CHECK_FALSE(x.run.run_until(gone, 3s));
    x.run.heal();
    x.wait(gone);
    CHECK(led);
    CHECK(x.run.counters().left == 1);
    x.rest();
    CHECK(x.voters(x.b) == std::vector{x.b});
    CHECK(x.count(x.b) == 1);
  }
}

TEST_CASE("M8: a change that leaves nobody to vote is refused before it is appended") {
  scripted_cluster x{3};
  const auto before = x.run.look(x.a).newest.index;
  x.run.tell(x.a, change_voters{.base = before, .voters = {}, .id = ticket{1}});
  CHECK(x.end(x.a) == before);
  for (const auto who : {x.b, x.c, x.a})
    x.run.give_order(who == x.a ? x.b : x.a, mark_member{who, standing::evicted});
  x.wait([&] { return x.run.counters().orders + x.run.counters().orders_refused == 3; });
  CHECK(x.run.counters().orders_refused >= 1);
  for (const auto& past : x.history())
    CHECK_FALSE(past.content->voters.empty());
  CHECK(x.run.leader());
}

TEST_CASE(
    "M8: when all leave at once somebody votes to the end, and the last one ends the cluster") {
  scripted_cluster x{3};
  x.bump(x.b);
  for (const auto id : x.run.nodes())
    x.run.leave(id);
  x.wait([&] { return x.run.nodes().empty(); }, 30s);
  CHECK(x.run.counters().left == 2);
  CHECK(x.run.counters().last_members == 1);
  for (const auto& past : x.history())
    CHECK_FALSE(past.content->voters.empty());
}

TEST_CASE("M10: voters that die one by one do not make a quorum of fewer than the floor") {
  scripted_cluster x{5};
  for (const auto& [victim, left] : {std::pair{x.e, 4u}, std::pair{x.d, 3u}, std::pair{x.c, 3u}}) {
    x.run.crash(victim);
    x.wait([&] { return x.mark(x.a, victim) != standing::present; });
    x.wait([&] { return x.voters(x.a).size() == left; });
    x.bump(x.a);
  }
  // Two of three decide. One more, and nobody does: not one of what were five.
  x.run.crash(x.b);
  const auto asked = x.run.submit(x.a, tally::bump{1});
  x.wait([&] { return !x.leads(x.a); });
  x.wait([&] { return x.run.answer(asked).has_value(); }, 30s);
  CHECK(x.run.answer(asked)->error().code == errc::outcome_unknown);
  CHECK_FALSE(x.run.leader());
}

TEST_CASE("M10: a rolling restart of all nodes keeps five voters, and all that was written") {
  scripted_cluster x{5};
  std::uint64_t written = 0;
  for (const auto old : {x.b, x.c, x.d, x.e, x.a}) {
    CHECK(x.bump(x.run.leader()) == ++written);
    x.run.restart(old);
    x.rest();
    CHECK(x.voters(x.run.leader()).size() == 5);
  }
  for (const auto id : {x.a, x.b, x.c, x.d, x.e})
    CHECK_FALSE(x.run.runs(id));
  CHECK(x.count(x.run.leader()) == written);
}

TEST_CASE("M11: a leader leaves while a voter is out of sight, and parity takes nobody's vote") {
  scripted_cluster x{4};
  x.run.pause(x.c);
  x.run.leave(x.a);
  x.wait([&] { return !x.run.runs(x.a); });
  CHECK(x.run.counters().left == 1);
  const auto lead = x.wait_for_leader_besides({x.a});
  CHECK(x.voters(lead) == std::vector{x.b, x.c, x.d});
  x.bump(lead);
  x.run.resume(x.c);
  x.rest();
  CHECK(x.voters(lead) == std::vector{x.b, x.c, x.d});
}

TEST_CASE("M11: who leaves stays while those who are left would be no majority") {
  scripted_cluster x{3};
  x.run.pause(x.c);
  x.run.leave(x.a, 60s);
  x.wait([&] { return x.mark(x.b, x.a) == standing::leaving; });
  // b alone of b and c decides nothing: a is needed, and stays.
  x.run.run_for(5s);
  CHECK(x.run.runs(x.a));
  x.bump(x.b);
  x.run.resume(x.c);
  x.wait([&] { return !x.run.runs(x.a); });
  CHECK(x.run.counters().left == 1);
  x.rest();
  CHECK(x.voters(x.run.leader()) == std::vector{x.b, x.c});
}

TEST_CASE("M12: a member that is sent away does not come back under its id, a new start does") {
  for (const bool votes : {true, false}) {
    CAPTURE(votes);
    scripted_cluster x{5, at_most_voters(3)};
    const auto victim = votes ? x.b : x.e;
    x.run.give_order(x.a, mark_member{victim, standing::evicted});
    x.wait([&] { return x.place(victim).state == membership::failed; });
    x.wait([&] { return !x.voters(x.a).empty() && !x.mark(x.a, victim); });
    std::size_t asked = 0;
    x.watch<enter_request>(
        [&](member_id from, member_id, const enter_request&) { asked += from == victim ? 1 : 0; });
    const auto members = x.run.look(x.a).newest.index;
    x.run.run_for(2 * x.run.options().membership.leave_limit);
    CHECK(x.run.look(x.a).newest.index == members);
    CHECK(asked == 0);
    CHECK(x.run.leader() == x.a);
    const auto again = x.run.restart(victim);
    x.rest();
    CHECK(x.newest(x.a).members.back().id == again);
    CHECK(x.voters(x.a).size() == 3);
  }
}

TEST_CASE("M13: who votes is the same behind a snapshot, after a promotion and with new settings") {
  auto options = at_most_voters(3);
  options.core.snapshot_after_bytes = 512;
  options.core.retain_entries = 0;
  options.core.retain_bytes_max = 1;
  scripted_cluster x{4, options};
  x.run.crash(x.b);
  x.rest();
  REQUIRE(x.voters(x.a) == std::vector{x.a, x.c, x.d});
  auto rules = x.newest(x.a).rules;
  rules.session_expiry_ms += 1'000;
  x.run.give_order(x.d, set_rules{rules});
  x.wait([&] { return x.newest(x.a).rules == rules; });
  const auto promoted = x.run.look(x.a).newest.index;
  while (x.base(x.a) <= promoted || x.base(x.d) <= promoted)
    x.bump(x.a);
  x.e = x.run.enter("e");
  x.rest();
  CHECK(x.run.part<raft_core>(x.e).state().counts.installs >= 1);
  for (const auto id : x.run.nodes()) {
    CHECK(x.voters(id) == std::vector{x.a, x.c, x.d});
    CHECK(x.newest(id).rules == rules);
  }
  x.run.give_order(x.e, transfer_leadership{x.d});
  x.wait([&] { return x.run.leader() == x.d; });
  x.rest();
}

TEST_CASE("M18: a voter that comes and goes and loses half of all costs no change at all") {
  scripted_cluster x{4, at_most_voters(3)};
  const auto changes = x.history().size();
  const auto term = x.run.look(x.a).vote.term;
  std::uint64_t messages = 0;
  x.run.net().drop([&](member_id from, member_id to, const peer_message&) {
    if (from != x.c && to != x.c)
      return false;
    const bool down = x.run.now().time_since_epoch() / 1s % 2 == 1;
    return down || ++messages % 2 == 0;
  });
  for (int i = 0; i < 60; ++i) {
    x.bump(x.b);
    x.run.run_for(1s);
  }
  CHECK(messages > 1'000);
  CHECK(x.history().size() == changes);
  CHECK(x.leads(x.a));
  CHECK(x.run.look(x.a).vote.term == term);
  x.run.net().lift_all();
  x.rest();
}

} // namespace seat_scenarios_test
