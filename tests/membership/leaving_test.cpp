// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/leaving.hpp>

#include <doctest/doctest.h>

#include "drill.hpp"

#include <string>

namespace leaving_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::drill;
using membership_test::ids;

namespace {

/// The steps that `id` said it took.
std::string steps_of(drill& b, std::uint64_t id) {
  std::string text;
  for (const auto& e : b.node(id).events)
    if (e.what == node_event::kind::leaving || e.what == node_event::kind::left)
      text += (text.empty() ? "" : ", ") + e.detail;
  return text;
}

} // namespace

TEST_CASE("3->2->1 by leave gives {1,2}, then {1}") {
  drill b{3};
  b.leave(3);
  b.run(1s);
  CHECK(b.end_of(3) == leave_outcome::left);
  CHECK(b.voters() == ids({1, 2}));
  CHECK_FALSE(b.listed(3));
  b.leave(2);
  b.run(1s);
  CHECK(b.end_of(2) == leave_outcome::left);
  CHECK(b.voters() == ids({1}));
  CHECK(b.content().members.size() == 1);
  b.leave(1);
  CHECK(b.end_of(1) == leave_outcome::last_member);
}

TEST_CASE("a leave goes step by step, and says so") {
  drill b{4, 3};
  b.leave(2);
  b.run(1s);
  CHECK(steps_of(b, 2) == "announce, hand over, drain, drop out, left");
  CHECK(b.node(2).ends.size() == 1);
  CHECK(b.node(2).drains == 1);
  CHECK(b.lines(2, decision::leave) == 5);
  CHECK(b.voters() == ids({1, 3, 4}));
  CHECK(b.node(2).it->status().leaving == leave_step::ended);
  CHECK(b.events(2, node_event::kind::evicted, errc::removed) == 0);
  CHECK(b.state(2) == membership::member);
}

TEST_CASE("rolling over three nodes: enter first, then leave is one swap") {
  drill b{3, 3};
  for (std::uint64_t id = 1; id <= 3; ++id) {
    b.enter(id + 3, id + 3);
    const auto entries = b.log().entries.size();
    b.leave(id);
    b.run(1s);
    CHECK(b.end_of(id) == leave_outcome::left);
    CHECK(b.voters().size() == 3);
    CHECK(b.log().entries.size() == entries + 4); // mark, J(old, new), new, drop
    b.stop(id);
  }
  CHECK(b.voters() == ids({4, 5, 6}));
  CHECK(b.content().members.size() == 3);
}

TEST_CASE("{1} with temporary 2: 1 leaves by swap and hand-over") {
  drill b{2};
  REQUIRE(b.voters() == ids({1}));
  b.leave(1);
  b.run(1s);
  CHECK(b.end_of(1) == leave_outcome::left);
  CHECK(b.node(1).transfers.empty()); // there was nobody to hand over to before the swap
  CHECK(b.voters() == ids({2}));
  CHECK(b.leader() == member_id{2});
  CHECK_FALSE(b.listed(1));
}

TEST_CASE("a leader hands over before its vote is taken") {
  drill b{3};
  b.matches = {{{2}, {5}}, {{3}, {7}}};
  b.show_all();
  b.leave(1);
  b.run(1s);
  CHECK(b.end_of(1) == leave_outcome::left);
  REQUIRE(b.node(1).transfers.size() == 1);
  CHECK(b.node(1).transfers[0].to == member_id{3}); // it has more of the log
  CHECK(b.leader() == member_id{3});
  CHECK(b.voters() == ids({2, 3}));
}

TEST_CASE("M6: a leader that can not hand over tries again, and goes by the change at last") {
  drill b{3};
  b.transfers = false;
  b.refuses_changes = true;
  const auto changes = b.node(1).asked_changes.size();
  b.leave(1);
  b.run(300ms);
  CHECK(b.node(1).asked_changes.size() == changes); // that is for whoever leads then
  b.run(700ms);
  CHECK(b.node(1).asked_changes.size() > changes);
  CHECK(b.node(1).transfers.size() >= 10);
  CHECK(b.node(1).transfers.size() <= 11);
  CHECK_FALSE(b.end_of(1).has_value());
  b.refuses_changes = false;
  b.run(1s);
  CHECK(b.end_of(1) == leave_outcome::left);
  CHECK(b.voters() == ids({2, 3}));
}

