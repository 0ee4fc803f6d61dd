// SPDX-License-Identifier: BSL-1.0

// What must not go wrong while the voters change, each told on whole nodes.

#include <doctest/doctest.h>

#include <testing/scripted_cluster.hpp>

#include <chrono>
#include <cstddef>
#include <set>
#include <vector>

namespace voter_change_scenarios_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;
using test_support::carries_joint;
using test_support::scripted_cluster;

namespace {

/// Snapshots every few entries, and only the last `kept` ones kept behind them.
simulation_options compacting(std::size_t kept = 0) {
  simulation_options options;
  options.core.snapshot_after_bytes = 512;
  options.core.retain_entries = kept;
  options.core.retain_bytes_max = 1 + kept * 1'024;
  return options;
}

/// Three voters and two more that are to get a vote: `a` has begun the change, and no other voter
/// has heard of it when `a` and the two are cut off from the rest.
struct change_cut_off : scripted_cluster {
  explicit change_cut_off(simulation_options options = {}) : scripted_cluster{4, options} {
    e = run.enter("e");
    wait([this] { return is_joint(a); });
    run.partition({{a, d, e}, {b, c}});
    wait([this] { return is_joint(d) && is_joint(e); });
    REQUIRE_FALSE(is_joint(b));
    REQUIRE_FALSE(is_joint(c));
  }
};

} // namespace

TEST_CASE("M1: a new leader changes no voters before an entry of its own term is committed") {
  scripted_cluster x{3};
  // Followers answer heartbeats, but what a new leader appends does not reach them.
  const auto rule = x.drop<append_entries>([&](member_id from, member_id, const append_entries& m) {
    return from != x.a && !m.entries.empty();
  });
  x.run.crash(x.a);
  const auto lead = x.wait_for_leader_besides({x.a});
  const auto before = x.run.look(lead).newest.index;
  const auto ask = [&] {
    x.run.tell(lead, change_voters{.base = x.run.look(lead).newest.index,
                                   .voters = {x.b, x.c},
                                   .id = ticket{1}});
  };
  std::size_t answered = 0;
  x.watch<append_reply>(
      [&](member_id, member_id to, const append_reply&) { answered += to == lead ? 1 : 0; });
  x.wait([&] { return answered >= 3; });
  REQUIRE(x.run.look(lead).committed.index == before);
  ask();
  CHECK(x.run.look(lead).newest.index == before);

  x.run.net().lift(rule);
  x.wait(
      [&] { return x.run.look(lead).log.at(x.commit(lead)).term == x.run.look(lead).vote.term; });
  x.wait([&] { return !x.voters(lead).empty() && x.mark(lead, x.a) == standing::evicted; });
  ask();
  CHECK(x.is_joint(lead));
}

TEST_CASE("M1: of two leaders with different changes of the voters only one finds a quorum") {
  change_cut_off x;
  const auto lead = x.wait_for_leader_besides({x.a});
  x.bump(lead);
  x.run.give_order(lead, mark_member{x.a, standing::evicted});
  x.wait([&] { return !x.voters(lead).empty() && x.mark(lead, x.a) == standing::evicted; });
  x.run.tell(
      lead,
      change_voters{.base = x.run.look(lead).newest.index, .voters = {x.b, x.c}, .id = ticket{1}});
  x.wait([&] { return x.voters(lead) == std::vector{x.b, x.c}; });

  // Those with the other change ask for votes, again and again.
  x.wait([&] { return !x.leads(x.a); });
  std::size_t asked = 0;
  bool led = false;
  x.watch<request_vote>([&](member_id from, member_id, const request_vote&) {
    asked += from == x.a || from == x.d || from == x.e ? 1 : 0;
  });
  x.wait([&] {
    led = led || x.leads(x.a) || x.leads(x.d) || x.leads(x.e);
    return asked >= 40;
  });
  CHECK_FALSE(led);
  CHECK(x.run.leader() == lead);

  x.run.heal();
  x.wait([&] { return x.voters(lead) == std::vector{x.b, x.c, x.d}; });
  x.run.crash(x.a);
  x.rest();
  CHECK(x.count(x.e) == 1);
}

TEST_CASE("M2: new voters count as soon as the log shows them, however late it is applied") {
  simulation_options options;
  options.pace.mailboxes.resize(3);
  options.pace.mailboxes[static_cast<std::size_t>(place_of::replica)]
      = {.slow = 1, .delay_max = 2s};
  scripted_cluster x{4, options};
  x.e = x.run.enter("e");
  const std::vector left{x.b, x.d, x.e};
  x.wait([&] {
    return std::ranges::all_of(left, [&](member_id id) { return x.voters(id).size() == 5; });
  });
  const auto change = x.run.look(x.a).newest.index;
  x.run.crash(x.a);
  x.run.crash(x.c);
  // Of the old three voters only one is left: the two new ones must count.
  const auto lead = x.wait_for_leader_besides({x.a, x.c});
  CHECK(x.run.look(lead).applied < change);
  x.rest();
}

