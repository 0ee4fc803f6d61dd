// SPDX-License-Identifier: BSL-1.0

// A user's own machine on the simulator, as the documentation shows it.

#include <understudy/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace simulation_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;

namespace {

struct inventory {
  struct restock {
    using reply = int;
    std::string sku;
    int by = 0;
    template <class Archive> void serialize(Archive& archive) { archive(sku, by); }
  };
  struct in_stock {
    using reply = int;
    std::string sku;
    template <class Archive> void serialize(Archive& archive) { archive(sku); }
  };
  using commands = understudy::commands<restock>;
  using queries = understudy::queries<in_stock>;

  int apply(const restock& c) {
    // What a machine must never do, to show that it is found: look at something of its own node.
    if (c.sku == "odd")
      return stock[c.sku] += static_cast<int>(reinterpret_cast<std::uintptr_t>(this) >> 4 & 0xffff);
    return stock[c.sku] += c.by;
  }
  int query(const in_stock& q) const { return stock.contains(q.sku) ? stock.at(q.sku) : 0; }

  std::map<std::string, int> stock;
  template <class Archive> void serialize(Archive& archive) { archive(stock); }
};

/// Three voters, settled.
struct bench {
  explicit bench(simulation_options options = {}, std::uint64_t seed = 5) : run{options, seed} {
    a = run.found("a");
    REQUIRE(run.run_until([&] { return run.leader() == a; }, 5s));
    b = run.enter("b");
    c = run.enter("c");
    REQUIRE(run.run_until([&] { return voters() == 3 && run.settled(); }, 10s));
  }

  std::size_t voters() {
    const auto leader = run.leader();
    if (!leader)
      return 0;
    const auto newest = run.look(leader).newest;
    return newest.content->joint() ? 0 : newest.content->voters.size();
  }

  simulation<inventory> run;
  member_id a;
  member_id b;
  member_id c;
};

} // namespace

TEST_CASE("nodes enter, take requests and answer them, and hold the same in the end") {
  bench x;
  const auto sold = x.run.submit(x.b, inventory::restock{"apple", 3});
  REQUIRE(x.run.run_until([&] { return x.run.answer(sold).has_value(); }, 5s));
  CHECK(x.run.result<inventory::restock>(sold).value() == 3);
  const auto left = x.run.ask(x.c, inventory::in_stock{"apple"});
  REQUIRE(x.run.run_until([&] { return x.run.answer(left).has_value(); }, 5s));
  CHECK(x.run.result<inventory::in_stock>(left).value() == 3);
  REQUIRE(x.run.run_until([&] { return x.run.settled(); }, 5s));
  x.run.check_all();
  for (const auto id : x.run.nodes())
    CHECK(x.run.machine(id).stock.at("apple") == 3);
}

TEST_CASE("a client outside the cluster goes on when the leader crashes") {
  bench x;
  const auto caller = x.run.add_client("caller");
  const auto first = x.run.submit(caller, inventory::restock{"pear", 1});
  REQUIRE(x.run.run_until([&] { return x.run.answer(first).has_value(); }, 5s));
  x.run.crash(x.run.leader());
  const auto second = x.run.submit(caller, inventory::restock{"pear", 1});
  REQUIRE(x.run.run_until([&] { return x.run.answer(second).has_value(); }, 10s));
  CHECK(x.run.result<inventory::restock>(second).value() == 2);
  CHECK(x.run.leader());
  CHECK(x.run.counters().crashes == 1);
}

TEST_CASE("a caller at a node that crashes is told that nobody knows") {
  bench x;
  x.run.partition({{x.b}, {x.a, x.c}});
  const auto lost = x.run.submit(x.b, inventory::restock{"plum", 1});
  x.run.run_for(10ms);
  x.run.crash(x.b);
  REQUIRE(x.run.answer(lost));
  CHECK(x.run.answer(lost)->error().code == errc::outcome_unknown);
}

