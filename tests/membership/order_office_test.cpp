// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/order_office.hpp>

#include <doctest/doctest.h>

#include "drill.hpp"

#include <string>

namespace order_office_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::drill;
using membership_test::ids;

namespace {

/// The code with which `what`, ordered at `at`, ends.
errc outcome(drill& b, std::uint64_t at, order what) {
  b.order_at(at, std::move(what));
  b.run(100ms);
  return b.outcome_at(at);
}

/// The text that went with it.
std::string text(drill& b, std::uint64_t at) {
  return b.answer_at(at)->error().detail;
}

} // namespace

TEST_CASE("what is ordered about a member that is not there is refused by name") {
  drill b{4, 3};
  for (std::uint64_t at : {1u, 4u}) {
    CHECK(outcome(b, at, mark_member{{9}, standing::evicted}) == errc::removed);
    CHECK(text(b, at) == "member 9 is not in the roster");
    CHECK(outcome(b, at, pin_member{{9}, true}) == errc::removed);
    CHECK(outcome(b, at, drop_member{{9}}) == errc::removed);
    CHECK(outcome(b, at, transfer_leadership{{9}}) == errc::invalid_option);
    CHECK(text(b, at) == "member 9 is no voter in line: it can not lead");
    CHECK(outcome(b, at, transfer_leadership{{4}}) == errc::invalid_option); // a listener
  }
  CHECK(b.content().members.size() == 4);
}

TEST_CASE("nobody evicts itself") {
  drill b{4, 3};
  for (std::uint64_t at : {1u, 2u, 4u}) {
    CHECK(outcome(b, at, mark_member{{at}, standing::evicted}) == errc::invalid_option);
    CHECK(text(b, at).ends_with("can not evict itself: a node that is to go leaves"));
  }
}

TEST_CASE("M12: what an operator evicts is swapped out, told so once, and does not come back") {
  drill b{4, 3};
  CHECK(outcome(b, 4, mark_member{{2}, standing::evicted}) == errc::none);
  b.run(1s);
  CHECK(b.voters() == ids({1, 3, 4}));
  CHECK_FALSE(b.listed(2));
  CHECK(b.state(2) == membership::failed);
  CHECK(b.obstacle(2).code == errc::removed);
  CHECK(b.events(2, node_event::kind::evicted, errc::removed) == 1);
  b.run(1min);
  CHECK(b.events(2, node_event::kind::evicted, errc::removed) == 1);
  CHECK(b.count_sent<enter_request>(2) == 1); // of its youth
  // A request of then that arrives now, and a second start under the old id.
  b.tell(2, 1, enter_request{.newcomer = drill::options(2).self});
  CHECK_FALSE(b.listed(2));
  b.start(drill::options(2, {1}));
  b.run(1s);
  CHECK(b.state(2) == membership::failed);
  CHECK_FALSE(b.listed(2));
}

TEST_CASE("a leader that is evicted hands over, and its seat goes to the next in line") {
  drill b{4, 3};
  CHECK(outcome(b, 4, mark_member{{1}, standing::evicted}) == errc::none);
  b.run(1s);
  CHECK(b.leader() != member_id{1});
  CHECK(b.voters() == ids({2, 3, 4}));
  CHECK_FALSE(b.listed(1));
  CHECK(b.state(1) == membership::failed);
}

TEST_CASE("an evicted leader that nobody can follow goes on leading until somebody can") {
  drill b{4, 3};
  b.transfers = false;
  b.lagging = {{4}};
  CHECK(outcome(b, 4, mark_member{{1}, standing::evicted}) == errc::none);
  b.run(1s);
  CHECK(b.events(1, node_event::kind::evicted, errc::removed) == 1);
  CHECK(b.state(1) == membership::member);
  b.lagging.clear();
  b.show_all();
  b.run(1s);
  CHECK(b.voters() == ids({2, 3, 4}));
  CHECK(b.state(1) == membership::failed);
}

TEST_CASE("a mark is never taken back") {
  drill b{3};
  b.change(mark_member{{3}, standing::evicted}); // kept by the floor
  CHECK(outcome(b, 1, mark_member{{3}, standing::present}) == errc::invalid_option);
  CHECK(outcome(b, 1, mark_member{{3}, standing::leaving}) == errc::invalid_option);
  CHECK(text(b, 1) == "the mark of member 3 is not taken back");
}

