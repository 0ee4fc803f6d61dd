// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/orders.hpp>

#include <doctest/doctest.h>

#include "drill.hpp"

#include <memory>
#include <variant>
#include <vector>

namespace orders_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::drill;
using membership_test::ids;

namespace {

bool is_order(const letter& l) {
  return std::holds_alternative<order_request>(l.what);
}

bool is_reply(const letter& l) {
  return std::holds_alternative<order_reply>(l.what);
}

} // namespace

TEST_CASE("an order can be given at any node, and is answered with the index that shows it") {
  for (std::uint64_t at : {1u, 2u, 4u}) {
    drill b{4, 3};
    b.order_at(at, pin_member{{4}, true});
    b.run(0ms);
    CHECK(find(b.content(), {4})->pinned);
    REQUIRE(b.answer_at(at).has_value());
    CHECK(b.answer_at(at).value() == b.log().commit);
  }
}

TEST_CASE("the answer waits until the order is committed") {
  drill b{4, 3};
  b.commits = false;
  b.order_at(4, pin_member{{4}, true});
  b.run(1s);
  CHECK(find(*b.log().newest().content, {4})->pinned);
  CHECK_FALSE(b.answer_at(4).has_value());
  b.commit();
  b.run(0ms);
  CHECK(b.outcome_at(4) == errc::none);
}

TEST_CASE("a lost order is sent again every seat_retry, a lost answer costs no second change") {
  drill b{4, 3};
  b.loses = is_order;
  b.order_at(4, pin_member{{4}, true});
  b.run(950ms);
  CHECK(b.count_sent<order_request>(4) == 10);
  b.loses = is_reply;
  b.run(1s);
  const auto entries = b.log().entries.size();
  b.loses = {};
  b.run(1s);
  CHECK(b.outcome_at(4) == errc::none);
  CHECK(b.log().entries.size() == entries);
  CHECK(b.lines(1, decision::instruction) == 1);
  CHECK(b.count_sent<order_request>(4) <= 22);
}

TEST_CASE("another leader is asked at once, under the same number") {
  drill b{4, 3};
  b.commits = false;
  b.order_at(4, pin_member{{4}, true});
  b.run(50ms); // in the middle of a pause
  REQUIRE(b.count_sent<order_request>(4) == 1);
  b.lead(2); // what was appended is gone
  CHECK(b.count_sent<order_request>(4) == 2);
  b.commits = true;
  b.run(0ms);
  CHECK(b.outcome_at(4) == errc::none);
  CHECK(find(b.content(), {4})->pinned);
}

TEST_CASE("the leader's own orders survive its leadership") {
  drill b{4, 3};
  b.commits = false;
  b.order_at(1, pin_member{{4}, true});
  b.lead(2);
  b.commits = true;
  b.run(0ms);
  CHECK(b.outcome_at(1) == errc::none);
  CHECK(find(b.content(), {4})->pinned);
}

TEST_CASE("and are given anew when it leads again, in another term") {
  drill b{4, 3};
  b.commits = false;
  b.order_at(1, pin_member{{4}, true});
  b.commits = true;
  b.lead(1);
  b.run(0ms);
  CHECK(b.outcome_at(1) == errc::none);
  CHECK(find(b.content(), {4})->pinned);
}

