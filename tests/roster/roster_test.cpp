// SPDX-License-Identifier: BSL-1.0
#include <understudy/roster/roster.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace roster_test {

using namespace understudy;

namespace {

/// Members 1 to `members`, of which the first `voters` vote.
configuration group(std::uint64_t members, std::uint64_t voters) {
  configuration c{.cluster = {42}};
  for (std::uint64_t id = 1; id <= members; ++id) {
    c.members.push_back({.id = {id}, .start = 100 + id, .entered = {id}});
    if (id <= voters)
      c.voters.push_back({id});
  }
  return c;
}

std::vector<member_id> ids(std::initializer_list<std::uint64_t> numbers) {
  std::vector<member_id> result;
  for (auto n : numbers)
    result.push_back({n});
  return result;
}

errc code_of(const expected<configuration>& result) {
  return result ? errc::none : result.error().code;
}

} // namespace

TEST_CASE("find shows a member, or null for a stranger") {
  const auto base = group(3, 1);
  REQUIRE(find(base, {2}) != nullptr);
  CHECK(find(base, {2})->start == 102);
  CHECK(find(base, {9}) == nullptr);
}

TEST_CASE("a vote counts in either half") {
  auto base = group(3, 1);
  base.outgoing = ids({2});
  CHECK(has_vote(base, {1}));
  CHECK(has_vote(base, {2}));
  CHECK_FALSE(has_vote(base, {3}));
}

TEST_CASE("S10: a newcomer stands at the end of the roster, from the entry that took it in") {
  const auto base = group(2, 1);
  const auto next = apply(base, enter_member{{.id = {7}, .name = "g", .start = 5}}, {30});
  REQUIRE(next.has_value());
  REQUIRE(next->members.size() == 3);
  CHECK(next->members.back().id == member_id{7});
  CHECK(next->members.back().name == "g");
  CHECK(next->members.back().entered == log_index{30});
  CHECK(next->voters == base.voters);
  CHECK(complaints(*next).empty());
}

TEST_CASE("a newcomer comes without marks, whatever it claims") {
  const auto next = apply(
      group(1, 1), enter_member{{.id = {7}, .entered = {9}, .status = standing::evicted}}, {30});
  REQUIRE(next.has_value());
  CHECK(next->members.back().status == standing::present);
  CHECK(next->members.back().entered == log_index{9});
}

TEST_CASE("B12: entering twice changes nothing") {
  const auto base = group(2, 1);
  const auto again = apply(base, enter_member{{.id = {2}, .start = 102}}, {30});
  REQUIRE(again.has_value());
  CHECK(*again == base);
}

TEST_CASE("B7: a namesake from another start is refused") {
  CHECK(code_of(apply(group(2, 1), enter_member{{.id = {2}, .start = 7}}, {30}))
        == errc::duplicate_id);
}

TEST_CASE("a newcomer without an id, or with endless texts, is refused") {
  const auto base = group(1, 1);
  const std::string longest(255, 'x');
  CHECK(code_of(apply(base, enter_member{{.id = {}}}, {2})) == errc::invalid_option);
  CHECK(code_of(apply(base, enter_member{{.id = {2}, .name = longest + 'x'}}, {2}))
        == errc::invalid_option);
  CHECK(code_of(apply(base, enter_member{{.id = {2}, .address = longest + 'x'}}, {2}))
        == errc::invalid_option);
  CHECK(apply(base, enter_member{{.id = {2}, .name = longest, .address = longest}}, {2}));
  CHECK(code_of(apply(base, enter_member{{.id = {2}, .machine_version = 0}}, {2}))
        == errc::invalid_option);
}

