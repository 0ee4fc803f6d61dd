// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/call_desk.hpp>

#include <doctest/doctest.h>

namespace call_desk_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

constexpr member_id a{1}, b{2};
constexpr instant start{100s};

struct desk {
  call_options options = {};
  call_desk it{options, 300ms, 7};
  instant now = start;

  void own(std::uint64_t caller, interval patience = 10s) {
    it.take({.caller = {caller}, .body = command{}, .deadline = now + patience, .own = true});
  }

  /// Sends all that can be sent to `to`.
  std::vector<request> send(member_id to, std::uint32_t window = 1'024) {
    it.number_waiting(window);
    std::vector<request> sent;
    it.each_held([&](ticket id, call&) { sent.push_back(it.begin_attempt(id, to, now)); });
    return sent;
  }

  void pass(interval time) {
    now += time;
    it.look_at_due(now, [&](const call& c) { silent.push_back(c.at); });
  }

  std::vector<ended_call> ended() { return std::exchange(it.ended(), {}); }

  std::vector<member_id> silent = {};
};

errc code_of(const ended_call& e) {
  return e.result ? errc::none : e.result.error().code;
}

} // namespace

TEST_CASE("C6: a command keeps its session and number in every attempt") {
  desk d;
  d.it.window().opened({40});
  d.own(1);
  const auto first = d.send(a);
  REQUIRE(first.size() == 1);
  const auto sent = std::get<command>(first[0].body);
  CHECK(sent.session == session_id{40});
  CHECK(sent.number == request_number{1});
  d.pass(350ms);
  CHECK(d.silent == std::vector{a});
  const auto second = d.send(b);
  REQUIRE(second.size() == 1);
  CHECK(std::get<command>(second[0].body) == sent);
  CHECK(second[0].id != first[0].id);
  CHECK(d.it.retries() == 1);

  d.it.end_attempt(first[0].id, reply{.index = {9}}, 0ms, d.now);
  CHECK_MESSAGE(d.ended().empty(), "the answer to an attempt that was given up");
  d.it.end_attempt(second[0].id, reply{.index = {9}}, 0ms, d.now);
  const auto ended = d.ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].caller == ticket{1});
  CHECK(ended[0].result);
  CHECK(d.it.size() == 0);
  CHECK(d.it.own_open() == 0);
  CHECK(d.it.window().answered_below() == request_number{2});
}

TEST_CASE("each attempt in a row at the same node is given twice the time, up to eightfold") {
  desk d;
  d.it.window().opened({40});
  d.own(1, 60s);
  for (const auto time : {300ms, 600ms, 1'200ms, 2'400ms, 2'400ms}) {
    const auto sent = d.send(a);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].time_left == time);
    d.pass(time + d.options.answer_grace - 1ms);
    CHECK(d.send(a).empty());
    d.pass(1ms);
  }
  CHECK(d.send(b)[0].time_left == 300ms);
}

TEST_CASE("an attempt is never given more time than the call has left") {
  desk d;
  d.it.window().opened({40});
  d.own(1, 100ms);
  CHECK(d.send(a)[0].time_left == 100ms);
}

TEST_CASE("C4: at its deadline a call ends with what is certain") {
  desk d;
  d.it.window().opened({40});
  SUBCASE("never sent") {
    d.own(1, 1s);
    d.pass(1s);
    CHECK(code_of(d.ended().at(0)) == errc::no_leader);
  }
  SUBCASE("in flight") {
    d.own(1, 100ms);
    d.send(a);
    d.pass(100ms);
    CHECK(code_of(d.ended().at(0)) == errc::outcome_unknown);
  }
  SUBCASE("was in flight once") {
    d.own(1, 1s);
    d.send(a);
    d.pass(400ms);
    d.pass(600ms);
    CHECK(code_of(d.ended().at(0)) == errc::outcome_unknown);
  }
  SUBCASE("refused by everyone") {
    d.own(1, 1s);
    for (int i = 0; i < 5; ++i) {
      for (const auto& r : d.send(a))
        d.it.end_attempt(r.id, fail(errc::not_leader), 0ms, d.now);
      d.pass(100ms);
    }
    d.pass(500ms);
    CHECK(code_of(d.ended().at(0)) == errc::no_leader);
  }
  SUBCASE("a query in flight") {
    d.it.take({.caller = {1}, .body = query{}, .deadline = d.now + 100ms});
    d.send(a);
    d.pass(100ms);
    CHECK(code_of(d.ended().at(0)) == errc::timed_out);
  }
  CHECK(d.it.size() == 0);
}

