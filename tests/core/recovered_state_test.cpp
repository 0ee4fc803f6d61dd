// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/recovered_state.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <memory>

namespace recovered_state_test {

using namespace understudy;
using support::entry_of;
using support::made_of;

TEST_CASE("a new incarnation finds no record of itself") {
  CHECK_FALSE(find_own_record({}, {1}));
  CHECK_FALSE(find_own_record({.entries = {entry_of(1, 1, made_of({1, 2}, {1}))}}, {3}));
}

TEST_CASE("the record is that of the newest configuration which lists the node") {
  auto image = std::make_shared<snapshot>();
  image->members = {{3}, std::make_shared<configuration>(made_of({1, 2}, {1}))};
  recovered_state found{.base = image};
  REQUIRE(find_own_record(found, {2}));
  CHECK(find_own_record(found, {2})->cluster == cluster_id{77});
  CHECK_FALSE(find_own_record(found, {2})->self.pinned);
  auto later = made_of({1, 2}, {1});
  later.members.back().pinned = true;
  found.entries = {entry_of(4, 1, "x"), entry_of(5, 1, later), entry_of(6, 2, made_of({1}, {1}))};
  CHECK(find_own_record(found, {2})->self.pinned);
}

} // namespace recovered_state_test
