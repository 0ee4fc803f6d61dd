// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/two_node_copy.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <chrono>

namespace two_node_copy_test {

using namespace understudy;
using namespace std::chrono_literals;
using support::entry_of;
using support::made_of;

namespace {

/// Node 1 votes alone, node 2 is its temporary listener; entries 1 to 9 are committed.
struct bench {
  bench() {
    state.append(entry_of(1, 1, made_of({1, 2}, {1})));
    grow_to(9);
  }

  void grow_to(std::uint64_t index) {
    while (state.log.last().index < log_index{index})
      state.append(entry_of(state.log.last().index.value + 1, 1));
    state.advance_commit({index});
  }

  void pull(std::uint64_t from, std::uint64_t who = 2, std::uint64_t term = 1) {
    outbox out;
    desk.ask({who}, {.cluster = {77}, .from = {{from}, {term}}, .wait = 50ms}, state, {}, now, out);
  }

  release decide() { return copy.decide(state, desk, now); }

  core_state state{{1}, {}, 1};
  pull_desk desk;
  two_node_copy copy;
  instant now = instant{} + 1h;
};

} // namespace

TEST_CASE("a lone node waits for nobody") {
  bench b;
  CHECK(b.decide().through == log_index{9});
  CHECK(b.decide().copies == 1);
}

TEST_CASE("with a second node in step nothing is released that it has not stored") {
  bench b;
  b.pull(8);
  CHECK(b.decide().through == log_index{8});
  CHECK(b.decide().copies == 2);
  b.pull(9);
  CHECK(b.decide().through == log_index{9});
}

TEST_CASE("a second node that falls silent is waited for no longer than it may be") {
  bench b;
  b.pull(8);
  b.decide();
  b.now += 300ms;
  CHECK(b.decide().copies == 2);
  b.now += 1ms;
  CHECK(b.decide().copies == 1);
  CHECK(b.decide().through == log_index{9});
}

TEST_CASE("a second node whose link broke is not waited for at all") {
  bench b;
  b.pull(8);
  b.decide();
  b.desk.lost({2});
  CHECK(b.decide().copies == 1);
}

TEST_CASE("a second node counts once it is close behind, and then until it is lost") {
  bench b;
  b.grow_to(3000);
  b.pull(9);
  CHECK(b.decide().copies == 1);
  b.pull(2990);
  CHECK(b.decide().copies == 2);
  b.grow_to(9000);
  CHECK(b.decide().copies == 2);
  CHECK(b.decide().through == log_index{2990});
}

TEST_CASE("a listener that holds something else is no copy") {
  bench b;
  b.pull(9, 2, 7);
  CHECK(b.decide().copies == 1);
}

TEST_CASE("only the temporary listener is the second copy, not any other that pulls") {
  bench b;
  b.state.append(entry_of(10, 1, made_of({1, 2, 3}, {1})));
  b.state.advance_commit({10});
  b.pull(5, 3);
  CHECK(b.decide().copies == 1);
}

TEST_CASE("a larger group has its copies by majority") {
  bench b;
  b.state.append(entry_of(10, 1, made_of({1, 2, 3}, {1, 2, 3})));
  b.state.advance_commit({10});
  b.pull(5);
  CHECK(b.decide().copies == 2);
  CHECK(b.decide().through == log_index{10});
  auto joint = made_of({1, 2, 3, 4, 5}, {1, 2, 3, 4, 5});
  joint.outgoing = support::ids({1});
  b.state.append(entry_of(11, 1, joint));
  CHECK(b.decide().copies == 1);
}

} // namespace two_node_copy_test