TEST_CASE("I15: a full roster takes nobody in") {
  const auto base = group(members_limit, 1);
  CHECK(code_of(apply(base, enter_member{{.id = {5'000}}}, {5'000})) == errc::overloaded);
  CHECK(apply(base, enter_member{{.id = {7}, .start = 107}}, {5'000}).has_value());
}

TEST_CASE("marks go one way: present, leaving, evicted") {
  using enum standing;
  const std::vector<standing> all{present, leaving, evicted};
  for (auto from : all)
    for (auto to : all) {
      auto base = group(2, 1);
      base.members[1].status = from;
      const auto next = apply(base, mark_member{{2}, to}, {9});
      CAPTURE(static_cast<int>(from));
      CAPTURE(static_cast<int>(to));
      CHECK(code_of(next) == (to < from ? errc::invalid_option : errc::none));
      if (next) {
        CHECK(next->members[1].status == to);
        CHECK(next->voters == base.voters);
      }
    }
}

TEST_CASE("a pin can be set and taken back") {
  const auto pinned = apply(group(2, 1), pin_member{{2}, true}, {9});
  REQUIRE(pinned.has_value());
  CHECK(pinned->members[1].pinned);
  CHECK(apply(*pinned, pin_member{{2}, false}, {10}).value() == group(2, 1));
}

TEST_CASE("only a member without a vote is dropped") {
  auto base = group(4, 1);
  base.outgoing = ids({1, 2});
  CHECK(code_of(apply(base, drop_member{{1}}, {9})) == errc::invalid_option);
  CHECK(code_of(apply(base, drop_member{{2}}, {9})) == errc::invalid_option);
  const auto next = apply(base, drop_member{{3}}, {9});
  REQUIRE(next.has_value());
  CHECK(next->members.size() == 3);
  CHECK(find(*next, {3}) == nullptr);
  CHECK(next->members.back().id == member_id{4});
}

TEST_CASE("M12: who has left does not enter again under its id") {
  auto now = apply(group(3, 1), drop_member{{3}}, {9}).value();
  CHECK(has_departed(now, {3}));
  CHECK_FALSE(has_departed(now, {2}));
  CHECK(complaints(now).empty());
  const auto late = apply(now, enter_member{{.id = {3}, .start = 103}, {1'000}}, {10});
  CHECK(code_of(late) == errc::removed);
  CHECK(apply(now, enter_member{{.id = {4}, .start = 104}}, {10}).has_value());
  now.members.push_back({.id = {3}, .start = 103, .entered = {10}});
  CHECK_FALSE(complaints(now).empty());
}

TEST_CASE(
    "M12: once departures are forgotten, who began to ask before them is a newcomer no more") {
  auto now = group(1, 1);
  for (std::uint64_t i = 0; i <= departed_limit; ++i) {
    const member_id id{100 + i};
    now = apply(now, enter_member{{.id = id, .start = 1}, {10}}, {20 + 2 * i}).value();
    now = apply(now, drop_member{id}, {21 + 2 * i}).value();
  }
  CHECK(now.departed.size() == departed_limit);
  CHECK_FALSE(has_departed(now, {100})); // the first of them
  CHECK(now.forgotten == log_index{21});
  CHECK(complaints(now).empty());
  // It entered at 20, so it first asked when it knew of something older.
  CHECK(code_of(apply(now, enter_member{{.id = {100}, .start = 1}, {19}}, {500})) == errc::removed);
  CHECK(apply(now, enter_member{{.id = {7}, .start = 1}, {21}}, {500}).has_value());
}

TEST_CASE("a change to a member that is not there says so") {
  const auto base = group(1, 1);
  CHECK(code_of(apply(base, mark_member{{9}}, {2})) == errc::removed);
  CHECK(code_of(apply(base, pin_member{{9}}, {2})) == errc::removed);
  CHECK(code_of(apply(base, drop_member{{9}}, {2})) == errc::removed);
}

TEST_CASE("settings are replaced as a whole, and only by valid ones") {
  const auto base = group(5, 5);
  const auto next = apply(base, set_rules{{.max_voters = 3, .min_voters = 2}}, {9});
  REQUIRE(next.has_value());
  CHECK(next->rules.max_voters == 3);
  CHECK(next->voters == base.voters); // who goes is for the planner
  CHECK(complaints(*next).empty());
  CHECK(code_of(apply(base, set_rules{{.max_voters = 0}}, {9})) == errc::invalid_option);
}

TEST_CASE("U1: a version of the machine is used once every member in line knows it, and for good") {
  auto base = group(4, 3);
  for (auto& m : base.members)
    m.machine_version = 3;
  base.members[2].machine_version = 2;
  base.members[3].machine_version = 1; // a listener counts like a voter
  const auto refused = apply(base, use_machine_version{2}, {9});
  REQUIRE(code_of(refused) == errc::version_unsupported);
  CHECK(refused.error().detail == "member 4 knows version 1 of the machine, and not 2");

  base.members[3].status = standing::leaving; // it applies what is committed until it is gone
  CHECK(code_of(apply(base, use_machine_version{2}, {9})) == errc::version_unsupported);
  base.members[3].status = standing::evicted;
  const auto next = apply(base, use_machine_version{2}, {9});
  REQUIRE(next.has_value());
  CHECK(next->machine_version == 2);
  CHECK(complaints(*next).empty());
  CHECK(*apply(*next, use_machine_version{2}, {10}) == *next);
  CHECK(code_of(apply(*next, use_machine_version{1}, {10})) == errc::invalid_option);
  CHECK(code_of(apply(*next, use_machine_version{3}, {10})) == errc::version_unsupported);
  CHECK(apply(*next, set_rules{}, {10})->machine_version == 2);
  const auto joint = begin_joint(*next, ids({1, 2}));
  CHECK(finish_joint(*joint).machine_version == 2);
  CHECK(go_back(*joint).machine_version == 2);
}

TEST_CASE("U2: who knows less than what is used does not enter, and is not shown to know less") {
  auto base = group(2, 2);
  for (auto& m : base.members)
    m.machine_version = 3;
  base.machine_version = 2;
  const auto newcomer
      = [](std::uint32_t version) { return enter_member{{.id = {7}, .machine_version = version}}; };
  CHECK(code_of(apply(base, newcomer(1), {9})) == errc::version_unsupported);
  CHECK(apply(base, newcomer(2), {9})->members.back().machine_version == 2);

  const auto older = apply(base, declare_versions{{2}, 5, 2}, {9});
  REQUIRE(older.has_value());
  CHECK(older->members[1].machine_version == 2);
  CHECK(older->members[1].protocol_version == 5);
  CHECK(*apply(*older, declare_versions{{2}, 5, 2}, {9}) == *older);
  const auto refused = apply(*older, declare_versions{{2}, 5, 1}, {9});
  REQUIRE(code_of(refused) == errc::version_unsupported);
  CHECK(refused.error().detail
        == "the cluster uses version 2 of the machine, and member 2 knows 1");
  CHECK(code_of(apply(base, declare_versions{{9}, 1, 3}, {9})) == errc::removed);
  CHECK(code_of(apply(base, declare_versions{{2}, 0, 3}, {9})) == errc::invalid_option);
}

TEST_CASE("voters change by way of a joint configuration, and can go back") {
  const auto base = group(5, 3);
  const auto joint = begin_joint(base, ids({4, 2, 3}));
  REQUIRE(joint.has_value());
  CHECK(joint->joint());
  CHECK(joint->voters == ids({2, 3, 4}));
  CHECK(joint->outgoing == ids({1, 2, 3}));
  CHECK(joint->members == base.members);
  CHECK(complaints(*joint).empty());
  CHECK(finish_joint(*joint).voters == ids({2, 3, 4}));
  CHECK_FALSE(finish_joint(*joint).joint());
  CHECK(go_back(*joint) == base);
}

TEST_CASE("M8: no group is left without voters") {
  CHECK(code_of(begin_joint(group(3, 3), {})) == errc::invalid_option);
}

TEST_CASE("voters that are strangers, named twice or too many are refused") {
  const auto base = group(64, 3);
  CHECK(code_of(begin_joint(base, ids({1, 99}))) == errc::invalid_option);
  CHECK(code_of(begin_joint(base, ids({1, 2, 2}))) == errc::invalid_option);
  std::vector<member_id> many;
  for (const auto& m : base.members)
    many.push_back(m.id);
  CHECK(code_of(begin_joint(base, many)) == errc::invalid_option);
  many.pop_back();
  CHECK(begin_joint(base, many).has_value());
}

TEST_CASE("M1: a second change of voters waits for the first") {
  const auto joint = begin_joint(group(3, 3), ids({1})).value();
  CHECK(code_of(begin_joint(joint, ids({1, 2, 3}))) == errc::busy);
}

TEST_CASE("the end of a change that was never begun is a mistake in the code") {
  CHECK_THROWS_AS((void)finish_joint(group(1, 1)), invariant_broken);
  CHECK_THROWS_AS((void)go_back(group(1, 1)), invariant_broken);
}

TEST_CASE("a newcomer enters while the voters change") {
  const auto joint = begin_joint(group(3, 3), ids({1, 2})).value();
  const auto next = apply(joint, enter_member{{.id = {4}}}, {9});
  REQUIRE(next.has_value());
  CHECK(next->voters == joint.voters);
  CHECK(next->outgoing == joint.outgoing);
}

TEST_CASE("I6: a malformed configuration is seen for what it is") {
  const auto says = [](const configuration& c, const std::string& text) {
    for (const auto& complaint : complaints(c))
      if (complaint.find(text) != std::string::npos)
        return true;
    return false;
  };
  const auto good = group(3, 3);
  CHECK(complaints(good).empty());
  auto bad = good;
  bad.cluster = {};
  CHECK(says(bad, "no id"));
  bad = good;
  bad.rules.max_voters = 0;
  CHECK(says(bad, "max_voters"));
  bad = good;
  bad.voters.clear();
  CHECK(says(bad, "nobody votes"));
  bad = good;
  bad.machine_version = 2;
  CHECK(says(bad, "member 1 does not know version 2 of the machine"));
  bad.machine_version = 0;
  CHECK(says(bad, "the machine has no version"));
  bad = good;
  bad.voters.push_back({9});
  CHECK(says(bad, "voter 9 is not in the roster"));
  bad = good;
  bad.outgoing = ids({9});
  CHECK(says(bad, "voter 9 is not in the roster"));
  bad = good;
  bad.voters.push_back({1});
  CHECK(says(bad, "voter 1 is named twice"));
  bad = good;
  bad.members.push_back(good.members.back());
  CHECK(says(bad, "member 3 is in the roster twice"));
  bad = good;
  bad.members.back().entered = {1};
  CHECK(says(bad, "entered later"));
  bad = good;
  bad.members.push_back({.id = {}, .entered = {9}});
  CHECK(says(bad, "a member has no id"));
  CHECK(says(group(64, 64), "more than 63 vote"));
  CHECK(says(group(members_limit + 1, 1), "more than 1024 members"));
}

} // namespace roster_test
