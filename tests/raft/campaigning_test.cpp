// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/campaigning.hpp>

#include <doctest/doctest.h>

#include "raft/support/group.hpp"

#include <algorithm>
#include <cstdint>
#include <set>

namespace campaigning_test {

using namespace support;

namespace {

core_options durable() {
  return {.volatile_log = false};
}

/// To the question whether one may ask in `term`; the answerer is in the one before.
vote_reply maybe_in(std::uint64_t term) {
  return {
      .term = {term - 1}, .round = round::pre_vote, .asked = {term}, .verdict = verdict::granted};
}

/// Node 1 of five, in the vote of term 2: it asked everyone, and nobody has answered.
group asking() {
  group g{made_of({1, 2, 3, 4, 5}, {1, 2, 3, 4, 5})};
  g.hold([](const mail&) { return true; });
  g.stand(1);
  for (std::uint64_t voter : {2u, 3u})
    g.receive(1, voter, maybe_in(2));
  REQUIRE(g[1].vote() == ballot{{2}, {1}});
  g.exchange();
  return g;
}

vote_reply yes_in(std::uint64_t term, enum round round = round::vote) {
  return {.term = {term}, .round = round, .asked = {term}, .verdict = verdict::granted};
}

vote_reply no_in(std::uint64_t term, verdict why = verdict::refused) {
  return {.term = {term}, .round = round::vote, .asked = {term}, .verdict = why};
}

/// Nodes 2 to 4 refuse node 1 their votes in its term.
void outvote(group& g) {
  const auto term = g[1].vote().term.value;
  for (std::uint64_t voter : {2u, 3u, 4u})
    g.receive(1, voter, no_in(term));
  REQUIRE_FALSE(g[1].campaigning_now());
}

/// How long it takes until node 1 stands again; at most a second.
interval time_to_stand(group& g) {
  const auto from = g.now;
  while (!g[1].campaigning_now() && g.now - from < 1s)
    g.pass_time(1ms);
  return g.now - from;
}

} // namespace

TEST_CASE("a candidate that a majority votes for leads, and all follow it") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(2);
  CHECK(g.leader() == 2);
  CHECK(g[2].vote().term == term_number{2});
  g.propose(2, "x");
  g.exchange();
  CHECK(g.agree({1, 2, 3}));
  CHECK(g.applied(3) == "x");
}

TEST_CASE("when the leader falls silent the first in line stands, and is elected") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.part({1});
  g.pass_time(400ms);
  CHECK(g.leader() == 2);
}

TEST_CASE("when the link to the leader breaks, nobody waits for it to be silent") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.part({1});
  g.tell(2, peer_lost{{1}});
  g.tell(3, peer_lost{{1}});
  g.pass_time(20ms);
  CHECK(g.leader() == 2);
}

TEST_CASE("with a minority alive nobody leads, and no term is raised") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.part({3});
  g.pass_time(5s);
  CHECK_FALSE(g[3].leads());
  CHECK(g[3].vote().term == term_number{2});
}

TEST_CASE("a vote is not given again when its candidate has become a follower (E1)") {
  auto g = asking(); // node 1 has voted for itself in term 2
  g.receive(1, 2, append_entries{.term = {2}, .previous = {{9}, {2}}});
  CHECK_FALSE(g[1].campaigning_now());
  g.exchange();
  g.now += 10s; // node 2 is not heard any more
  g.held.clear();
  g.receive(1, 3, request_vote{.term = {2}, .last = {{99}, {2}}});
  g.exchange();
  CHECK(g[1].vote() == ballot{{2}, {1}});
  REQUIRE(g.held.size() == 1);
  CHECK(g.held[0].as<vote_reply>()->verdict == verdict::refused);
}

TEST_CASE("who is outvoted does not wait for a timeout, but lets the winner write to it first") {
  auto g = asking();
  SUBCASE("after a quick answer") {
    outvote(g);
    const auto waited = time_to_stand(g);
    CHECK(waited >= 5ms);  // a step
    CHECK(waited <= 16ms); // and two more by chance
  }
  SUBCASE("after a slow one: votes may be on their way to the winner, not stored yet") {
    g.pass_time(10ms);
    outvote(g);
    const auto waited = time_to_stand(g);
    CHECK(waited >= 20ms);
    CHECK(waited <= 61ms);
  }
}

