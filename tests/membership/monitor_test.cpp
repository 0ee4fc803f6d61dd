// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/monitor.hpp>
#include <understudy/roster/seats.hpp>

#include <doctest/doctest.h>

#include "bench.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace monitor_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::bench;
using membership_test::ids;

static_assert(component<monitor>);

namespace {

/// Every configuration that ever stood in the log keeps to the settings, and grew at its end only.
void check_log(const bench& b, const membership_test::toy_log& log) {
  for (std::size_t i = 0; i < log.entries.size(); ++i) {
    const auto& now = *log.entries[i].content;
    REQUIRE(complaints(now).empty());
    REQUIRE(now.voters.size() <= now.rules.max_voters);
    REQUIRE(now.outgoing.size() <= now.rules.max_voters);
    if (i == 0)
      continue;
    const auto& before = log.entries[i - 1].content->members;
    REQUIRE(before.size() <= now.members.size());
    REQUIRE(std::ranges::equal(before, std::span{now.members}.first(before.size())));
  }
  CHECK(b.clusters() == 1);
}

/// The voters are exactly those with the claim.
void check_seats(const configuration& now) {
  const auto seating = seats(now);
  REQUIRE(now.voters.size() == seating.seats);
  for (auto id : now.voters)
    REQUIRE(seating.claim_of(id) == claim::voter);
}

} // namespace

TEST_CASE("S8 S9 S10: from one node to nine, the roles are what count and threshold call for") {
  for (std::uint32_t t = 1; t <= 7; ++t) {
    bench b{t};
    b.delay_max = 3ms;
    b.start(bench::founder(1, t));
    for (std::uint64_t n = 1; n <= 9; ++n) {
      if (n > 1)
        b.start(bench::options(n, {1 + n / 3}));
      b.run(2s);
      CAPTURE(t);
      CAPTURE(n);
      REQUIRE(b.content().members.size() == n);
      REQUIRE(b.state(n) == membership::member);
      check_seats(b.content());
    }
    check_log(b, b.log());
  }
}

TEST_CASE("once all have their place, nobody says a word more, but that it is alive") {
  bench b;
  b.start(bench::founder(1, 3));
  for (std::uint64_t id = 2; id <= 6; ++id)
    b.start(bench::options(id, {1}));
  b.run(5s);
  const auto letters = b.sent.size();
  const auto entries = b.log().entries.size();
  b.run(1min);
  CHECK(std::all_of(b.sent.begin() + static_cast<std::ptrdiff_t>(letters), b.sent.end(),
                    [](const letter& l) { return std::holds_alternative<presence>(l.what); }));
  CHECK(b.log().entries.size() == entries);
}

TEST_CASE("B11: seven join at once through loss, delay and a change of leader; T is kept") {
  const auto from = membership_test::first_seed();
  for (auto seed = from; seed < from + membership_test::cases(300); ++seed) {
    CAPTURE(seed);
    random_source random{seed};
    bench b{seed};
    b.delay_max = 30ms;
    b.loses = [&](const letter&) { return random.below(5) == 0; };
    b.start(bench::founder(1, 3));
    b.run(0ms);
    for (std::uint64_t id = 2; id <= 8; ++id)
      b.start(bench::options(id, {1 + random.below(id - 1)}));
    for (int i = 0; i < 20; ++i) {
      b.run(random.between(interval{0}, 100ms));
      b.commits = random.below(3) != 0;
      const auto now = b.content();
      const auto next = now.voters[random.below(now.voters.size())];
      if (random.below(4) == 0 && b.state(next.value) == membership::member)
        b.lead(next.value);
      if (b.commits)
        b.commit();
    }
    b.commits = true;
    b.commit();
    b.loses = {};
    b.run(15s);
    REQUIRE(b.content().members.size() == 8);
    check_log(b, b.log());
    check_seats(b.content());
    std::set<member_id> all;
    for (const auto& m : b.content().members)
      all.insert(m.id);
    REQUIRE(all.size() == 8);
    for (std::uint64_t id = 1; id <= 8; ++id)
      REQUIRE(b.state(id) == membership::member);
  }
}

