// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/host.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace host_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;

namespace {

/// What the components below did, in order.
using journal = std::vector<std::string>;

/// Answers a message by a notice for its siblings, and keeps a timer.
struct front {
  using peer_messages = type_list<timeout_now>;
  using notices = type_list<peer_lost>;

  void on(member_id from, timeout_now& m, instant, outbox& out) {
    log->push_back("front took term " + std::to_string(m.term.value));
    out.send(from, timeout_now{m.term.next()});
    out.tell(leader_hint{from, m.term, {}});
  }
  void on(peer_lost&, instant, outbox&) { log->push_back("front lost a peer"); }
  void wake(instant now, outbox& out) {
    log->push_back("front woke");
    out.wake(now + 10ms);
    out.wake(now + 5ms);
  }
  void settle(instant, outbox&) { log->push_back("front settled"); }

  journal* log;
};

/// Takes the notice, and moves from it.
struct back {
  using peer_messages = type_list<>;
  using notices = type_list<leader_hint, machine_failed, peer_lost>;

  void on(leader_hint&, instant, outbox& out) {
    log->push_back("back was told");
    out.tell(machine_failed{log_index{1}, "no"});
  }
  void on(machine_failed& m, instant, outbox&) {
    log->push_back("back took " + std::exchange(m.why, {}));
  }
  void on(peer_lost&, instant, outbox&) { log->push_back("back lost a peer"); }
  void wake(instant, outbox&) {}
  void settle(instant, outbox& out) {
    log->push_back("back settled");
    if (std::exchange(restless, false))
      out.tell(machine_failed{log_index{1}, "again"});
  }

  journal* log;
  bool restless = false;
};

/// Also listens to it.
struct witness {
  using peer_messages = type_list<>;
  using notices = type_list<machine_failed>;

  void on(machine_failed& m, instant, outbox&) { log->push_back("witness took " + m.why); }
  void wake(instant, outbox&) {}
  void settle(instant, outbox&) {}

  journal* log;
};

struct driver {
  void send(letter&& what) { sent.push_back(std::move(what)); }
  void observed(sibling_message&& what) { seen.push_back(std::move(what)); }
  void stepped(std::size_t) { ++steps; }
  bool postponed(std::size_t component, sibling_message& what) {
    if (component != late_component)
      return false;
    late.push_back(std::move(what));
    return true;
  }

  std::vector<letter> sent;
  std::vector<sibling_message> seen;
  std::vector<sibling_message> late;
  std::size_t late_component = 99;
  int steps = 0;
};

struct bench {
  journal log;
  driver d;
  host<front, back, witness> node{front{&log}, back{&log}, witness{&log}};

  bool receive(peer_message what) { return node.receive(member_id{9}, what, instant{}, d); }
};

} // namespace

TEST_CASE("a message goes to who lists it, and the notices that follow go round in order") {
  bench x;
  CHECK(x.receive(timeout_now{term_number{3}}));
  CHECK(x.log == journal{"front took term 3", "back was told", "back took no", "witness took no"});
  REQUIRE(x.d.sent.size() == 1);
  CHECK(x.d.sent.front().to == member_id{9});
  CHECK(x.d.steps == 4);
}

TEST_CASE("a message that nobody lists is not taken") {
  bench x;
  CHECK_FALSE(x.receive(vote_reply{}));
  CHECK(x.log.empty());
}

TEST_CASE("a notice for several reaches each, though one of them moves from it") {
  bench x;
  CHECK(x.node.tell(machine_failed{{}, "all"}, instant{}, x.d));
  CHECK(x.log == journal{"back took all", "witness took all"});
}

TEST_CASE("a notice that no component takes goes to the driver") {
  bench x;
  CHECK_FALSE(x.node.tell(take_snapshot{}, instant{}, x.d));
  x.node.get<back>().restless = true;
  x.receive(timeout_now{});
  x.log.clear();
  x.node.settle(instant{}, x.d);
  CHECK(x.d.seen.empty());
}

TEST_CASE("settling goes on until nobody has anything left to do") {
  bench x;
  x.node.get<back>().restless = true;
  x.receive(timeout_now{});
  CHECK_FALSE(x.node.settled());
  x.log.clear();
  x.node.settle(instant{}, x.d);
  CHECK(x.node.settled());
  CHECK(x.log
        == journal{"front settled", "back settled", "back took again", "witness took again",
                   "back settled"});
  x.log.clear();
  x.node.settle(instant{}, x.d);
  CHECK(x.log.empty());
}

TEST_CASE("the earliest wish for a wake counts, and one call answers it") {
  bench x;
  x.node.start(instant{}, x.d);
  CHECK(x.log == journal{"front woke"});
  REQUIRE(x.node.next_wake());
  CHECK(*x.node.next_wake() == instant{} + 5ms);
  x.node.wake(instant{} + 4ms, x.d);
  CHECK(x.log.size() == 1);
  x.node.wake(instant{} + 6ms, x.d);
  CHECK(x.log.size() == 2);
  CHECK(*x.node.next_wake() == instant{} + 11ms);
}

TEST_CASE("what is postponed for one component is handed over later, and to it alone") {
  bench x;
  x.d.late_component = 1;
  x.node.tell(machine_failed{{}, "late"}, instant{}, x.d);
  CHECK(x.log == journal{"witness took late"});
  REQUIRE(x.d.late.size() == 1);
  x.node.tell_one(1, x.d.late.front(), instant{}, x.d);
  CHECK(x.log == journal{"witness took late", "back took late"});
}

} // namespace host_test