TEST_CASE("who is outvoted again and again stands later each time, and as before after a leader") {
  auto g = asking();
  interval first{0};
  interval last{0};
  std::set<interval> waits;
  for (int defeats = 1; defeats <= 12; ++defeats) {
    outvote(g);
    last = time_to_stand(g);
    if (defeats == 1)
      first = last;
    waits.insert(last);
    CHECK(last >= 5ms);
    CHECK(last <= std::min<interval>(600ms, 5ms * (1 + (1 << defeats)) + 1ms));
    for (std::uint64_t voter : {2u, 3u})
      g.receive(1, voter, maybe_in(g[1].vote().term.value + 1));
    REQUIRE(g[1].vote().vote == member_id{1});
  }
  CHECK(last > 4 * first);
  CHECK(waits.size() > 6);
  const auto term = g[1].vote().term;
  g.receive(1, 2, append_entries{.term = term, .previous = {{1}, {1}}});
  g.now += 1s; // that leader is silent
  g.stand(1);
  for (std::uint64_t voter : {2u, 3u})
    g.receive(1, voter, maybe_in(g[1].vote().term.value + 1));
  outvote(g);
  CHECK(time_to_stand(g) <= 16ms);
}

TEST_CASE("who is refused for its older log does not hurry: it can not win") {
  auto g = asking();
  for (std::uint64_t voter : {2u, 3u})
    g.receive(1, voter, no_in(2));
  g.receive(1, 4, no_in(2, verdict::newer_log));
  REQUIRE_FALSE(g[1].campaigning_now());
  CHECK(time_to_stand(g) >= 300ms);
}

TEST_CASE("a leader that was lost is not waited for in a vote, unless it answers") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.hold([](const mail&) { return true; });
  g.tell(2, peer_lost{{1}, false});
  g.pass_time(2ms);
  REQUIRE(g[2].campaigning_now());
  g.receive(2, 3, maybe_in(3));
  REQUIRE(g[2].vote() == ballot{{3}, {2}});
  SUBCASE("it is silent") {
    g.receive(2, 3, no_in(3));
    CHECK_FALSE(g[2].campaigning_now());
  }
  SUBCASE("it has answered the pre-vote late, and its vote decides") {
    g.receive(2, 1, maybe_in(3));
    g.receive(2, 3, no_in(3));
    REQUIRE(g[2].campaigning_now());
    g.receive(2, 1, yes_in(3));
    CHECK(g[2].leads());
  }
}

TEST_CASE("who asks again and again and can not win puts nobody's turn off for good") {
  group g{made_of({1, 2, 3}, {1, 2, 3}), {.campaign_step = 700ms}};
  g.cut(2, 1);
  g.cut(3, 1); // node 1 is deaf, but heard
  g.stand(1);
  g.exchange();
  g.pass_time(5s);
  CHECK(g.leader() > 1);
}

TEST_CASE("nobody is asked before term and own vote are durable (E2)") {
  group g{made_of({1, 2, 3}, {1, 2, 3}), durable()};
  g.hold([](const mail& m) {
    return m.as<request_vote>() && m.as<request_vote>()->round == round::vote;
  });
  g.stand(1);
  g.stall_disk(1);
  g.exchange();
  CHECK(g[1].vote() == ballot{{2}, {1}});
  CHECK(g.held.empty());
  g.finish_disk(1);
  g.exchange();
  CHECK(g.held.size() == 2);
  g.release();
  CHECK(g[1].leads());
}

TEST_CASE("a vote is not counted before it is durable where it was given (E2)") {
  group g{made_of({1, 2, 3}, {1, 2, 3}), durable()};
  g.cut(1, 3);
  g.stall_disk(2);
  g.stand(1);
  g.exchange();
  CHECK(g[2].vote() == ballot{{2}, {1}});
  CHECK_FALSE(g[1].leads());
  g.finish_disk(2);
  g.exchange();
  CHECK(g[1].leads());
}

