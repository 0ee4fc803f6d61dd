// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/entering.hpp>

#include <doctest/doctest.h>

#include "bench.hpp"

namespace entering_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::at;
using membership_test::bench;
using membership_test::ids;

namespace {

/// A cluster of `n` nodes; 1 founded it and leads.
bench cluster_of(std::uint64_t n, std::uint64_t seed = 1) {
  bench b{seed};
  b.start(bench::founder(1));
  for (std::uint64_t id = 2; id <= n; ++id)
    b.start(bench::options(id, {1}));
  b.run(1s);
  REQUIRE(b.content().members.size() == n);
  return b;
}

} // namespace

TEST_CASE("S8: a new node asks for the count, is taken in at the end, and learns its rank") {
  auto b = cluster_of(2);
  b.start(bench::options(7, {1}));
  b.run(1ms);
  REQUIRE(b.node(7).entered.size() == 1);
  const auto& told = b.node(7).entered.front();
  CHECK(told.cluster == b.content().cluster);
  CHECK(told.entered == find(b.content(), {7})->entered);
  REQUIRE(told.roster.content);
  CHECK(told.roster.content->members.size() == 3);
  CHECK(seats(*told.roster.content).rank_of({7}) == 3);
  CHECK(b.state(7) == membership::member);
  CHECK(b.events(7, node_event::kind::entered) == 1);
  bool counted = false;
  for (const auto& l : b.sent)
    if (const auto* reply = std::get_if<census_reply>(&l.what); reply && l.to == member_id{7})
      counted = reply->members == 2 && reply->leader == member_id{1}
                && reply->leader_address == "host1" && reply->cluster == told.cluster;
  CHECK(counted);
}

TEST_CASE("a listener that is asked tells who leads") {
  auto b = cluster_of(2);
  b.start(bench::options(7, {2}));
  b.run(1ms);
  CHECK(b.state(7) == membership::member);
}

TEST_CASE("a node that does not lead passes a request to enter on by name") {
  auto b = cluster_of(2);
  b.tell(7, 2, enter_request{.newcomer = bench::options(7).self});
  const auto* answer = std::get_if<enter_reply>(&b.sent.back().what);
  REQUIRE(answer != nullptr);
  CHECK(answer->code == errc::not_leader);
  CHECK(answer->leader == member_id{1});
  CHECK(answer->leader_address == "host1");
}

TEST_CASE("a stale hint is corrected by the one that led") {
  auto b = cluster_of(3);
  b.lead(3);
  b.start(bench::options(7, {9}));
  // The seed 9 still believes that 1 leads.
  b.tell(9, 7, census_reply{.cluster = b.content().cluster, .members = 3, .leader = {1}});
  b.run(10ms);
  CHECK(b.state(7) == membership::member);
}

TEST_CASE("nodes that point at each other are not followed in circles") {
  auto b = cluster_of(1);
  b.start(bench::options(7, {9}));
  const auto cluster = b.content().cluster;
  b.run(1ms);
  b.tell(9, 7, census_reply{.cluster = cluster, .leader = {8}});
  for (int i = 0; i < 1'000; ++i) {
    b.tell(8, 7, enter_reply{.code = errc::not_leader, .leader = {9}});
    b.tell(9, 7, enter_reply{.code = errc::not_leader, .leader = {8}});
  }
  CHECK(b.count_sent<enter_request>(7) <= 3);
}

