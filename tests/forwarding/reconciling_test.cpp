// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/reconciling.hpp>

#include <doctest/doctest.h>

#include "forwarder_scene.hpp"

#include <string>
#include <vector>

namespace reconciling_test {

using namespace forwarder_stage;

namespace {

struct scene : forwarder_scene {
  /// The committed configuration now shows this node among the voters.
  void takes_seat(member_id leader, std::uint64_t term = 4) {
    view({.term = {term},
          .leader = leader,
          .leads = leader == self,
          .committed = placed(30, {{.id = self, .entered = {4}}}, rules, {a, b, self})});
  }

  /// A command that may have been applied: it was sent to `a`, which is gone.
  void hanging_call(std::uint64_t id) {
    call(id, command{.body = bytes{"x"}});
    forwarded(a);
    notice(peer_lost{a});
  }

  std::string event() {
    const auto events = told<node_event>();
    REQUIRE(events.size() == 1);
    CHECK(events[0].what == node_event::kind::reconciled);
    CHECK(events[0].who == self);
    CHECK(events[0].index == log_index{30});
    return events[0].detail;
  }
};

/// A caller who names no deadline.
local_call patient(std::uint64_t id) {
  return {{id}, command{.body = bytes{"x"}}, {}};
}

} // namespace

TEST_CASE("S6: what had been applied before the seat is found in the log, and not applied again") {
  scene s;
  s.follows(a);
  s.hanging_call(1);
  s.takes_seat(b);
  const auto question = s.forwarded(b);
  CHECK(std::get<settle>(question.body) == settle{{4}, {1}});
  CHECK(s.told<node_event>().empty());
  s.answer_from(b, question.id, reply{.body = bytes{"stored"}, .index = {31}});
  CHECK(s.answer_to(1)->body == bytes{"stored"});
  CHECK(s.event() == "1 call: 1 applied before, 0 applied now, 0 not applied");
  CHECK(s.it.reconciled() == reconcile_counters{.taken = 1, .applied_before = 1});
}

TEST_CASE("S6: what had not been applied is settled as such, and then applied once") {
  scene s;
  s.follows(a);
  s.hanging_call(1);
  SUBCASE("under another leader") {
    s.takes_seat(b);
    const auto question = s.forwarded(b);
    CHECK(std::get<settle>(question.body) == settle{{4}, {1}});
    s.answer_from(b, question.id, fail(errc::not_applied));
    const auto again = s.forwarded(b);
    CHECK(std::get<command>(again.body) == command{{4}, {2}, {2}, bytes{"x"}});
    s.answer_from(b, again.id, reply{.index = {32}});
  }
  SUBCASE("leading itself") {
    s.takes_seat(self);
    const auto question = s.proposal();
    CHECK(std::get<settle>(*question.what.at(0)) == settle{{4}, {1}});
    s.notice(proposed{.batch = question.batch, .first = {31}, .count = 1});
    s.applied(31, fail(errc::not_applied));
    const auto again = s.proposal();
    CHECK(std::get<command>(*again.what.at(0)) == command{{4}, {2}, {2}, bytes{"x"}});
    s.notice(proposed{.batch = again.batch, .first = {32}, .count = 1});
    s.applied(32);
  }
  CHECK(s.answer_to(1)->index == log_index{32});
  CHECK(s.event() == "1 call: 0 applied before, 1 applied now, 0 not applied");
  CHECK(s.it.reconciled() == reconcile_counters{.taken = 1, .applied_after = 1});
}

TEST_CASE("S6: a retry that is under way when the seat is taken gives way to the question") {
  scene s;
  s.follows(a);
  s.hanging_call(1);
  s.follows(b, 4);
  const auto retry = s.forwarded(b);
  CHECK(std::holds_alternative<command>(retry.body));
  s.takes_seat(b);
  const auto question = s.forwarded(b);
  CHECK(std::holds_alternative<settle>(question.body));
  s.answer_from(b, retry.id, fail(errc::not_applied));
  CHECK_MESSAGE(s.silent(), "the answer to the retry is no answer to the question");
  s.answer_from(b, question.id, reply{.index = {31}});
  CHECK(s.answer_to(1));
  CHECK(s.it.reconciled().applied_before == 1);
}

TEST_CASE("S6: what was never sent is sent, and a client's command keeps its number") {
  scene s;
  s.follows({});
  s.call(1, command{.body = bytes{"x"}});
  s.request_from(outsider, from_client({{{11}, portable(9, 7), 5s}}));
  CHECK(s.silent());
  s.takes_seat(b);
  const auto sent = s.sent<requests>(b);
  REQUIRE(sent.size() == 1);
  REQUIRE(sent[0].batch.size() == 2);
  CHECK(std::get<command>(sent[0].batch[0].body).number == request_number{1});
  CHECK(std::get<command>(sent[0].batch[1].body) == portable(9, 7));
  s.answer_from(b, sent[0].batch[0].id, fail(errc::rejected));
  CHECK(code_of(s.answer_to(1)) == errc::rejected);
  CHECK(s.told<node_event>().empty());
  s.answer_from(b, sent[0].batch[1].id, reply{.index = {31}});
  CHECK(s.event() == "2 calls: 0 applied before, 1 applied now, 1 not applied");
}

TEST_CASE("S6: a call that pauses is tried at once when the seat is taken") {
  scene s;
  s.follows(a);
  s.call(1, command{});
  s.answer_from(a, s.forwarded(a).id, fail(errc::not_leader));
  CHECK(s.out.letters.empty());
  s.takes_seat(a, 3);
  s.forwarded(a);
  CHECK(s.it.reconciled().taken == 1);
}

TEST_CASE("S6: a write that is with the leader is left to it, and counted") {
  scene s;
  s.follows(b, 4);
  s.call(1, command{});
  const auto flying = s.forwarded(b);
  s.takes_seat(b);
  CHECK(s.silent()); // it is not sent again
  s.answer_from(b, flying.id, reply{.index = {31}});
  CHECK(s.event() == "1 call: 0 applied before, 1 applied now, 0 not applied");
}

TEST_CASE("queries are not reconciled") {
  scene s;
  s.follows(b, 4);
  s.call(2, query{});
  s.answer_from(b, s.forwarded(b).id, fail(errc::not_leader));
  s.takes_seat(b);
  CHECK(s.event() == "0 calls: 0 applied before, 0 applied now, 0 not applied");
  CHECK(s.it.reconciled() == reconcile_counters{});
  CHECK(s.told<node_event>().empty());
}

TEST_CASE("what this node has proposed itself is not asked about: its outcome comes soon") {
  scene s;
  s.follows(a);
  s.hanging_call(1);
  s.leads(4);
  const auto p = s.proposal();
  s.notice(proposed{.batch = p.batch, .first = {31}, .count = 1});
  s.takes_seat(self);
  CHECK(s.silent());
  s.applied(31);
  CHECK(s.answer_to(1));
  CHECK(s.it.reconciled() == reconcile_counters{.taken = 1, .applied_after = 1});
}

TEST_CASE("a session that the node opens for itself is not counted among its calls") {
  scene s{{.life = node_life::resumed}};
  s.follows({});
  s.call(1, command{});
  s.takes_seat(b);
  CHECK(std::holds_alternative<open_session>(s.forwarded(b).body));
  CHECK(s.it.reconciled().taken == 1);
}

TEST_CASE("an outcome that stays unknown is counted as that") {
  scene s;
  s.follows(a);
  s.hanging_call(1);
  s.takes_seat(b);
  s.forwarded(b);
  s.pass(10s);
  CHECK(code_of(s.answer_to(1)) == errc::outcome_unknown);
  CHECK(s.event() == "1 call: 0 applied before, 0 applied now, 0 not applied, 1 unknown");
  CHECK(s.it.reconciled() == reconcile_counters{.taken = 1, .unknown = 1});
}

TEST_CASE("S6: what was taken while nobody led outlasts its default deadline") {
  scene s{{.options = {.accept_offline = true}}};
  const auto& options = s.options;
  s.follows({});
  s.notice(patient(1));
  s.call(2, command{}, 1s);
  s.pass(1s);
  CHECK_MESSAGE(code_of(s.answer_to(2)) == errc::no_leader,
                "its caller has said how long it waits");
  SUBCASE("a leader comes up") {
    s.pass(options.calls.deadline_default);
    CHECK(s.silent());
    s.follows(b, 5);
    s.answer_from(b, s.forwarded(b).id, reply{.index = {9}});
    CHECK(s.answer_to(1));
    const auto events = s.told<node_event>();
    REQUIRE(events.size() == 1);
    CHECK(events[0].what == node_event::kind::reconciled);
    CHECK(events[0].detail == "1 call: 0 applied before, 1 applied now, 0 not applied");
    CHECK(s.it.reconciled() == reconcile_counters{.taken = 1, .applied_after = 1});
  }
  SUBCASE("this node takes a seat") {
    s.pass(options.calls.deadline_default);
    s.takes_seat(b, 5);
    s.answer_from(b, s.forwarded(b).id, reply{.index = {31}});
    CHECK(s.answer_to(1));
    CHECK(s.event() == "1 call: 0 applied before, 1 applied now, 0 not applied");
  }
  SUBCASE("neither happens") {
    s.pass(options.offline_patience - 2s);
    CHECK(s.silent());
    s.pass(1s);
    CHECK(code_of(s.answer_to(1)) == errc::no_leader);
  }
}

TEST_CASE("S6: a node that is cut off takes commands offline, though it still names a leader") {
  scene s{{.options = {.accept_offline = true}}};
  s.follows(a);
  SUBCASE("the link broke") {
    s.notice(peer_lost{a});
  }
  SUBCASE("the leader does not answer") {
    s.call(7, query{});
    s.forwarded(a);
    s.pass(s.options.suspect_after + s.options.calls.answer_grace);
  }
  s.sent<requests>(a);
  s.notice(patient(1));
  s.pass(s.options.calls.deadline_default);
  for (const auto& answer : s.told<local_answer>())
    CHECK(answer.id != ticket{1});
  s.sent<requests>(a);
  s.follows(b, 4);
  s.answer_from(b, s.forwarded(b).id, reply{.index = {31}});
  CHECK(s.answer_to(1));
  CHECK(s.it.reconciled().taken == 1);
}

TEST_CASE("a caller who would not wait long is no sign that the leader is gone") {
  scene s{{.options = {.accept_offline = true}}};
  s.follows(a);
  s.call(7, query{}, 20ms);
  s.forwarded(a);
  s.pass(20ms);
  CHECK(code_of(s.answer_to(7)) == errc::timed_out);
  s.notice(patient(1));
  s.forwarded(a);
  s.follows(b, 4);
  CHECK(s.it.reconciled().taken == 0);
}

TEST_CASE("without accept_offline the default deadline stands, and with it if somebody leads") {
  scene s;
  SUBCASE("not accepted") {
    s.follows({});
    s.notice(patient(1));
  }
  SUBCASE("somebody leads") {
    s.it = forwarder{self, {.accept_offline = true}, random_source{1}};
    s.follows(a);
    s.notice(patient(1));
    s.follows({}, 4);
  }
  s.pass(s.options.calls.deadline_default);
  CHECK(code_of(s.answer_to(1)) != errc::none);
}

TEST_CASE("what is kept for later counts towards the limit of open calls") {
  scene s{{.options = {.calls = {.calls_max = 2}, .accept_offline = true}}};
  s.follows({});
  for (std::uint64_t i = 1; i <= 3; ++i)
    s.notice(patient(i));
  CHECK(code_of(s.answer_to(3)) == errc::overloaded);
  CHECK(s.it.open_calls() == 2);
}

} // namespace reconciling_test