TEST_CASE("a candidate's own vote counts when it is durable, and not before (E2)") {
  group g{made_of({1}, {1}), durable()};
  g.stall_disk(1);
  g.stand(1);
  CHECK_FALSE(g[1].leads());
  g.finish_disk(1);
  CHECK(g[1].leads());
}

TEST_CASE(
    "D5: with all disks full a lost leader has a successor, and both terms' entries are kept") {
  core_options o;
  o.volatile_log = false;
  group g{made_of({1, 2, 3}, {1, 2, 3}), o};
  g.elect(1);
  g.pass_time(200ms);
  for (const auto id : {1, 2, 3})
    g.fill_disk(static_cast<std::uint64_t>(id));
  g.propose(1, "a");
  g.exchange();
  const auto stored = g[2].durable();
  g.part({1});
  g.pass_time(3s);
  const auto next = g.leader();
  REQUIRE(next > 1);
  const auto term = g[next].vote().term;
  CHECK(g[next].durable() == stored);
  CHECK(g[next].commit() == stored);
  CHECK(g[next].log().last().index > stored);
  g.pass_time(3s);
  CHECK(g.leader() == next);
  CHECK(g[next].vote().term == term); // and stays
  g.finish_disk(2);
  g.finish_disk(3);
  g.pass_time(200ms);
  CHECK(g.applied(next) == "a");
}

TEST_CASE("D5: on a full disk, too, nobody is asked for a vote before the own one is stored (E2)") {
  core_options o;
  o.volatile_log = false;
  group g{made_of({1, 2, 3}, {1, 2, 3}), o};
  g.elect(1);
  g.fill_disk(2);
  g.propose(1, "a");
  g.exchange();
  REQUIRE(g[2].durable() < g[2].log().last().index);
  g.stall_disk(2); // full, and slow
  g.part({1});
  int asked = 0;
  g.hold([&](const mail& m) {
    const auto* r = m.as<request_vote>();
    asked += r && r->round == round::vote && m.from == member_id{2} ? 1 : 0;
    return false;
  });
  g.stand(2);
  g.exchange();
  CHECK(g[2].vote().vote == member_id{2});
  CHECK(asked == 0);
  const auto written = g.told<store_write>(2).back();
  CHECK(written.vote == g[2].vote());
  g.tell(2, store_written{{1}, written.write});
  g.exchange();
  CHECK(asked == 1); // the other one is cut off
}

TEST_CASE("the log that is newer wins, not the one that is longer (E3)") {
  group g{made_of({1, 2}, {1, 2})};
  const auto first = entry_of(1, 1, made_of({1, 2}, {1, 2}));
  g.know(1, {first, entry_of(2, 1), entry_of(3, 1), entry_of(4, 1)}, 1);
  g.know(2, {first, entry_of(2, 2)}, 1);
  g.stand(1);
  g.exchange();
  CHECK_FALSE(g[1].leads());
  g.elect(2);
}

TEST_CASE("timeout_now means nothing to a listener, and nothing from who does not lead (E4)") {
  group g{made_of({1, 2, 3, 4}, {1, 2, 3})};
  g.elect(1);
  g.receive(4, 1, append_entries{.term = {2}});
  g.receive(4, 1, timeout_now{{2}});
  CHECK_FALSE(g[4].campaigning_now());
  g.receive(2, 3, timeout_now{{2}});
  CHECK_FALSE(g[2].campaigning_now());
  g.receive(2, 1, timeout_now{{1}});
  CHECK_FALSE(g[2].campaigning_now());
  g.receive(2, 1, timeout_now{{2}});
  CHECK(g[2].campaigning_now());
}

TEST_CASE("a listener never stands by itself") {
  group g{made_of({1, 2}, {1})};
  g.part({2});
  g.pass_time(5s);
  CHECK_FALSE(g[2].campaigning_now());
  CHECK(g[2].vote().term == term_number{1});
}

