// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/durability.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

namespace durability_test {

using namespace understudy;
using support::entry_of;

namespace {

/// The one write that `flush` hands over.
store_write flushed(durability& d) {
  outbox out;
  d.flush({}, out);
  REQUIRE(out.notices.size() == 1);
  return std::get<store_write>(out.notices.front());
}

std::size_t sent_by(durability& d, generation confirmed) {
  outbox out;
  d.confirmed({.write = confirmed}, {}, out);
  return out.letters.size();
}

std::shared_ptr<const snapshot> image_at(std::uint64_t index, std::uint64_t term) {
  return std::make_shared<snapshot>(snapshot{.at = {{index}, {term}}});
}

} // namespace

TEST_CASE("a log that ends with the process is durable at once, and nothing is written") {
  durability d{true};
  outbox out;
  d.appended(entry_of(1, 1));
  d.ballot_changed({{1}, {9}});
  CHECK(d.durable() == log_index{1});
  d.send_when_durable(out, {2}, append_reply{});
  CHECK(out.letters.size() == 1);
  d.flush({}, out);
  CHECK(out.notices.empty());
}

TEST_CASE("what asserts something leaves when the write that covers it is confirmed (E2, I14)") {
  durability d{false};
  outbox out;
  d.ballot_changed({{3}, {9}});
  d.send_when_durable(out, {2}, vote_reply{});
  CHECK(out.letters.empty());
  const auto first = flushed(d);
  CHECK(first.vote == ballot{{3}, {9}});
  d.appended(entry_of(1, 3));
  d.send_when_durable(out, {2}, append_reply{});
  const auto second = flushed(d);
  CHECK(out.letters.empty());
  CHECK(sent_by(d, first.write) == 1);
  CHECK(d.durable() == log_index{0});
  CHECK(sent_by(d, second.write) == 1);
  CHECK(d.durable() == log_index{1});
}

TEST_CASE("one write carries all that changed, and nothing is written twice") {
  durability d{false};
  outbox out;
  d.appended(entry_of(1, 1));
  d.appended(entry_of(2, 1));
  d.ballot_changed({{1}, {2}});
  CHECK(flushed(d).entries.size() == 2);
  d.flush({}, out);
  CHECK(out.notices.empty());
  CHECK(d.durable() == log_index{0});
}

TEST_CASE("with nothing to write an answer is not held up") {
  durability d{false};
  outbox out;
  d.send_when_durable(out, {2}, append_reply{});
  CHECK(out.letters.size() == 1);
}

TEST_CASE("a late confirmation does not vouch for what was written over (R3)") {
  durability d{false};
  for (std::uint64_t i = 1; i <= 5; ++i)
    d.appended(entry_of(i, 1));
  const auto old = flushed(d);
  d.truncated({2});
  for (std::uint64_t i = 3; i <= 5; ++i)
    d.appended(entry_of(i, 2));
  const auto fresh = flushed(d);
  CHECK(fresh.keep == log_index{2});
  CHECK(fresh.entries.size() == 3);
  sent_by(d, old.write);
  CHECK(d.durable() == log_index{2});
  sent_by(d, fresh.write);
  CHECK(d.durable() == log_index{5});
}

TEST_CASE("what was durable and is truncated is not durable any more") {
  durability d{false};
  d.appended(entry_of(1, 1));
  d.appended(entry_of(2, 1));
  sent_by(d, flushed(d).write);
  d.truncated({1});
  CHECK(d.durable() == log_index{1});
  d.appended(entry_of(2, 2));
  CHECK(d.durable() == log_index{1});
}

TEST_CASE("within a batch what was appended and truncated again is not written") {
  durability d{false};
  for (std::uint64_t i = 1; i <= 4; ++i)
    d.appended(entry_of(i, 1));
  d.truncated({3});
  d.truncated({1});
  d.appended(entry_of(2, 2));
  const auto w = flushed(d);
  CHECK(w.keep == log_index{1});
  REQUIRE(w.entries.size() == 2);
  CHECK(w.entries[0].term == term_number{1});
  CHECK(w.entries[1].term == term_number{2});
}

TEST_CASE("a new term drops what asserts something in the old one") {
  durability d{false};
  outbox out;
  d.appended(entry_of(1, 1));
  d.send_when_durable(out, {2}, append_reply{});
  d.forget_held();
  CHECK(sent_by(d, flushed(d).write) == 0);
}

TEST_CASE("a snapshot from elsewhere takes the log's place, whatever the store still has") {
  durability d{false};
  d.appended(entry_of(1, 1));
  d.restarted(image_at(9, 2));
  d.appended(entry_of(10, 2));
  const auto w = flushed(d);
  REQUIRE(w.base);
  CHECK(w.base->at.index == log_index{9});
  CHECK(w.keep == log_index{9});
  REQUIRE(w.entries.size() == 1);
  CHECK(w.entries[0].index == log_index{10});
  sent_by(d, w.write);
  CHECK(d.durable() == log_index{10});
}

TEST_CASE("a snapshot of one's own spares writing what it covers") {
  durability d{false};
  for (std::uint64_t i = 1; i <= 4; ++i)
    d.appended(entry_of(i, 1));
  d.snapshot_taken(image_at(3, 1));
  const auto w = flushed(d);
  REQUIRE(w.entries.size() == 1);
  CHECK(w.entries[0].index == log_index{4});
  CHECK_FALSE(w.keep.has_value());
  sent_by(d, w.write);
  CHECK(d.durable() == log_index{4});
}

TEST_CASE("D14: a disk stalls when a write is under way and nothing is confirmed any more") {
  const auto at = [](int ms) { return instant{} + std::chrono::milliseconds{ms}; };
  const interval limit = std::chrono::milliseconds{100};
  durability d{false};
  outbox out;
  CHECK_FALSE(d.stalls(at(1'000), limit)); // there is nothing to wait for
  for (int i = 1; i <= 3; ++i) {
    d.appended(entry_of(static_cast<std::uint64_t>(i), 1));
    d.flush(at(1'000), out);
  }
  CHECK_FALSE(d.stalls(at(1'100), limit));
  CHECK(d.stalls(at(1'101), limit));
  d.confirmed({.write = {1}}, at(1'101), out);
  CHECK_FALSE(d.stalls(at(1'200), limit)); // slow, but it goes on
  CHECK(d.stalls(at(1'202), limit));
  d.confirmed({.write = {3}}, at(1'300), out);
  CHECK_FALSE(d.stalls(at(9'000), limit));
}

TEST_CASE("D5: with a full disk a vote leaves once it is stored, and overtakes what needs room") {
  durability d{false};
  outbox out;
  d.appended(entry_of(1, 1));
  d.send_when_durable(out, {2}, append_reply{});
  const auto log = flushed(d);
  d.ballot_changed({{3}, {2}});
  d.send_when_voted(out, {2}, vote_reply{});
  const auto vote = flushed(d);
  d.confirmed({.write = {}, .ballots = log.write}, {},
              out); // the disk is full: the vote is not there
  CHECK(d.is_full());
  CHECK(out.letters.empty());
  CHECK_FALSE(d.is_voted(vote.write));
  d.confirmed({.write = {}, .ballots = vote.write}, {}, out);
  REQUIRE(out.letters.size() == 1);
  CHECK(std::holds_alternative<vote_reply>(out.letters[0].what));
  CHECK(d.is_voted(vote.write));
  CHECK(d.durable() == log_index{0});
  d.send_when_voted(out, {2}, vote_reply{}); // nothing new has to be stored for this one
  CHECK(out.letters.size() == 2);
  d.confirmed({.write = vote.write}, {}, out);
  CHECK(out.letters.size() == 3);
  CHECK_FALSE(d.is_full());
  CHECK(d.durable() == log_index{1});
}

TEST_CASE("D14: on a disk that hangs a vote waits for all that was written before it") {
  durability d{false};
  outbox out;
  d.appended(entry_of(1, 1));
  const auto log = flushed(d);
  d.send_when_voted(out, {2}, vote_reply{});
  CHECK(out.letters.empty());
  CHECK(sent_by(d, log.write) == 1);
}

TEST_CASE("D14: what is stored of ballots does not hide that nothing else is") {
  durability d{false};
  outbox out;
  const auto later = instant{} + std::chrono::seconds{9};
  d.appended(entry_of(1, 1));
  d.flush({}, out);
  d.confirmed({.write = {}, .ballots = {1}}, later, out);
  CHECK(d.stalls(later, std::chrono::seconds{8}));
}

TEST_CASE("D5: a log that a snapshot has replaced is not acknowledged, though it is stored") {
  durability d{false};
  outbox out;
  for (std::uint64_t i = 1; i <= 9; ++i)
    d.appended(entry_of(i, 1));
  sent_by(d, flushed(d).write);
  CHECK(d.acknowledged() == log_index{9});
  d.restarted(image_at(5, 2)); // of another history, from its third entry on
  d.confirmed({.write = {1}, .ballots = {2}}, {}, out);
  CHECK(d.acknowledged() == log_index{0});
  CHECK(d.durable() < log_index{5});
  sent_by(d, flushed(d).write);
  CHECK(d.acknowledged() == log_index{5});
}

} // namespace durability_test