TEST_CASE("a leader whose time to leave is over plans for the others again") {
  drill b{4, 3};
  b.transfers = false;
  b.lagging = {{4}};
  b.leave(1, 50ms);
  b.run(100ms);
  REQUIRE(b.end_of(1) == leave_outcome::timed_out);
  b.lagging.clear();
  b.show_all();
  b.run(1s);
  CHECK(b.voters() == ids({2, 3, 4}));
}

TEST_CASE("M7: of two, the leader that leaves does not go before the other one leads") {
  drill b{3};
  b.leave(3);
  b.run(1s);
  REQUIRE(b.voters() == ids({1, 2}));
  b.leave(1);
  b.run(1s);
  CHECK(b.end_of(1) == leave_outcome::left);
  CHECK(b.leader() == member_id{2});
  CHECK(b.voters() == ids({2}));
}

TEST_CASE("leadership is not handed to one that is leaving too") {
  drill b{5};
  b.matches = {{{2}, {9}}};
  b.refuses_changes = true; // both keep their votes for now
  b.leave(2);
  b.run(10ms);
  b.leave(1);
  b.run(10ms);
  REQUIRE(b.node(1).transfers.size() == 1);
  CHECK(b.node(1).transfers[0].to == member_id{3});
  b.refuses_changes = false;
  b.run(1s);
  CHECK(b.voters() == ids({3, 4, 5}));
}

TEST_CASE("a listener leaves without a change of the voters") {
  drill b{5, 3};
  const auto changes = b.node(1).asked_changes.size();
  b.leave(4);
  b.run(1s);
  CHECK(b.end_of(4) == leave_outcome::left);
  CHECK_FALSE(b.listed(4));
  CHECK(b.node(1).asked_changes.size() == changes);
}

TEST_CASE("the leaver goes on taking part until its open calls are answered") {
  drill b{4, 3};
  b.drains = false;
  b.leave(3);
  b.run(5s);
  CHECK(b.voters() == ids({1, 2, 4}));
  CHECK(b.listed(3)); // its session is open
  CHECK_FALSE(b.end_of(3).has_value());
  b.ask(3, calls_drained{});
  b.run(1s);
  CHECK(b.end_of(3) == leave_outcome::left);
}

TEST_CASE("calls are not refused before the vote is handed over") {
  drill b{4, 3};
  b.lagging = {{4}};
  b.leave(3);
  b.run(5s);
  CHECK(b.node(3).drains == 0);
  CHECK(b.voters() == ids({1, 2, 3}));
  b.lagging.clear();
  b.show_all();
  b.run(1s);
  CHECK(b.node(3).drains == 1);
}

TEST_CASE("a successor that never catches up: the vote goes at the bound, the node says what it "
          "left undone") {
  drill b{4, 3};
  b.lagging = {{4}};
  b.leave(3, 2s);
  b.run(3s);
  CHECK(b.end_of(3) == leave_outcome::timed_out);
  CHECK(b.node(3).ends[0].detail == "hand over: nobody took over the vote");
  CHECK(b.voters() == ids({1, 2, 3}));
  b.stop(3);
  b.run(8s); // leave_limit, as the leader knows it
  CHECK(b.voters() == ids({1, 2}));
  b.run(12s);
  CHECK_FALSE(b.listed(3));
}

TEST_CASE("each step that is open at the bound is named") {
  const auto detail_with = [](auto spoil) {
    drill b{3, 3};
    spoil(b);
    b.leave(3, 1s);
    b.run(2s);
    CHECK(b.end_of(3) == leave_outcome::timed_out);
    CHECK(b.events(3, node_event::kind::left) == 1);
    return b.node(3).ends.at(0).detail;
  };
  CHECK(detail_with([](drill& b) { b.leaderless(); }) == "announce: the mark is not committed");
  CHECK(detail_with([](drill& b) { b.refuses_changes = true; })
        == "hand over: nobody took over the vote");
  CHECK(detail_with([](drill& b) { b.drains = false; }) == "drain: calls are open");
  CHECK(detail_with([](drill& b) {
          b.loses = [](const letter& l) {
            const auto* o = std::get_if<order_request>(&l.what);
            return o && std::holds_alternative<drop_member>(o->what);
          };
        })
        == "drop out: the roster still shows this node");
}