TEST_CASE("the number of a call that was given up is passed, so that its late copy is refused") {
  desk d;
  d.it.window().opened({40});
  d.own(1, 100ms);
  d.send(a);
  d.pass(100ms);
  d.own(2);
  const auto sent = d.send(a);
  REQUIRE(sent.size() == 1);
  CHECK(std::get<command>(sent[0].body).number == request_number{2});
  CHECK(std::get<command>(sent[0].body).answered_below == request_number{2});
}

TEST_CASE("beyond its limits the desk is overloaded, and says when to come back") {
  desk d{.options = {.calls_max = 2, .bytes_max = 500}};
  SUBCASE("calls") {
    for (std::uint64_t i = 1; i <= 3; ++i)
      d.own(i);
  }
  SUBCASE("bytes") {
    const bytes data{std::string_view{"0123456789"}};
    d.own(1);
    d.it.take({.caller = {3},
               .body = query{.body = bytes{std::string(500, 'x')}},
               .deadline = d.now + 1s});
  }
  const auto ended = d.ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].caller == ticket{3});
  CHECK(code_of(ended[0]) == errc::overloaded);
  CHECK(ended[0].retry_after == d.options.retry_after);
}

TEST_CASE("with no session and nobody to send to, what waits does not grow beyond what is open") {
  desk d{.options = {.calls_max = 10}};
  for (int round = 0; round < 100; ++round) {
    for (std::uint64_t i = 0; i < 10; ++i)
      d.own(i, 5ms);
    d.pass(10ms);
    CHECK(d.ended().size() == 10);
  }
  CHECK(!d.it.waits_for_session());
  d.it.window().opened({40});
  CHECK(d.send(a).empty());
}

TEST_CASE("commands wait for a session, which is opened once for all of them") {
  desk d;
  d.own(1);
  d.own(2);
  d.it.want_session(d.now);
  d.it.want_session(d.now);
  const auto opening = d.send(a);
  REQUIRE(opening.size() == 1);
  CHECK(std::holds_alternative<open_session>(opening[0].body));
  SUBCASE("it opens") {
    d.it.end_attempt(opening[0].id, reply{.index = {55}}, 0ms, d.now);
    CHECK(d.ended().empty());
    const auto sent = d.send(a);
    REQUIRE(sent.size() == 2);
    CHECK(std::get<command>(sent[0].body).session == session_id{55});
    CHECK(std::get<command>(sent[1].body).number == request_number{2});
  }
  SUBCASE("there is no room for it: they all hear that") {
    d.it.end_attempt(opening[0].id, fail(errc::too_many_sessions), 0ms, d.now);
    const auto ended = d.ended();
    REQUIRE(ended.size() == 2);
    CHECK(code_of(ended[0]) == errc::too_many_sessions);
    CHECK(code_of(ended[1]) == errc::too_many_sessions);
  }
  SUBCASE("the cluster is overloaded: it is tried again") {
    d.it.end_attempt(opening[0].id, fail(errc::overloaded), 0ms, d.now);
    CHECK(d.ended().empty());
    d.pass(d.options.retry_after);
    CHECK(d.send(a).size() == 1);
  }
}

TEST_CASE("the window limits the commands in flight; the others wait") {
  desk d;
  d.it.window().opened({40});
  for (std::uint64_t i = 1; i <= 5; ++i)
    d.own(i);
  const auto first = d.send(a, 2);
  CHECK(first.size() == 2);
  CHECK(d.send(a, 2).empty());
  d.it.end_attempt(first[0].id, reply{}, 0ms, d.now);
  CHECK(d.send(a, 2).size() == 1);
}

