// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/log.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <cstdint>
#include <string>

namespace log_test {

using namespace understudy;
using support::entry_of;
using support::made_of;

namespace {

/// Terms of the entries from index 1 on, as digits.
raft_log log_of(const std::string& terms) {
  raft_log log;
  std::uint64_t index = 0;
  for (auto t : terms)
    log.append(entry_of(++index, static_cast<std::uint64_t>(t - '0')));
  return log;
}

} // namespace

TEST_CASE("an empty log ends before the first entry") {
  const raft_log log;
  CHECK(log.last() == log_position{});
  CHECK(log.first() == log_index{1});
  CHECK_FALSE(log.holds({1}));
  CHECK(log.term_at({0}) == term_number{0});
  CHECK_FALSE(log.term_at({1}).has_value());
  CHECK(log.newest_configuration().index == log_index{0});
}

TEST_CASE("entries are appended without a gap and with terms that never fall") {
  auto log = log_of("12");
  CHECK_THROWS_AS(log.append(entry_of(4, 2)), invariant_broken);
  CHECK_THROWS_AS(log.append(entry_of(2, 2)), invariant_broken);
  CHECK_THROWS_AS(log.append(entry_of(3, 1)), invariant_broken);
  log.append(entry_of(3, 2));
  CHECK(log.last() == log_position{{3}, {2}});
}

TEST_CASE("reading outside of the log is an error, not a guess") {
  auto log = log_of("1112");
  log.compact_through({2});
  CHECK_THROWS_AS((void)log.at({2}), invariant_broken);
  CHECK_THROWS_AS((void)log.at({5}), invariant_broken);
  CHECK(log.at({3}).term == term_number{1});
}

TEST_CASE("a log remembers the term of its base after it was compacted") {
  auto log = log_of("1123");
  log.compact_through({3});
  CHECK(log.base() == log_position{{3}, {2}});
  CHECK(log.term_at({3}) == term_number{2});
  CHECK_FALSE(log.term_at({2}).has_value());
  CHECK(log.last() == log_position{{4}, {3}});
  CHECK_THROWS_AS(log.compact_through({5}), invariant_broken);
  CHECK_THROWS_AS(log.truncate_above({2}), invariant_broken);
}

TEST_CASE("weights follow what is kept; what was appended is counted for good") {
  raft_log log;
  log.append(entry_of(1, 1, "abc"));
  log.append(entry_of(2, 1, "abcdef"));
  const auto both = log.weight_bytes();
  CHECK(both == log.at({1}).weight_bytes() + log.at({2}).weight_bytes());
  const auto second = log.at({2}).weight_bytes();
  log.compact_through({1});
  CHECK(log.weight_bytes() == second);
  log.truncate_above({1});
  CHECK(log.weight_bytes() == 0);
  CHECK(log.appended_bytes() == both);
}

TEST_CASE("a configuration is in force when it is appended, and out of force when truncated (M9)") {
  raft_log log;
  log.append(entry_of(1, 1, made_of({1, 2, 3}, {1})));
  log.append(entry_of(2, 1));
  log.append(entry_of(3, 2, made_of({1, 2, 3}, {1, 2, 3})));
  CHECK(log.newest_configuration().index == log_index{3});
  CHECK(log.configuration_at({2}).index == log_index{1});
  CHECK(log.configuration_at({0}).index == log_index{0});
  log.truncate_above({2});
  CHECK(log.newest_configuration().index == log_index{1});
  CHECK(log.newest_configuration().content->voters.size() == 1);
}

TEST_CASE("a configuration that was compacted away is still there to go back to (M9)") {
  raft_log log;
  log.append(entry_of(1, 1, made_of({1, 2, 3}, {1})));
  log.append(entry_of(2, 1));
  log.append(entry_of(3, 2, made_of({1, 2, 3}, {1, 2, 3})));
  log.compact_through({2});
  log.truncate_above({2});
  CHECK(log.newest_configuration().index == log_index{1});
}

TEST_CASE("a snapshot's configuration replaces whatever stood in the log (M14)") {
  raft_log log;
  log.append(entry_of(1, 1, made_of({1, 2}, {1})));
  log.append(entry_of(2, 1, made_of({1, 2}, {1, 2})));
  const placed_configuration older{{1}, std::make_shared<configuration>(made_of({1, 2}, {1}))};
  log.restart_from({.at = {{9}, {3}}, .stamp = {}, .members = older});
  CHECK(log.newest_configuration().index == log_index{1});
  CHECK(log.newest_configuration().content->voters.size() == 1);
  CHECK(log.last() == log_position{{9}, {3}});
  CHECK(log.weight_bytes() == 0);
}

TEST_CASE("a slice obeys both limits, but always holds one entry") {
  const auto log = log_of("11111");
  const auto one = log.at({1}).weight_bytes();
  CHECK(log.slice({2}, {5}, 2, SIZE_MAX).size() == 2);
  CHECK(log.slice({2}, {3}, 100, SIZE_MAX).size() == 2);
  CHECK(log.slice({1}, {5}, 100, 3 * one).size() == 3);
  CHECK(log.slice({1}, {5}, 100, 1).size() == 1);
  CHECK(log.slice({6}, {9}, 100, SIZE_MAX).empty());
  CHECK(log.slice({3}, {2}, 100, SIZE_MAX).empty());
}

TEST_CASE("logs that differ in whole terms find agreement a term at a time (R12)") {
  const auto log = log_of("1144555666");
  CHECK(log.agreement_at_most({10}, {6}).index == log_index{10});
  CHECK(log.agreement_at_most({10}, {3}).index == log_index{2});
  CHECK(log.agreement_at_most({6}, {5}).index == log_index{6});
  CHECK(log.agreement_at_most({99}, {5}).index == log_index{7});
  CHECK(log.agreement_at_most({10}, {0}).index == log_index{0});
  auto cut = log;
  cut.compact_through({4});
  CHECK(cut.agreement_at_most({10}, {3}) == cut.base());
  CHECK(cut.agreement_at_most({2}, {9}) == cut.base());
}

TEST_CASE("the voters are as old as the run of configurations that all have them") {
  raft_log log;
  log.append(entry_of(1, 1, made_of({1}, {1})));
  log.append(entry_of(2, 1, made_of({1, 2}, {1})));
  CHECK(log.voters_since() == log_index{1});
  log.append(entry_of(3, 1, made_of({1, 2}, {1, 2})));
  log.append(entry_of(4, 1, made_of({1, 2, 3}, {1, 2})));
  CHECK(log.voters_since() == log_index{3});
  log.append(entry_of(5, 1, made_of({1, 2, 3}, {1})));
  CHECK(log.voters_since() == log_index{5});
  log.compact_through({5});
  CHECK(log.voters_since() == log_index{5});
}

} // namespace log_test
