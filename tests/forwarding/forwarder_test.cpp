// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/forwarder.hpp>

#include <doctest/doctest.h>

#include "forwarder_scene.hpp"

#include <string>
#include <vector>

namespace forwarder_test {

using namespace forwarder_stage;
using scene = forwarder_scene;

static_assert(component<forwarder>);

TEST_CASE("S7: a leader puts its own callers' commands through the log, in the node's session") {
  scene s;
  s.leads();
  s.call(1, command{.body = bytes{"x"}});
  const auto p = s.proposal();
  REQUIRE(p.what.size() == 1);
  CHECK(std::get<command>(*p.what[0]) == command{{4}, {1}, {1}, bytes{"x"}});
  s.notice(proposed{.batch = p.batch, .first = {20}, .count = 1});
  CHECK(s.silent());
  s.applied(20);
  const auto answer = s.answer_to(1);
  REQUIRE(answer);
  CHECK(answer->body == bytes{"done"});
  CHECK(answer->index == log_index{20});
  CHECK(answer->copies == 3);
  CHECK(s.it.open_calls() == 0);
}

TEST_CASE("T6: a member's own session is nobody else's, though everybody can name it") {
  const auto is_refused = [](scene& s, member_id from, request_body body) {
    s.request_from(from, from_client({{{11}, std::move(body), 1s}}));
    const auto answered = s.sent<answers>(from);
    REQUIRE(answered.size() <= 1);
    return !answered.empty() && code_of(answered[0].batch.at(0).result) == errc::session_unknown;
  };
  const auto roster = placed(5, {{.id = self, .entered = {4}}, {.id = a, .entered = {2}}});
  const auto with = [&](auto check) {
    for (const auto& lead : {true, false}) {
      scene s;
      s.view({.term = {3},
              .leader = lead ? self : a,
              .leads = lead,
              .term_committed = lead,
              .committed = roster});
      CHECK(check(s));
    }
  };
  with([&](scene& s) { return is_refused(s, outsider, portable(4, 1)); });
  with([&](scene& s) { return is_refused(s, outsider, portable(2, 1)); });
  with([&](scene& s) { return is_refused(s, b, settle{{4}, {1}}); });
  with([&](scene& s) { return is_refused(s, outsider, close_session{{2}}); });
  with([&](scene& s) { return !is_refused(s, a, portable(2, 1)); }); // it is a's
  with([&](scene& s) { return !is_refused(s, outsider, portable(9, 1)); });
  with([&](scene& s) {
    s.call(1, portable(4, 1)); // the application numbers no commands of the node's session
    const auto answer = s.answer_to(1);
    return !answer && answer.error().code == errc::session_unknown;
  });
}

TEST_CASE("all that came before a settle is one proposal") {
  scene s;
  s.leads();
  requests batch;
  for (std::uint64_t i = 1; i <= 100; ++i)
    batch.batch.push_back({{i}, portable(9, i), 1s});
  s.it.on(outsider, batch, s.now, s.out);
  local_call local{{7}, open_session{}, s.now + 1s};
  s.it.on(local, s.now, s.out);
  s.it.settle(s.now, s.out);
  CHECK(s.proposal().what.size() == 101);
}

TEST_CASE("S7: a node that does not lead sends the leader one message, and hands the answers on") {
  scene s;
  s.follows(a);
  requests batch = from_client({{{11}, portable(9, 1), 1s}, {{12}, portable(9, 2), 1s}});
  s.it.on(outsider, batch, s.now, s.out);
  local_call local{{1}, command{.body = bytes{"x"}}, s.now + 1s};
  s.it.on(local, s.now, s.out);
  s.it.settle(s.now, s.out);
  const auto sent = s.sent<requests>(a);
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].forwarded);
  REQUIRE(sent[0].batch.size() == 3);
  for (const auto& r : sent[0].batch)
    s.answer_from(a, r.id, reply{.index = {20}, .copies = 3});
  const auto answered = s.sent<answers>(outsider);
  REQUIRE(answered.size() == 2);
  CHECK(answered[0].batch[0].id == ticket{11});
  CHECK(answered[0].batch[0].result->copies == 3);
  CHECK(s.answer_to(1));
}

