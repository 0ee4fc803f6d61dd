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
    static_cast<void>(asked());
    auto letters = std::exchange(out.letters, {});
    REQUIRE(letters.size() == 1);
    auto& m = std::get<requests>(letters[0].what);
    CHECK(!m.forwarded);
    return {letters[0].to, std::move(m.batch)};
  }

  /// Who was asked for the members since the last time, and what the question said.
  std::vector<std::pair<member_id, members_request>> asked() {
    std::vector<std::pair<member_id, members_request>> found;
    std::erase_if(out.letters, [&](const letter& l) {
      const auto* question = std::get_if<members_request>(&l.what);
      if (question != nullptr)
        found.emplace_back(l.to, *question);
      return question != nullptr;
    });
    return found;
  }

  void tell_members(member_id from, std::uint64_t index, std::vector<member_place> members,
                    cluster_id cluster = {7}) {
    members_reply m{cluster, {index}, std::move(members)};
    it.on(from, m, now, out);
    it.settle(now, out);
  }

  void tell_ids(member_id from, std::uint64_t index, const std::vector<member_id>& ids,
                cluster_id cluster = {7}) {
    std::vector<member_place> members;
    for (const auto id : ids)
      members.push_back({id, {}});
    tell_members(from, index, std::move(members), cluster);
  }

  void meet(member_id contact, member_id who) {
    seed_met m{contact, who};
    it.on(m, now, out);
    it.settle(now, out);
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
      if (auto* answer = std::get_if<local_answer>(&n))
        found.push_back(std::move(*answer));
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
    static_cast<void>(s.asked());
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

TEST_CASE(
    "a client that has called asks its node who is in the cluster, and one that has not, not") {
  scene s;
  s.pass(60s);
  CHECK(s.out.letters.empty());
  s.call(1, query{});
  auto asked = s.asked();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].first == a);
  CHECK(!asked[0].second.cluster);
  s.answer(a, s.sent().second.at(0).id, reply{});
  s.pass(9s);
  CHECK(s.asked().empty());
  s.pass(1s); // the question may have been lost, or a may be cut off
  CHECK(s.asked().at(0).first == b);
  s.pass(10s);
  CHECK(s.asked().at(0).first == c);
  s.pass(10s);
  CHECK(s.asked().at(0).first == a);
  s.tell_members(a, 5, {{a, "at a"}, {b, "at b"}});
  asked = s.asked(); // for what comes next
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].first == a);
  CHECK(asked[0].second.cluster == cluster_id{7});
  CHECK(asked[0].second.known == log_index{5});
  s.tell_members(a, 5, {{a, "at a"}, {b, "at b"}}); // nothing new
  s.tell_members(a, 2, {{a, "at a"}}, {8});         // of a node that has changed sides
  CHECK(s.asked().empty());
  s.pass(1s);
  CHECK(s.asked().size() == 1);
}

TEST_CASE("a faulty node that always has news does not keep a client busy") {
  scene s;
  s.call(1, query{});
  std::size_t questions = 0;
  for (std::uint64_t i = 1; i <= 1'000; ++i) {
    s.tell_ids(a, i, {a});
    questions += s.asked().size();
  }
  CHECK(questions <= 40);
}

TEST_CASE("news that another node has is news") {
  scene s;
  s.call(1, query{});
  s.answer(a, s.sent().second.at(0).id, reply{});
  s.tell_ids(a, 5, {a, b, c});
  static_cast<void>(s.asked());
  s.pass(10s);
  CHECK(s.asked().at(0).first == b); // two know that it wants to hear of news, and no more
  s.pass(10s);
  CHECK(s.asked().at(0).first == a);
  s.tell_members(b, 9, {{b, ""}, {{8}, "at 8"}}); // a is cut off
  CHECK(s.it.node() == b);
}

TEST_CASE("where the node that is called knows no such question another one answers it") {
  scene s{.nodes = {a, b}};
  s.call(1, query{});
  s.answer(a, s.sent().second.at(0).id, reply{});
  s.tell_ids(b, 5, {a, b, {8}}); // it was not asked
  s.lose(b);
  CHECK(s.it.node() == a);
  s.pass(10s);
  REQUIRE(s.asked().at(0).first == b);
  s.tell_ids(b, 5, {a, {8}});
  CHECK(s.it.node() == a);
  s.lose(a);
  CHECK(s.it.node() == member_id{8});
}

