// SPDX-License-Identifier: BSL-1.0

// What a node makes of what its store kept; all else of core_state.hpp is met in every role.

#include <understudy/raft/core_state.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <memory>

namespace core_state_test {

using namespace support;

namespace {

core_state returned(const recovered_state& found, std::uint64_t id = 1) {
  core_state state{{id}, {.volatile_log = false}, 1};
  state.recover(found);
  return state;
}

recovered_state some_log() {
  return {.vote = {{2}, {3}},
          .entries = {entry_of(1, 1, made_of({1, 2, 3}, {1, 2, 3})), entry_of(2, 1, "a"),
                      entry_of(3, 2, "b")}};
}

} // namespace

TEST_CASE("a node that comes back has its ballot and its log, and has committed nothing yet") {
  const auto state = returned(some_log());
  CHECK(state.vote() == ballot{{2}, {3}});
  CHECK(state.log.last() == log_position{{3}, {2}});
  CHECK(state.commit() == log_index{});
  CHECK(state.is_voter());
  CHECK(state.entered == log_index{1});
  CHECK(state.durable.durable() == log_index{}); // until the store has synced once more
}

TEST_CASE("its snapshot is committed and handed over; the log goes on behind it") {
  auto image = std::make_shared<snapshot>();
  image->at = {{7}, {3}};
  image->members = {{5}, std::make_shared<configuration>(made_of({1, 2}, {1}))};
  const auto state
      = returned({.vote = {{4}, {}}, .base = image, .entries = {entry_of(8, 4, "x")}}, 2);
  CHECK(state.image == image);
  CHECK(state.commit() == log_index{7});
  CHECK(state.handed() == log_index{7});
  CHECK(state.log.last() == log_position{{8}, {4}});
  CHECK(state.newest().index == log_index{5});
  CHECK(state.entered == log_index{1});
}

TEST_CASE(
    "entries may be there without their ballot: then their term is taken up, without a vote") {
  auto found = some_log();
  found.vote = {{1}, {1}};
  auto state = returned(found);
  CHECK(state.vote() == ballot{{2}, {}});
  outbox out;
  state.durable.flush({}, out); // and is written once more
  REQUIRE(out.notices.size() == 1);
  CHECK(std::get<store_write>(out.notices.front()).vote == ballot{{2}, {}});
}

TEST_CASE("what was recovered is durable once the store has synced, and asserted only then") {
  auto state = returned(some_log());
  outbox out;
  state.durable.send_when_durable(out, {3}, vote_reply{});
  state.durable.flush({}, out);
  REQUIRE(out.notices.size() == 1);
  CHECK(out.letters.empty());
  state.durable.confirmed({std::get<store_write>(out.notices.front()).write}, {}, out);
  CHECK(out.letters.size() == 1);
  CHECK(state.durable.durable() == log_index{3});
}

TEST_CASE("a node that may have led knows by its vote that the end of its log may be its own") {
  auto found = some_log();
  found.vote.vote = {1};
  CHECK(returned(found).has_unfinished());
  found.vote.vote = {3};
  CHECK_FALSE(returned(found).has_unfinished());
  found.vote = {{3}, {1}}; // it stood again since
  CHECK(returned(found).has_unfinished());
}

} // namespace core_state_test