TEST_CASE("C5: what another node has passed on is not passed on again") {
  scene s;
  s.follows(a);
  s.request_from(b, from_node({{{11}, portable(9, 1), 1s}}));
  CHECK(s.sent<requests>(a).empty());
  const auto answered = s.sent<answers>(b);
  REQUIRE(answered.size() == 1);
  const auto& result = answered[0].batch.at(0).result;
  CHECK(code_of(result) == errc::not_leader);
  CHECK(result.error().leader == a);
}

TEST_CASE("C4: a forwarded command whose leader loses its place is unknown, not failed") {
  scene s;
  s.leads();
  s.request_from(b, from_node({{{11}, portable(9, 1), 1s}, {{12}, query{}, 1s}}));
  const auto p = s.proposal();
  SUBCASE("standing in the log") {
    s.notice(proposed{.batch = p.batch, .first = {20}, .count = 1});
  }
  SUBCASE("on the way there") {}
  s.follows(a, 4);
  const auto answered = s.sent<answers>(b);
  REQUIRE(answered.size() == 1);
  REQUIRE(answered[0].batch.size() == 2);
  CHECK(code_of(answered[0].batch[0].result) == errc::outcome_unknown);
  CHECK(code_of(answered[0].batch[1].result) == errc::not_leader);
  s.applied(20);
  CHECK(s.out.letters.empty());
}

TEST_CASE("C6: a leader's own command goes to its successor under the same number") {
  scene s;
  s.leads();
  s.call(1, command{.body = bytes{"x"}});
  const auto p = s.proposal();
  s.notice(proposed{.batch = p.batch, .first = {20}, .count = 1});
  s.follows({}, 4);
  CHECK(s.silent());
  s.follows(a, 4);
  const auto r = s.forwarded(a);
  CHECK(std::get<command>(r.body) == std::get<command>(*p.what[0]));
  s.applied(20);
  CHECK_MESSAGE(s.told<local_answer>().empty(), "what stands at 20 now is another leader's matter");
  s.answer_from(a, r.id, reply{.index = {21}});
  CHECK(s.answer_to(1)->index == log_index{21});
}

TEST_CASE("a new term of the same leader is a loss of leadership, too") {
  scene s;
  s.leads(3);
  s.call(1, command{.body = bytes{"x"}});
  s.notice(proposed{.batch = s.proposal().batch, .first = {20}, .count = 1});
  s.leads(5);
  const auto again = s.proposal();
  REQUIRE(again.what.size() == 1);
  CHECK(std::get<command>(*again.what[0]).number == request_number{1});
  s.applied(20);
  CHECK(s.told<local_answer>().empty());
  s.notice(proposed{.batch = again.batch, .first = {18}, .count = 1});
  s.applied(18);
  CHECK(s.answer_to(1));
}

TEST_CASE("C6: when the leader changes or is lost, what it had is sent to the next one") {
  scene s;
  s.follows(a);
  s.call(1, command{.body = bytes{"x"}});
  const auto first = s.forwarded(a);
  SUBCASE("another leads") {
    s.follows(b, 4);
  }
  SUBCASE("the link broke") {
    s.notice(peer_lost{a});
    CHECK(s.out.letters.empty());
    s.follows(b, 4);
  }
  SUBCASE("no answer, and another leads") {
    s.pass(s.options.suspect_after + s.options.calls.answer_grace);
    CHECK(s.forwarded(a).body == first.body);
    s.follows(b, 4);
  }
  const auto second = s.forwarded(b);
  CHECK(second.body == first.body);
  CHECK(second.id != first.id);
  s.answer_from(a, first.id, fail(errc::overloaded));
  CHECK(s.told<local_answer>().empty());
  s.answer_from(a, second.id, reply{});
  CHECK_MESSAGE(s.told<local_answer>().empty(), "not the one that was asked");
  s.answer_from(b, second.id, reply{});
  CHECK(s.answer_to(1));
  CHECK(s.it.retries() > 0);
}

TEST_CASE("a node that becomes the leader serves what it had sent to the old one") {
  scene s;
  s.follows(a);
  s.call(1, command{.body = bytes{"x"}});
  const auto r = s.forwarded(a);
  s.leads(4);
  CHECK(std::get<command>(*s.proposal().what.at(0)) == std::get<command>(r.body));
}

TEST_CASE("after its link broke the same leader is asked again, but not at once") {
  scene s;
  s.follows(a);
  s.notice(peer_lost{a});
  s.call(1, command{});
  CHECK(s.out.letters.empty());
  s.pass(s.options.suspect_after);
  s.forwarded(a);
}