TEST_CASE("B3: a node whose seeds are silent keeps asking, says so, and never leads") {
  bench b;
  b.start(bench::options(2, {1}));
  b.run(4'999ms);
  CHECK(b.events(2, node_event::kind::enter_failed) == 0);
  b.run(1ms);
  CHECK(b.events(2, node_event::kind::enter_failed, errc::no_seed_answers) == 1);
  CHECK(b.obstacle(2).code == errc::no_seed_answers);
  b.run(1h);
  CHECK(b.clusters() == 0);
  CHECK(b.state(2) == membership::entering);
  CHECK(b.count_sent<census_request>(2) >= 3'000);
  CHECK(b.count_sent<census_request>(2) <= 4'500); // not faster than once a second
  // The seed appears at last.
  b.start(bench::founder(1));
  b.run(2s);
  CHECK(b.state(2) == membership::member);
}

TEST_CASE("B1: two fresh nodes that only know each other wait, and neither leads") {
  bench b;
  b.start(bench::options(1, {2}));
  b.start(bench::options(2, {1}));
  b.run(1min);
  CHECK(b.clusters() == 0);
  for (std::uint64_t id : {1u, 2u}) {
    CHECK(b.state(id) == membership::entering);
    CHECK(b.obstacle(id).code == errc::no_seed_answers);
    CHECK(b.events(id, node_event::kind::enter_failed, errc::no_seed_answers) == 12);
  }
}

TEST_CASE("B12: an answer that is lost costs a retry, and the rank stays the same") {
  auto b = cluster_of(2);
  int lost = 0;
  b.loses = [&](const letter& l) {
    return l.to == member_id{7} && std::holds_alternative<enter_reply>(l.what) && ++lost <= 2;
  };
  b.start(bench::options(7, {1}));
  b.start(bench::options(8, {1}));
  b.run(1s);
  CHECK(lost == 3);
  CHECK(b.state(7) == membership::member);
  CHECK(b.content().members.size() == 4);
  CHECK(seats(b.content()).rank_of({7}) == 3);
  CHECK(b.log().entries.back().content->members.size() == 4);
}

TEST_CASE("B12: every letter may be doubled") {
  auto b = cluster_of(1);
  for (int i = 0; i < 3; ++i)
    b.tell(7, 1, enter_request{.newcomer = bench::options(7).self});
  CHECK(b.content().members.size() == 2);
  CHECK(b.count_sent<enter_reply>(1) == 3);
}

TEST_CASE("a lost leader is not waited for: the seeds name the next one") {
  auto b = cluster_of(3);
  b.silent = {{1}};
  b.start(bench::options(7, {2}));
  b.run(20ms);
  CHECK(b.obstacle(7).code == errc::timed_out);
  b.lead(3);
  b.lose_link(7, 1);
  b.run(150ms); // the next try, where a silent leader would have been asked once more
  CHECK(b.state(7) == membership::member);
}

TEST_CASE("a leader that stays silent is given up, and the seeds are asked again") {
  auto b = cluster_of(3);
  b.silent = {{1}};
  b.start(bench::options(7, {2}));
  b.run(1s);
  b.lead(3); // and no link breaks
  b.run(3s);
  CHECK(b.state(7) == membership::member);
}

TEST_CASE("a newcomer whose only seed is gone asks the voters of the roster that it has pulled") {
  auto b = cluster_of(3);
  b.lead(0); // so the newcomer pulls before anybody can take it in
  b.start(bench::options(7, {2}));
  b.run(1s);
  REQUIRE(b.state(7) == membership::entering);
  b.node(7).log = &b.log();
  b.show_all();
  b.crash(2);
  b.lead(3);
  b.run(3s);
  CHECK(b.state(7) == membership::member);
}

TEST_CASE("while nobody leads the newcomer waits and says why") {
  auto b = cluster_of(2);
  b.lead(0);
  b.start(bench::options(7, {1}));
  b.run(6s);
  CHECK(b.obstacle(7).code == errc::no_leader);
  CHECK(b.events(7, node_event::kind::enter_failed, errc::no_leader) == 1);
  b.lead(2);
  b.run(2s);
  CHECK(b.state(7) == membership::member);
}

TEST_CASE("B7: a namesake of another start is refused for good") {
  auto b = cluster_of(2);
  auto copy = bench::options(2, {1});
  copy.self.start = 5;
  b.start(copy);
  b.run(5s); // after evict_after the silent member itself would be gone
  CHECK(b.state(2) == membership::failed);
  CHECK(b.obstacle(2).code == errc::duplicate_id);
  CHECK(b.events(2, node_event::kind::enter_failed, errc::duplicate_id) == 1);
  CHECK(find(b.content(), {2})->start == 102);
}

TEST_CASE("M12: a member that was sent away does not come back under its id") {
  auto b = cluster_of(3);
  b.change(mark_member{{3}, standing::evicted});
  b.start(bench::options(3, {1}));
  b.run(10s);
  CHECK(b.state(3) == membership::failed);
  CHECK(b.obstacle(3).code == errc::removed);
}

TEST_CASE("B14: a node that means one cluster does not enter another") {
  auto b = cluster_of(2);
  auto stranger = bench::options(7, {1});
  stranger.cluster = {b.content().cluster.value + 1};
  b.start(stranger);
  b.run(1s);
  CHECK(b.state(7) == membership::failed);
  CHECK(b.obstacle(7).code == errc::cluster_mismatch);
  CHECK(b.content().members.size() == 2);
  stranger.cluster = b.content().cluster;
  b.start(stranger);
  b.run(1s);
  CHECK(b.state(7) == membership::member);
}

TEST_CASE("an answer without this node in it is no answer") {
  bench b;
  b.start(bench::options(7, {1}));
  b.tell(1, 7, enter_reply{});
  auto other = std::make_shared<const configuration>(membership_test::group(3, {1}));
  b.tell(1, 7, enter_reply{.roster = {log_index{3}, other}});
  CHECK(b.node(7).entered.empty());
  CHECK(b.state(7) == membership::entering);
  CHECK(b.obstacle(7).code == errc::undecodable);
}

TEST_CASE("B5: configurations from before its own entry are history to a newcomer") {
  bench b;
  b.start(bench::options(7, {1}));
  auto past = std::make_shared<const configuration>(membership_test::group(1, {1}));
  core_view view{.term = {1}, .leader = {1}};
  view.committed = view.newest = {log_index{1}, past};
  b.node(7).inbox.push_back(view);
  b.run(1s);
  CHECK(b.state(7) == membership::entering);
  CHECK(b.node(7).seat_requests == 0);
  CHECK(b.events(7, node_event::kind::entered) == 0);
}

TEST_CASE("a newcomer that meets its own entry before the answer has entered") {
  auto b = cluster_of(1);
  b.loses = [](const letter& l) { return std::holds_alternative<enter_reply>(l.what); };
  b.start(bench::options(2, {1}));
  b.run(10ms);
  REQUIRE(b.state(2) == membership::entering);
  b.node(2).log = &b.log(); // the entry comes with the log
  b.show_all();
  CHECK(b.state(2) == membership::member);
  REQUIRE(b.node(2).entered.size() == 1);
  CHECK(b.node(2).entered.front().entered == log_index{2});
}

TEST_CASE("M12: a newcomer says since when it asks, and sticks to that") {
  bench b;
  b.start(bench::options(7, {8, 9}));
  const auto answer = [&](std::uint64_t from, std::uint64_t committed) {
    b.tell(from, 7,
           census_reply{.cluster = {5}, .members = 2, .leader = {1}, .committed = {committed}});
  };
  const auto newest_request = [&] {
    const enter_request* found = nullptr;
    for (const auto& l : b.sent)
      if (const auto* request = std::get_if<enter_request>(&l.what))
        found = request;
    return found;
  };
  // A seed may know who leads, and be so far behind that all it has seen is forgotten.
  answer(8, 3);
  CHECK(newest_request() == nullptr);
  CHECK(b.sent.back().to == member_id{1});
  CHECK(std::holds_alternative<census_request>(b.sent.back().what));
  answer(1, 40);
  b.run(1ms);
  REQUIRE(newest_request() != nullptr);
  CHECK(newest_request()->since == log_index{40});
  answer(9, 60);
  b.run(2s);
  CHECK(b.count_sent<enter_request>(7) > 1);
  CHECK(newest_request()->since == log_index{40});
}

TEST_CASE("M12: a founder with seeds that was cut off asks as old as it is") {
  const auto o = std::make_shared<const monitor_options>(bench::options(1, {8}));
  random_source random{1};
  outbox out;
  entering it{o};
  it.arrived({.id = {1}, .start = 101, .entered = {2}}, {5});
  it.pump(instant{1h}, random, nullptr, out); // nobody heard of for an hour
  REQUIRE(out.letters.size() == 1);
  CHECK(std::holds_alternative<census_request>(out.letters.back().what));
  CHECK_FALSE(it.heard({8}, census_reply{.cluster = {5}, .leader = {8}, .committed = {900}}));
  it.pump(instant{1h}, random, nullptr, out);
  REQUIRE(out.letters.size() == 2);
  CHECK(std::get<enter_request>(out.letters.back().what).since == log_index{2});
}

TEST_CASE("a member that is shown nothing new asks again only after a while") {
  auto b = cluster_of(2);
  b.unled = {{7}};
  b.start(bench::options(7, {1}));
  b.run(1min);
  CHECK(b.node(7).entered.size() <= 2);        // once more when it was seated
  CHECK(b.count_sent<enter_request>(7) <= 13); // each entering_patience, which is 5 s
}

TEST_CASE("a member that was marked as leaving and asks its seeds is shown that, not sent away") {
  auto b = cluster_of(1);
  b.unled = {{7}};
  b.start(bench::options(7, {1}));
  b.run(1s);
  b.blind = {{7}};
  b.change(mark_member{{7}, standing::leaving});
  b.run(6s);
  CHECK(b.state(7) == membership::member);
  REQUIRE(b.node(7).entered.size() == 2);
  CHECK(find(*b.node(7).entered.back().roster.content, {7})->status == standing::leaving);
}

TEST_CASE("a member that hears of no leader asks its seeds, and is shown the roster of today") {
  auto b = cluster_of(2);
  b.unled = {{7}};
  b.start(bench::options(7, {1}));
  b.run(1s);
  REQUIRE(b.state(7) == membership::member);
  const auto asked = [&](std::uint64_t id) {
    return b.count_sent<census_request>(id) + b.count_sent<enter_request>(id);
  };
  const auto before = std::pair{asked(2), asked(7)};
  b.blind = {{7}};
  b.change(enter_member{bench::options(8).self});
  b.run(3s);
  CHECK(asked(7) == before.second);
  b.run(3s);
  CHECK(asked(7) == before.second + 1);
  REQUIRE(b.node(7).entered.size() == 2);
  CHECK(find(*b.node(7).entered.back().roster.content, {8}) != nullptr);
  CHECK(asked(2) == before.first); // which hears of one
}

TEST_CASE("M12: a member that hears of no leader is told that it was sent away") {
  auto b = cluster_of(1);
  b.unled = {{7}};
  b.start(bench::options(7, {1}));
  b.run(1s);
  b.blind = {{7}};
  b.change(drop_member{{7}});
  b.run(3s);
  CHECK(b.state(7) == membership::member);
  b.run(3s);
  CHECK(b.state(7) == membership::failed);
  CHECK(b.obstacle(7).code == errc::removed);
  CHECK(b.events(7, node_event::kind::evicted, errc::removed) == 1);
}

TEST_CASE("a member is not impressed by a stranger at a seed's address") {
  auto b = cluster_of(2);
  b.start(bench::options(7, {1}));
  b.run(1s);
  const auto stranger = cluster_id{b.content().cluster.value + 1};
  b.tell(1, 7, census_reply{.cluster = stranger, .members = 1, .leader = {1}, .committed = {1}});
  b.tell(1, 7, enter_reply{.code = errc::cluster_mismatch});
  b.tell(1, 7, enter_reply{.code = errc::duplicate_id});
  CHECK(b.state(7) == membership::member);
}

TEST_CASE("B10: a node that came back with its log neither founds nor asks to enter") {
  bench b;
  auto o = bench::founder(1);
  o.contacts = ids({2});
  o.returning = own_record{cluster_id{77}, o.self};
  b.start(o);
  b.run(1min);
  CHECK(b.clusters() == 0);
  CHECK(b.state(1) == membership::member);
  CHECK(b.count_sent<enter_request>(1) == 0);
}

TEST_CASE("a node that came back with its log asks its seeds, and is the member that it was") {
  auto b = cluster_of(3);
  const auto own = *find(b.content(), {3});
  auto o = bench::options(3, {1});
  o.returning = own_record{b.content().cluster, own};
  b.stop(3);
  b.start(o);
  CHECK(b.state(3) == membership::member);
  b.run(1s);
  CHECK(b.state(3) == membership::member);
  CHECK(b.node(3).entered.size() == 1); // it is shown the roster of today
  CHECK(find(b.content(), {3})->entered == own.entered);
  CHECK(b.content().members.size() == 3);
}

TEST_CASE("a member that can not find its cluster says that its seed is of another one") {
  auto b = cluster_of(2);
  auto o = bench::options(7, {1});
  o.returning = own_record{cluster_id{b.content().cluster.value + 1}, o.self};
  b.start(o);
  b.run(2 * o.entering_patience);
  CHECK(b.state(7) == membership::member); // its own may still turn up
  CHECK(b.obstacle(7).code == errc::cluster_mismatch);
  CHECK(b.events(7, node_event::kind::enter_failed, errc::cluster_mismatch) > 0);
  CHECK(b.content().members.size() == 2);
}

TEST_CASE("a node that came back and was dropped meanwhile is told so, and enters no more") {
  auto b = cluster_of(4);
  auto o = bench::options(4, {1});
  o.returning = own_record{b.content().cluster, *find(b.content(), {4})};
  b.stop(4);
  b.change(mark_member{{4}, standing::evicted});
  b.run(1s);
  REQUIRE_FALSE(find(b.content(), {4}));
  b.start(o);
  b.run(1s);
  CHECK(b.state(4) == membership::failed);
  CHECK(b.obstacle(4).code == errc::removed);
  CHECK(b.events(4, node_event::kind::evicted, errc::removed) == 1);
}

TEST_CASE("a node that came back takes no configuration from before its entry for a dismissal") {
  auto b = cluster_of(2);
  auto o = bench::options(3, {1});
  o.returning = own_record{
      b.content().cluster,
      {.id = {3}, .start = o.self.start, .entered = b.log().committed().index.next().next()}};
  b.silent = {{3}}; // nobody says anything
  b.start(o);
  b.node(3).log = b.node(1).log;
  b.show_all();
  b.run(1s);
  CHECK(b.state(3) == membership::member); // (B5)
}

} // namespace entering_test
