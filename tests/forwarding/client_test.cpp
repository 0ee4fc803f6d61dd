// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/client.hpp>

#include <doctest/doctest.h>

#include <set>
#include <utility>
#include <vector>

namespace client_test {

using namespace understudy;
using namespace std::chrono_literals;

static_assert(component<client>);

namespace {

constexpr member_id a{1}, b{2}, c{3};

/// A client whose nodes are played by hand.
struct scene {
  client_options options = {};
  std::vector<member_id> nodes = {a, b, c};
  client it{options, nodes, random_source{1}};
  instant now{100s};
  outbox out = {};

  void call(std::uint64_t id, request_body body = command{}, interval patience = 10s) {
    local_call m{{id}, std::move(body), now + patience};
    it.on(m, now, out);
    it.settle(now, out);
  }

  void answer(member_id from, ticket id, expected<reply> result) {
    answers m{{{id, std::move(result), {}}}};
    it.on(from, m, now, out);
    it.settle(now, out);
  }

  void lose(member_id who) {
    peer_lost m{who};
    it.on(m, now, out);
    it.settle(now, out);
  }

  void pass(interval time) {
    now += time;
    it.wake(now, out);
    it.settle(now, out);
  }

  /// What was sent since the last time: to whom, and the requests of one message.
  std::pair<member_id, std::vector<request>> sent() {
    auto letters = std::exchange(out.letters, {});
    REQUIRE(letters.size() == 1);
    auto& m = std::get<requests>(letters[0].what);
    CHECK(!m.forwarded);
    return {letters[0].to, std::move(m.batch)};
  }

  void open(std::uint64_t session) {
    const auto [to, batch] = sent();
    REQUIRE(batch.size() == 1);
    REQUIRE(std::holds_alternative<open_session>(batch[0].body));
    answer(to, batch[0].id, reply{.index = {session}});
  }