TEST_CASE("every member answers a census: the count, the leader and where it is reached") {
  bench b;
  b.start(bench::founder(1));
  b.start(bench::options(2, {1}));
  b.start(bench::options(3, {1}));
  b.run(1s);
  b.change(mark_member{{3}, standing::leaving});
  for (std::uint64_t id : {1u, 2u}) {
    b.tell(9, id, census_request{});
    const auto* reply = std::get_if<census_reply>(&b.sent.back().what);
    REQUIRE(reply != nullptr);
    CHECK(b.sent.back().to == member_id{9});
    CHECK(reply->cluster == b.content().cluster);
    CHECK(reply->members == 2); // one is on its way out
    CHECK(reply->leader == member_id{1});
    CHECK(reply->leader_address == "host1");
    CHECK_FALSE(reply->founding);
  }
}

TEST_CASE("a node without a cluster says so, and whether it was told to found") {
  bench b;
  b.start(bench::options(1, {9}));
  b.run(0ms);
  b.tell(9, 1, census_request{});
  CHECK_FALSE(std::get<census_reply>(b.sent.back().what).cluster);
  CHECK_FALSE(std::get<census_reply>(b.sent.back().what).founding);
  auto o = bench::founder(2);
  o.contacts = ids({9});
  b.start(o);
  b.run(0ms);
  b.tell(9, 2, census_request{});
  CHECK_FALSE(std::get<census_reply>(b.sent.back().what).cluster);
  CHECK(std::get<census_reply>(b.sent.back().what).founding);
}

TEST_CASE("a node that hears itself through a seed does not answer itself") {
  bench b;
  b.start(bench::options(1, {1, 9}));
  b.run(10s);
  CHECK(b.count_sent<census_reply>(1) == 0);
  b.tell(1, 1, census_request{});
  CHECK(b.count_sent<census_reply>(1) == 0);
}

TEST_CASE("a node that failed stays as it is, whatever it is told later") {
  bench b;
  b.start(bench::founder(1));
  b.run(0ms);
  auto o = bench::founder(2);
  o.contacts = ids({1});
  b.start(o);
  b.run(1s);
  REQUIRE(b.state(2) == membership::failed);
  const auto letters = b.count_sent<census_request>(2);
  b.tell(1, 2, census_reply{.cluster = {5}, .leader = {1}});
  b.tell(1, 2, enter_reply{.roster = b.log().newest()});
  b.run(1h);
  CHECK(b.state(2) == membership::failed);
  CHECK(b.count_sent<census_request>(2) == letters);
  CHECK(b.count_sent<enter_request>(2) == 0);
  CHECK(b.clusters() == 1);
}

TEST_CASE("one seed gives one run") {
  const auto transcript = [] {
    bench b{5};
    b.delay_max = 10ms;
    b.start(bench::founder(1));
    for (std::uint64_t id = 2; id <= 6; ++id)
      b.start(bench::options(id, {1, 2}));
    b.run(3s);
    std::ostringstream text;
    for (const auto& l : b.sent)
      text << l.to << ':' << l.what.index() << ' ';
    return text.str() + std::to_string(b.content().cluster.value);
  };
  CHECK(transcript() == transcript());
}

TEST_CASE("options that make no sense are a mistake of whoever starts the node") {
  CHECK_THROWS_AS((monitor{monitor_options{}, random_source{1}}), invariant_broken);
}

TEST_CASE("a node that is evicted says so once, and stays as it is until it is started anew") {
  bench b;
  b.start(bench::founder(1, 3));
  b.run(0ms);
  for (std::uint64_t id = 2; id <= 4; ++id)
    b.start(bench::options(id, {1}));
  b.run(1s);
  b.change(mark_member{{4}, standing::evicted});
  b.run(1min);
  CHECK(b.state(4) == membership::failed);
  CHECK(b.obstacle(4).code == errc::removed);
  CHECK(b.events(4, node_event::kind::evicted, errc::removed) == 1);
  CHECK(find(b.content(), {4}) == nullptr);
}

