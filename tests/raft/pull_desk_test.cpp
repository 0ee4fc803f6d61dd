// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/pull_desk.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace pull_desk_test {

using namespace understudy;
using namespace std::chrono_literals;
using support::entry_of;
using support::made_of;

namespace {

const auto start = instant{} + 1h;

/// Voter 1, with entries 1 to 9 in the log, of which 1 to 6 are committed.
struct source {
  explicit source(core_options options = {}) : state{{1}, options, 1} {
    state.append(entry_of(1, 1, made_of({1, 2, 9}, {1, 2})));
    for (std::uint64_t i = 2; i <= 9; ++i)
      state.append(entry_of(i, i < 5 ? 1 : 2));
    state.advance_commit({6});
  }

  void ask(log_position from, std::uint64_t who = 9) { put(question(from), who); }
  void put(const pull_request& what, std::uint64_t who = 9) {
    desk.ask({who}, what, state, {{2}, 7ms}, start, at_once);
  }

  static pull_request question(log_position from) {
    return {.cluster = {77}, .ask = {42}, .from = from, .wait = 50ms};
  }

  std::optional<pull_reply> serve(instant now = start) {
    outbox out;
    desk.serve(state, {{2}, 7ms}, now, out);
    if (out.letters.empty())
      return std::nullopt;
    REQUIRE(out.letters.size() == 1);
    return std::get<pull_reply>(out.letters.front().what);
  }

  core_state state;
  pull_desk desk;
  outbox at_once; ///< what was answered without waiting
};

} // namespace

TEST_CASE("a source hands out what is committed, and nothing else (M19)") {
  source s;
  s.ask({{3}, {1}});
  const auto answer = s.serve();
  REQUIRE(answer);
  CHECK(answer->verdict == pull_verdict::entries);
  CHECK(answer->previous == log_position{{3}, {1}});
  REQUIRE(answer->entries.size() == 3);
  CHECK(answer->entries.front().index == log_index{4});
  CHECK(answer->entries.back().index == log_index{6});
  CHECK(answer->commit == log_index{6});
  CHECK(answer->ask == generation{42});
  CHECK(answer->leader == member_id{2});
  CHECK(answer->leader_silent == 7ms);
  CHECK_FALSE(s.serve()); // answered once
}

TEST_CASE("with nothing new a question waits until there is, or its time is up") {
  source s;
  s.ask({{6}, {2}});
  CHECK_FALSE(s.serve());
  CHECK(s.desk.deadline() == start + 50ms);
  SUBCASE("news") {
    s.state.advance_commit({7});
    CHECK(s.serve()->entries.size() == 1);
  }
  SUBCASE("no news") {
    const auto answer = s.serve(start + 50ms);
    REQUIRE(answer);
    CHECK(answer->entries.empty());
    CHECK(answer->commit == log_index{6});
  }
}

TEST_CASE("a source that is behind says so when the time is up") {
  source s;
  s.ask({{8}, {2}});
  CHECK_FALSE(s.serve());
  CHECK(s.serve(start + 50ms)->verdict == pull_verdict::behind);
}

TEST_CASE("a place with another term has diverged") {
  source s;
  s.ask({{5}, {1}});
  CHECK(s.serve()->verdict == pull_verdict::diverged);
}

TEST_CASE("a node that does not vote is no source (M20)") {
  source s;
  s.state.append(entry_of(10, 2, made_of({1, 2, 9}, {2})));
  s.ask({{3}, {1}});
  CHECK(s.serve()->verdict == pull_verdict::refused);
}

TEST_CASE("nothing is handed out to another cluster (I10)") {
  source s;
  auto m = source::question({{3}, {1}});
  m.cluster = {78};
  s.put(m);
  const auto answer = s.serve();
  CHECK(answer->verdict == pull_verdict::refused);
  CHECK(answer->entries.empty());
}

TEST_CASE("what is compacted comes as a snapshot, from where the puller stopped") {
  core_options options;
  options.snapshot_chunk_bytes = 4;
  source s{options};
  auto image = std::make_shared<snapshot>(snapshot{.at = {{6}, {2}}, .image = bytes{"0123456789"}});
  image->digest = digest_of(image->image.view());
  s.state.image = image;
  s.state.log.compact_through({5});
  s.ask({{4}, {1}});
  auto answer = s.serve();
  REQUIRE(answer->chunk);
  CHECK(answer->verdict == pull_verdict::snapshot);
  CHECK(answer->chunk->offset == 0);
  CHECK(answer->chunk->data.text() == "0123");

  auto next = source::question({{4}, {1}});
  next.resume = image->key();
  next.received = 4;
  s.put(next);
  CHECK(s.serve()->chunk->data.text() == "4567");

  next.resume.digest ^= 1; // half of another one
  s.put(next);
  CHECK(s.serve()->chunk->offset == 0);
}

