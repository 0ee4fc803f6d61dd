// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/plan.hpp>

#include <doctest/doctest.h>

#include "group.hpp"

#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace plan_test {

using namespace understudy;
using membership_test::at;
using membership_test::group;
using membership_test::ids;

namespace {

/// The leader, member 1, sees everybody asking, caught up and in contact.
plan_input all_ready(const configuration& now, member_id self = {1}) {
  plan_input in{.self = self,
                .newest = std::make_shared<const configuration>(now),
                .committed = true,
                .term_committed = true};
  for (const auto& m : now.members)
    in.outlooks.push_back({.id = m.id, .asked = true, .caught_up = true, .in_contact = true});
  return in;
}

outlook& of(plan_input& in, std::uint64_t id) {
  return *std::ranges::find(in.outlooks, member_id{id}, &outlook::id);
}

/// Not heard of for some time.
void silence(plan_input& in, std::uint64_t id) {
  of(in, id) = {.id = {id}};
}

plan_result to(std::initializer_list<std::uint64_t> voters) {
  return {plan_reason::change, ids(voters), {}};
}

/// Without the text for people.
plan_result bare(plan_result r) {
  r.detail.clear();
  return r;
}

plan_result idle(plan_reason reason) {
  return {reason, {}, {}};
}

} // namespace

} // namespace plan_test

template <> struct doctest::StringMaker<understudy::plan_result> {
  static doctest::String convert(const understudy::plan_result& r) {
    std::ostringstream out;
    out << r.reason << ' ' << r.detail;
    for (auto id : r.voters)
      out << ' ' << id;
    return out.str().c_str();
  }
};