TEST_CASE("a node that starts again is another incarnation at the end of the roster") {
  bench x;
  const auto again = x.run.restart(x.c);
  CHECK(again != x.c);
  CHECK(x.run.name_of(again) == "c.2");
  REQUIRE(x.run.run_until(
      [&] {
        const auto newest = x.run.look(again).newest.content;
        return newest && newest->members.back().id == again;
      },
      10s));
}

TEST_CASE("a minority that is cut off elects nobody, and finds the others again") {
  bench x;
  const auto old = x.run.leader();
  std::vector<member_id> others;
  for (const auto id : x.run.nodes())
    if (id != old)
      others.push_back(id);
  x.run.partition({{old}, others});
  REQUIRE(x.run.run_until([&] { return x.run.leader() && x.run.leader() != old; }, 10s));
  const auto next = x.run.leader();
  x.run.run_for(3s);
  CHECK_FALSE(x.run.look(old).leads);
  x.run.heal();
  REQUIRE(x.run.run_until([&] { return x.run.settled(); }, 10s));
  CHECK(x.run.leader() == next);
}

TEST_CASE("a node that stands still for a while is overtaken, and catches up") {
  bench x;
  const auto old = x.run.leader();
  x.run.pause(old);
  CHECK(x.run.status().front().front() == 'z');
  REQUIRE(x.run.run_until([&] { return x.run.leader() != old; }, 10s));
  x.run.resume(old);
  CHECK(x.run.run_until([&] { return x.run.settled(); }, 10s));
}

TEST_CASE("a part of a node may hang, and goes on where it was") {
  bench x;
  const auto follower = x.run.leader() == x.b ? x.c : x.b;
  x.run.stall(follower, place_of::replica, 1s);
  const auto sold = x.run.submit(x.run.leader(), inventory::restock{"fig", 1});
  REQUIRE(x.run.run_until([&] { return x.run.answer(sold).has_value(); }, 500ms));
  x.run.run_for(500ms);
  CHECK(x.run.machine(follower).stock.empty());
  REQUIRE(x.run.run_until([&] { return x.run.settled(); }, 1s));
  CHECK(x.run.machine(follower).stock.at("fig") == 1);
}