TEST_CASE("without a limit of its own a leave takes at most leave_limit") {
  drill b{3, 3};
  b.leaderless();
  b.leave(3);
  b.run(9'900ms);
  CHECK_FALSE(b.end_of(3).has_value());
  b.run(200ms);
  CHECK(b.end_of(3) == leave_outcome::timed_out);
}

TEST_CASE("through a change of leader and lost letters a leave goes on where it was") {
  drill b{5, 3};
  int letters = 0;
  b.loses = [&](const letter& l) {
    const bool about_orders = std::holds_alternative<order_request>(l.what)
                              || std::holds_alternative<order_reply>(l.what);
    return about_orders && ++letters % 3 != 0;
  };
  b.leave(3);
  b.lead(2);
  b.run(3s);
  CHECK(b.end_of(3) == leave_outcome::left);
  CHECK(b.voters() == ids({1, 2, 4}));
}

TEST_CASE("an order whose answer was lost is not repeated once the roster shows it") {
  drill b{4, 3};
  b.drains = false;
  b.loses = [](const letter& l) { return std::holds_alternative<order_reply>(l.what); };
  b.leave(4);
  b.run(5s);
  CHECK(b.node(4).it->status().leaving == leave_step::drain);
  CHECK(b.count_sent<order_request>(4) == 1);
}

TEST_CASE("the last step succeeds although the node sees no roster without itself") {
  drill b{4, 3};
  b.drains = false;
  b.leave(4);
  b.run(1s);
  b.blind = {{4}}; // what it sees ends here
  int replies = 0;
  b.loses = [&](const letter& l) {
    return std::holds_alternative<order_reply>(l.what) && ++replies == 1;
  };
  b.ask(4, calls_drained{});
  b.run(1s);
  CHECK(replies == 2); // the order was repeated
  CHECK(b.end_of(4) == leave_outcome::left);
}

TEST_CASE("a leader that does not find the node in the roster says by this that it is done") {
  drill b{4, 3};
  b.drains = false;
  b.leave(4);
  b.run(1s);
  const auto seen = b.log().committed();
  b.blind = {{4}};
  b.loses = [&](const letter& l) { return std::holds_alternative<order_reply>(l.what); };
  b.ask(4, calls_drained{});
  b.run(1s);
  REQUIRE_FALSE(b.listed(4));
  CHECK_FALSE(b.end_of(4).has_value());
  b.loses = {};
  b.lead(2);
  core_view last = b.log().view_of({4});
  last.committed = last.newest = seen; // it hears who leads, and gets no further entry
  b.ask(4, last);
  b.run(1s);
  CHECK(b.end_of(4) == leave_outcome::left);
}

TEST_CASE("a node that is dropped while it asks to be is done") {
  drill b{4, 3};
  b.drains = false;
  b.leave(4);
  b.run(1s);
  b.loses = [](const letter& l) { return std::holds_alternative<order_request>(l.what); };
  b.change(drop_member{{4}});
  CHECK_FALSE(b.end_of(4).has_value()); // its calls are open still
  b.ask(4, calls_drained{});
  CHECK(b.end_of(4) == leave_outcome::left);
  CHECK(b.events(4, node_event::kind::evicted, errc::removed) == 0);
}

TEST_CASE("leaving twice is leaving once: the second call has the same end") {
  drill b{4, 3};
  b.drains = false;
  b.leave(3);
  b.run(1s);
  b.leave(3, 1ms);
  b.run(1s);
  CHECK_FALSE(b.end_of(3).has_value());
  b.ask(3, calls_drained{});
  b.run(1s);
  REQUIRE(b.node(3).ends.size() == 1);
  b.leave(3);
  REQUIRE(b.node(3).ends.size() == 2);
  CHECK(b.node(3).ends[1].how == leave_outcome::left);
  CHECK(b.events(3, node_event::kind::left) == 1);
}

TEST_CASE("the last node ends at once, whoever else stands in the roster without a claim") {
  drill b{1};
  b.leave(1);
  CHECK(b.end_of(1) == leave_outcome::last_member);
  CHECK(steps_of(b, 1) == "announce, last member: nobody is left to take over");

  drill with_pinned{2};
  with_pinned.change(pin_member{{2}, true});
  with_pinned.leave(1);
  CHECK(with_pinned.end_of(1) == leave_outcome::last_member);
}

TEST_CASE("as long as another one votes, leaving or not, a node is not the last") {
  auto now = membership_test::group(2, {1, 2});
  membership_test::at(now, 2).status = standing::leaving;
  CHECK_FALSE(is_last_member(now, {1}));
  now.voters = ids({1});
  CHECK(is_last_member(now, {1}));
  now.outgoing = ids({1, 2});
  CHECK_FALSE(is_last_member(now, {1}));
}

TEST_CASE("M8: when all leave at once the last one stays until it is alone, and ends the cluster") {
  drill b{3};
  for (std::uint64_t id : {1u, 2u, 3u})
    b.leave(id);
  b.run(5s);
  int last = 0, left = 0;
  for (std::uint64_t id : {1u, 2u, 3u}) {
    last += b.end_of(id) == leave_outcome::last_member ? 1 : 0;
    left += b.end_of(id) == leave_outcome::left ? 1 : 0;
  }
  CHECK(last == 1);
  CHECK(left == 2);
}

TEST_CASE("a node that is marked as leaving by an operator elsewhere leaves") {
  drill b{4, 3};
  b.order_at(1, mark_member{{3}, standing::leaving});
  b.run(1s);
  CHECK(b.end_of(3) == leave_outcome::left);
  CHECK(steps_of(b, 3) == "announce, hand over, drain, drop out, left");
  CHECK(b.voters() == ids({1, 2, 4}));
}

TEST_CASE("a node that never entered has left at once, and asks no more") {
  drill b{1};
  b.silent = {{1}};
  b.start(drill::options(2, {1}));
  b.run(1s);
  b.leave(2);
  CHECK(b.end_of(2) == leave_outcome::left);
  const auto letters = b.count_sent<census_request>(2);
  b.silent.clear();
  b.run(10s);
  CHECK(b.count_sent<census_request>(2) == letters);
  CHECK(b.content().members.size() == 1);
}

TEST_CASE("a node that was told to found and leaves before founds nothing") {
  drill b;
  auto o = drill::founder(1);
  o.contacts = ids({9});
  b.start(o);
  b.run(0ms);
  b.leave(1);
  b.run(10s);
  CHECK(b.clusters() == 0);
  CHECK(b.end_of(1) == leave_outcome::left);
}

TEST_CASE("a node that was taken in, and does not see it yet, waits for it") {
  drill b{3, 3};
  b.blind = {{4}};
  b.start(drill::options(4, {1}));
  b.run(1s);
  b.leave(4);
  b.run(1s);
  CHECK_FALSE(b.end_of(4).has_value());
  b.blind.clear();
  b.show_all();
  b.run(1s);
  CHECK(b.end_of(4) == leave_outcome::left);
  CHECK_FALSE(b.listed(4));
}

TEST_CASE("a node whose request to enter is granted while it leaves gives back what it got") {
  drill b{2, 3};
  b.drains = false;
  b.silent = {{3}};
  b.start(drill::options(3, {1}));
  b.leave(3);
  b.run(1s);
  CHECK(steps_of(b, 3) == "announce, drain");
  b.silent.clear();
  b.change(enter_member{drill::options(3, {1}).self});
  b.node(3).log = b.node(1).log; // the leader replicates to it
  b.show_all();
  b.run(1s);
  b.ask(3, calls_drained{});
  b.run(5s);
  CHECK(steps_of(b, 3) == "announce, drain, announce, hand over, drain, drop out, left");
  CHECK(b.end_of(3) == leave_outcome::left);
  CHECK_FALSE(b.listed(3));
  CHECK(b.voters() == ids({1, 2}));
}

TEST_CASE("a voter that is evicted while it leaves goes on leaving") {
  drill b{4, 3};
  b.drains = false;
  b.leave(3);
  b.run(10ms);
  b.evict(3, 1);
  b.run(1s);
  b.ask(3, calls_drained{});
  b.run(1s);
  CHECK(b.end_of(3) == leave_outcome::left);
  CHECK(b.events(3, node_event::kind::evicted, errc::removed) == 0);
}

TEST_CASE("steps print their names") {
  CHECK(to_string(leave_step::none) == "none");
  CHECK(to_string(leave_step::drop_out) == "drop out");
  CHECK(to_string(leave_step::ended) == "ended");
}

} // namespace leaving_test