TEST_CASE("a mark that is there already is answered like the first") {
  drill b{3};
  CHECK(outcome(b, 1, mark_member{{3}, standing::evicted}) == errc::none);
  const auto entries = b.log().entries.size();
  CHECK(outcome(b, 2, mark_member{{3}, standing::evicted}) == errc::none);
  CHECK(b.answer_at(2)->value() == b.log().commit);
  CHECK(b.log().entries.size() == entries);
}

TEST_CASE("marks and pins that would leave nobody in line are refused") {
  drill b{2};
  CHECK(outcome(b, 1, pin_member{{2}, true}) == errc::none);
  CHECK(outcome(b, 1, pin_member{{1}, true}) == errc::invalid_option);
  CHECK(text(b, 1) == "no member in line would be left to vote");
  CHECK(outcome(b, 2, mark_member{{1}, standing::leaving}) == errc::invalid_option);
  CHECK(outcome(b, 2, mark_member{{1}, standing::evicted}) == errc::invalid_option);
  CHECK(outcome(b, 1, pin_member{{2}, false}) == errc::none);
  CHECK(outcome(b, 1, pin_member{{1}, true}) == errc::none);
  b.run(1s);
  CHECK(b.voters() == ids({2}));
}

TEST_CASE(
    "T = 0, and other settings that make no sense, are refused with the field and its value") {
  drill b{3};
  auto rules = b.content().rules;
  rules.max_voters = 0;
  CHECK(outcome(b, 2, set_rules{rules}) == errc::invalid_option);
  CHECK(text(b, 2).starts_with("max_voters must be from 1 to 63, and is 0"));
  rules.max_voters = 3;
  rules.min_voters = 4;
  CHECK(outcome(b, 2, set_rules{rules}) == errc::invalid_option);
  CHECK(b.content().rules.max_voters == 5);
}

TEST_CASE("T lowered by an order takes seats away, T raised gives them back") {
  drill b{5};
  auto rules = b.content().rules;
  rules.max_voters = 3;
  CHECK(outcome(b, 5, set_rules{rules}) == errc::none);
  b.run(1s);
  CHECK(b.voters() == ids({1, 2, 3}));
  rules.max_voters = 5;
  CHECK(outcome(b, 5, set_rules{rules}) == errc::none);
  b.run(1s);
  CHECK(b.voters() == ids({1, 2, 3, 4, 5}));
}

TEST_CASE("only the node itself says when it is to be dropped, unless it is evicted") {
  drill b{4, 3};
  CHECK(outcome(b, 1, drop_member{{4}}) == errc::invalid_option);
  CHECK(text(b, 1) == "member 4 is not evicted: only it may drop itself");
  CHECK(outcome(b, 4, drop_member{{4}}) == errc::invalid_option);
  CHECK(text(b, 4) == "member 4 is not marked");
  b.drains = false;
  b.leave(4);
  b.run(100ms);
  CHECK(outcome(b, 1, drop_member{{4}}) == errc::invalid_option);
  CHECK(outcome(b, 4, drop_member{{4}}) == errc::none);
  CHECK_FALSE(b.listed(4));
}

TEST_CASE("a voter is not dropped") {
  drill b{3};
  b.refuses_changes = true;
  b.leave(3);
  b.run(100ms);
  CHECK(outcome(b, 3, drop_member{{3}}) == errc::invalid_option);
  CHECK(text(b, 3) == "member 3 still votes");
}

TEST_CASE("leadership is not handed to whom it belongs, or where nobody else votes") {
  drill b{2};
  CHECK(outcome(b, 2, transfer_leadership{{1}}) == errc::none);
  CHECK(b.node(1).transfers.empty());
  CHECK(outcome(b, 2, transfer_leadership{}) == errc::invalid_option);
  CHECK(text(b, 2) == "nobody else votes");
}