TEST_CASE("a node that was dropped without a mark that it saw has been evicted too") {
  bench b;
  b.start(bench::founder(1, 3));
  b.run(0ms);
  b.start(bench::options(2, {1}));
  b.run(1s);
  b.blind = {{2}};
  b.change(mark_member{{2}, standing::evicted});
  b.run(1s);
  REQUIRE(find(b.content(), {2}) == nullptr);
  CHECK(b.state(2) == membership::member);
  b.blind.clear();
  b.show_all();
  CHECK(b.state(2) == membership::failed);
  CHECK(b.obstacle(2).detail == "this node was dropped");
  CHECK(b.events(2, node_event::kind::evicted, errc::removed) == 1);
}

TEST_CASE("a newcomer that was sent away before it saw itself in the roster has been evicted too") {
  for (const bool leaves : {false, true}) {
    bench b;
    b.start(bench::founder(1, 3));
    b.run(0ms);
    b.blind = {{2}};
    b.start(bench::options(2, {1}));
    b.run(1s);
    REQUIRE(find(b.content(), {2}) != nullptr);
    b.change(mark_member{{2}, standing::evicted});
    b.run(1s);
    REQUIRE(find(b.content(), {2}) == nullptr);
    CHECK(b.state(2) == membership::entering);
    if (leaves)
      b.ask(2, leave_cluster{});
    b.blind.clear();
    b.show_all();
    CHECK(b.state(2) == (leaves ? membership::entering : membership::failed));
    CHECK(b.events(2, node_event::kind::evicted, errc::removed) == (leaves ? 0 : 1));
    CHECK(b.node(2).ends.size() == (leaves ? 1 : 0));
  }
}

TEST_CASE("B5: a roster from before its own entry tells a newcomer nothing of itself") {
  monitor m{bench::options(2, {1}), random_source{1}};
  const auto now = bench{}.now();
  const auto shows = [](std::uint64_t index, std::uint64_t members) {
    return placed_configuration{
        {index}, std::make_shared<const configuration>(membership_test::group(members, {1}))};
  };
  outbox out;
  enter_reply yes{.roster = shows(5, 2), .leader = {1}};
  m.on({1}, yes, now, out);
  for (std::uint64_t index : {1u, 4u, 5u}) {
    core_view view{.term = {1}, .leader = {1}};
    view.committed = view.newest = shows(index, index < 5 ? 1 : 2);
    m.on(view, now, out);
    m.settle(now, out);
    CHECK(m.status().state == (index < 5 ? membership::entering : membership::member));
  }
  CHECK(std::ranges::none_of(out.notices, [](const sibling_message& n) {
    const auto* e = std::get_if<node_event>(&n);
    return e && e->what == node_event::kind::evicted;
  }));
}

TEST_CASE("an evicted node that still votes, and is elected, does what a leader has to do") {
  bench b;
  b.start(bench::founder(1));
  b.run(0ms);
  for (std::uint64_t id = 2; id <= 3; ++id)
    b.start(bench::options(id, {1}));
  b.run(1s);
  b.change(mark_member{{3}, standing::evicted}); // kept by the floor
  REQUIRE(b.content().voters == ids({1, 2, 3}));
  b.transfers = false;
  b.lead(3);
  CHECK(b.state(3) == membership::failed);
  b.start(bench::options(4, {3}));
  b.run(1s);
  CHECK(b.state(4) == membership::member);
  CHECK(b.content().voters == ids({1, 2, 4}));
}

TEST_CASE("what the driver is told of leaving stands in the status") {
  bench b;
  b.start(bench::founder(1));
  b.run(0ms);
  CHECK(b.node(1).it->status().leaving == leave_step::none);
  b.ask(1, leave_cluster{});
  CHECK(b.node(1).it->status().leaving == leave_step::ended);
}

} // namespace monitor_test
