// SPDX-License-Identifier: BSL-1.0
#include <understudy/recovery/survivors.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace survivors_test {

using namespace understudy;
using support::entry_of;
using support::ids;
using support::made_of;

namespace {

/// A node whose log has a configuration and then a command of `term` at each index up to `last`.
remains log_of(std::uint64_t id, const configuration& members, std::uint64_t term,
               std::uint64_t last) {
  remains r{.node = {id}};
  r.kept.entries.push_back(entry_of(1, 1, members));
  for (std::uint64_t i = 2; i <= last; ++i)
    r.kept.entries.push_back(entry_of(i, term, "x"));
  return r;
}

const configuration five = made_of({1, 2, 3, 4, 5}, {1, 2, 3, 4, 5});

errc error_of(const std::vector<remains>& all) {
  const auto found = inherit(all);
  REQUIRE_FALSE(found);
  return found.error().code;
}

std::string text_of(const std::vector<remains>& all) {
  const auto found = inherit(all);
  REQUIRE(found);
  std::ostringstream text;
  text << *found;
  return text.str();
}

bool says(const std::string& text, const char* what) {
  return text.find(what) != std::string::npos;
}

} // namespace

TEST_CASE("the newer term goes before the longer log") {
  const std::vector all{log_of(1, five, 2, 90), log_of(2, five, 3, 40)};
  CHECK(inherit(all)->from == 1);
  CHECK(inherit(all)->missing == ids({3, 4, 5}));
}

TEST_CASE("of logs that end in the same term the longer one has most") {
  CHECK(inherit(std::vector{log_of(1, five, 3, 40), log_of(2, five, 3, 41)})->from == 1);
  CHECK(inherit(std::vector{log_of(1, five, 3, 41), log_of(2, five, 3, 40)})->from == 0);
}

TEST_CASE("a listener is as good as a voter") {
  const auto members = made_of({1, 2, 3, 4}, {1, 2, 3});
  const std::vector all{log_of(3, members, 2, 40), log_of(4, members, 2, 50)};
  CHECK(inherit(all)->from == 1);
}

TEST_CASE("a node that had heard of nothing is no heir, and stands in nobody's way") {
  const std::vector all{remains{.node = {9}}, log_of(2, five, 1, 10)};
  CHECK(inherit(all)->from == 1);
}

TEST_CASE("a snapshot counts like the log that it covers") {
  auto base = log_of(2, five, 1, 1);
  base.kept.base = std::make_shared<snapshot>(
      snapshot{.at = {{70}, {4}}, .members = {{1}, std::make_shared<configuration>(five)}});
  base.kept.entries.clear();
  CHECK(inherit(std::vector{log_of(1, five, 3, 90), base})->from == 1);
}

TEST_CASE("while a majority of the voters is there nobody is passed by") {
  const auto log = [](std::uint64_t id) { return log_of(id, five, 1, 5); };
  CHECK(error_of({log(1), log(2), log(3)}) == errc::quorum_intact);
  CHECK(inherit(std::vector{log(1), log(2)}));
  CHECK(error_of({log_of(1, made_of({1, 2}, {1}), 1, 5)}) == errc::quorum_intact);
}

TEST_CASE("who was marked does not come back under its id, and is no voter to wait for") {
  auto marked = five;
  marked.members[1].status = standing::evicted; // it votes on, until an heir is seated
  std::vector all{log_of(1, marked, 2, 15), log_of(2, marked, 2, 20), log_of(3, marked, 2, 15)};
  REQUIRE(inherit(all));
  CHECK(inherit(all)->from == 1); // its data counts all the same
  all[1].runs = true;
  CHECK(error_of(all) == errc::quorum_intact); // as long as it runs, it votes
}

TEST_CASE("voters who could elect one of them by their own logs are not passed by") {
  // 1 began a change to 4 and 5 that nobody else has heard of; by its log nobody could be elected.
  const auto before = made_of({1, 2, 3, 4, 5}, {1, 2, 3});
  auto change = made_of({1, 2, 3, 4, 5}, {1, 4, 5});
  change.outgoing = ids({1, 2, 3});
  auto leader = log_of(1, before, 2, 10);
  leader.kept.entries.push_back(entry_of(11, 2, change));
  CHECK(error_of({leader, log_of(2, before, 2, 10), log_of(3, before, 2, 10)})
        == errc::quorum_intact);
  CHECK(inherit(std::vector{leader, log_of(2, before, 2, 10)}));
}

TEST_CASE("a voter that has nothing to vote for the newest log is of no help to it") {
  // 3 has more than 1 and 2, and needs one vote besides its own: that of 1 or 2.
  const auto three = made_of({1, 2, 3}, {1, 2, 3});
  CHECK(error_of({log_of(3, three, 2, 20), log_of(1, three, 2, 10)}) == errc::quorum_intact);
  CHECK(inherit(std::vector{log_of(3, three, 2, 20), remains{.node = {1}}}));
}

TEST_CASE("in the middle of a change it takes a majority of both halves to go on") {
  auto change = made_of({1, 2, 3, 4, 5, 6}, {1, 2, 6});
  change.outgoing = ids({3, 4, 5});
  const auto log = [&](std::uint64_t id) { return log_of(id, change, 1, 5); };
  const std::vector all{log(1), log(2), log(6), log(3)};
  REQUIRE(inherit(all));
  CHECK(inherit(all)->missing == ids({4, 5}));
  CHECK(error_of({log(1), log(2), log(3), log(4)}) == errc::quorum_intact);
}

TEST_CASE("nodes of two clusters have no common heir") {
  auto other = five;
  other.cluster = {78};
  const auto found = inherit(std::vector{log_of(1, five, 1, 5), log_of(2, other, 1, 5)});
  REQUIRE_FALSE(found);
  CHECK(found.error().code == errc::cluster_mismatch);
  CHECK(found.error().detail == "member 1 is of cluster 77, and member 2 of 78");
}

TEST_CASE("where nobody knows of a cluster there is nothing to inherit") {
  CHECK(error_of({}) == errc::invalid_option);
  CHECK(error_of({remains{.node = {1}}}) == errc::invalid_option);
}

TEST_CASE("what is lost is said, as far as anybody can know") {
  auto members = five;
  members.members[2].name = "c";
  auto heir = log_of(1, members, 2, 40);
  heir.committed = {38};
  const auto text = text_of({heir, log_of(2, members, 2, 30)});
  CHECK(says(text, "member 1 has most: its log ends with entry 40 of term 2."));
  CHECK(says(text, "missing: member 3 (c), member 4, member 5."));
  CHECK(says(text, "behind entry 38 need not have been acknowledged"));
  CHECK_FALSE(says(text, "are lost."));
}

TEST_CASE("what somebody knows to have been committed, and nobody has, is lost for certain") {
  auto heard = log_of(2, five, 2, 30);
  heard.committed = {45};
  CHECK(says(text_of({log_of(1, five, 2, 40), heard}), "committed up to 45: 5 of them are lost."));
}

} // namespace survivors_test
