// SPDX-License-Identifier: BSL-1.0

// What listeners must not do, and what must not be done to them, each told on whole nodes.

#include <doctest/doctest.h>

#include <testing/scripted_cluster.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace listener_scenarios_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;
using test_support::scripted_cluster;

namespace {

simulation_options at_most_voters(std::uint32_t max) {
  simulation_options options;
  options.rules.max_voters = max;
  return options;
}

/// Somebody at one node who writes and reads, and knows what must come back.
struct caller {
  void act(scripted_cluster& x) {
    if (!x.run.runs(at) || ledger.open() >= 8)
      return;
    const auto to_bump = ledger.asked_to_bump();
    x.run.submit(at, tally::bump{who}, [this, to_bump](const expected<reply>& r) {
      auto counted = r ? decode_reply<tally::bump>(r->body) : tl::unexpected<failure>{r.error()};
      note(ledger.bumped(to_bump, counted));
    });
    const auto to_count = ledger.asked_to_count();
    x.run.ask(at, tally::count{who}, consistency::linearizable,
              [this, to_count](const expected<reply>& r) {
                if (r)
                  note(ledger.counted(to_count, decode_reply<tally::count>(r->body).value_or(0)));
              });
  }

  void note(const std::optional<std::string>& wrong) { CHECK_MESSAGE(!wrong, wrong.value_or("")); }

  std::uint64_t who;
  member_id at;
  tally_ledger ledger = {};
};

} // namespace

TEST_CASE("M15: a write at a listener that was cut off is done as soon as it sees a leader again") {
  scripted_cluster x{4};
  x.let_pull(x.d);
  x.run.partition({{x.a, x.b, x.c}, {x.d}});
  const auto asked = x.run.submit(x.d, tally::bump{1});
  x.run.crash(x.a);
  x.wait_for_leader_besides({x.a});
  x.wait([&] { return x.run.look(x.d).campaigning; }); // it has given up the old leader
  CHECK_FALSE(x.run.answer(asked));
  x.run.heal();
  x.wait([&] { return x.run.answer(asked).has_value(); }, 3s);
  CHECK(x.run.result<tally::bump>(asked).value() == 1);
}

TEST_CASE("M15: a write at a listener that only the leader does not hear ends by its deadline") {
  simulation_options options;
  options.rules.evict_after_ms = 60'000; // or the leader would give up on it meanwhile
  scripted_cluster x{4, options};
  x.run.cut(x.a, x.d);
  const auto asked = x.run.submit(x.d, tally::bump{1});
  const auto limit = x.run.options().forwarder.calls.deadline_default;
  x.wait([&] { return x.run.answer(asked).has_value(); }, limit + 1s);
  CHECK_FALSE(*x.run.answer(asked));
  x.wait([&] { return x.commit(x.d) == x.commit(x.a); }, 1s); // others keep it up to date
  x.run.heal();
  x.bump(x.d, 2);
  CHECK(x.leads(x.a));
}

TEST_CASE("M16: listeners are no quorum, however many they are") {
  scripted_cluster x{6, at_most_voters(3)};
  const auto before = x.commit(x.a);
  x.run.partition({{x.a, x.d, x.e, x.f}, {x.b, x.c}});
  const auto asked = x.run.submit(x.a, tally::bump{1});
  const auto lead = x.wait_for_leader_besides({x.a});
  x.bump(lead, 2);
  x.wait([&] { return !x.leads(x.a); });
  CHECK(x.end(x.a) > before);
  CHECK(x.commit(x.a) == before);
  CHECK_FALSE(x.run.answer(asked));
  x.run.heal();
  x.wait([&] { return x.run.answer(asked).has_value(); }, 30s);
  x.rest();
  CHECK(x.run.result<tally::bump>(asked).value() == 1); // sent anew, to who leads now
  CHECK(x.count(x.a, 1) == 1);
}

TEST_CASE("M16: a listener that leads does not count itself, and is seated all the same") {
  scripted_cluster x{4, at_most_voters(3)};
  x.let_pull(x.d);
  const auto before = x.commit(x.d);
  const auto held = x.run.net().hold([&](member_id from, member_id, const peer_message& m) {
    return from == x.b && std::holds_alternative<append_reply>(m);
  });
  std::size_t answered = 0;
  x.watch<append_reply>([&](member_id from, member_id, const append_reply& m) {
    answered += from == x.c && m.accepted && m.match > before ? 1 : 0;
  });
  x.run.crash(x.a);
  x.wait([&] { return x.leads(x.d) && answered >= 3; });
  CHECK(x.end(x.d) > before);
  CHECK(x.commit(x.d) == before); // on c and d, and only c votes
  x.run.net().lift(held);
  x.run.release([](member_id, member_id, const peer_message&) { return true; });
  x.wait([&] { return x.voters(x.d) == std::vector{x.b, x.c, x.d}; });
  CHECK(x.leads(x.d));
  CHECK(x.run.rules().counters().listener_elections == 1);
}

