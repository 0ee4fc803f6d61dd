// SPDX-License-Identifier: BSL-1.0

// For each rule: nodes that keep it, and the smallest step that breaks it.

#include <understudy/testing/invariants.hpp>

#include <doctest/doctest.h>

#include <testing/hand_made.hpp>

namespace invariants_test {

using namespace test_support;

TEST_CASE("a cluster that does as it should breaks no rule") {
  hand_cluster x;
  x.nc.log.add(1, share(no_op{}));
  x.nc.commit = 2;
  x.nc.applied = 2;
  x.nc.digest = 5;
  x.look(x.nc);
  x.elect(x.nb, x.nc, 2);
  CHECK(x.rules.counters().elections == 2);
  CHECK(x.rules.past(cluster_id{77}).committed_through() == log_index{2});
  x.rules.verify(x.na.seen());
}

TEST_CASE("I1: a second leader in one term is seen") {
  hand_cluster x;
  x.nb.vote = {term_number{1}, a};
  x.nb.leads = true;
  CHECK(x.broken_by(x.nb) == "I1");
}

TEST_CASE("I9: a node that comes back has what it had stored, and need not have more") {
  hand_cluster x;
  x.nc.log.add(1, share(no_op{}));
  x.nc.durable = 2;
  x.look(x.nc);
  x.rules.returned(c);
  x.nc.commit = 0;
  x.nc.durable = 0;
  SUBCASE("all of it") {
    x.nc.log.keep(2);
    CHECK(x.broken_by(x.nc) == "none");
  }
  SUBCASE("less") {
    x.nc.log.keep(1);
    CHECK(x.broken_by(x.nc) == "I9");
  }
  SUBCASE("nothing") {
    x.nc.log.keep(0);
    CHECK(x.broken_by(x.nc) == "I9");
  }
  SUBCASE("nor has it forgotten its vote") {
    x.nc.vote = {};
    CHECK(x.broken_by(x.nc) == "I1b");
  }
}

TEST_CASE("I9: what a snapshot of another log has replaced is not missed, what was committed is") {
  hand_cluster x;
  for (int i = 0; i < 3; ++i) // the first of them another one than was committed
    x.nc.log.add(1, share(no_op{}));
  x.nc.commit = 1;
  x.look(x.nc);
  x.rules.returned(c);
  x.look(x.nc);
  x.na.leads = false;
  x.look(x.na);
  x.elect(x.na, x.nb, 2);
  for (auto* n : {&x.na, &x.nb}) {
    n->log.add(2, share(no_op{}));
    x.look(*n);
  }
  x.na.commit = 3;
  x.look(x.na);
  const auto before = x.nc;
  x.nc.vote = {term_number{2}, {}};
  x.nc.known = x.na.in_force({1});
  x.nc.log = {.start = {{3}, {2}}, .entries = {}};
  x.nc.commit = x.nc.applied = 3;
  x.nc.durable = 1; // the snapshot is not stored yet
  x.look(x.nc);
  x.rules.returned(c);
  SUBCASE("the snapshot is there") {
    CHECK(x.broken_by(x.nc) == "none");
  }
  SUBCASE("the snapshot is not there, and all that it replaced is") {
    x.nc.log = before.log;
    x.nc.commit = x.nc.applied = 1;
    CHECK(x.broken_by(x.nc) == "none");
  }
  SUBCASE("nothing is there") {
    x.nc.log = {};
    x.nc.known = {};
    x.nc.commit = x.nc.applied = 0;
    x.nc.durable = 0;
    CHECK(x.broken_by(x.nc) == "I9");
  }
}

TEST_CASE("I9: what was committed is owed, though a snapshot that is not stored has replaced it") {
  hand_cluster x;
  x.nc.log.add(1, x.na.log.at({2}).what);
  x.look(x.nc); // stores what is committed, and does not know that it is
  for (auto* n : {&x.na, &x.nb}) {
    n->log.add(1, share(no_op{}));
    x.look(*n);
  }
  x.na.commit = 3;
  x.look(x.na);
  const auto before = x.nc;
  x.nc.known = x.na.in_force({1});
  x.nc.log = {.start = {{3}, {1}}, .entries = {}};
  x.nc.commit = x.nc.applied = 3;
  x.nc.durable = 0;
  x.look(x.nc);
  x.rules.returned(c);
  x.nc = before;
  SUBCASE("it is there") {
    CHECK(x.broken_by(x.nc) == "none");
  }
  SUBCASE("a part of it is there") {
    x.nc.log.keep(1);
    CHECK(x.broken_by(x.nc) == "I9");
  }
}

TEST_CASE("I1: a node that leads, comes back and leads in the same term is seen") {
  hand_cluster x;
  x.rules.returned(a);
  x.na.commit = 0;
  CHECK(x.broken_by(x.na) == "I1");
}

TEST_CASE("I1b: a term that goes back, and a vote that is given twice, are seen") {
  hand_cluster x;
  SUBCASE("the term") {
    x.nb.vote = {};
  }
  SUBCASE("the vote") {
    x.nb.vote = {term_number{1}, c};
  }
  CHECK(x.broken_by(x.nb) == "I1b");
}

TEST_CASE("I1b: two answers that grant a vote in one term are seen, and one before it is stored") {
  hand_cluster x;
  const vote_reply yes{.term = {2}, .asked = {2}, .verdict = verdict::granted};
  x.nc.vote = {term_number{2}, a};
  SUBCASE("to two candidates") {
    x.look(x.nc, {{a, yes}});
    CHECK(x.broken_by(x.nc, {{b, yes}}) == "I1b");
  }
  SUBCASE("not stored") {
    x.nc.stored = stored_state{ballot{term_number{1}, a}, x.nc.log.last()};
    CHECK(x.broken_by(x.nc, {{a, yes}}) == "I1b");
  }
  SUBCASE("a pre-vote binds nobody") {
    auto asked = yes;
    asked.round = round::pre_vote;
    x.look(x.nc, {{a, asked}});
    x.look(x.nc, {{b, asked}});
  }
}

TEST_CASE("I2: a leader without a quorum of votes is seen") {
  hand_cluster x;
  x.nb.vote = {term_number{2}, b};
  x.nb.leads = true;
  CHECK(x.broken_by(x.nb) == "I2");
}

TEST_CASE("I2: a joint configuration needs a quorum of both halves") {
  hand_cluster x;
  // c is on its way out, and d, whose vote counts in the new half alone, takes its seat.
  auto marked = *members({a, b, c, d}, {a, b, c});
  marked.members[2].status = standing::leaving;
  x.na.log.add(1, share(configuration_ptr{std::make_shared<configuration>(marked)}));
  x.look(x.na);
  auto nd = x.copy(x.na, d);
  marked.voters = {a, b, d};
  marked.outgoing = {a, b, c};
  x.na.log.add(1, share(configuration_ptr{std::make_shared<configuration>(marked)}));
  x.look(x.na);
  x.na.leads = false;
  x.na.vote = {term_number{2}, a};
  x.look(x.na);
  nd.log = x.na.log;
  nd.vote = {term_number{2}, a};
  x.look(nd, {{a, vote_reply{.term = {2}, .asked = {2}, .verdict = verdict::granted}}});
  x.na.leads = true;
  CHECK(x.broken_by(x.na) == "I2");
}

TEST_CASE("I2b: a change of the voters over one that is not committed is seen") {
  hand_cluster x;
  x.na.log.add(1, share(members({a, b, c, d}, {a, b, c, d}, {a, b, c})));
  SUBCASE("even from the joint one to its end") {
    x.na.log.entries.back().what = share(members({a, b, c, d}, {a, b}, {a, b, c}));
    CHECK(x.broken_by(x.na) == "I12"); // c has a rank, and would lose its seat
  }
  SUBCASE("the end before the joint one is committed") {
    x.na.log.entries.back().what = share(members({a, b, c}, {a, b, c}));
    x.look(x.na);
    x.elect(x.nb, x.nc, 2);
    // A leader of term 2 that has committed nothing of its own term.
    x.nb.log.add(2, share(members({a, b, c}, {a, b, c}, {a, b, c})));
    CHECK(x.broken_by(x.nb) == "I2b");
  }
}

TEST_CASE("I2b: the leader that began a change may take it back at once, and only go back") {
  hand_cluster x;
  const auto who = members({a, b, c, d, member_id{5}}, {a, b, c});
  x.na.log.add(1, share(who));
  x.look(x.na);
  x.copy(x.na, d);
  x.copy(x.na, member_id{5});
  auto joint = std::make_shared<configuration>(*who);
  joint->voters = {a, b, c, d, member_id{5}};
  joint->outgoing = {a, b, c};
  x.na.log.add(1, share(configuration_ptr{joint}));
  x.look(x.na);
  SUBCASE("back") {
    x.na.log.add(1, share(who));
    x.look(x.na);
  }
  SUBCASE("on") {
    auto end = std::make_shared<configuration>(*joint);
    end->outgoing.clear();
    x.na.log.add(1, share(configuration_ptr{end}));
    CHECK(x.broken_by(x.na) == "I2b");
  }
}

TEST_CASE("I3: a leader that lacks a committed entry is seen") {
  hand_cluster x;
  // c has not got entry 2, which a and b have committed; it could only win if b's vote were wrong.
  x.nb.vote = {term_number{2}, c};
  x.look(x.nb, {{c, vote_reply{.term = {2}, .asked = {2}, .verdict = verdict::granted}}});
  x.nc.vote = {term_number{2}, c};
  x.nc.leads = true;
  CHECK(x.broken_by(x.nc) == "I3");
}

TEST_CASE("I3b: an entry that counts as committed and is on no quorum is seen") {
  hand_cluster x;
  x.na.log.add(1, share(no_op{}));
  x.look(x.na);
  x.na.commit = 3;
  SUBCASE("nobody else has it") {}
  SUBCASE("it is not stored") {
    x.nb.log.add(1, share(no_op{}));
    x.nb.log.entries.back().what = x.na.log.entries.back().what;
    x.nb.durable = 2;
    x.look(x.nb);
  }
  CHECK(x.broken_by(x.na) == "I3b");
}

TEST_CASE("I3b: a leader that counts copies of an entry of an older term is seen (R1)") {
  hand_cluster x;
  const auto old = share(no_op{});
  x.nb.log.add(1, old);
  x.look(x.nb);
  x.nc.log = x.nb.log;
  x.look(x.nc);
  x.elect(x.nb, x.nc, 2);
  x.nb.commit = 3;
  CHECK(x.broken_by(x.nb) == "I3b");
}

TEST_CASE("I4: two states after the same entry are seen") {
  hand_cluster x;
  x.na.applied = 2;
  x.na.digest = 1;
  x.look(x.na);
  x.nb.applied = 2;
  x.nb.digest = 2;
  CHECK(x.broken_by(x.nb) == "I4");
}

TEST_CASE("I4b: a node that goes on where it does not know what is used is seen (U6)") {
  hand_cluster x;
  x.na.applied = 1; // where version 1 is used, which all know
  auto o = x.na.seen();
  o.machine_version = 0;
  CHECK(broken(x.rules, o) == "I4b");
  o.applied = {};
  CHECK(broken(x.rules, o) == "none"); // it has stopped before it
}

TEST_CASE("I5: two entries of one term at one index are seen") {
  hand_cluster x;
  x.na.log.add(1, share(no_op{}));
  x.look(x.na);
  x.nb.log.add(1, share(open_session{}));
  CHECK(x.broken_by(x.nb) == "I5");
}

TEST_CASE("I5: the same entry behind another log is seen") {
  hand_cluster x;
  hand_node nd{d};
  nd.vote = {term_number{1}, {}};
  nd.log.add(1, share(members({a, b, c, d}, {a, b, c})));
  CHECK(x.broken_by(nd) == "I5");
}

TEST_CASE("I5: a committed entry that disappears is seen") {
  hand_cluster x;
  x.nb.log.keep(1);
  x.nb.commit = 1;
  CHECK(x.broken_by(x.nb) == "I13"); // its commit index went back, too
  x.nb.log.keep(1);
  x.nb.log.add(1, share(open_session{}));
  x.nb.commit = 2;
  CHECK(x.broken_by(x.nb) == "I5");
}

TEST_CASE("I5: another entry than the committed one, committed elsewhere, is seen") {
  hand_cluster x;
  x.nc.vote = {term_number{2}, {}};
  x.nc.log.add(2, share(no_op{}));
  x.look(x.nc);
  x.nc.commit = 2;
  CHECK(x.broken_by(x.nc) == "I5");
}

TEST_CASE("I5: a change in the middle of a log is found by the full look") {
  hand_cluster x;
  x.nb.log.add(1, share(no_op{}));
  x.look(x.nb);
  x.nb.log.entries[1].what = share(open_session{});
  CHECK_THROWS_AS(x.rules.verify(x.nb.seen()), invariant_violated);
}

TEST_CASE("I5: a snapshot of what is not committed is seen (M9)") {
  hand_cluster x;
  hand_node nd{d};
  nd.vote = {term_number{1}, {}};
  nd.log.start = {log_index{3}, term_number{1}};
  nd.commit = 3;
  nd.known = {log_index{1}, members({a, b, c}, {a, b, c})};
  CHECK(x.broken_by(nd) == "I5");
}

TEST_CASE("I5b: a leader that drops entries of its own log is seen") {
  hand_cluster x;
  x.na.log.add(1, share(no_op{}));
  x.look(x.na);
  x.na.log.keep(2);
  CHECK(x.broken_by(x.na) == "I5b");
}

TEST_CASE("I6: another configuration in force than the log's newest is seen") {
  hand_cluster x;
  const auto other = members({a, b, c}, {a, b});
  auto o = x.nb.seen();
  SUBCASE("the newest") {
    o.newest = {log_index{1}, other.get()};
  }
  SUBCASE("the committed") {
    o.committed = {log_index{1}, other.get()};
  }
  CHECK(broken(x.rules, o) == "I6");
}

TEST_CASE("I6: a configuration that makes no sense is seen") {
  hand_cluster x;
  SUBCASE("without voters") {
    x.na.log.add(1, share(members({a, b, c}, {})));
  }
  SUBCASE("with a stranger that votes") {
    x.na.log.add(1, share(members({a, b}, {a, b, c})));
  }
  SUBCASE("with a voter twice") {
    x.na.log.add(1, share(members({a, b, c}, {a, a, b})));
  }
  CHECK(x.broken_by(x.na) == "I6");
}

TEST_CASE("I7: who reads under a lease while another has been elected is seen") {
  hand_cluster x;
  ++x.na.lease_reads;
  CHECK(x.broken_by(x.na) == "none");
  CHECK(x.rules.counters().lease_reads == 1);
  x.elect(x.nb, x.nc, 2);
  CHECK(x.broken_by(x.na) == "none");
  auto asked = x.na;
  ++asked.lease_reads;
  CHECK(x.broken_by(asked) == "I7");
  x.na.leased = true; // nobody asks, but somebody might
  CHECK(x.broken_by(x.na) == "I7");
}

TEST_CASE("I10: a node that changes its cluster is seen") {
  hand_cluster x;
  auto other = *members({a, b, c}, {a, b, c});
  other.cluster = cluster_id{78};
  x.nc.log.entries.front().what = share(configuration_ptr{std::make_shared<configuration>(other)});
  CHECK(x.broken_by(x.nc) == "I10");
}

TEST_CASE("I11: a commit index that no leader has reached is seen") {
  hand_cluster x;
  x.nb.log.add(1, share(no_op{}));
  x.nb.commit = 3;
  CHECK(x.broken_by(x.nb) == "I11");
}

TEST_CASE("I11: a source that gives away what is not committed is seen (M19)") {
  hand_cluster x;
  x.na.log.add(1, share(no_op{}));
  x.look(x.na);
  pull_reply reply{.previous = {log_index{2}, term_number{1}}, .commit = log_index{2}};
  SUBCASE("an entry") {
    reply.entries = {x.na.log.entries.back()};
  }
  SUBCASE("a commit index") {
    reply.commit = log_index{3};
  }
  SUBCASE("a snapshot") {
    reply.chunk = snapshot_chunk{.key = {.at = {log_index{3}, term_number{1}}}};
  }
  CHECK(x.broken_by(x.na, {{d, reply}}) == "I11");
}

TEST_CASE("I12: a roster in which somebody overtakes or comes back is seen") {
  hand_cluster x;
  const auto commit = [&](configuration_ptr what) {
    x.na.log.add(1, share(what));
    x.look(x.na);
    x.nb.log.entries = x.na.log.entries;
    x.look(x.nb);
    x.na.commit = x.na.log.last().index.value;
    return x.broken_by(x.na);
  };
  SUBCASE("overtakes") {
    CHECK(commit(members({b, a, c}, {a, b, c})) == "I12");
  }
  SUBCASE("enters before others") {
    CHECK(commit(members({d, a, b, c}, {a, b, c})) == "I12");
  }
  SUBCASE("comes back under the old id") {
    CHECK(commit(members({a, b, c, d}, {a, b, c})) == "none");
    CHECK(commit(members({a, b, c}, {a, b, c})) == "none");
    CHECK(commit(members({a, b, c, d}, {a, b, c})) == "I12");
  }
  SUBCASE("loses its mark") {
    auto marked = *members({a, b, c, d}, {a, b, c});
    marked.members.back().status = standing::leaving;
    CHECK(commit(std::make_shared<configuration>(marked)) == "none");
    marked.members.back().status = standing::present;
    CHECK(commit(std::make_shared<configuration>(marked)) == "I12");
  }
}

TEST_CASE("I12: a change of the voters that no plan makes is seen") {
  hand_cluster x;
  SUBCASE("in one step") {
    x.na.log.add(1, share(members({a, b, c, d}, {a, b, c, d})));
  }
  SUBCASE("to an even number") {
    x.na.log.add(1, share(members({a, b, c, d}, {a, b, c})));
    x.na.log.add(1, share(members({a, b, c, d}, {a, b, c, d}, {a, b, c})));
  }
  CHECK(x.broken_by(x.na) == "I12");
}

TEST_CASE("I13: numbers that are ahead of what they follow are seen") {
  hand_cluster x;
  auto o = x.nb.seen();
  SUBCASE("the commit index of the log") {
    o.commit = log_index{3};
  }
  SUBCASE("the applied index of what was handed over") {
    o.applied = log_index{3};
  }
  SUBCASE("what was handed over of the commit index") {
    o.handed = log_index{3};
  }
  SUBCASE("what is stored of the log") {
    o.durable = log_index{3};
  }
  SUBCASE("the last entry's term of the node's") {
    x.nc.log.add(2, share(no_op{}));
    o = x.nc.seen();
  }
  SUBCASE("the stored entry's term of the stored one") {
    o.stored = stored_state{ballot{}, x.nb.log.last()};
  }
  CHECK(broken(x.rules, o) == "I13");
}

TEST_CASE("I14: an entry that is confirmed before it is stored is seen") {
  hand_cluster x;
  x.nb.log.add(1, share(no_op{}));
  x.nb.durable = 2;
  CHECK(x.broken_by(x.nb, {{a, append_reply{.term = {1}, .accepted = true, .match = {3}}}})
        == "I14");
}

TEST_CASE("I12: a new voter that lacks what the leader found when it was elected is seen") {
  hand_cluster x;
  const member_id e{5};
  const auto entered = share(members({a, b, c, d, e}, {a, b, c}));
  for (auto* n : {&x.na, &x.nb}) {
    n->log.add(1, entered);
    x.look(*n);
  }
  x.na.commit = 3;
  x.look(x.na);
  x.copy(x.na, d);
  hand_node ne{.id = e, .log = x.na.log, .vote = {term_number{1}, {}}};
  x.na.log.add(1, share(members({a, b, c, d, e}, {a, b, c, d, e}, {a, b, c})));
  SUBCASE("it has all") {
    x.look(ne);
    CHECK(x.broken_by(x.na) == "none");
  }
  SUBCASE("it has not stored it") {
    ne.durable = 0;
    x.look(ne);
    CHECK(x.broken_by(x.na) == "I12");
  }
  SUBCASE("nobody has seen it") {
    CHECK(x.broken_by(x.na) == "I12");
  }
}

TEST_CASE("I12: a voter that runs is sent away only when somebody is there to take its seat") {
  hand_cluster x;
  x.na.log.add(1, share(members({a, b, c, d}, {a, b, c})));
  x.look(x.na);
  const auto send_away = [&](member_id whom) {
    auto marked = *members({a, b, c, d}, {a, b, c});
    std::ranges::find(marked.members, whom, &member::id)->status = standing::evicted;
    x.na.log.add(1, share(std::make_shared<const configuration>(std::move(marked))));
    return x.broken_by(x.na);
  };
  SUBCASE("who has the data") {
    x.copy(x.na, d);
    x.rules.evictions().decided(c, true);
    CHECK(send_away(c) == "none");
  }
  SUBCASE("and has not got the data") {
    x.rules.evictions().decided(c, true);
    CHECK(send_away(c) == "I12");
  }
  SUBCASE("one that has no vote has no seat to be taken") {
    x.rules.evictions().decided(d, true);
    CHECK(send_away(d) == "none");
  }
  SUBCASE("unless an operator wants it") {
    x.rules.evictions().ordered(c);
    CHECK(send_away(c) == "none");
  }
}

TEST_CASE("I13: a snapshot that is ahead of what was handed over, or behind the log, is seen") {
  hand_cluster x;
  x.nb.image = snapshot{.at = {log_index{1}, term_number{1}},
                        .members = {{1}, members({a, b, c}, {a, b, c})}};
  x.nb.image->members.content = *x.nb.log.at({1}).as<configuration_ptr>();
  SUBCASE("neither") {
    x.look(x.nb);
  }
  SUBCASE("ahead") {
    auto o = x.nb.seen();
    o.handed = o.applied = log_index{0};
    CHECK(broken(x.rules, o) == "I13");
  }
  SUBCASE("behind") {
    x.nb.known = x.nb.in_force({1});
    x.nb.log = {.start = {{2}, {1}}, .entries = {}};
    CHECK(x.broken_by(x.nb) == "I13");
  }
  SUBCASE("older than the one before") {
    x.look(x.nb);
    x.nb.image->at = {};
    CHECK(x.broken_by(x.nb) == "I13");
  }
}

TEST_CASE("I13: a peer that is sent what it holds, or that holds less than before, is seen") {
  hand_cluster x;
  progress peer{generation{1}, log_index{2}};
  peer.accepted({2}, {});
  x.na.peers = {{b, peer}};
  x.look(x.na);
  SUBCASE("less in the same stream") {
    x.na.peers = {{b, progress{generation{1}, log_index{2}}}};
    CHECK(x.broken_by(x.na) == "I13");
  }
  SUBCASE("another stream begins anew") {
    x.na.peers = {{b, progress{generation{2}, log_index{2}}}};
    CHECK(x.broken_by(x.na) == "none");
  }
  SUBCASE("more than the leader has") {
    x.na.peers.at(b).accepted({3}, {});
    CHECK(x.broken_by(x.na) == "I13");
  }
}

TEST_CASE("I14: a peer that is credited with what it has not stored is seen") {
  hand_cluster x;
  x.na.log.add(1, share(no_op{}));
  progress peer{generation{1}, log_index{2}};
  peer.accepted({3}, {});
  x.na.peers = {{b, peer}};
  SUBCASE("it lacks the entry") {
    CHECK(x.broken_by(x.na) == "I14");
  }
  SUBCASE("the entry is not on its disk") {
    x.nb.log.entries.push_back(x.na.log.entries.back());
    x.nb.durable = 2;
    x.look(x.nb);
    CHECK(x.broken_by(x.na) == "I14");
  }
  SUBCASE("it has another one there") {
    x.nb.vote = {term_number{2}, {}};
    x.nb.log.add(2, share(open_session{}));
    x.look(x.nb);
    // In a later term this leader can not know it.
    CHECK(x.broken_by(x.na) == "none");
  }
  SUBCASE("it has it") {
    x.nb.log.entries.push_back(x.na.log.entries.back());
    x.look(x.nb);
    CHECK(x.broken_by(x.na) == "none");
  }
}

TEST_CASE("I14: an entry that is confirmed, and that the leader has not got, is seen") {
  hand_cluster x;
  const append_reply yes{.term = {2}, .accepted = true, .match = {2}};
  x.elect(x.nb, x.na, 2);
  x.nc.vote = {term_number{2}, {}};
  x.nc.log.add(2, share(no_op{})); // where the leader has the entry that was committed
  CHECK(x.broken_by(x.nc, {{b, yes}}) == "I14");
}

TEST_CASE(
    "I14: a snapshot that is confirmed, or a place to pull from, before it is stored is seen") {
  hand_cluster x;
  x.nc.durable = 0;
  SUBCASE("a snapshot") {
    const snapshot_key at{.at = {{1}, {1}}};
    x.look(x.nc, {{a, snapshot_reply{.term = {1}, .key = at, .done = false}}});
    CHECK(x.broken_by(x.nc, {{a, snapshot_reply{.term = {1}, .key = at, .done = true}}}) == "I14");
  }
  SUBCASE("a place") {
    x.look(x.nc, {{a, pull_request{.cluster = {77}, .from = {}}}});
    CHECK(x.broken_by(x.nc, {{a, pull_request{.cluster = {77}, .from = {{1}, {1}}}}}) == "I14");
  }
}

TEST_CASE("what a run has been through is counted") {
  hand_cluster x;
  x.nc.log.add(1, share(open_session{}));
  x.nc.log.entries.back().term = {1};
  // c followed another leader for a while: its second entry is of term 2, and goes again.
  x.nc.log.keep(1);
  x.nc.vote = {term_number{2}, {}};
  x.nc.log.add(2, share(no_op{}));
  x.look(x.nc, {{a, request_vote{.term = {3}}}});
  x.nc.log.keep(1);
  x.look(x.nc);
  CHECK(x.rules.counters().truncations == 1);
  x.look(x.na, {{b, request_vote{.term = {3}}}});
  CHECK(x.rules.counters().contested == 1);
}

} // namespace invariants_test