TEST_CASE("M2: a second change of the voters waits until the first one is made") {
  scripted_cluster x{4};
  x.e = x.run.enter("e");
  x.wait([&] { return x.is_joint(x.a); });
  const auto first = x.run.look(x.a).newest.index;
  const auto held = x.run.net().hold([](member_id, member_id, const peer_message& m) {
    return std::holds_alternative<append_reply>(m);
  });
  x.run.tell(x.a, change_voters{first, {x.a, x.b, x.d}, ticket{1}});
  x.run.give_order(x.a, mark_member{x.c, standing::evicted});
  x.wait([&] { return x.mark(x.a, x.c) == standing::evicted; }, 100ms);
  x.run.tell(x.a, change_voters{x.run.look(x.a).newest.index, {x.a, x.b, x.d}, ticket{2}});
  // The roster may change meanwhile; who votes may not.
  CHECK(x.run.look(x.a).newest.index == first.next());
  CHECK(x.newest(x.a).voters == std::vector{x.a, x.b, x.c, x.d, x.e});
  CHECK(x.newest(x.a).outgoing == std::vector{x.a, x.b, x.c});
  x.run.net().lift(held);
  x.run.release([](member_id, member_id, const peer_message&) { return true; });
  x.wait([&] { return x.voters(x.a) == std::vector{x.a, x.b, x.d, x.e}; });
  CHECK(x.run.leader() == x.a);
}

TEST_CASE("M3: with a voter down, newcomers that vanish while they get a vote cost no quorum") {
  scripted_cluster x{4};
  x.run.pause(x.c);
  x.e = x.run.enter("e");
  x.wait([&] { return x.is_joint(x.a); });
  x.run.partition({{x.a, x.b, x.c}, {x.d, x.e}});
  // Of the five to be only two answer: the change is taken back, and the old three decide.
  x.bump(x.a);
  x.wait([&] { return x.voters(x.a) == std::vector{x.a, x.b, x.c}; }, 1s);
  CHECK(x.run.leader() == x.a);
  x.run.heal();
  x.run.resume(x.c);
  x.rest();
  CHECK(x.voters(x.a).size() == 5);
}

TEST_CASE("M4: a listener that lags gets the seat of a lost voter only when it has caught up") {
  constexpr std::size_t gap = 16;
  simulation_options options;
  options.rules.max_voters = 3;
  options.rules.evict_after_ms = 2'000;
  options.core.append_entries_max = 1;
  options.core.window_entries = 1;
  options.core.catch_up_gap = gap;
  options.links.delay_min = options.links.delay_max = 5ms;
  scripted_cluster x{4, options};
  const auto rule = x.drop<pull_request>(
      [&](member_id from, member_id, const pull_request&) { return from == x.d; });
  x.bump_often(x.a, 600);
  const auto lag = [&] { return x.end(x.a) - x.end(x.d); };
  REQUIRE(lag() >= 500);
  x.run.pause(x.c);
  x.run.run_for(std::chrono::milliseconds{options.rules.evict_after_ms} + 500ms);
  CHECK(lag() > 10 * gap);
  CHECK(x.mark(x.a, x.c) == standing::present);
  x.wait([&] { return x.mark(x.a, x.c) == standing::evicted; });
  CHECK(lag() <= gap + 1);
  x.run.net().lift(rule);
  x.wait([&] { return x.voters(x.a) == std::vector{x.a, x.b, x.d}; });
}

TEST_CASE("M5: a listener that the leader can not reach gets no seat, though it asks and pulls") {
  simulation_options options;
  options.rules.max_voters = 3;
  options.membership.catch_up_limit = 2s;
  scripted_cluster x{5, options};
  std::size_t asked = 0;
  x.watch<seat_request>(
      [&](member_id from, member_id, const seat_request&) { asked += from == x.d ? 1 : 0; });
  const auto wrong_address
      = x.drop<append_entries>([&](member_id from, member_id to, const append_entries&) {
          return from == x.a && to == x.d;
        });
  x.run.crash(x.c);
  x.wait([&] { return asked >= 10 && x.end(x.d) == x.end(x.a); });
  CHECK(x.voters(x.a) == std::vector{x.a, x.b, x.c});
  // It is passed over in the end, so that it does not hold up the seat.
  x.wait([&] { return x.voters(x.a) == std::vector{x.a, x.b, x.e}; });
  x.run.net().lift(wrong_address);
  x.rest();
  CHECK_FALSE(x.ever_voted(x.d));
}

