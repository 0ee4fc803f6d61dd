// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/pull_intake.hpp>

#include <doctest/doctest.h>

#include "raft/support/group.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace pull_intake_test {

using namespace support;

namespace {

/// A snapshot of `text` at `index`, as it lies at a source of the group `of`.
snapshot image_of(std::uint64_t index, const char* text, const placed_configuration& of) {
  snapshot s{.at = {{index}, {1}}, .members = of, .image = bytes{text}};
  s.digest = digest_of(s.image.view());
  return s;
}

} // namespace

TEST_CASE("what is pulled is stored, committed and applied like what a leader sends") {
  group g{made_of({1, 2}, {1})};
  g.tell(2, pulled_entries{{{1}, {1}}, {entry_of(2, 1, "a"), entry_of(3, 1, "b")}, {2}, {1}});
  CHECK(g[2].log().last().index == log_index{3});
  CHECK(g[2].commit() == log_index{2});
  CHECK(g.applied(2) == "a");
  const auto report = g.told<stored_through>(2).back();
  CHECK(report.last == log_position{{2}, {1}});
  CHECK(report.commit == log_index{2});
}

TEST_CASE("what does not follow on is left alone, and the puller hears where to go on (M19)") {
  group g{made_of({1, 2}, {1})};
  g.forget_told();
  g.tell(2, pulled_entries{{{5}, {1}}, {entry_of(6, 1)}, {6}, {1}});
  CHECK(g[2].log().last().index == log_index{1});
  REQUIRE(g.told<stored_through>(2).size() == 1);
  CHECK(g.told<stored_through>(2)[0].last == log_position{{1}, {1}});
}

TEST_CASE("an uncommitted tail gives way to what is committed elsewhere, and only then (M19)") {
  group g{made_of({1, 2}, {1})};
  g.know(2, {entry_of(1, 1, made_of({1, 2}, {1})), entry_of(2, 1), entry_of(3, 1)}, 1);
  g.tell(2, pulled_entries{{{1}, {1}}, {entry_of(2, 1)}, {2}, {1}});
  CHECK(g[2].log().last().index == log_index{3});
  g.tell(2, pulled_entries{{{2}, {1}}, {entry_of(3, 4)}, {3}, {4}});
  CHECK(g[2].log().last() == log_position{{3}, {4}});
  CHECK(g[2].state().counts.truncations == 1);
}

TEST_CASE("storing an entry of a newer term raises the own term, and voids the vote") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.receive(2, 1, request_vote{.term = {3}, .last = {{1}, {1}}});
  REQUIRE(g[2].vote() == ballot{{3}, {1}});
  g.tell(2, pulled_entries{{{1}, {1}}, {entry_of(2, 5)}, {2}});
  CHECK(g[2].vote() == ballot{{5}, {}});
}

TEST_CASE("term and entry are durable together, before the puller is told") {
  group g{made_of({1, 2}, {1}), {.volatile_log = false}};
  g.stall_disk(2);
  g.forget_told();
  g.tell(2, pulled_entries{{{1}, {1}}, {entry_of(2, 5)}, {2}, {5}});
  REQUIRE(g.told<store_write>(2).size() == 1);
  CHECK(g.told<store_write>(2)[0].vote == ballot{{5}, {}});
  CHECK(g.told<store_write>(2)[0].entries.size() == 1);
  CHECK(g.told<stored_through>(2).empty());
  g.finish_disk(2);
  CHECK(g.told<stored_through>(2).size() == 1);
}

