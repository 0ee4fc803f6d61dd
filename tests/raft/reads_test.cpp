// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/reads.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <chrono>
#include <optional>

namespace reads_test {

using namespace understudy;
using support::entry_of;

namespace {

const auto start = instant{} + std::chrono::hours{1};

struct bench {
  bench() { commit(7); }

  void commit(std::uint64_t index) {
    while (state.log.last().index < log_index{index})
      state.append(entry_of(state.log.last().index.value + 1, 1));
    state.advance_commit({index});
  }

  std::optional<read_ready> confirm(generation round) {
    outbox out;
    queue.confirm(round, out);
    if (out.notices.empty())
      return std::nullopt;
    REQUIRE(out.notices.size() == 1);
    return std::get<read_ready>(out.notices.front());
  }

  core_state state{{1}, {}, 1};
  read_queue queue;
};

} // namespace

TEST_CASE("no round starts before the leader has committed an entry of its own (C1)") {
  bench b;
  b.queue.ask({{1}});
  b.queue.begin_round(b.state, false, start);
  CHECK(b.queue.waits());
  CHECK_FALSE(b.confirm({100}));
  b.queue.begin_round(b.state, true, start);
  CHECK(b.confirm(b.queue.round()));
}

TEST_CASE("a question is answered with the commit index at which its round began (C2)") {
  bench b;
  b.queue.ask({{1}});
  b.queue.begin_round(b.state, true, start);
  b.commit(9);
  const auto answer = b.confirm(b.queue.round());
  REQUIRE(answer);
  CHECK(answer->ask == generation{1});
  CHECK(answer->index == log_index{7});
  CHECK(answer->code == errc::none);
  CHECK_FALSE(b.queue.waits());
}

TEST_CASE("an echo of an earlier round vouches for nothing asked after it (C2)") {
  bench b;
  b.queue.ask({{1}});
  b.queue.begin_round(b.state, true, start);
  const auto earlier = b.queue.round();
  b.queue.ask({{2}});
  b.queue.begin_round(b.state, true, start);
  CHECK(b.queue.round() > earlier);
  CHECK(b.confirm(earlier)->ask == generation{1});
  CHECK_FALSE(b.confirm(earlier));
  CHECK(b.confirm(b.queue.round())->ask == generation{2});
}

TEST_CASE("questions that queued up share a round and an answer") {
  bench b;
  b.queue.ask({{1}});
  b.queue.ask({{2}});
  b.queue.ask({{3}});
  b.queue.begin_round(b.state, true, start);
  const auto round = b.queue.round();
  b.queue.begin_round(b.state, true, start);
  CHECK(b.queue.round() == round);
  CHECK(b.confirm(b.queue.round())->ask == generation{3});
}

TEST_CASE(
    "when the leadership ends all questions are refused, and its rounds never come again (C2)") {
  bench b;
  b.queue.ask({{1}});
  b.queue.begin_round(b.state, true, start);
  b.queue.ask({{2}});
  outbox out;
  b.queue.refuse_all(out);
  REQUIRE(out.notices.size() == 1);
  const auto refused = std::get<read_ready>(out.notices.front());
  CHECK(refused.ask == generation{2});
  CHECK(refused.code == errc::not_leader);

  const auto last = b.queue.round();
  read_queue next;
  next.ask({{3}});
  next.begin_round(b.state, true, start);
  CHECK(next.round() > last);
}

TEST_CASE("an echo proves contact as of the heartbeat that it echoes, not of its arrival") {
  bench b;
  const auto beat = b.state.options.heartbeat;
  CHECK(b.queue.proven_at({}) == instant{});
  b.queue.begin_round(b.state, true, start);
  const auto first = b.queue.round();
  b.queue.begin_round(b.state, true, start + beat / 2);
  CHECK(b.queue.round() == first);
  b.queue.ask({{1}});
  b.queue.begin_round(b.state, true, start + beat / 2);
  const auto between = b.queue.round();
  CHECK(between > first);
  b.queue.begin_round(b.state, true, start + beat);
  const auto second = b.queue.round();
  CHECK(b.queue.proven_at(first) == start);
  CHECK(b.queue.proven_at(between) == start);
  CHECK(b.queue.proven_at(second) == start + beat);
  for (int i = 2; i < 1'000; ++i)
    b.queue.begin_round(b.state, true, start + i * beat);
  CHECK(b.queue.proven_at(first) == instant{}); // nobody remembers
  CHECK(b.queue.proven_at(b.queue.round()) == start + 999 * beat);
}

} // namespace reads_test