namespace plan_test {

TEST_CASE("S8 S9 S10: a cluster that grows has exactly the voters that the seats call for") {
  for (std::uint32_t t = 1; t <= 7; ++t) {
    auto now = group(1, {1}, t);
    for (std::uint64_t n = 1; n <= 9; ++n) {
      if (n > 1)
        now.members.push_back({.id = {n}, .entered = {n}});
      const auto result = plan(all_ready(now));
      if (result.reason == plan_reason::change)
        now.voters = result.voters;
      CAPTURE(t);
      CAPTURE(n);
      const auto seating = seats(now);
      REQUIRE(now.voters.size() == seating.seats);
      for (auto id : now.voters)
        CHECK(seating.claim_of(id) == claim::voter);
      CHECK(plan(all_ready(now)).reason == plan_reason::settled);
    }
  }
}

TEST_CASE("S8: several may take their seats in one change") {
  CHECK(bare(plan(all_ready(group(5, {1})))) == to({1, 2, 3, 4, 5}));
}

TEST_CASE("M22: while one change is made no other is begun") {
  auto joint = group(5, {1, 2, 3});
  joint.outgoing = ids({1});
  CHECK(bare(plan(all_ready(joint))) == idle(plan_reason::under_way));
}

TEST_CASE("M1: nothing changes before the newest configuration and the own term are committed") {
  auto in = all_ready(group(5, {1}));
  in.committed = false;
  CHECK(bare(plan(in)) == idle(plan_reason::uncommitted));
  in.committed = true;
  in.term_committed = false;
  CHECK(bare(plan(in)) == idle(plan_reason::uncommitted));
}

TEST_CASE("M4: a claimant that has not asked, or not caught up, gets no seat") {
  auto in = all_ready(group(3, {1}));
  of(in, 2).asked = false;
  of(in, 3).caught_up = false;
  const auto result = plan(in);
  CHECK(bare(result) == idle(plan_reason::awaits_claimants));
  CHECK(result.detail == "1 sit, 2 open; awaited 2 3");
}

TEST_CASE("growth lands on odd numbers: one ready claimant waits for the other") {
  auto in = all_ready(group(5, {1}));
  silence(in, 2);
  silence(in, 4);
  silence(in, 5);
  const auto result = plan(in);
  CHECK(bare(result) == idle(plan_reason::awaits_pair));
  CHECK(result.detail == "1 sit, 4 open; unpaired 3; awaited 2 4 5");
  of(in, 4) = {.id = {4}, .asked = true, .caught_up = true, .in_contact = true};
  CHECK(bare(plan(in)) == to({1, 3, 4}));
  of(in, 5) = {.id = {5}, .asked = true, .caught_up = true, .in_contact = true};
  CHECK(bare(plan(in)) == to({1, 3, 4})); // three of four: the fourth would make it even
}

TEST_CASE("a claimant that does not catch up is passed over, and takes a later seat") {
  auto now = group(4, {1, 2}, 3);
  auto in = all_ready(now);
  of(in, 3).caught_up = false;
  CHECK(bare(plan(in)) == idle(plan_reason::awaits_claimants));
  of(in, 3).passed_over = true;
  const auto result = plan(in);
  CHECK(bare(result) == to({1, 2, 4}));
  CHECK(result.detail == "2 sit, 1 open; comes in 4; passed over 3");
  // Caught up at last, it does not push the other from its seat.
  now.voters = ids({1, 2, 4});
  CHECK(bare(plan(all_ready(now))) == idle(plan_reason::settled));
}

TEST_CASE("a sitting voter beyond the seats stays: parity never takes a seat") {
  auto now = group(4, {1, 2, 3, 4});
  CHECK(bare(plan(all_ready(now))) == idle(plan_reason::settled));
  now = group(5, {2, 3, 4}, 3);
  CHECK(bare(plan(all_ready(now, {2}))) == idle(plan_reason::settled));
}

TEST_CASE("M3: no change without a majority in contact in both halves") {
  auto in = all_ready(group(5, {1, 2, 3}));
  silence(in, 2);
  CHECK(bare(plan(in)) == to({1, 2, 3, 4, 5}));
  silence(in, 3);
  const auto result = plan(in);
  CHECK(bare(result) == idle(plan_reason::no_majority));
  CHECK(result.detail == "of the voters, 1 of 3 are in contact");

  auto lowered = group(5, {1, 2, 3, 4, 5}, 3);
  in = all_ready(lowered);
  silence(in, 2);
  silence(in, 3);
  CHECK(plan(in).detail == "of the voters to be, 1 of 3 are in contact");
}

TEST_CASE("three, then two, then one by leaving: the floor does not hold those who go") {
  auto now = group(3, {1, 2, 3});
  at(now, 3).status = standing::leaving;
  CHECK(bare(plan(all_ready(now))) == to({1, 2}));
  now.voters = ids({1, 2});
  at(now, 2).status = standing::leaving;
  CHECK(bare(plan(all_ready(now))) == to({1}));
  now.voters = ids({1});
  at(now, 1).status = standing::leaving;
  CHECK(bare(plan(all_ready(now))) == idle(plan_reason::last_member));
}

TEST_CASE(
    "M10: a crashed voter without a successor stays listed, and the next to enter replaces it") {
  auto now = group(3, {1, 2, 3});
  at(now, 3).status = standing::evicted;
  auto in = all_ready(now);
  silence(in, 3);
  CHECK(bare(plan(in)) == idle(plan_reason::keeps_floor));
  now.members.push_back({.id = {4}, .entered = {4}});
  in = all_ready(now);
  silence(in, 3);
  CHECK(bare(plan(in)) == to({1, 2, 4}));
}

TEST_CASE("five voters of which two crash with no listener become three") {
  auto now = group(5, {1, 2, 3, 4, 5});
  at(now, 4).status = standing::evicted;
  auto in = all_ready(now);
  silence(in, 4);
  silence(in, 5);
  CHECK(bare(plan(in)) == to({1, 2, 3, 5}));
  at(now, 5).status = standing::evicted;
  in = all_ready(now);
  silence(in, 4);
  silence(in, 5);
  CHECK(bare(plan(in)) == to({1, 2, 3}));
}

TEST_CASE("rolling over three nodes: one enters, then each leave is one swap") {
  auto now = group(4, {1, 2, 3});
  CHECK(plan(all_ready(now)).reason == plan_reason::settled);
  at(now, 1).status = standing::leaving;
  auto in = all_ready(now);
  of(in, 4).asked = false; // it has not seen the mark yet
  CHECK(bare(plan(in)) == idle(plan_reason::awaits_claimants));
  of(in, 4).asked = true;
  CHECK(bare(plan(in)) == to({2, 3, 4}));
}

TEST_CASE("of one voter and a temporary listener the voter leaves by one swap") {
  auto now = group(2, {1});
  CHECK(plan(all_ready(now)).reason == plan_reason::settled);
  at(now, 1).status = standing::leaving;
  CHECK(bare(plan(all_ready(now))) == to({2}));
}

TEST_CASE("a leaving voter keeps its vote for a claimant to come, until its bound is over") {
  auto now = group(4, {1, 2, 3}, 3);
  at(now, 3).status = standing::leaving;
  auto in = all_ready(now);
  of(in, 4).caught_up = false;
  CHECK(bare(plan(in)) == idle(plan_reason::awaits_claimants));
  of(in, 3).overdue = true;
  CHECK(bare(plan(in)) == to({1, 2}));
  of(in, 3).overdue = false;
  of(in, 4).passed_over = true;
  CHECK(bare(plan(in)) == to({1, 2}));
}

TEST_CASE("a leader whose own bound is over does not keep its vote for a claimant either") {
  auto now = group(4, {1, 2, 3}, 3);
  at(now, 1).status = standing::leaving;
  auto in = all_ready(now);
  of(in, 4).caught_up = false;
  CHECK(bare(plan(in)) == idle(plan_reason::awaits_claimants));
  of(in, 1).overdue = true;
  CHECK(bare(plan(in)) == to({2, 3}));
}

TEST_CASE("the floor does not hold a dead voter where it would keep a living one from leaving") {
  auto now = group(3, {1, 2, 3});
  at(now, 2).status = standing::leaving;
  at(now, 3).status = standing::evicted;
  auto in = all_ready(now);
  CHECK(bare(plan(in)) == to({1, 3})); // evicted, but it answers
  silence(in, 3);
  CHECK(bare(plan(in)) == to({1}));

  now = group(4, {1, 2, 3}); // the same with a successor: two are left in line for one seat
  at(now, 1).status = standing::leaving;
  at(now, 2).status = standing::leaving;
  at(now, 3).status = standing::evicted;
  in = all_ready(now);
  silence(in, 3);
  CHECK(bare(plan(in)) == to({4}));
}

TEST_CASE("M10: without one that leaves, the floor holds whoever is evicted, dead or not") {
  auto now = group(3, {1, 2, 3});
  at(now, 2).status = standing::evicted;
  at(now, 3).status = standing::evicted;
  auto in = all_ready(now);
  CHECK(bare(plan(in)) == idle(plan_reason::keeps_floor));
  silence(in, 2);
  CHECK(bare(plan(in)) == idle(plan_reason::keeps_floor));
  silence(in, 3);
  CHECK(plan(in).reason != plan_reason::change);
}

TEST_CASE("the floor is never above the seats that max_voters can give") {
  auto now = group(4, {1, 2, 3, 4}, 4); // four seats can not be taken, so three are the most
  now.rules.min_voters = 4;
  at(now, 4).status = standing::evicted;
  auto in = all_ready(now);
  silence(in, 4);
  CHECK(bare(plan(in)) == to({1, 2, 3}));
}

TEST_CASE("of those on their way out, the ones that answer keep their votes first") {
  auto now = group(7, {1, 2, 3, 4, 5});
  at(now, 3).status = standing::evicted;
  at(now, 4).status = standing::leaving;
  at(now, 5).status = standing::leaving;
  auto in = all_ready(now);
  silence(in, 3);
  silence(in, 4);
  // Four are in line for three seats. Two sit, 6 takes the third, and nobody is kept for it.
  CHECK(bare(plan(in)) == to({1, 2, 6}));
  silence(in, 6);
  CHECK(bare(plan(in)) == to({1, 2, 5}));
}

TEST_CASE("a pinned voter makes room for the next in line") {
  auto now = group(4, {1, 2, 3}, 3);
  at(now, 1).pinned = true;
  CHECK(bare(plan(all_ready(now))) == to({2, 3, 4}));
  CHECK(bare(plan(all_ready(now, {2}))) == to({2, 3, 4}));
}

TEST_CASE("when T is lowered the last in line lose their seats, the leader last of all") {
  CHECK(bare(plan(all_ready(group(5, {1, 2, 3, 4, 5}, 3)))) == to({1, 2, 3}));
  CHECK(bare(plan(all_ready(group(5, {1, 2, 3, 4, 5}, 3), {5}))) == to({1, 2, 5}));
  CHECK(bare(plan(all_ready(group(5, {1, 2, 3, 4, 5}, 1), {4}))) == to({4}));
}

TEST_CASE("S5: a leader from outside takes a seat that is open, and none that is not") {
  auto now = group(4, {1, 2, 3}, 3);
  CHECK(plan(all_ready(now, {4})).reason == plan_reason::settled);
  at(now, 1).status = standing::evicted;
  auto in = all_ready(now, {4});
  silence(in, 1);
  silence(in, 4); // what others would have to report, it knows of itself
  CHECK(bare(plan(in)) == to({2, 3, 4}));
}

TEST_CASE("reasons print their names") {
  std::ostringstream out;
  for (auto r : {plan_reason::settled, plan_reason::change, plan_reason::under_way,
                 plan_reason::uncommitted, plan_reason::awaits_claimants, plan_reason::awaits_pair,
                 plan_reason::keeps_floor, plan_reason::no_majority, plan_reason::last_member})
    out << r << ' ';
  CHECK(out.str()
        == "settled change under_way uncommitted awaits_claimants awaits_pair keeps_floor "
           "no_majority last_member ");
}

} // namespace plan_test