TEST_CASE("M15: with no leader known a call waits, and ends by its deadline") {
  scene s;
  s.follows({});
  s.call(1, command{}, 2s);
  CHECK(s.silent());
  SUBCASE("a leader comes up") {
    s.follows(b);
    s.forwarded(b);
  }
  SUBCASE("none does") {
    s.pass(2s);
    CHECK(code_of(s.answer_to(1)) == errc::no_leader);
  }
}

TEST_CASE("M15: who is asked and does not lead may name who does") {
  scene s;
  s.follows(a);
  s.call(1, command{});
  s.answer_from(a, s.forwarded(a).id, fail(errc::not_leader, {}, b));
  CHECK(s.out.letters.empty());
  s.pass(s.options.calls.retry_pause);
  const auto r = s.forwarded(b);
  SUBCASE("and is believed until the core knows better") {
    s.follows(outsider, 4);
    s.forwarded(outsider);
  }
  SUBCASE("and is not believed for ever") {
    s.answer_from(b, r.id, fail(errc::not_leader));
    s.pass(s.options.calls.retry_pause);
    s.forwarded(a);
  }
}

TEST_CASE("C4: at the deadline of a call that was sent its outcome is unknown") {
  scene s;
  s.follows(a);
  s.call(1, command{}, 200ms);
  const auto r = s.forwarded(a);
  CHECK(r.time_left == 200ms);
  s.pass(200ms);
  CHECK(code_of(s.answer_to(1)) == errc::outcome_unknown);
  s.answer_from(a, r.id, reply{});
  CHECK(s.told<local_answer>().empty());
}

TEST_CASE("the forwarder asks to be woken for what is due next") {
  scene s;
  s.follows(a);
  CHECK(!s.out.wake_at);
  s.call(1, command{}, 200ms);
  CHECK(s.out.wake_at == s.now + 200ms);
}

TEST_CASE("commands wait until the node has entered, within their limit") {
  scene s{.options = {.calls = {.calls_max = 2}}};
  s.view({.term = {3}, .leader = a, .committed = placed(3, {})});
  for (std::uint64_t i = 1; i <= 2; ++i)
    s.call(i, command{});
  CHECK(s.silent());
  s.call(3, command{});
  CHECK(code_of(s.answer_to(3)) == errc::overloaded);
  s.follows(a);
  const auto sent = s.sent<requests>(a);
  REQUIRE(sent.size() == 1);
  REQUIRE(sent[0].batch.size() == 2);
  CHECK(std::get<command>(sent[0].batch[0].body).session == session_id{4});
  CHECK(std::get<command>(sent[0].batch[1].body).number == request_number{2});
}

TEST_CASE("a node that came back under its old id opens a session of its own") {
  scene s{.life = node_life::resumed};
  s.follows(a);
  s.call(1, command{});
  const auto opening = s.forwarded(a);
  CHECK(std::holds_alternative<open_session>(opening.body));
  s.answer_from(a, opening.id, reply{.index = {90}});
  CHECK(std::get<command>(s.forwarded(a).body).session == session_id{90});
}

TEST_CASE("a node that was removed takes no commands of its own any more, but still passes on") {
  scene s;
  s.follows(a);
  SUBCASE("dropped") {
    s.view({.term = {3}, .leader = a, .committed = placed(8, {})});
  }
  SUBCASE("marked as evicted") {
    const member evicted{.id = self, .entered = {4}, .status = standing::evicted};
    s.view({.term = {3}, .leader = a, .committed = placed(8, {evicted})});
  }
  SUBCASE("as a seed said, and nobody else") {
    s.notice(sent_away{a});
  }
  s.call(1, command{});
  CHECK(code_of(s.answer_to(1)) == errc::removed);
  s.call(2, query{});
  s.forwarded(a);
  s.request_from(outsider, from_client({{{11}, portable(9, 1), 1s}}));
  s.forwarded(a);
}

TEST_CASE("a node that is told that it was removed turns to the leader that said so") {
  scene s;
  s.follows(a);
  s.follows({}, 4); // who is gone
  s.call(1, query{});
  CHECK(s.silent());
  s.notice(sent_away{b});
  s.forwarded(b);
}