TEST_CASE("a removed node does not disturb the others, and is told to stop (E6)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  for (std::uint64_t id : {1u, 2u, 3u})
    g.tell(id, entered_cluster{.entered = {1}});
  g.elect(1);
  g.part({3});
  g.change_voters(1, {1, 2});
  g.exchange();
  g.tell(1, change_roster{drop_member{{3}}});
  g.exchange();
  const auto term = g[1].vote().term;
  g.pass_time(3s);
  g.heal();
  g.forget_told();
  g.pass_time(5s);
  CHECK(g[1].leads());
  CHECK(g[1].vote().term == term);
  CHECK(g[3].vote().term == term);
  CHECK(std::ranges::count_if(g.told<node_event>(3),
                              [](const node_event& e) { return e.code == errc::removed; })
        == 1);
  CHECK_FALSE(g[3].campaigning_now());
}

TEST_CASE("nodes of different terms find a leader together (E7)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.part({3});
  for (std::uint64_t next : {2u, 1u, 2u})
    g.elect(next);
  REQUIRE(g[1].vote().term > g[3].vote().term);
  SUBCASE("the one of the lower term is needed") {
    g.heal();
    g.part({2});
    g.pass_time(6s);
    CHECK(g.leader() == 1);
  }
  SUBCASE("all come together") {
    g.heal();
    g.pass_time(6s);
    CHECK(g.agree({1, 2, 3}));
  }
}

TEST_CASE("half has the longer log, half the higher term, and a leader is found (E9)") {
  const auto all = made_of({1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6});
  group g{all};
  auto larger = all;
  larger.members.push_back({.id = {7}, .entered = {2}});
  for (std::uint64_t id : {1u, 2u, 3u})
    g.know(id, {entry_of(1, 1, all), entry_of(2, 2, larger)}, 1);
  // From one that is not here: the answers would tell the first half what it has to find out.
  for (std::uint64_t id : {4u, 5u, 6u})
    g.receive(id, 7, request_vote{.term = {9}, .last = {}});
  CHECK(g[1].vote().term == term_number{2});
  CHECK(g[4].vote().term == term_number{9});
  g.pass_time(6s);
  CHECK(g.leader() != 0);
  CHECK(g.leader() <= 3);
  CHECK(g.agree({1, 2, 3, 4, 5, 6}));
}

TEST_CASE("a leader that is heard but hears nobody gives up (E11)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.cut(2, 1);
  g.cut(3, 1);
  g.pass_time(700ms);
  CHECK_FALSE(g[1].leads());
  g.pass_time(800ms);
  CHECK(g.leader() > 1);
}

TEST_CASE("a leader that hears but is not heard is replaced (E11)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.cut(1, 2);
  g.cut(1, 3);
  g.pass_time(700ms);
  CHECK(g.leader() > 1);
  CHECK_FALSE(g[1].leads());
}

TEST_CASE("a leader that was taking its own vote away is still there to be elected (E12)") {
  group g{made_of({1, 2}, {1, 2})};
  g.elect(1);
  // The last step, to node 2 alone, never leaves node 1.
  g.hold([](const mail& m) {
    const auto* a = m.as<append_entries>();
    return a && std::ranges::any_of(a->entries, [](const entry& e) {
             const auto* c = e.as<configuration_ptr>();
             return c && (*c)->voters.size() == 1 && !(*c)->joint();
           });
  });
  g.change_voters(1, {2});
  g.exchange();
  REQUIRE_FALSE(g[1].newest().content->joint());
  REQUIRE(g[2].newest().content->joint());
  g.drop();
  g.part({1});
  g.pass_time(2s);
  REQUIRE(g.leader() == 0);
  g.heal();
  g.pass_time(6s);
  CHECK(g.leader() == 2);
  CHECK(g[2].newest().content->voters == ids({2}));
}