TEST_CASE("M9: a configuration is taken back although the one before it is compacted") {
  scripted_cluster x{3, compacting(4)};
  while (x.base(x.a) <= x.run.look(x.a).newest.index)
    x.bump(x.a);
  x.run.partition({{x.a}, {x.b, x.c}});
  // Not as an order, which would be given to the next leader again.
  x.run.tell(x.a, change_roster{pin_member{x.c, true}, ticket{1}});
  x.wait([&] { return x.run.look(x.a).newest.index > x.commit(x.a); }, 100ms);
  const auto lost = x.run.look(x.a).newest.index;
  REQUIRE(testing::detail::look_up(x.newest(x.a), x.c)->pinned);
  x.wait_for_leader_besides({x.a});
  const auto before = x.run.rules().counters().truncations;
  x.run.heal();
  x.rest();
  CHECK(x.run.rules().counters().truncations == before + 1);
  CHECK(x.run.look(x.a).newest.index < lost);
  CHECK(x.newest(x.a) == x.newest(x.b));
  CHECK_FALSE(testing::detail::look_up(x.newest(x.a), x.c)->pinned);
}

TEST_CASE("M14: a snapshot puts an uncommitted configuration out of force") {
  change_cut_off x{compacting()};
  const auto change = x.run.look(x.d).newest.index;
  const auto lead = x.wait_for_leader_besides({x.a});
  while (x.base(lead) <= change)
    x.bump(lead);
  const auto installs = x.run.part<raft_core>(x.d).state().counts.installs;
  // Back among the others, it is no voter, although its log said so before.
  x.run.partition({{x.b, x.c, x.d}, {x.a, x.e}});
  x.wait([&] { return x.run.part<raft_core>(x.d).state().counts.installs > installs; });
  CHECK(x.newest(x.d).voters == std::vector{x.a, x.b, x.c});
  CHECK_FALSE(x.is_joint(x.d));
  x.run.heal();
  x.rest();
  CHECK(x.newest(x.d).voters.size() == 5);
}

TEST_CASE("M24: a seat that only the dead leader knew of is none") {
  simulation_options options;
  options.rules.max_voters = 3;
  scripted_cluster x{5, options};
  // The joint configuration that gives d the seat of c stays with the leader.
  x.drop<append_entries>(
      [](member_id, member_id, const append_entries& m) { return carries_joint(m); });
  x.run.crash(x.c);
  x.wait([&] { return x.is_joint(x.a); });
  REQUIRE(x.newest(x.a).voters == std::vector{x.a, x.b, x.d});
  x.run.crash(x.a);
  // With that seat, b and d were two of three. Without it b is one of three, and nobody leads.
  std::set<member_id> asked_by_d;
  std::size_t asked_by_b = 0;
  bool led = false;
  x.watch<request_vote>([&](member_id from, member_id to, const request_vote&) {
    if (from == x.d)
      asked_by_d.insert(to);
    else
      ++asked_by_b;
  });
  x.wait([&] {
    led = led || x.run.leader();
    return asked_by_b >= 20;
  });
  CHECK_FALSE(led);
  CHECK(asked_by_d == std::set{x.a, x.b, x.c});
}

TEST_CASE("M24: a listener that is told to stand, and whose turn it is not, does nothing") {
  simulation_options options;
  options.rules.max_voters = 3;
  scripted_cluster x{5, options};
  std::size_t stood = 0;
  x.watch<request_vote>(
      [&](member_id from, member_id, const request_vote&) { stood += from == x.e ? 1 : 0; });
  const auto term = x.run.look(x.a).vote.term;
  std::size_t arrived = 0;
  x.watch<timeout_now>(
      [&](member_id, member_id to, const timeout_now&) { arrived += to == x.e ? 1 : 0; });
  x.run.give_order(x.a, transfer_leadership{x.e});
  x.run.forge(x.a, x.e, timeout_now{term});
  x.bump(x.b);
  CHECK(arrived == 1); // the forged one: the leader itself sends none
  CHECK(x.run.look(x.e).vote.term == term);
  x.run.forge(x.a, x.e, timeout_now{term});
  x.run.crash(x.a);
  x.rest();
  CHECK(stood == 0);
  CHECK_FALSE(x.ever_voted(x.e));
}

} // namespace voter_change_scenarios_test
