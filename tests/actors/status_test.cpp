// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/status.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <sstream>
#include <thread>

namespace status_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

/// Four members, of which the first three vote.
configuration_ptr four() {
  configuration c{.cluster = {77}};
  for (std::uint64_t id = 1; id <= 4; ++id)
    c.members.push_back(
        {.id = {id}, .name = std::string(1, static_cast<char>('a' + id - 1)), .entered = {id}});
  c.voters = {{1}, {2}, {3}};
  return std::make_shared<const configuration>(std::move(c));
}

core_view view_of(configuration_ptr content) {
  return {.term = {3}, .leader = {1}, .committed = {{4}, content}, .newest = {{4}, content}};
}

void write(status_board& board, core_view view, std::uint64_t applied = 9) {
  board.update([&](status_notes& notes) {
    notes.core = std::move(view);
    notes.last = {12};
    notes.commit = {10};
    notes.applied = {applied};
  });
}

} // namespace

TEST_CASE("a node that has entered nothing is joining, and says what is in the way") {
  status_board board{{4}};
  auto s = board.read();
  CHECK(s.id == member_id{4});
  CHECK(s.role == role::joining);
  CHECK(s.rank == 0);
  CHECK_FALSE(s.ready);
  CHECK(s.why_not_voter == "has not entered a cluster");
  board.update([](status_notes& notes) {
    notes.obstacle = {errc::no_seed_answers, "none of 2 seeds answers"};
  });
  s = board.read();
  CHECK(s.obstacle.code == errc::no_seed_answers);
  CHECK(s.why_not_voter == "has not entered a cluster: none of 2 seeds answers");
}

TEST_CASE("roles, ranks and the reason for having no vote follow from the roster") {
  status_board fourth{{4}};
  write(fourth, view_of(four()));
  auto s = fourth.read();
  CHECK(s.role == role::temporary_listener);
  CHECK(s.rank == 4);
  CHECK(s.cluster == cluster_id{77});
  CHECK(s.leader == member_id{1});
  CHECK(s.lag == 1);
  CHECK(s.copies == 0);
  CHECK(s.ready);
  CHECK(s.why_not_voter.find("the count is even") != std::string::npos);
  REQUIRE(s.members.size() == 4);
  CHECK(s.members[0].role == role::leader);
  CHECK(s.members[1].role == role::follower);
  CHECK(s.members[3].role == role::temporary_listener);
  CHECK(s.voters.size() == 3);

  status_board first{{1}};
  auto leading = view_of(four());
  leading.leads = true;
  leading.copies = 2;
  leading.peers = {{.id = {2}, .match = {8}, .in_contact = true}};
  write(first, leading);
  s = first.read();
  CHECK(s.role == role::leader);
  CHECK(s.copies == 2);
  CHECK(s.why_not_voter.empty());
  REQUIRE(s.member({2}));
  CHECK(s.member({2})->match == log_index{8});
  CHECK(s.member({2})->in_contact);
  CHECK_FALSE(s.member({9}));

  auto campaigning = view_of(four());
  campaigning.leader = {};
  campaigning.campaigning = true;
  status_board second{{2}};
  write(second, campaigning);
  CHECK(second.read().role == role::candidate);
  CHECK_FALSE(second.read().ready);
}

TEST_CASE("ready is a node that has entered, knows a leader, and has applied its own entry") {
  status_board board{{4}};
  write(board, view_of(four()), 3);
  CHECK_FALSE(board.read().ready);
  write(board, view_of(four()), 4);
  CHECK(board.read().ready);
  board.update([](status_notes& notes) { notes.obstacle = {errc::removed, "it was sent away"}; });
  CHECK_FALSE(board.read().ready); // though the own log does not show it
  board.update([](status_notes& notes) { notes.obstacle = {}; });
  CHECK(board.read().ready);
  board.update([](status_notes& notes) { notes.trouble = {errc::machine_stopped, "why"}; });
  CHECK_FALSE(board.read().ready);
}

TEST_CASE("a wait ends when its condition holds, or at its limit with the status in the text") {
  status_board board{{4}};
  std::jthread writer{[&] {
    for (std::uint64_t i = 0; i <= 1'000; ++i)
      write(board, view_of(four()), i);
  }};
  const auto seen
      = board.wait_until([](const node_status& s) { return s.applied >= log_index{900}; }, 60s);
  REQUIRE(seen);
  CHECK(seen->applied >= log_index{900});
  writer.join();

  const auto never = board.wait_until([](const node_status&) { return false; }, 1ms);
  REQUIRE_FALSE(never);
  CHECK(never.error().code == errc::timed_out);
  std::ostringstream text;
  text << board.read();
  CHECK(never.error().detail == text.str());
}

TEST_CASE("a wait does not outlast the node") {
  status_board board{{4}};
  std::jthread writer{[&] { board.update([](status_notes& notes) { notes.stopped = true; }); }};
  const auto never = board.wait_until([](const node_status&) { return false; }, 60s);
  CHECK(never.error().code == errc::stopped);
  CHECK(board.wait_until([](const node_status& s) { return s.stopped; }, 60s));
}

TEST_CASE("a status is one line") {
  status_board board{{4}};
  board.update([](status_notes& notes) { notes.name = "d"; });
  write(board, view_of(four()));
  std::ostringstream text;
  text << board.read();
  CHECK(text.str().starts_with("d temporary_listener, rank 4 of 4, term 3, leader a, log 12/10/9, "
                               "lag 1, voters a b c, no voter: rank 4 of 4"));
}

} // namespace status_test
