// SPDX-License-Identifier: BSL-1.0
#include <understudy/roster/seats.hpp>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace seats_test {

using namespace understudy;

namespace {

/// `n` members in line, called 1, 2, ...
std::vector<member> line_of(std::size_t n) {
  std::vector<member> roster;
  for (std::uint64_t id = 1; id <= n; ++id)
    roster.push_back({.id = {id}, .entered = {id}});
  return roster;
}

/// One letter a member: V voter, t temporary listener, l listener, - none.
std::string letters(const std::vector<member>& roster, std::uint32_t max_voters) {
  std::string text;
  for (const auto& p : seats(roster, max_voters).places)
    text += p.claim == claim::voter                ? 'V'
            : p.claim == claim::temporary_listener ? 't'
            : p.claim == claim::listener           ? 'l'
                                                   : '-';
  return text;
}

/// A roster of up to twelve, some of them marked or pinned.
std::vector<member> any_roster() {
  auto roster = line_of(*rc::gen::inRange<std::size_t>(0, 13));
  for (auto& m : roster) {
    const auto kind = *rc::gen::inRange(0, 6);
    m.status = kind == 0 ? standing::leaving : kind == 1 ? standing::evicted : standing::present;
    m.pinned = kind == 2;
  }
  return roster;
}

std::uint32_t any_limit() {
  return *rc::gen::inRange<std::uint32_t>(1, 10);
}

bool earlier_is_never_worse(const seating& s) {
  auto last = claim::voter;
  for (auto id : s.order()) {
    if (s.claim_of(id) > last)
      return false;
    last = s.claim_of(id);
  }
  return true;
}

} // namespace

TEST_CASE("S8 S9 S10: count and threshold alone decide every claim") {
  // Row n - 1, column T - 1.
  const std::vector<std::vector<std::string>> table{
      {"V", "V", "V", "V", "V", "V", "V"},
      {"Vl", "Vt", "Vt", "Vt", "Vt", "Vt", "Vt"},
      {"Vll", "Vtl", "VVV", "VVV", "VVV", "VVV", "VVV"},
      {"Vlll", "Vtll", "VVVl", "VVVt", "VVVt", "VVVt", "VVVt"},
      {"Vllll", "Vtlll", "VVVll", "VVVtl", "VVVVV", "VVVVV", "VVVVV"},
      {"Vlllll", "Vtllll", "VVVlll", "VVVtll", "VVVVVl", "VVVVVt", "VVVVVt"},
      {"Vllllll", "Vtlllll", "VVVllll", "VVVtlll", "VVVVVll", "VVVVVtl", "VVVVVVV"},
      {"Vlllllll", "Vtllllll", "VVVlllll", "VVVtllll", "VVVVVlll", "VVVVVtll", "VVVVVVVl"},
      {"Vllllllll", "Vtlllllll", "VVVllllll", "VVVtlllll", "VVVVVllll", "VVVVVtlll", "VVVVVVVll"},
  };
  for (std::size_t n = 1; n <= table.size(); ++n)
    for (std::uint32_t t = 1; t <= 7; ++t) {
      CAPTURE(n);
      CAPTURE(t);
      CHECK(letters(line_of(n), t) == table[n - 1][t - 1]);
    }
}

TEST_CASE("an empty roster has no seats") {
  CHECK(seats(std::vector<member>{}, 5) == seating{});
}

TEST_CASE("a marked member has no rank, and those behind it move up") {
  auto roster = line_of(6);
  roster[1].status = standing::leaving;
  roster[4].status = standing::evicted;
  const auto now = seats(roster, 3);
  CHECK(letters(roster, 3) == "V-VV-l");
  CHECK(now.count == 4);
  CHECK(now.claims == 3);
  CHECK(now.seats == 3);
  CHECK(now.order() == std::vector<member_id>{{1}, {3}, {4}, {6}});
  CHECK(now.rank_of({2}) == 0);
  CHECK(now.rank_of({4}) == 3);
  CHECK(now.claim_of({2}) == claim::none);
}