TEST_CASE("an answer is no larger than either side wants") {
  core_options options;
  options.append_bytes_max = 2 * 64;
  source s{options};
  auto m = source::question({{1}, {1}});
  s.put(m);
  CHECK(s.serve()->entries.size() == 2);
  m.bytes_max = 64;
  s.put(m);
  CHECK(s.serve()->entries.size() == 1);
}

TEST_CASE("N7: a snapshot that is half sent is sent to its end, whatever is taken meanwhile") {
  source s{{.snapshot_chunk_bytes = 4}};
  const auto take = [&](std::uint64_t through, const char* text) {
    auto image = std::make_shared<snapshot>();
    image->at = s.state.log.at({through}).position();
    image->members = s.state.log.configuration_at({through});
    image->image = bytes{text};
    image->digest = digest_of(image->image.view());
    s.state.image = image;
    s.state.log.compact_through(s.desk.needed_from({through}, start, 600ms));
  };
  take(4, "older state");
  auto m = source::question({{1}, {1}});
  std::string received;
  for (int i = 0; received.size() < 11; ++i) {
    REQUIRE(i < 3);
    s.put(m);
    const auto chunk = *s.serve()->chunk;
    received += chunk.data.text();
    m.resume = chunk.key;
    m.received = received.size();
    // What follows it is kept for this puller, so that it can go on from there.
    CHECK(s.desk.needed_from({6}, start, 600ms) == log_index{4});
    take(5, "newer state");
  }
  CHECK(received == "older state");
  s.ask({{4}, {1}});
  CHECK(s.serve()->entries.size() == 2);
  CHECK(s.desk.needed_from({6}, start, 600ms) == log_index{4});
}

TEST_CASE("a newer question of a puller takes the place of the older") {
  source s;
  s.ask({{3}, {1}}, 7);
  s.ask({{3}, {1}}, 8);
  s.ask({{4}, {1}}, 8);
  outbox out;
  s.desk.serve(s.state, {}, start, out);
  REQUIRE(out.letters.size() == 2);
  CHECK(std::get<pull_reply>(out.letters[0].what).previous.index == log_index{3});
  CHECK(std::get<pull_reply>(out.letters[1].what).previous.index == log_index{4});
}

TEST_CASE(
    "where too many wait, one who has all is sent elsewhere, and no one who lacks some (I15)") {
  core_options options;
  options.pullers_max = 2;
  source s{options};
  s.ask({{6}, {2}}, 7);
  s.ask({{6}, {2}}, 8);
  CHECK(s.at_once.letters.empty());
  s.ask({{6}, {2}}, 9);
  s.ask({{3}, {1}}, 10);
  REQUIRE(s.at_once.letters.size() == 2);
  CHECK(std::get<pull_reply>(s.at_once.letters[0].what).verdict == pull_verdict::refused);
  const auto& helped = std::get<pull_reply>(s.at_once.letters[1].what);
  CHECK(helped.ask == generation{42});
  CHECK(helped.leader == member_id{2});
  CHECK(helped.entries.size() == 3);
}

TEST_CASE("who came lately holds up compaction, who stayed away does not (M17)") {
  source s;
  s.ask({{3}, {1}});
  CHECK(s.desk.needed_from({6}, start + 600ms, 600ms) == log_index{3});
  CHECK(s.desk.needed_from({6}, start + 601ms, 600ms) == log_index{6});
  CHECK(s.desk.find({9}) == nullptr);
}

TEST_CASE("M20: who does not pull is told by the leader where the log ends and what is committed") {
  source s;
  outbox out;
  s.desk.remind_absent(s.state, start, out);
  REQUIRE(out.letters.size() == 1);
  CHECK(out.letters[0].to == member_id{9});
  const auto& sign = std::get<append_entries>(out.letters[0].what);
  CHECK(sign.previous == s.state.log.last());
  CHECK(sign.commit == log_index{6}); // or what it has would pass for fresh
}

TEST_CASE("the question of a puller whose link broke is forgotten") {
  source s;
  s.ask({{3}, {1}});
  s.desk.lost({9});
  CHECK_FALSE(s.serve());
  REQUIRE(s.desk.find({9}));
  CHECK(s.desk.find({9})->link_lost);
}

} // namespace pull_desk_test