TEST_CASE("C6: an evicted node settles what is in doubt, and sends what was not applied anew") {
  scene s;
  s.follows(a);
  s.call(1, command{.body = bytes{"doubtful"}});
  s.forwarded(a);
  s.follows({}, 4);
  s.call(2, command{.body = bytes{"never sent"}});
  CHECK(s.silent());
  s.view({.term = {4}, .leader = b, .committed = placed(8, {{.id = b}}, {}, {b})});
  auto sent = s.sent<requests>(b);
  REQUIRE(sent.size() == 1);
  REQUIRE(sent[0].batch.size() == 2);
  CHECK(std::get<settle>(sent[0].batch[0].body) == settle{{4}, {1}});
  CHECK(std::holds_alternative<open_session>(sent[0].batch[1].body));
  s.answer_from(b, sent[0].batch[1].id, reply{.index = {90}});
  auto anew = s.forwarded(b);
  CHECK(std::get<command>(anew.body) == command{{90}, {1}, {1}, bytes{"never sent"}});
  s.answer_from(b, anew.id, reply{});
  CHECK(s.answer_to(2));
  SUBCASE("it had been applied") {
    s.answer_from(b, sent[0].batch[0].id, reply{.body = bytes{"stored"}});
    CHECK(s.answer_to(1)->body == bytes{"stored"});
  }
  SUBCASE("it had not") {
    s.answer_from(b, sent[0].batch[0].id, fail(errc::not_applied));
    anew = s.forwarded(b);
    CHECK(std::get<command>(anew.body) == command{{90}, {2}, {2}, bytes{"doubtful"}});
    s.answer_from(b, anew.id, reply{});
    CHECK(s.answer_to(1));
  }
  CHECK(s.it.open_calls() == 0);
}

TEST_CASE("C6: what an evicted node has in flight ends as it ends") {
  scene s;
  s.follows(a);
  s.call(1, command{.body = bytes{"x"}});
  const auto flying = s.forwarded(a);
  s.view({.term = {3}, .leader = a, .committed = placed(8, {{.id = a}}, {}, {a})});
  CHECK(s.silent());
  SUBCASE("applied before the session was closed") {
    s.answer_from(a, flying.id, reply{});
  }
  SUBCASE("too late for that") {
    s.answer_from(a, flying.id, fail(errc::session_unknown));
    s.pass(0ms);
    s.answer_from(a, s.forwarded(a).id, reply{.index = {90}});
    const auto anew = s.forwarded(a);
    CHECK(std::get<command>(anew.body) == command{{90}, {1}, {1}, bytes{"x"}});
    s.answer_from(a, anew.id, reply{});
  }
  CHECK(s.answer_to(1));
}

TEST_CASE("an evicted node that hears of no leader asks the members that it knew") {
  scene s;
  s.follows({});
  s.call(1, command{});
  s.view({.term = {3}, .committed = placed(8, {{.id = a}, {.id = b}}, {}, {a, b})});
  s.pass(0ms);
  s.answer_from(a, s.forwarded(a).id, fail(errc::not_leader));
  s.pass(s.options.calls.retry_pause);
  s.answer_from(b, s.forwarded(b).id, fail(errc::not_leader, {}, outsider));
  s.pass(s.options.calls.retry_pause);
  CHECK(std::holds_alternative<open_session>(s.forwarded(outsider).body));
}

TEST_CASE("a node that came back and is evicted keeps the session that it opened") {
  scene s{.life = node_life::resumed};
  s.follows(a);
  s.call(1, command{});
  s.answer_from(a, s.forwarded(a).id, reply{.index = {90}});
  s.forwarded(a);
  s.view({.term = {4}, .leader = b, .committed = placed(8, {{.id = b}}, {}, {b})});
  CHECK(std::get<command>(s.forwarded(b).body).session == session_id{90});
}

TEST_CASE("a leader serves a node that is not in the roster: it may settle what it left open") {
  scene s;
  s.leads();
  s.request_from(outsider, from_node({{{11}, settle{{3}, {7}}, 1s}, {{12}, open_session{}, 1s}}));
  CHECK(s.proposal().what.size() == 2);
}

TEST_CASE("a node whose session the cluster has closed opens one, though it has not heard why") {
  scene s;
  s.follows(a);
  s.call(1, command{});
  s.answer_from(a, s.forwarded(a).id, fail(errc::session_unknown));
  CHECK(std::holds_alternative<open_session>(s.forwarded(a).body));
}