TEST_CASE("clients that begin anywhere go on anywhere among the members") {
  std::set<member_id> next;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    scene s{.options = {.spread = true}, .nodes = {a, b}};
    s.it = client{s.options, {a, b}, random_source{seed}};
    s.call(1, query{});
    s.tell_ids(s.it.node(), 5, {{7}, {8}, {9}});
    next.insert(s.it.node());
  }
  CHECK(next == std::set<member_id>{{7}, {8}, {9}});
}

TEST_CASE("what is left of the cluster of before does not call a client back") {
  scene s;
  s.call(1, query{});
  s.tell_ids(a, 5, {a, b, c});
  s.it.update_nodes({{8}});
  s.pass(0ms);
  REQUIRE(s.it.node() == member_id{8});
  s.tell_ids(a, 6, {a, b}); // the answer to a question of before
  CHECK(s.it.node() == member_id{8});
}

TEST_CASE("a node that is of another cluster takes nobody away for good") {
  scene s{.nodes = {a, {9}}};
  s.call(1, query{});
  s.tell_ids(a, 5, {a, {8}});
  s.lose(a);
  s.lose({8});
  REQUIRE(s.it.node() == member_id{9}); // is left of a cluster of before
  s.tell_ids({9}, 3, {{9}, a}, {6});
  s.lose({9});
  s.lose(a);
  CHECK(s.it.node() == member_id{8});
}

TEST_CASE("a name under which somebody answers is not left for a roster that may be old") {
  scene s{.nodes = {{100}, {101}}};
  s.call(1, query{});
  s.meet({100}, a);
  s.tell_ids({100}, 5, {a});
  s.lose({100});
  REQUIRE(s.it.node() == member_id{101});
  s.meet({101}, {7}); // entered meanwhile
  CHECK(s.it.node() == member_id{101});
}

TEST_CASE("nodes that say hello and end do not keep a client busy") {
  scene s{.nodes = {{100}, {101}}};
  s.call(1, query{}, 60s);
  std::size_t sent = 0;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    static_cast<void>(s.asked());
    sent += std::exchange(s.out.letters, {}).size();
    const auto at = s.it.node();
    s.meet(at, {200 + i});
    s.lose(at);
  }
  CHECK(sent <= 4);
}

TEST_CASE("a client goes on at a member that it was never told of by its application") {
  scene s{.nodes = {a}};
  s.call(1);
  s.open(50);
  auto [to, batch] = s.sent();
  s.tell_members(a, 5, {{a, "at a"}, {{8}, "at 8"}});
  const auto heard = std::get<members_heard>(std::exchange(s.out.notices, {}).at(0));
  CHECK(heard.members == std::vector<member_place>{{a, "at a"}, {{8}, "at 8"}});
  s.lose(a);
  const auto [second, again] = s.sent();
  CHECK(second == member_id{8});
  CHECK(again.at(0).body == batch.at(0).body);
  s.answer(second, again.at(0).id, reply{});
  static_cast<void>(s.asked());
  s.pass(1s);
  const auto asked = s.asked();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].first == member_id{8});
}

TEST_CASE("a client leaves a node that is no member any more, and takes no older news") {
  scene s;
  s.call(1, query{});
  s.tell_ids(a, 5, {b, c});
  CHECK(s.it.node() == b);
  s.tell_ids(a, 4, {a});
  CHECK(s.it.node() == b);
  s.tell_ids(a, 9, {a}, {8}); // of another cluster, and it is not asked any more
  CHECK(s.it.node() == b);
  s.tell_ids(b, 2, {c}, {8});
  CHECK(s.it.node() == c);
}

TEST_CASE("a client that is not to follow the members does not ask, and takes no answer") {
  scene s{.options = {.follow_members = false}};
  s.call(1, query{});
  CHECK(s.asked().empty());
  s.tell_ids(a, 5, {b});
  CHECK(s.it.node() == a);
  CHECK(s.out.notices.empty());
}

TEST_CASE("what is in flight at a member is answered under the name that it has got meanwhile") {
  scene s{.nodes = {{100}}};
  s.call(1, query{});
  s.answer({100}, s.sent().second.at(0).id, reply{});
  s.told();
  s.tell_members({100}, 5, {{a, "at a"}, {b, "at b"}}); // nobody has met a under 100 yet
  s.lose({100});
  s.call(2, query{});
  const auto [to, batch] = s.sent();
  REQUIRE(to == a);
  s.meet({100}, a);
  CHECK(s.it.node() == member_id{100});
  s.answer({100}, batch.at(0).id, reply{});
  CHECK(s.told().size() == 1);
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