  std::vector<local_answer> told() {
    std::vector<local_answer> found;
    for (auto& n : std::exchange(out.notices, {}))
      found.push_back(std::get<local_answer>(std::move(n)));
    return found;
  }
};

errc code_of(const local_answer& l) {
  return l.result ? errc::none : l.result.error().code;
}

} // namespace

TEST_CASE("a client opens its session first, and then sends its commands in it") {
  scene s;
  s.call(1);
  s.call(2);
  s.open(50);
  CHECK(s.it.session() == session_id{50});
  const auto [to, batch] = s.sent();
  CHECK(to == a);
  REQUIRE(batch.size() == 2);
  CHECK(std::get<command>(batch[0].body) == command{{50}, {1}, {1}, {}});
  CHECK(std::get<command>(batch[1].body) == command{{50}, {2}, {1}, {}});
  s.answer(a, batch[1].id, reply{.index = {52}});
  s.answer(a, batch[0].id, reply{.index = {51}});
  const auto told = s.told();
  REQUIRE(told.size() == 2);
  CHECK(told[0].id == ticket{2});
  CHECK(told[1].result->index == log_index{51});
  CHECK(s.it.retries() == 0);
}

TEST_CASE("a query needs no session") {
  scene s;
  s.call(1, query{});
  const auto [to, batch] = s.sent();
  CHECK(std::holds_alternative<query>(batch.at(0).body));
}

TEST_CASE("C6: when its node fails, all goes on at another one with the same numbers") {
  scene s;
  s.call(1);
  s.open(50);
  const auto [first, batch] = s.sent();
  SUBCASE("lost") {
    s.lose(first);
  }
  SUBCASE("silent") {
    s.pass(s.options.attempt_timeout + s.options.calls.answer_grace);
  }
  SUBCASE("stopped") {
    s.answer(first, batch[0].id, fail(errc::stopped));
    s.pass(s.options.calls.retry_pause);
  }
  SUBCASE("its machine stopped") {
    s.answer(first, batch[0].id, fail(errc::machine_stopped));
    s.pass(s.options.calls.retry_pause);
  }
  const auto [second, again] = s.sent();
  CHECK(second != first);
  CHECK(s.it.node() == second);
  REQUIRE(again.size() == 1);
  CHECK(again[0].body == batch[0].body);
  CHECK(s.it.retries() == 1);
  s.answer(first, batch[0].id, reply{});
  CHECK(s.told().empty());
  s.answer(second, again[0].id, reply{});
  CHECK(s.told().size() == 1);
}

TEST_CASE("the session is opened at another node if the first does not answer") {
  scene s;
  s.call(1);
  const auto [first, batch] = s.sent();
  s.lose(first);
  const auto [second, again] = s.sent();
  CHECK(second != first);
  CHECK(std::holds_alternative<open_session>(again.at(0).body));
}

TEST_CASE("no more commands are in flight than the window allows") {
  scene s{.options = {.window = 2}};
  for (std::uint64_t i = 1; i <= 3; ++i)
    s.call(i);
  s.open(50);
  const auto [to, batch] = s.sent();
  REQUIRE(batch.size() == 2);
  CHECK(s.out.letters.empty());
  s.answer(to, batch[0].id, reply{});
  const auto [next_to, next] = s.sent();
  REQUIRE(next.size() == 1);
  CHECK(std::get<command>(next[0].body) == command{{50}, {3}, {2}, {}});
}

TEST_CASE("C4: at its deadline a call ends with what is certain") {
  scene s;
  SUBCASE("no node answers the open: nothing was done") {
    s.call(1, command{}, 200ms);
    s.pass(200ms);
    const auto told = s.told();
    REQUIRE(told.size() == 1);
    CHECK(code_of(told[0]) == errc::no_leader);
  }
  SUBCASE("the command is in flight: unknown") {
    s.call(1, command{}, 200ms);
    s.open(50);
    s.pass(200ms);
    const auto told = s.told();
    REQUIRE(told.size() == 1);
    CHECK(code_of(told[0]) == errc::outcome_unknown);
  }
}

TEST_CASE("an expired session is replaced; what was in doubt under it is settled") {
  scene s;
  s.call(1);
  s.open(50);
  auto [to, batch] = s.sent();
  s.lose(to);
  std::tie(to, batch) = s.sent();
  s.answer(to, batch.at(0).id, fail(errc::session_unknown));
  std::tie(to, batch) = s.sent();
  REQUIRE(batch.size() == 1);
  CHECK(std::get<settle>(batch[0].body) == settle{{50}, {1}});
  s.answer(to, batch[0].id, fail(errc::not_applied));
  s.pass(0ms);
  s.open(60);
  std::tie(to, batch) = s.sent();
  CHECK(std::get<command>(batch.at(0).body).session == session_id{60});
}

TEST_CASE("nodes that all fail are asked on at a bounded pace") {
  scene s;
  s.call(1, query{}, 60s);
  int attempts = 0;
  for (int i = 0; i < 1'000; ++i) {
    for (auto& l : std::exchange(s.out.letters, {})) {
      ++attempts;
      s.lose(l.to);
    }
    s.pass(1ms);
  }
  CHECK(attempts >= 15);
  CHECK(attempts <= 40);
}

TEST_CASE("a client may begin with any node") {
  std::set<member_id> first;
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    first.insert(client{{.spread = true}, {a, b, c}, random_source{seed}}.node());
  CHECK(first == std::set{a, b, c});
}

TEST_CASE("when its nodes change, a client stays where it is if it can") {
  scene s;
  s.lose(a);
  REQUIRE(s.it.node() == b);
  s.it.update_nodes({c, b});
  CHECK(s.it.node() == b);
  s.it.update_nodes({c});
  CHECK(s.it.node() == c);
  s.it.update_nodes({});
  s.call(1, query{});
  CHECK(s.out.letters.empty());
  s.it.update_nodes({a});
  s.pass(0ms);
  CHECK(s.sent().first == a);
}

TEST_CASE("a client that is closed lets its calls end, closes its session, and takes no more") {
  scene s;
  s.call(1);
  s.open(50);
  const auto [to, batch] = s.sent();
  s.it.close();
  s.call(2);
  auto told = s.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].id == ticket{2});
  CHECK(code_of(told[0]) == errc::stopped);
  CHECK(!s.it.closed());
  s.answer(to, batch[0].id, reply{});
  told = s.told();
  REQUIRE(told.size() == 1);
  CHECK(code_of(told[0]) == errc::none);
  const auto [where, closing] = s.sent();
  REQUIRE(closing.size() == 1);
  CHECK(std::get<close_session>(closing[0].body).session == session_id{50});
  CHECK(!s.it.closed());
  s.answer(where, closing[0].id, reply{});
  CHECK(s.it.closed());
  CHECK(s.told().empty());
}

TEST_CASE("C4: a client that stops at once tells each caller what is certain") {
  scene s{.options = {.window = 1}};
  s.call(1);
  s.open(50);
  s.sent();
  s.call(2);
  s.it.stop(s.now, s.out);
  const auto told = s.told();
  REQUIRE(told.size() == 2);
  CHECK(code_of(told[0]) == errc::outcome_unknown);
  CHECK(code_of(told[1]) == errc::stopped);
  CHECK(s.it.closed());
}

} // namespace client_test