TEST_CASE("M16: a leader that becomes a listener leads no more, and is not counted any more") {
  scripted_cluster x{4, at_most_voters(3)};
  x.run.give_order(x.c, pin_member{x.a, true});
  const auto lead = x.wait_for_leader_besides({x.a});
  x.wait([&] { return x.voters(lead) == std::vector{x.b, x.c, x.d}; });
  x.rest();
  std::vector<member_id> others{x.b, x.c, x.d};
  std::erase(others, lead);
  const auto before = x.commit(lead);
  x.run.partition({{lead, x.a}, others});
  x.run.submit(lead, tally::bump{1});
  const auto next = x.wait_for_leader_besides({lead});
  x.wait([&] { return !x.leads(lead); });
  CHECK(x.commit(lead) == before);
  CHECK(next != x.a);
  x.run.heal();
  x.wait([&] { return x.run.settled(); });
}

TEST_CASE("M17: a dead listener holds up no compaction, and is dropped in the end") {
  auto options = at_most_voters(3);
  options.core.snapshot_after_bytes = 512;
  options.core.retain_entries = 0;
  scripted_cluster x{4, options};
  x.run.pause(x.d);
  const auto had = x.end(x.d);
  const auto since = x.run.now();
  std::size_t most = 0;
  while (x.mark(x.a, x.d)) {
    x.bump(x.b);
    x.run.run_for(20ms);
    if (x.run.now() - since > 2s)
      most = std::max<std::size_t>(most, x.end(x.a) - x.base(x.a));
    REQUIRE(x.run.now() - since < 15s);
  }
  CHECK(x.base(x.a) > had);
  CHECK(most < 100);
  x.wait([&] { return x.voters(x.a) == std::vector{x.a, x.b, x.c}; }, 1s);
}

TEST_CASE("M19: a listener is sent nothing that its source, once leader, has not committed") {
  scripted_cluster x{4};
  x.run.partition({{x.a, x.d}, {x.b, x.c}});
  const auto before = x.commit(x.a);
  std::size_t answered = 0;
  x.watch<pull_reply>([&](member_id from, member_id to, const pull_reply& m) {
    answered += from == x.a && to == x.d && m.verdict == pull_verdict::entries ? 1 : 0;
  });
  for (int i = 0; i < 3; ++i)
    x.run.submit(x.a, tally::bump{1});
  x.wait([&] { return answered >= 2; });
  REQUIRE(x.end(x.a) > before);
  x.wait([&] { return !x.leads(x.a); });
  answered = 0;
  x.wait([&] { return answered >= 2; });
  CHECK(x.end(x.d) == before);
  const auto lead = x.wait_for_leader_besides({x.a});
  x.bump(lead, 2);
  REQUIRE(x.end(lead) > before);
  x.run.heal();
  x.wait([&] { return x.run.open_calls() == 0; }, 30s);
  x.rest();
  CHECK(x.run.rules().counters().truncations == 1); // of the old leader, and nobody else
  x.run.check_all();
}

TEST_CASE("M20: a listener whose source is cut off, from it or from the others, finds another") {
  for (const bool from_it : {true, false}) {
    CAPTURE(from_it);
    scripted_cluster x{4};
    const auto source = x.run.part<puller>(x.d).source();
    REQUIRE(source != x.a);
    if (from_it)
      x.run.cut(source, x.d);
    else
      x.run.partition({{source}, {x.a, source == x.b ? x.c : x.b}});
    x.bump(x.a);
    x.wait([&] { return x.run.machine(x.d).query(tally::count{1}) == 1; }, 2s);
    CHECK(x.run.part<puller>(x.d).source() != source);
  }
}

TEST_CASE("M20: listeners that see only each other do not feed each other, and find back") {
  scripted_cluster x{5, at_most_voters(3)};
  x.run.partition({{x.a, x.b, x.c}, {x.d, x.e}});
  std::set<member_id> refused;
  std::size_t fed = 0;
  x.watch<pull_reply>([&](member_id from, member_id to, const pull_reply& m) {
    if ((from != x.d && from != x.e) || (to != x.d && to != x.e))
      return;
    if (m.verdict == pull_verdict::refused)
      refused.insert(to);
    else
      ++fed;
  });
  x.bump(x.a);
  x.wait([&] { return refused == std::set{x.d, x.e}; });
  CHECK(fed == 0);
  x.run.heal();
  x.wait([&] { return x.end(x.d) == x.end(x.a) && x.end(x.e) == x.end(x.a); }, 3s);
  x.rest();
}

