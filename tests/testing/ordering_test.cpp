// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/ordering.hpp>

#include <doctest/doctest.h>

#include <utility>
#include <variant>
#include <vector>

namespace ordering_test {

using namespace understudy;
using namespace understudy::testing;

namespace {

/// Keeps what its nodes are told.
struct listener_of_orders : ordering<listener_of_orders> {
  void tell(member_id to, sibling_message what) { told.emplace_back(to, std::move(what)); }
  void sends_away(member_id whom) { away.push_back(whom); }

  std::vector<std::pair<member_id, sibling_message>> told;
  std::vector<member_id> away;
};

} // namespace

TEST_CASE("each order goes to the node that is asked, under a number of its own") {
  listener_of_orders run;
  run.give_order({7}, pin_member{{3}, true});
  run.snapshot_now({8});
  run.leave({9});
  REQUIRE(run.told.size() == 3);
  CHECK(run.told[0].first == member_id{7});
  CHECK(std::get<local_order>(run.told[0].second).id
        != std::get<order_snapshot>(run.told[1].second).id);
  CHECK(std::holds_alternative<leave_cluster>(run.told[2].second));
}

TEST_CASE("whom an operator sends away is told to the run") {
  listener_of_orders run;
  run.give_order({1}, mark_member{{2}, standing::evicted});
  run.give_order({1}, mark_member{{3}, standing::leaving});
  run.give_order({1}, pin_member{{4}, true});
  CHECK(run.away == std::vector{member_id{2}});
}

TEST_CASE("orders are counted by their kind") {
  listener_of_orders run;
  run.give_order({1}, mark_member{{2}, standing::evicted});
  run.give_order({1}, pin_member{{2}, true});
  run.give_order({1}, pin_member{{2}, false});
  run.give_order({1}, set_rules{});
  run.give_order({1}, transfer_leadership{});
  run.leave({2});
  run.snapshot_now({2});
  auto given = run.orders_given();
  given += run.orders_given();
  for (const auto count : {given.evictions, given.pins, given.unpins, given.settings,
                           given.transfers, given.leaves, given.snapshots})
    CHECK(count == 2);
}

} // namespace ordering_test