TEST_CASE("what a transfer of leadership has kept goes to the new leader at once") {
  scene s;
  SUBCASE("from the old leader, for its own callers") {
    s.leads();
    s.call(1, command{});
    // The core keeps it while it hands over, and gives it back when the other one leads.
    s.notice(proposed{.batch = s.proposal().batch, .why = {.code = errc::not_leader}});
    CHECK(s.silent());
  }
  SUBCASE("from the old leader, which first hears of the new one") {
    s.leads();
    s.call(1, command{});
  }
  SUBCASE("from another node, to which it was given back") {
    s.follows(a);
    s.call(1, command{});
    s.answer_from(a, s.forwarded(a).id, fail(errc::not_leader));
    CHECK(s.out.letters.empty());
  }
  SUBCASE("from another node, which first hears of the new one") {
    s.follows(a);
    s.call(1, command{});
    s.forwarded(a);
  }
  s.follows(b, 4);
  CHECK_MESSAGE(std::get<command>(s.forwarded(b).body).number == request_number{1},
                "no time has passed");
}

TEST_CASE("what a transfer of leadership has kept for other nodes is given back to them") {
  scene s;
  s.leads();
  s.request_from(b, from_node({{{11}, portable(9, 1), 1s}}));
  s.notice(proposed{.batch = s.proposal().batch, .why = {.code = errc::not_leader}});
  CHECK(code_of(s.sent<answers>(b).at(0).batch.at(0).result) == errc::not_leader);
}

TEST_CASE("more commands than the session's window are overloaded before they are proposed") {
  scene s{.rules = {.session_window = 3}};
  s.leads();
  for (std::uint64_t i = 1; i <= 3; ++i)
    s.call(i, command{});
  s.call(4, command{});
  const auto all = s.told<local_answer>();
  REQUIRE(all.size() == 1);
  CHECK(all[0].id == ticket{4});
  CHECK(code_of(all[0].result) == errc::overloaded);
  CHECK(all[0].retry_after > 0ms);
  SUBCASE("and so are those of a client that does not keep to it") {
    s.request_from(outsider, from_client({{{1}, command{{9}, {7}, {4}, {}}, 1s},
                                          {{2}, command{{9}, {7}, {5}, {}}, 1s}}));
    const auto answered = s.sent<answers>(outsider);
    REQUIRE(answered.size() == 1);
    REQUIRE(answered[0].batch.size() == 1);
    CHECK(answered[0].batch[0].id == ticket{1});
    CHECK(code_of(answered[0].batch[0].result) == errc::overloaded);
  }
}

TEST_CASE("a command that is too large is refused before it is proposed or sent") {
  scene s{.rules = {.command_bytes_max = 10}};
  SUBCASE("by the leader") {
    s.leads();
  }
  SUBCASE("by others") {
    s.follows(a);
  }
  s.call(1, command{.body = bytes{"01234567890"}});
  CHECK(code_of(s.answer_to(1)) == errc::too_large);
  CHECK(s.silent());
}

TEST_CASE("U4: a leader refuses what came with a newer version than is used, once it knows") {
  scene s{.options
          = {.since_of = [](const bytes& body) { return body == bytes{"new"} ? 2u : 1u; }}};
  const auto leads = [&](std::uint64_t term, std::uint32_t version, bool term_committed) {
    auto used = placed(5 + version, {{.id = self, .entered = {4}}});
    auto content = *used.content;
    content.machine_version = version;
    used.content = std::make_shared<const configuration>(std::move(content));
    s.view({.term = {term},
            .leader = self,
            .leads = true,
            .term_committed = term_committed,
            .committed = used});
  };
  leads(3, 1, true);
  s.call(1, command{.body = bytes{"new"}});
  const auto refused = s.answer_to(1);
  REQUIRE(code_of(refused) == errc::version_not_in_use);
  CHECK(refused.error().detail
        == "the command came with version 2 of the machine, and the cluster uses 1");
  s.request_from(a, {true, {{{11}, portable(9, 1, "new"), 1s}}});
  const auto told = s.sent<answers>(a);
  REQUIRE(told.size() == 1);
  CHECK(code_of(told[0].batch.at(0).result) == errc::version_not_in_use);
  s.call(2, command{.body = bytes{"old"}});
  CHECK(s.proposal().what.size() == 1);

  // A new leader may not know yet what the last one has committed: it waits until it does.
  leads(4, 1, false);
  static_cast<void>(s.told<propose>());
  s.call(3, command{.body = bytes{"new"}});
  s.call(4, command{.body = bytes{"old"}});
  CHECK(s.proposal().what.size() == 1);
  leads(4, 2, true);
  const auto last = s.proposal();
  REQUIRE(last.what.size() == 1);
  CHECK(std::get<command>(*last.what[0]).body == bytes{"new"});
  CHECK(s.told<local_answer>().empty());
}