TEST_CASE("C6: what was in doubt when its session ended is settled, and sent anew if not applied") {
  desk d;
  d.it.window().opened({40});
  d.own(1);
  d.send(a);
  d.it.lose_attempts_at([](member_id at) { return at == a; });
  auto sent = d.send(b);
  d.it.end_attempt(sent[0].id, fail(errc::session_unknown), 0ms, d.now);
  sent = d.send(b);
  REQUIRE(sent.size() == 1);
  CHECK(std::get<settle>(sent[0].body) == settle{{40}, {1}});
  SUBCASE("it was applied: the stored reply is the answer") {
    d.it.end_attempt(sent[0].id, reply{.body = bytes{"stored"}}, 0ms, d.now);
    const auto ended = d.ended();
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].result->body == bytes{"stored"});
  }
  SUBCASE("it was not: it goes under the next session") {
    d.it.end_attempt(sent[0].id, fail(errc::not_applied), 0ms, d.now);
    CHECK(d.ended().empty());
    CHECK(d.it.waits_for_session());
    CHECK(!d.it.window().open());
    d.it.window().opened({60});
    sent = d.send(b);
    REQUIRE(sent.size() == 1);
    CHECK(std::get<command>(sent[0].body).session == session_id{60});
  }
  SUBCASE("nobody knows any more") {
    d.it.end_attempt(sent[0].id, fail(errc::session_unknown), 0ms, d.now);
    CHECK(code_of(d.ended().at(0)) == errc::outcome_unknown);
  }
  SUBCASE("the question may be asked twice") {
    d.it.lose_attempts_at([](member_id) { return true; });
    CHECK(std::get<settle>(d.send(a)[0].body) == settle{{40}, {1}});
  }
}

TEST_CASE("what was certainly not applied when its session ended goes under the next one") {
  desk d;
  d.it.window().opened({40});
  d.own(1);
  const auto sent = d.send(a);
  d.it.end_attempt(sent[0].id, fail(errc::session_unknown), 0ms, d.now);
  CHECK(d.ended().empty());
  CHECK(!d.it.window().open());
  CHECK(d.it.waits_for_session());
}

TEST_CASE("C6: when the session is left, what is certain is renewed, and what is not is settled") {
  desk d;
  d.it.window().opened({40});
  d.own(1);
  d.send(a);
  d.it.lose_attempts_at([](member_id) { return true; });
  d.own(2);
  d.it.number_waiting(10);
  d.own(3);
  d.it.leave_session();
  CHECK(!d.it.window().open());
  auto sent = d.send(b);
  REQUIRE(sent.size() == 1);
  CHECK(std::get<settle>(sent[0].body) == settle{{40}, {1}});
  d.it.window().opened({60});
  sent = d.send(b);
  REQUIRE(sent.size() == 2);
  for (const auto& r : sent)
    CHECK(std::get<command>(r.body).session == session_id{60});
}

TEST_CASE("what has paused is tried at once if there is a reason to") {
  desk d;
  d.it.window().opened({40});
  d.own(1);
  d.it.end_attempt(d.send(a).at(0).id, fail(errc::not_leader), 0ms, d.now);
  CHECK(d.send(b).empty());
  d.it.resume_all();
  CHECK(d.send(b).size() == 1);
  d.it.resume_all();
  CHECK_MESSAGE(d.send(b).empty(), "what is under way has not paused");
}

TEST_CASE("what the desk asks for itself is waited for by nobody") {
  desk d;
  d.own(1, 1s);
  d.it.want_session(d.now);
  CHECK(d.it.size() == 2);
  CHECK(d.it.waited_for() == 1);
  const auto opening = d.send(a);
  d.it.end_attempt(opening.at(0).id, reply{.index = {55}}, 0ms, d.now);
  CHECK(d.it.waited_for() == d.it.size());
}

TEST_CASE("C4: when all is closed, only what was never out is called stopped") {
  desk d;
  d.it.window().opened({40});
  d.own(1);
  d.send(a);
  d.own(2);
  d.it.take({.caller = {3}, .body = query{}, .deadline = d.now + 1s});
  d.it.close_all();
  const auto ended = d.ended();
  REQUIRE(ended.size() == 3);
  CHECK(code_of(ended[0]) == errc::outcome_unknown);
  CHECK(code_of(ended[1]) == errc::stopped);
  CHECK(code_of(ended[2]) == errc::stopped);
  CHECK(d.it.size() == 0);
}

} // namespace call_desk_test
