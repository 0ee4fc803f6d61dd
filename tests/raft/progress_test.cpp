// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/progress.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <utility>

namespace progress_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t many = 1'000'000;
const auto start = instant{} + 1h;

/// A peer that holds `match` and is sent everything that follows.
progress replicating(std::uint64_t match) {
  progress peer{{1}, {match}};
  peer.accepted({match}, peer.attempt());
  return peer;
}

std::shared_ptr<const snapshot> image_at(std::uint64_t index) {
  snapshot s{.at = {{index}, {1}}};
  s.image = bytes{"0123456789"};
  s.digest = digest_of(s.image.view());
  return std::make_shared<snapshot>(std::move(s));
}

} // namespace

TEST_CASE("a new peer is sent one message at a time") {
  progress peer{{1}, {10}};
  CHECK(peer.mode() == flow::probe);
  CHECK(peer.next() == log_index{11});
  CHECK(peer.match() == log_index{0});
  CHECK(peer.has_room(many, many));
  peer.sent({12}, 2, 100);
  CHECK_FALSE(peer.has_room(many, many));
  CHECK(peer.next() == log_index{11});
}

TEST_CASE("a peer that agrees is sent as much as the windows allow") {
  auto peer = replicating(10);
  CHECK(peer.mode() == flow::replicate);
  peer.sent({12}, 2, 100);
  CHECK(peer.next() == log_index{13});
  CHECK(peer.has_room(3, 101));
  CHECK_FALSE(peer.has_room(2, many));
  CHECK_FALSE(peer.has_room(many, 100));
  peer.accepted({11}, peer.attempt()); // a part of a message frees nothing
  CHECK_FALSE(peer.has_room(2, many));
  peer.accepted({12}, peer.attempt());
  CHECK(peer.has_room(1, 1));
}

TEST_CASE("what a peer holds never falls, and is never sent again (R5)") {
  auto peer = replicating(10);
  peer.sent({20}, 10, 10);
  peer.accepted({20}, peer.attempt());
  peer.accepted({15}, peer.attempt()); // reordered
  CHECK(peer.match() == log_index{20});
  CHECK(peer.next() == log_index{21});
  peer.refused({5}, peer.attempt()); // older still
  CHECK(peer.match() == log_index{20});
  CHECK(peer.next() == log_index{21});
  peer.lost_track();
  CHECK(peer.next() == log_index{21});
}

TEST_CASE("a refusal goes back to where the logs may agree, and no refusal goes forward (R5)") {
  progress peer{{1}, {100}};
  peer.sent({100}, 0, 0);
  peer.refused({60}, peer.attempt());
  CHECK(peer.next() == log_index{61});
  CHECK(peer.has_room(many, many));
  peer.refused({80}, peer.attempt()); // the answer to an earlier probe
  CHECK(peer.next() == log_index{61});
  peer.refused({40}, peer.attempt());
  CHECK(peer.next() == log_index{41});
}

TEST_CASE("of a window that arrived out of order the first refusal counts, and no other") {
  auto peer = replicating(10);
  const auto before = peer.attempt();
  for (std::uint64_t i = 11; i <= 20; ++i)
    peer.sent({i}, 1, 10);
  peer.refused({10}, before);
  REQUIRE(peer.mode() == flow::probe);
  peer.sent({11}, 1, 10);
  peer.refused({10}, before);
  CHECK_FALSE_MESSAGE(peer.has_room(many, many), "the probe is still on its way");
  peer.accepted({14}, before); // some of it was in order: that is known now, and no more
  CHECK(peer.match() == log_index{14});
  CHECK(peer.mode() == flow::probe);
  peer.accepted({14}, peer.attempt());
  CHECK(peer.mode() == flow::replicate);
  CHECK(peer.next() == log_index{15});
  peer.refused({10}, before);
  CHECK(peer.mode() == flow::replicate);
}

TEST_CASE("messages that were lost on the way are found out by a refusal") {
  auto peer = replicating(10);
  peer.sent({20}, 10, 10);
  peer.refused({10}, peer.attempt());
  CHECK(peer.mode() == flow::probe);
  CHECK(peer.next() == log_index{11});
  CHECK(peer.has_room(1, 1)); // nothing counts as under way any more
}

TEST_CASE("each life of a peer has a stream of its own (R4)") {
  progress before{{1}, {10}};
  progress after{{2}, {10}};
  CHECK(before.stream() != after.stream());
  CHECK(after.match() == log_index{0});
}

TEST_CASE("a snapshot goes a chunk at a time, and the next one only for news") {
  auto peer = replicating(3);
  peer.begin_snapshot(image_at(50));
  CHECK(peer.mode() == flow::snapshot);
  CHECK_FALSE(peer.has_room(many, many));
  CHECK(peer.chunk_due(start, 300ms, 50ms));
  peer.chunk_sent(start);
  CHECK_FALSE(peer.chunk_due(start, 300ms, 50ms));
  peer.chunk_received(4);
  CHECK(peer.offset() == 4);
  CHECK(peer.chunk_due(start, 300ms, 50ms));
  peer.chunk_sent(start);
  peer.chunk_received(4); // a doubled answer
  CHECK_FALSE(peer.chunk_due(start, 300ms, 50ms));
  peer.chunk_received(0); // the peer has lost what it had
  CHECK(peer.offset() == 0);
  CHECK(peer.chunk_due(start, 300ms, 50ms));
}

TEST_CASE("a chunk is sent again only to a peer that answers otherwise (N9)") {
  auto peer = replicating(3);
  peer.begin_snapshot(image_at(50));
  peer.chunk_sent(start);
  CHECK_FALSE(peer.chunk_due(start + 10s, 300ms, 50ms)); // silent: dead, or the link is slow
  peer.last_answer = start + 60ms;
  CHECK_FALSE(peer.chunk_due(start + 299ms, 300ms, 50ms));
  CHECK(peer.chunk_due(start + 300ms, 300ms, 50ms));
}

TEST_CASE("after its snapshot a peer goes on with the log") {
  auto peer = replicating(3);
  peer.begin_snapshot(image_at(50));
  CHECK(peer.needs_behind() == log_index{50});
  peer.refused({2}, peer.attempt()); // heartbeats are refused meanwhile
  CHECK(peer.mode() == flow::snapshot);
  peer.snapshot_done();
  CHECK(peer.mode() == flow::probe);
  CHECK(peer.match() == log_index{50});
  CHECK(peer.next() == log_index{51});
}

TEST_CASE("a peer that got there by itself needs no snapshot any more") {
  auto peer = replicating(3);
  peer.begin_snapshot(image_at(50));
  peer.accepted({49}, peer.attempt());
  CHECK(peer.mode() == flow::snapshot);
  peer.accepted({50}, peer.attempt());
  CHECK(peer.mode() == flow::probe);
  CHECK(peer.next() == log_index{51});
}

TEST_CASE("contact is lost by silence and by a broken link, and comes back with an answer") {
  progress peer{{1}, {0}};
  CHECK_FALSE(peer.in_contact(start, 300ms));
  peer.last_answer = start;
  CHECK(peer.in_contact(start + 300ms, 300ms));
  CHECK_FALSE(peer.in_contact(start + 301ms, 300ms));
  peer.link_lost = true;
  CHECK_FALSE(peer.in_contact(start, 300ms));
}

} // namespace progress_test
