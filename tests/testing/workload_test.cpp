// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/workload.hpp>

#include <doctest/doctest.h>

#include <cstdint>

namespace workload_test {

using namespace understudy;
using namespace understudy::testing;

static_assert(state_machine<tally>);

TEST_CASE("the machine counts for each caller alone") {
  tally machine;
  CHECK(machine.apply(tally::bump{1}) == 1);
  CHECK(machine.apply(tally::bump{2, "ballast"}) == 1);
  CHECK(machine.apply(tally::bump{1}) == 2);
  CHECK(machine.query(tally::count{1}) == 2);
  CHECK(machine.query(tally::count{3}) == 0);
}

TEST_CASE("a history in which everything happened once is right, in any order of the answers") {
  tally_ledger ledger;
  const auto first = ledger.asked_to_bump();
  const auto second = ledger.asked_to_bump();
  CHECK_FALSE(ledger.bumped(second, std::uint64_t{1}));
  CHECK_FALSE(ledger.bumped(first, std::uint64_t{2}));
  CHECK(ledger.open() == 0);
  CHECK_FALSE(ledger.wrong_in_the_end(2));
}

TEST_CASE("a command that was applied twice, or not at all, shows in the end") {
  tally_ledger ledger;
  ledger.asked_to_bump();
  CHECK_FALSE(ledger.bumped(0, std::uint64_t{1}));
  CHECK(ledger.wrong_in_the_end(2));
  CHECK(ledger.wrong_in_the_end(0));
}

TEST_CASE("a number that is given out twice is wrong") {
  tally_ledger ledger;
  ledger.asked_to_bump();
  ledger.asked_to_bump();
  CHECK_FALSE(ledger.bumped(0, std::uint64_t{1}));
  CHECK(ledger.bumped(0, std::uint64_t{1}));
}

TEST_CASE("an uncertain command may count or not, a refused one must not") {
  tally_ledger ledger;
  ledger.asked_to_bump();
  CHECK_FALSE(ledger.bumped(0, fail(errc::outcome_unknown)));
  CHECK_FALSE(ledger.wrong_in_the_end(0));
  CHECK_FALSE(ledger.wrong_in_the_end(1));
  ledger.asked_to_bump();
  CHECK_FALSE(ledger.bumped(0, fail(errc::overloaded)));
  CHECK(ledger.wrong_in_the_end(2));
}

TEST_CASE("what was acknowledged before a request was sent is before it") {
  tally_ledger ledger;
  CHECK_FALSE(ledger.bumped(ledger.asked_to_bump(), std::uint64_t{3}));
  const auto floor = ledger.asked_to_bump();
  CHECK(ledger.bumped(floor, std::uint64_t{2}));
  CHECK(ledger.counted(ledger.asked_to_count(), 2));
  ledger.asked_to_bump();
  CHECK_FALSE(ledger.counted(ledger.asked_to_count(), 3));
  CHECK(ledger.counted(ledger.asked_to_count(), 4));
}

} // namespace workload_test