TEST_CASE("a client's command needs a session") {
  scene s;
  s.leads();
  s.request_from(outsider, from_client({{{1}, command{}, 1s}}));
  CHECK(code_of(s.sent<answers>(outsider).at(0).batch.at(0).result) == errc::session_unknown);
}

TEST_CASE("C4: a message of requests that comes twice is taken once") {
  scene s;
  s.leads();
  const auto twice = from_client({{{11}, portable(9, 1), 1s}});
  s.request_from(outsider, twice);
  s.request_from(outsider, twice);
  CHECK(s.told<propose>().size() == 1);
}

TEST_CASE("what the core refuses is told, or tried again if it does not lead") {
  scene s;
  s.leads();
  s.call(1, command{});
  s.call(2, command{});
  const auto batches = s.told<propose>();
  REQUIRE(batches.size() == 2);
  s.notice(proposed{.batch = batches[0].batch, .why = {.code = errc::overloaded}});
  const auto overloaded = s.told<local_answer>();
  REQUIRE(overloaded.size() == 1);
  CHECK(code_of(overloaded[0].result) == errc::overloaded);
  CHECK(overloaded[0].retry_after > 0ms);
  s.notice(proposed{.batch = batches[1].batch, .why = {.code = errc::not_leader}});
  CHECK(s.silent());
  s.follows(b, 4);
  s.pass(s.options.calls.retry_pause);
  CHECK(std::get<command>(s.forwarded(b).body).number == request_number{2});
}

TEST_CASE("C4: a call that may have been applied is not called overloaded") {
  scene s;
  s.follows(a);
  s.call(1, command{}, 1s);
  s.forwarded(a);
  s.follows(b, 4);
  s.answer_from(b, s.forwarded(b).id, fail(errc::overloaded), 150ms);
  CHECK(s.silent());
  s.pass(150ms);
  s.answer_from(b, s.forwarded(b).id, reply{});
  CHECK(s.answer_to(1));
}

TEST_CASE("a linearizable query at the leader waits for its proof, and for the replica") {
  scene s;
  s.leads();
  s.call(1, query{.body = bytes{"q"}});
  s.call(2, query{.body = bytes{"r"}});
  const auto reads = s.told<read_request>();
  REQUIRE(reads.size() == 2);
  CHECK(s.told<ask_replica>().empty());
  s.notice(read_ready{.ask = reads[1].ask, .index = {30}});
  const auto asked = s.told<ask_replica>();
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].body == bytes{"q"});
  CHECK(asked[0].at_least == log_index{30});
  CHECK(asked[0].until == s.now + 10s);
  s.notice(replica_answer{asked[0].id, bytes{"seen"}, {31}});
  const auto answer = s.answer_to(1);
  REQUIRE(answer);
  CHECK(answer->body == bytes{"seen"});
  CHECK(answer->index == log_index{31});
  CHECK(answer->age == 0ms);
}

TEST_CASE("a linearizable query whose leader can not prove that it leads goes elsewhere") {
  scene s;
  s.leads();
  s.call(1, query{});
  const auto reads = s.told<read_request>();
  SUBCASE("it says so") {
    s.notice(read_ready{.ask = reads.at(0).ask, .code = errc::not_leader});
    s.follows(a, 4);
    s.pass(s.options.calls.retry_pause);
  }
  SUBCASE("it finds out later") {
    s.follows(a, 4);
  }
  const auto r = s.forwarded(a);
  CHECK(std::holds_alternative<query>(r.body));
  s.answer_from(a, r.id, reply{});
  CHECK(s.answer_to(1));
}