TEST_CASE("a pinned member is a listener whatever its place, and does not count") {
  auto roster = line_of(4);
  roster[0].pinned = true;
  CHECK(letters(roster, 5) == "lVVV");
  CHECK(seats(roster, 5).count == 3);
  CHECK(seats(roster, 5).rank_of({1}) == 0);
  roster[0].status = standing::leaving;
  CHECK(letters(roster, 5) == "-VVV");
}

TEST_CASE("a stranger has neither rank nor claim") {
  CHECK(seats(line_of(3), 3).rank_of({9}) == 0);
  CHECK(seats(line_of(3), 3).claim_of({9}) == claim::none);
}

TEST_CASE("a configuration's places follow its own settings") {
  const configuration content{
      .cluster = {1}, .rules = {.max_voters = 1, .min_voters = 1}, .members = line_of(3)};
  CHECK(seats(content) == seats(content.members, 1));
}

TEST_CASE("claims print their names") {
  std::ostringstream out;
  out << claim::none << ' ' << claim::listener << ' ' << claim::temporary_listener << ' '
      << claim::voter;
  CHECK(out.str() == "none listener temporary_listener voter");
}

TEST_CASE("I12: any roster has at most T seats, odd in number, for the first in line") {
  CHECK(rc::check("seats are odd, at most T, and the earliest take them", [] {
    const auto roster = any_roster();
    const auto limit = any_limit();
    const auto now = seats(roster, limit);
    const auto voters = std::ranges::count(now.places, claim::voter, &place::claim);
    RC_ASSERT(static_cast<std::size_t>(voters) == now.seats);
    RC_ASSERT(now.seats <= limit);
    RC_ASSERT(now.seats % 2 == 1 || now.count == 0);
    RC_ASSERT(earlier_is_never_worse(now));
    // Never fewer than an odd group could have.
    RC_ASSERT(now.seats + 2 > std::min<std::size_t>(now.count, limit));
    for (const auto& p : now.places)
      RC_ASSERT((p.rank == 0) == !in_line(roster[p.id.value - 1]));
  }));
}

TEST_CASE("I12: a newcomer at the end takes nothing from anyone") {
  CHECK(rc::check("appending demotes nobody and moves no rank", [] {
    auto roster = any_roster();
    const auto limit = any_limit();
    const auto before = seats(roster, limit);
    roster.push_back({.id = {99}});
    const auto after = seats(roster, limit);
    for (const auto& p : before.places) {
      RC_ASSERT(after.rank_of(p.id) == p.rank);
      RC_ASSERT(after.claim_of(p.id) >= p.claim);
    }
  }));
}

TEST_CASE("I12: when a member goes, those behind it move up by one, and nobody overtakes") {
  CHECK(rc::check("removal keeps the order", [] {
    auto roster = any_roster();
    RC_PRE(!roster.empty());
    const auto limit = any_limit();
    const auto before = seats(roster, limit);
    const auto gone = *rc::gen::inRange<std::size_t>(0, roster.size());
    const auto rank = before.places[gone].rank;
    roster[gone].status = standing::evicted;
    const auto after = seats(roster, limit);
    for (const auto& p : before.places) {
      if (p.id == roster[gone].id)
        continue;
      const auto moves_up = rank != 0 && p.rank > rank ? 1u : 0u;
      RC_ASSERT(after.rank_of(p.id) == p.rank - moves_up);
      // A smaller group may have fewer seats, but while there are more than T in line the
      // removal only promotes.
      if (before.count > limit)
        RC_ASSERT(after.claim_of(p.id) >= p.claim);
    }
    RC_ASSERT(after.claim_of(roster[gone].id) == claim::none);
    RC_ASSERT(earlier_is_never_worse(after));
  }));
}

} // namespace seats_test