TEST_CASE("an order that finds no leader fails for certain, one that was sent may have been done") {
  drill b{4, 3};
  b.leaderless();
  b.order_at(4, pin_member{{4}, true});
  b.run(9'900ms);
  CHECK_FALSE(b.answer_at(4).has_value());
  b.run(200ms);
  CHECK(b.outcome_at(4) == errc::no_leader);
  b.lead(1);
  b.loses = is_reply;
  b.order_at(4, pin_member{{4}, true}, b.now() + 2s);
  b.run(1'900ms);
  CHECK_FALSE(b.answer_at(4).has_value());
  b.run(200ms);
  CHECK(b.outcome_at(4) == errc::outcome_unknown);
  CHECK(b.answer_at(4)->error().detail == "pin member 4: no answer in time");
  const auto letters = b.count_sent<order_request>(4);
  b.run(1min);
  CHECK(b.count_sent<order_request>(4) == letters);
  CHECK(b.node(4).orders_done.size() == 2);
}

TEST_CASE("a transfer is done when the other one is seen to lead") {
  for (std::uint64_t at : {1u, 3u, 4u}) {
    drill b{4, 3};
    b.order_at(at, transfer_leadership{{3}});
    b.run(0ms);
    CHECK(b.leader() == member_id{3});
    CHECK(b.outcome_at(at) == errc::none);
    b.run(10s);
    CHECK(b.leader() == member_id{3});
  }
}

TEST_CASE("a transfer to anybody goes to the voter that has most, once") {
  drill b{5, 5};
  b.matches = {{{3}, {4}}, {{4}, {6}}, {{5}, {5}}};
  b.show_all();
  b.order_at(2, transfer_leadership{});
  b.run(5s);
  CHECK(b.outcome_at(2) == errc::none);
  CHECK(b.leader() == member_id{4});
}

TEST_CASE(
    "when somebody else than the one that was meant comes to lead, it is asked to hand over") {
  drill b{4, 3};
  b.lagging = {{3}};
  b.show_all();
  b.order_at(4, transfer_leadership{{3}});
  b.run(1s);
  CHECK(b.node(1).transfers.empty()); // it would only hold up the writers
  b.lead(2);
  b.lagging.clear();
  b.show_all();
  b.run(1s);
  CHECK(b.leader() == member_id{3});
  CHECK(b.outcome_at(4) == errc::none);
}

TEST_CASE("a stranger's answer to an order counts nothing") {
  drill b{4, 3};
  b.loses = is_order;
  b.order_at(4, pin_member{{4}, true});
  const auto id = std::get<order_request>(b.sent.back().what).id;
  b.tell(2, 4, order_reply{id, log_index{1}});
  CHECK_FALSE(b.answer_at(4).has_value());
  b.tell(1, 4, order_reply{id, fail(errc::not_leader)}); // nor does this end it
  CHECK_FALSE(b.answer_at(4).has_value());
  b.tell(1, 4, order_reply{id, log_index{1}});
  CHECK(b.outcome_at(4) == errc::none);
  b.tell(1, 4, order_reply{id, log_index{1}}); // twice
  CHECK(b.node(4).orders_done.size() == 1);
}

TEST_CASE("an own order is given until it is carried out, with a pause when it comes to nothing") {
  const auto options = std::make_shared<const monitor_options>(drill::options(2, {1}));
  const core_view view{.term = {1}, .leader = {1}};
  const signs_of_life signs;
  ticket_line tickets{1};
  class journal notes;
  order_office office{options};
  order_desk desk{options};
  own_order own;
  std::vector<ticket> given;
  const auto pump = [&](interval at) {
    outbox out;
    const scene s{{2}, view, signs, instant{at}, tickets, notes, out};
    const auto outcome = own.pump(pin_member{{2}, true}, instant{1h}, 5s, desk, s);
    desk.pump(s, office);
    for (const auto& l : out.letters)
      given.push_back(std::get<order_request>(l.what).id);
    return outcome;
  };
  const auto answer = [&](const expected<log_index>& what) {
    outbox out;
    desk.answered({1}, given.back(), what, {{2}, view, signs, instant{1s}, tickets, notes, out});
  };
  CHECK_FALSE(pump(0s));
  CHECK_FALSE(pump(1s)); // the same again: it may be lost
  REQUIRE(given.size() == 2);
  CHECK(given[0] == given[1]);

  answer(fail(errc::overloaded));
  CHECK(pump(1s)->error().code == errc::overloaded);
  CHECK_FALSE(pump(5s));
  CHECK(given.size() == 2);
  CHECK_FALSE(pump(6s));
  REQUIRE(given.size() == 3);
  CHECK(given[2] != given[1]);

  answer(log_index{4});
  CHECK(pump(6s).value() == log_index{4});
  own.withdraw(desk);
  CHECK_FALSE(pump(6s)); // anew, and at once
  CHECK(given.size() == 4);
}

TEST_CASE("a node that came back under its id is not given the answers of its earlier life") {
  const auto first_number = [](std::uint64_t seed) {
    monitor m{drill::options(2, {1}), random_source{seed}};
    core_view view{.term = {1}, .leader = {1}};
    view.committed = view.newest
        = {{5}, std::make_shared<const configuration>(membership_test::group(2, {1}))};
    outbox out;
    m.on(view, instant{1h}, out);
    local_order what{{1}, pin_member{{2}, true}, {}};
    m.on(what, instant{1h}, out);
    m.settle(instant{1h}, out);
    for (const auto& l : out.letters)
      if (const auto* o = std::get_if<order_request>(&l.what))
        return o->id;
    return ticket{};
  };
  CHECK(first_number(1));
  CHECK(first_number(1) != first_number(2));
}

TEST_CASE("the number of open orders is bounded") {
  drill b{1};
  b.leaderless();
  for (std::size_t i = 0; i < order_office::orders_max; ++i)
    b.order_at(1, pin_member{{1}, false});
  CHECK(b.node(1).orders_done.empty());
  b.order_at(1, pin_member{{1}, false});
  CHECK(b.outcome_at(1) == errc::overloaded);
}

TEST_CASE("a node that was sent away, or has left, takes no orders") {
  drill b{4, 3};
  b.loses = is_reply;
  b.order_at(4, pin_member{{2}, false});
  b.run(10ms);
  b.loses = {};
  b.change(mark_member{{4}, standing::evicted});
  CHECK(b.outcome_at(4) == errc::outcome_unknown); // it was sent, and not answered
  b.order_at(4, pin_member{{2}, true});
  CHECK(b.outcome_at(4) == errc::removed);
  b.leave(3);
  b.run(1s);
  b.order_at(3, pin_member{{2}, true});
  CHECK(b.outcome_at(3) == errc::stopped);
}

} // namespace orders_test