TEST_CASE("a linearizable query is tried again where the machine has not stopped") {
  scene s;
  s.leads();
  s.call(1, query{});
  s.notice(read_ready{.ask = s.told<read_request>().at(0).ask, .index = {30}});
  s.notice(replica_answer{s.told<ask_replica>().at(0).id, fail(errc::machine_stopped), {}});
  s.follows(a, 4);
  s.pass(s.options.calls.retry_pause);
  s.forwarded(a);
}

TEST_CASE("a local query is answered by this node, with the age of its data") {
  scene s;
  s.follows(a);
  s.pass(80ms);
  s.call(1, query{.body = bytes{"q"}, .consistency = consistency::local, .age_max = 100ms});
  CHECK(s.out.letters.empty());
  const auto asked = s.told<ask_replica>();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].at_least == log_index{});
  SUBCASE("fresh enough") {
    s.pass(10ms);
    s.notice(replica_answer{asked[0].id, bytes{"seen"}, {12}});
    const auto answer = s.answer_to(1);
    REQUIRE(answer);
    CHECK(answer->age == 90ms);
    CHECK(answer->index == log_index{12});
  }
  SUBCASE("too old when the answer came") {
    s.pass(30ms);
    s.notice(replica_answer{asked[0].id, bytes{"seen"}, {12}});
    CHECK(code_of(s.answer_to(1)) == errc::stale);
  }
  SUBCASE("too old from the start") {
    s.pass(30ms);
    s.call(2, query{.consistency = consistency::local, .age_max = 100ms});
    CHECK(code_of(s.answer_to(2)) == errc::stale);
    CHECK(s.told<ask_replica>().empty());
  }
  SUBCASE("any age will do") {
    s.pass(10s - 1ms);
    s.told<local_answer>();
    s.call(2, query{.consistency = consistency::local});
    CHECK(s.told<ask_replica>().size() == 1);
  }
}

TEST_CASE("C7: a node that never heard a leader can not say how old its data is") {
  scene s;
  s.call(1, query{.consistency = consistency::local, .age_max = 1h});
  CHECK(code_of(s.answer_to(1)) == errc::stale);
}

TEST_CASE("a session query waits until this node has applied what its caller wrote") {
  scene s;
  s.follows(a);
  s.request_from(
      outsider,
      from_client({{{11}, query{.consistency = consistency::session, .at_least = {50}}, 1s}}));
  const auto asked = s.told<ask_replica>();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].at_least == log_index{50});
  s.notice(replica_answer{asked[0].id, bytes{"seen"}, {50}});
  CHECK(s.sent<answers>(outsider).at(0).batch.at(0).result->index == log_index{50});
}

TEST_CASE("a query that fails at its machine is answered, not tried again") {
  scene s;
  s.follows(a);
  s.call(1, query{.consistency = consistency::local});
  s.notice(replica_answer{s.told<ask_replica>().at(0).id, fail(errc::undecodable), {}});
  CHECK(code_of(s.answer_to(1)) == errc::undecodable);
}

TEST_CASE("C4: a node that stops tells each caller what is certain, and takes nothing more") {
  scene s;
  s.follows(a);
  s.call(1, command{});
  s.forwarded(a);
  s.follows({}, 4);
  s.call(2, command{});
  s.it.stop(s.now, s.out);
  auto all = s.told<local_answer>();
  REQUIRE(all.size() == 2);
  CHECK(code_of(all[0].result) == errc::outcome_unknown);
  CHECK(code_of(all[1].result) == errc::stopped);
  s.call(3, command{});
  CHECK(code_of(s.answer_to(3)) == errc::stopped);
  s.request_from(outsider, from_client({{{11}, portable(9, 1), 1s}}));
  CHECK(code_of(s.sent<answers>(outsider).at(0).batch.at(0).result) == errc::stopped);
}

TEST_CASE("requests that name absurd times do no harm") {
  scene s;
  s.follows({});
  s.request_from(outsider, from_client({{{1}, portable(9, 1), interval::max()},
                                        {{2}, portable(9, 2), interval::min()}}));
  s.pass(1ms);
  const auto answered = s.sent<answers>(outsider);
  REQUIRE(answered.size() == 1);
  CHECK(answered[0].batch.at(0).id == ticket{2});
  s.pass(s.options.calls.deadline_max);
  CHECK(s.sent<answers>(outsider).size() == 1);
}

} // namespace forwarder_test