TEST_CASE("a node whose clock is far ahead makes the others vote, and no more") {
  bench x;
  const auto old = x.run.look(x.run.leader()).vote.term;
  const auto follower = x.run.leader() == x.b ? x.c : x.b;
  x.run.jump_clock(follower, 1h);
  x.run.set_clock(follower, 2'000);
  x.run.run_for(2s);
  x.run.reset_clock(follower);
  REQUIRE(x.run.run_until([&] { return x.run.settled(); }, 10s));
  CHECK(x.run.look(x.run.leader()).vote.term <= old.next());
}

TEST_CASE("no two nodes need have the same machine: what differs is found") {
  simulation<inventory> run{{.digest_every = 1}, 5};
  int started = 0;
  run.prepare = [&](member_id, inventory& machine) { machine.stock["seen"] = ++started; };
  const auto a = run.found("a");
  run.run_for(1s);
  CHECK(run.machine(a).stock.at("seen") == 1);
  std::string rule;
  try {
    run.enter("b");
    run.run_for(2s);
    run.check_all();
  } catch (const run_failed& failed) {
    rule = failed.rule();
  }
  CHECK(rule == "I4");
}

TEST_CASE("messages can be held and let go by what they are") {
  bench x;
  const auto rule = x.run.net().hold([](member_id, member_id, const peer_message& m) {
    return std::holds_alternative<append_reply>(m);
  });
  const auto sold = x.run.submit(x.run.leader(), inventory::restock{"fig", 1});
  x.run.run_for(100ms);
  CHECK_FALSE(x.run.answer(sold));
  x.run.net().lift(rule);
  x.run.release([](member_id, member_id, const peer_message&) { return true; });
  CHECK(x.run.run_until([&] { return x.run.answer(sold).has_value(); }, 5s));
}

TEST_CASE("the same seed gives the same run, another one another") {
  const auto hash = [](std::uint64_t seed) {
    bench x{{.links = {.drop = 0.05, .duplicate = 0.05}}, seed};
    x.run.submit(x.b, inventory::restock{"kiwi", 1});
    x.run.crash(x.c);
    x.run.run_for(3s);
    return x.run.trace().hash();
  };
  CHECK(hash(1) == hash(1));
  CHECK(hash(1) != hash(2));
}

TEST_CASE(
    "a machine that is not the same everywhere is found, and the report says how to repeat it") {
  bench x{{.digest_every = 1}, 99};
  std::string report;
  std::string rule;
  try {
    x.run.submit(x.a, inventory::restock{"odd", 1});
    x.run.run_for(2s);
  } catch (const run_failed& failed) {
    report = failed.what();
    rule = failed.rule();
  }
  CHECK(rule == "I4");
  CHECK(report.find("seed 99") == 0);
  CHECK(report.find("last events:") != std::string::npos);
  CHECK(report.find("append_entries") != std::string::npos);
  CHECK(report.find("nodes:") != std::string::npos);
}

TEST_CASE("a status row shows role, term, log and who votes") {
  bench x;
  const auto rows = x.run.status();
  REQUIRE(rows.size() == 3);
  CHECK(rows.front().starts_with("/ a      t1"));
  CHECK(rows.front().ends_with("a,b,c"));
  CHECK(rows.back().starts_with("\\ c"));
  x.run.crash(x.c);
  CHECK(x.run.status().back() == "x c");
}

TEST_CASE("with a store that takes its time nothing is confirmed early") {
  simulation_options options;
  options.core.volatile_log = false;
  options.pace.mailboxes.resize(2);
  options.pace.mailboxes[1] = {.slow = 1, .delay_max = 30ms};
  bench x{options};
  const auto sold = x.run.submit(x.c, inventory::restock{"lime", 2});
  REQUIRE(x.run.run_until([&] { return x.run.answer(sold).has_value(); }, 5s));
  CHECK(x.run.result<inventory::restock>(sold).value() == 2);
}

TEST_CASE(
    "D6: when the power fails everywhere, durable nodes come back with all that was answered") {
  bench x{{.durable = 1}};
  const auto sold = x.run.submit(x.c, inventory::restock{"lime", 2});
  REQUIRE(x.run.run_until([&] { return x.run.answer(sold).has_value(); }, 5s));
  for (const auto id : {x.a, x.b, x.c})
    x.run.crash(id);
  CHECK(x.run.nodes().empty());
  CHECK(x.run.sleepers().size() == 3);
  x.run.run_for(5s);
  for (const auto id : {x.a, x.b, x.c})
    CHECK(x.run.restart(id) == id);
  REQUIRE(x.run.run_until([&] { return x.voters() == 3 && x.run.settled(); }, 10s));
  CHECK(x.run.machine(x.b).stock.at("lime") == 2);
  CHECK(x.run.name_of(x.a) == "a");
  CHECK(x.run.status().size() == 3); // one row for each, whatever its earlier lives
  CHECK(x.run.counters().returns == 3);
  const auto again = x.run.submit(x.c, inventory::restock{"lime", 3}); // in a session of this life
  REQUIRE(x.run.run_until([&] { return x.run.answer(again).has_value(); }, 5s));
  CHECK(x.run.result<inventory::restock>(again).value() == 5);
  x.run.check_all();
}

TEST_CASE("B4: a durable node whose disk is lost comes back as a new incarnation") {
  bench x{{.durable = 1}};
  CHECK(x.run.keeps_log(x.b));
  x.run.crash(x.b);
  x.run.wipe(x.b);
  CHECK_FALSE(x.run.sleeps(x.b));
  const auto next = x.run.restart(x.b);
  CHECK(next != x.b);
  CHECK(x.run.name_of(next) == "b.2");
  CHECK(x.run.run_until([&] { return x.run.settled(); }, 10s));
}

} // namespace simulation_test
