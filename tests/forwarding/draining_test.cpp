// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/draining.hpp>

#include <doctest/doctest.h>

#include "fake_cluster.hpp"
#include "forwarder_scene.hpp"

#include <map>
#include <string>

namespace draining_test {

using namespace forwarder_stage;
using scene = forwarder_scene;

TEST_CASE("that nothing is open is told once, and not before it was asked for") {
  draining d;
  outbox out;
  d.tell_when_done(0, out);
  CHECK(out.empty());
  d.begin();
  d.tell_when_done(2, out);
  CHECK(out.empty());
  d.tell_when_done(0, out);
  d.tell_when_done(0, out);
  CHECK(out.notices.size() == 1);
}

TEST_CASE("a node with no open call is drained as soon as it is told to drain") {
  scene s;
  s.follows(a);
  s.notice(drain_calls{});
  CHECK(s.told<calls_drained>().size() == 1);
  s.pass(1s);
  s.notice(drain_calls{});
  CHECK(s.silent());
}

TEST_CASE("C4: a node that drains answers new calls with stopped, whoever makes them") {
  scene s;
  SUBCASE("leading") {
    s.leads();
  }
  SUBCASE("following") {
    s.follows(a);
  }
  s.notice(drain_calls{});
  s.told<calls_drained>();
  s.call(1, command{});
  CHECK(code_of(s.answer_to(1)) == errc::stopped);
  s.call(2, query{.consistency = consistency::local});
  CHECK(code_of(s.answer_to(2)) == errc::stopped);
  s.request_from(outsider, from_client({{{11}, portable(9, 1), 1s}}));
  CHECK(code_of(s.sent<answers>(outsider).at(0).batch.at(0).result) == errc::stopped);
  s.request_from(b, from_node({{{12}, portable(9, 1), 1s}}));
  CHECK(code_of(s.sent<answers>(b).at(0).batch.at(0).result) == errc::stopped);
  CHECK(s.silent());
}

TEST_CASE("open calls go on to their end, retries and all, and only then is the node drained") {
  scene s;
  s.follows(a);
  s.call(1, command{});
  s.request_from(outsider, from_client({{{11}, portable(9, 1), 5s}}));
  CHECK(s.sent<requests>(a).size() == 2);
  s.notice(drain_calls{});
  CHECK(s.silent());
  s.follows(b, 4);
  const auto again = s.sent<requests>(b);
  REQUIRE(again.size() == 1);
  REQUIRE(again[0].batch.size() == 2);
  s.answer_from(b, again[0].batch[0].id, reply{});
  CHECK(s.answer_to(1));
  CHECK(s.told<calls_drained>().empty());
  SUBCASE("answered") {
    s.answer_from(b, again[0].batch[1].id, reply{});
  }
  SUBCASE("its deadline passed") {
    s.pass(5s);
  }
  CHECK(s.sent<answers>(outsider).size() == 1);
  CHECK(s.told<calls_drained>().size() == 1);
}

TEST_CASE("the last answer is handed out before the node is called drained") {
  scene s;
  s.follows(a);
  s.call(1, command{});
  const auto r = s.forwarded(a);
  s.notice(drain_calls{});
  s.answer_from(a, r.id, reply{});
  REQUIRE(s.out.notices.size() == 2);
  CHECK(std::holds_alternative<local_answer>(s.out.notices[0]));
  CHECK(std::holds_alternative<calls_drained>(s.out.notices[1]));
}

TEST_CASE("a session that is being opened for nobody any more keeps no node from leaving") {
  scene s{.life = node_life::resumed};
  s.follows(a);
  s.call(1, command{}, 1s);
  CHECK(std::holds_alternative<open_session>(s.forwarded(a).body));
  s.notice(drain_calls{});
  CHECK(s.told<calls_drained>().empty());
  s.pass(1s);
  CHECK(code_of(s.answer_to(1)) == errc::no_leader);
  CHECK(s.told<calls_drained>().size() == 1);
}

TEST_CASE("C6: when a node drains its clients go on at others, and lose nothing") {
  using test_support::fake_cluster;
  constexpr std::uint64_t clients = 3;
  fake_cluster cluster{7, clients};
  cluster.calm();
  std::map<std::string, expected<reply>> ends;
  std::map<std::uint64_t, std::string> names;
  cluster.answered = [&](member_id, local_answer& m) {
    CHECK_MESSAGE(ends.emplace(names.at(m.id.value), m.result).second, "answered once");
  };
  int drained = 0;
  cluster.drained = [&](member_id who) {
    CHECK(who == member_id{2});
    ++drained;
  };
  std::uint64_t made = 0;
  const auto call_all = [&] {
    for (std::uint64_t i = 0; i < clients; ++i) {
      ++made;
      names[made] = "command " + std::to_string(made);
      cluster.call({100 + i}, {{made}, command{.body = bytes{names[made]}}, cluster.now() + 2s});
    }
  };
  const auto run = [&](interval time) {
    for (const auto end = cluster.now() + time; cluster.now() < end;) {
      call_all();
      cluster.later(1ms, [&] { cluster.commit_some(); });
      cluster.later(2ms, [] {});
      cluster.run_for(2ms);
    }
  };
  cluster.elect({1});
  run(100ms);
  cluster.drain({2});
  run(100ms);
  for (int i = 0; i < 100; ++i) {
    cluster.later(1ms, [&] { cluster.commit_some(); });
    cluster.run_for(5ms);
  }
  CHECK(drained == 1);
  CHECK(ends.size() == made);
  for (const auto& [what, result] : ends) {
    CAPTURE(what);
    CHECK(result);
    CHECK(cluster.applied().times(what) == 1);
  }
}

} // namespace draining_test