TEST_CASE("one transfer at a time, and each has an end") {
  drill b{4, 3};
  b.transfers = false;
  b.order_at(4, transfer_leadership{{2}});
  b.run(1s);
  const auto tries = b.node(1).transfers.size();
  CHECK(tries >= 10);
  CHECK(tries <= 11);
  CHECK(outcome(b, 3, transfer_leadership{{3}}) == errc::busy);
  b.run(4s);
  REQUIRE(b.node(4).orders_done.size() == 1);
  CHECK(b.node(4).orders_done[0].result.error()
        == failure{errc::timed_out, "member 2 did not take over"});
  CHECK(b.leader() == member_id{1});
}

TEST_CASE("a node that does not lead says who does") {
  drill b{4, 3};
  b.tell(4, 2, order_request{{7}, pin_member{{4}, true}});
  const auto& reply = std::get<order_reply>(b.sent.back().what);
  CHECK(b.sent.back().to == member_id{4});
  CHECK(reply.id == ticket{7});
  CHECK(reply.result.error() == failure{errc::not_leader, {}, {1}});
}

TEST_CASE("a stranger gives no orders") {
  drill b{4, 3};
  b.tell(9, 1, order_request{{7}, pin_member{{4}, true}});
  CHECK(std::get<order_reply>(b.sent.back().what).result.error().code == errc::removed);
  CHECK_FALSE(find(b.content(), {4})->pinned);
}

TEST_CASE("what the core refuses is refused") {
  drill b{4, 3};
  b.refuses_roster = true;
  CHECK(outcome(b, 2, pin_member{{4}, true}) == errc::busy);
  CHECK(outcome(b, 1, pin_member{{4}, true}) == errc::busy);
}

TEST_CASE("a late copy of an order is answered, and not carried out a second time") {
  drill b{4, 3};
  b.tell(2, 1, order_request{{7}, pin_member{{4}, true}});
  CHECK(outcome(b, 1, pin_member{{4}, false}) == errc::none);
  b.tell(2, 1, order_request{{7}, pin_member{{4}, true}});
  CHECK(std::get<order_reply>(b.sent.back().what).result.has_value());
  CHECK_FALSE(find(b.content(), {4})->pinned);
}

TEST_CASE("U1: a version is used when every member knows it, and no sooner") {
  drill b{3};
  CHECK(outcome(b, 2, use_machine_version{2}) == errc::version_unsupported);
  CHECK(text(b, 2) == "member 1 knows version 1 of the machine, and not 2");
  CHECK(b.content().machine_version == 1);
  CHECK(outcome(b, 2, use_machine_version{1}) == errc::none); // as it is
}

TEST_CASE("nobody says of another what it knows") {
  drill b{3};
  CHECK(outcome(b, 2, declare_versions{{3}, 1, 2}) == errc::invalid_option);
  CHECK(text(b, 2) == "only member 3 knows what its build knows");
  CHECK(find(b.content(), {3})->machine_version == 1);
}

TEST_CASE("orders are written down, with what became of them") {
  drill b{4, 3};
  CHECK(outcome(b, 2, mark_member{{9}, standing::evicted}) == errc::removed);
  const auto& lines = b.node(1).it->journal().lines();
  REQUIRE(b.lines(1, decision::instruction) == 2);
  CHECK(lines[lines.size() - 2].text == "member 2 orders: evict member 9");
  CHECK(lines.back().text == "of member 2 refused: member 9 is not in the roster");
}

TEST_CASE("orders read like sentences") {
  CHECK(describe(mark_member{{1}, standing::leaving}) == "mark as leaving member 1");
  CHECK(describe(mark_member{{1}, standing::present}) == "mark as present member 1");
  CHECK(describe(pin_member{{1}, false}) == "unpin member 1");
  CHECK(describe(drop_member{{1}}) == "drop member 1");
  CHECK(describe(set_rules{}) == "replace the settings");
  CHECK(describe(transfer_leadership{{1}}) == "hand leadership to member 1");
  CHECK(describe(transfer_leadership{}) == "hand leadership to any voter");
  CHECK(describe(declare_versions{{1}, 1, 2})
        == "show that member 1 knows version 2 of the machine");
  CHECK(describe(use_machine_version{2}) == "use version 2 of the machine");
}

} // namespace order_office_test