TEST_CASE("a node that knows itself only from another's time does not elect itself (B5)") {
  group g{made_of({1}, {1})};
  g.add(9);
  SUBCASE("the log shows a group of itself, from before it entered") {
    g.tell(9, entered_cluster{.cluster = {77}, .entered = {5}});
    g.know(9, {entry_of(1, 1, made_of({9}, {9})), entry_of(2, 1)}, 2);
    g.pass_time(5s);
    CHECK_FALSE(g[9].leads());
    CHECK(g[9].vote() == ballot{{1}, {}});
  }
  SUBCASE("an empty log") {
    g.pass_time(5s);
    CHECK_FALSE(g[9].leads());
  }
}

TEST_CASE("a candidate takes what the leader of its term sends, a snapshot too (E13)") {
  auto g = asking();
  snapshot image{.at = {{5}, {1}}};
  image.members = g[1].newest();
  image.digest = digest_of(image.image.view());
  g.receive(1, 2, install_snapshot{.term = {2}, .chunk = chunk_of(image, 0, 100)});
  CHECK_FALSE(g[1].campaigning_now());
  CHECK(g[1].commit() == log_index{5});
}

TEST_CASE("a second leader in the own term breaks this node, and is never merged (E14)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  CHECK_THROWS_AS(g.receive(1, 2, append_entries{.term = {2}}), invariant_broken);
}

TEST_CASE("grants count for the round and the term they were asked in (E15)") {
  auto g = asking();
  g.receive(1, 2, yes_in(2, round::pre_vote));
  g.receive(1, 3, yes_in(2, round::pre_vote));
  g.receive(1, 4, yes_in(1));
  CHECK_FALSE(g[1].leads());
  g.receive(1, 2, yes_in(2));
  g.receive(1, 2, yes_in(2)); // doubled
  CHECK_FALSE(g[1].leads());
  g.receive(1, 9, yes_in(2)); // does not vote
  CHECK_FALSE(g[1].leads());
  g.receive(1, 3, yes_in(2));
  CHECK(g[1].leads());
}

TEST_CASE("a candidate whose log changes by a pull stands no more: it asked with another one") {
  auto g = asking();
  g.tell(1, pulled_entries{{{1}, {1}}, {entry_of(2, 1)}, {2}});
  CHECK_FALSE(g[1].campaigning_now());
}

TEST_CASE("a candidate whose machine fails goes on, and hands over what it wins") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.stand(1);
  g.tell(1, machine_failed{.index = {1}});
  g.exchange();
  g.pass_time(200ms);
  CHECK(g.leader() > 1);
}

TEST_CASE("L1: the only node with the newest log is elected though its machine has failed") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.cut(1, 3);
  g.propose(1, "kept");
  g.exchange();
  REQUIRE(g.applied(1) == "kept"); // by nodes 1 and 2, and so somebody may have been told
  g.tell(2, machine_failed{.index = {3}});
  g.part({1});
  g.pass_time(3s);
  CHECK(g.leader() == 3);
  CHECK(g.applied(3) == "kept");
}

TEST_CASE("a leader whose machine has failed goes on until its successor has everything") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.part({3}); // for good
  g.hold([](const mail& m) {
    const auto* a = m.as<append_entries>();
    return a && !a->entries.empty();
  });
  g.propose(1, "on its way");
  g.exchange();
  g.tell(1, machine_failed{.index = {3}});
  g.pass_time(60ms);
  CHECK(g.leader() == 1);
  g.drop();
  g.pass_time(3s);
  CHECK(g.leader() == 2);
  CHECK(g.applied(2) == "on its way");
}

TEST_CASE("only a node told to found makes itself the leader of an empty log") {
  group g{made_of({1}, {1})};
  g.add(5);
  g.tell(5, found_cluster{made_of({5}, {5})});
  CHECK(g[5].leads());
  CHECK(g[5].commit() == log_index{2});
}

TEST_CASE("a founder takes a term of its own, even if it has voted before") {
  group g{made_of({1}, {1})};
  g.add(5);
  g.receive(5, 1, request_vote{.term = {7}, .last = {{3}, {1}}});
  g.tell(5, found_cluster{made_of({5}, {5})});
  CHECK(g[5].leads());
  CHECK(g[5].vote() == ballot{{8}, {5}});
}

} // namespace campaigning_test