TEST_CASE("a leader of the past can not contradict what was pulled (R2, M19)") {
  // Entry 2 of term 2 was committed by the leader of term 4. Node 2 pulls it, and nothing yet of
  // term 4, while a message of the leader of term 3, which knew nothing of it, is on its way.
  group g{made_of({1, 2, 3, 4, 5}, {1, 2, 3, 4, 5})};
  g.receive(2, 1, request_vote{.term = {3}, .last = {{1}, {1}}});
  g.exchange();
  SUBCASE("an entry") {
    g.tell(2, pulled_entries{{{1}, {1}}, {entry_of(2, 2, "kept")}, {2}, {4}});
  }
  SUBCASE("a snapshot") {
    const auto image = image_of(2, "kept", g[2].newest());
    g.tell(2, pulled_chunk{chunk_of(image, 0, 100), {4}});
  }
  const auto last = g[2].log().last();
  REQUIRE(g[2].commit() == log_index{2});
  g.hold([](const mail&) { return true; });
  g.receive(2, 1,
            append_entries{.term = {3},
                           .previous = {{1}, {1}},
                           .entries = {entry_of(2, 3, "lost"), entry_of(3, 3, "lost")}});
  g.exchange();
  CHECK(g[2].log().last() == last);
  REQUIRE(g.held.size() == 1);
  CHECK_FALSE(g.held[0].as<append_reply>()->accepted);
  CHECK(g.held[0].as<append_reply>()->term == term_number{4});
}

TEST_CASE("a leader that pulls what a later one has committed leads no more") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1); // term 2; its entry 2 is overwritten in what follows
  g.part({1});
  g.propose(1, "lost");
  g.tell(1, pulled_entries{{{2}, {2}}, {entry_of(3, 2, "kept")}, {3}, {5}});
  CHECK_FALSE(g[1].leads());
  CHECK(g[1].vote() == ballot{{5}, {}});
}

TEST_CASE("a snapshot comes in pieces, and takes the log's place (N4)") {
  group g{made_of({1, 2}, {1})};
  const auto image = image_of(50, "state at 50", g[1].newest());
  g.tell(2, pulled_chunk{chunk_of(image, 0, 6)});
  auto report = g.told<stored_through>(2).back();
  CHECK(report.resume == image.key());
  CHECK(report.received == 6);
  CHECK(g[2].commit() == log_index{1});
  g.tell(2, pulled_chunk{chunk_of(image, 6, 6)});
  report = g.told<stored_through>(2).back();
  CHECK(report.last == log_position{{50}, {1}});
  CHECK(report.received == 0);
  CHECK(g.applied(2) == "state at 50");
  g.tell(2, pulled_entries{{{50}, {1}}, {entry_of(51, 1, "!")}, {51}});
  CHECK(g.applied(2) == "state at 50!");
}

TEST_CASE("leader and sources may each bring a part of one snapshot") {
  group g{made_of({1, 2}, {1})};
  const auto image = image_of(50, "state at 50", g[1].newest());
  g.tell(2, pulled_chunk{chunk_of(image, 0, 6)});
  g.receive(2, 1, install_snapshot{.term = {1}, .chunk = chunk_of(image, 6, 6)});
  CHECK(g.applied(2) == "state at 50");
}

TEST_CASE("a snapshot whose sender is gone does not keep out what the others have (N4)") {
  group g{made_of({1, 2}, {1})};
  const auto lost = image_of(90, "state at 90", g[1].newest());
  const auto left = image_of(50, "state at 50", g[1].newest());
  g.receive(2, 1, install_snapshot{.term = {1}, .chunk = chunk_of(lost, 0, 6)});
  g.tell(2, pulled_chunk{chunk_of(left, 0, 100)});
  CHECK(g[2].commit() == log_index{1});
  g.now += 600ms;
  g.tell(2, pulled_chunk{chunk_of(left, 0, 100)});
  CHECK(g[2].commit() == log_index{50});
}

TEST_CASE("half a snapshot is given up when entries come to the same") {
  group g{made_of({1, 2}, {1})};
  g.tell(2, pulled_chunk{chunk_of(image_of(2, "state at 2", g[1].newest()), 0, 4)});
  CHECK(g.told<stored_through>(2).back().received == 4);
  g.tell(2, pulled_entries{{{1}, {1}}, {entry_of(2, 1)}, {2}});
  CHECK(g.told<stored_through>(2).back().received == 0);
  CHECK(g.told<stored_through>(2).back().resume == snapshot_key{});
}

} // namespace pull_intake_test