TEST_CASE(
    "M21: of two that enter in two terms, everybody has the same order, and no entry is lost") {
  scripted_cluster x{3};
  x.d = x.run.enter("d", {x.a});
  x.run.partition({{x.a, x.d}, {x.b, x.c}});
  x.wait([&] { return x.mark(x.a, x.d).has_value(); });
  REQUIRE(x.run.look(x.a).newest.index > x.commit(x.a));
  const auto lead = x.wait_for_leader_besides({x.a});
  x.e = x.run.enter("e", {x.b, x.c});
  x.run.partition({{x.a, x.d}, {x.b, x.c, x.e}});
  x.wait([&] { return x.place(x.e).state == membership::member; });
  CHECK(x.place(x.d).state == membership::entering);
  CHECK_FALSE(x.mark(lead, x.d));
  x.run.heal();
  x.rest();
  for (const auto id : x.run.nodes()) {
    std::vector<member_id> order;
    log_index before;
    for (const auto& m : x.newest(id).members) {
      order.push_back(m.id);
      CHECK(m.entered > before);
      before = m.entered;
    }
    CHECK(order == std::vector{x.a, x.b, x.c, x.e, x.d});
  }
}

TEST_CASE(
    "M22: two die at once, and only those who vote elect; the two next in line take the seats") {
  scripted_cluster x{7, at_most_voters(5)};
  std::set<member_id> granted_by;
  x.watch<vote_reply>([&](member_id from, member_id, const vote_reply& m) {
    if (m.round == round::vote && m.verdict == verdict::granted)
      granted_by.insert(from);
  });
  x.run.cut(x.f, x.g);
  x.run.crash(x.a);
  x.run.crash(x.b);
  x.wait_for_leader_besides({x.a, x.b});
  CHECK(granted_by == std::set{x.c, x.d, x.e});
  CHECK(x.run.rules().counters().elections == 2);
  x.run.heal();
  x.rest();
  CHECK(x.voters(x.run.leader()) == std::vector{x.c, x.d, x.e, x.f, x.g});
}

TEST_CASE("M22: with a majority dead nobody leads, and what is asked for is not done") {
  scripted_cluster x{5, at_most_voters(3)};
  x.bump(x.d);
  x.rest();
  x.let_pull(x.d);
  x.run.crash(x.a);
  x.run.crash(x.b);
  bool led = false;
  std::map<member_id, std::size_t> asked;
  x.watch<request_vote>([&](member_id from, member_id, const request_vote&) { ++asked[from]; });
  const auto write = x.run.submit(x.c, tally::bump{1});
  x.run.give_order(x.c, mark_member{x.a, standing::evicted});
  const auto done = [&] {
    led = led || x.run.leader();
    return asked[x.c] >= 40 && x.run.answer(write) && x.run.counters().orders_refused == 1;
  };
  x.wait(done, 60s);
  CHECK_FALSE(led);
  CHECK_FALSE(*x.run.answer(write));
  CHECK(asked[x.d] >= 1); // whose turn it is
  CHECK(asked[x.e] == 0);
  CHECK(x.run.machine(x.c).query(tally::count{1}) == 1);
}

TEST_CASE("M22: with a majority dead whoever asks is told that nobody leads") {
  scripted_cluster x{5, at_most_voters(3)};
  x.bump(x.d);
  x.rest();
  x.run.crash(x.a);
  x.run.crash(x.b);
  std::size_t asked = 0;
  x.watch<request_vote>([&](member_id, member_id, const request_vote&) { ++asked; });
  x.wait([&] { return asked >= 40; }); // by now everybody knows that the leader is lost
  const auto write = x.run.submit(x.c, tally::bump{1});
  x.wait([&] { return x.run.answer(write).has_value(); }, 30s);
  CHECK(x.run.answer(write)->error().code == errc::no_leader);
}

TEST_CASE(
    "M23: members come and go on both sides of a partition, and no acknowledged write is lost") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    scripted_cluster x{5, {}, seed};
    std::vector<caller> callers{{1, x.a}, {2, x.b}, {3, x.c}, {4, x.d}, {5, x.e}};
    const auto work = [&](interval time) {
      for (const auto end = x.run.now() + time; x.run.now() < end; x.run.run_for(5ms))
        for (auto& one : callers)
          one.act(x);
    };
    work(20ms);
    x.run.partition({{x.a, x.b}, {x.c, x.d, x.e}});
    x.run.give_order(x.a, mark_member{x.e, standing::evicted});
    x.run.give_order(x.c, mark_member{x.a, standing::evicted});
    x.f = x.run.enter("f", {x.c});
    x.run.partition({{x.a, x.b}, {x.c, x.d, x.e, x.f}});
    work(500ms);
    x.run.pause(x.e);
    work(1s);
    x.run.heal();
    work(100ms);
    x.run.resume(x.e);
    work(1s);
    x.wait([&] { return x.run.open_calls() == 0; }, 60s);
    CHECK(x.mark(x.run.leader(), x.e) == standing::present);
    x.run.crash(x.a);
    x.rest();
    x.run.check_all();
    for (const auto& one : callers)
      for (const auto id : x.run.nodes()) {
        const auto wrong
            = one.ledger.wrong_in_the_end(x.run.machine(id).query(tally::count{one.who}));
        CHECK_MESSAGE(!wrong, wrong.value_or(""));
        CHECK(one.ledger.acknowledged() > 0);
      }
  }
}

} // namespace listener_scenarios_test
