// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/snapshot_orders.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <variant>
#include <vector>

namespace snapshot_orders_test {

using namespace understudy;

namespace {

struct bench {
  /// The orders that are answered now.
  std::vector<order_done> answered() {
    outbox out;
    orders.answer(store, out);
    return done_in(out);
  }

  std::vector<order_done> refused() {
    outbox out;
    orders.refuse(errc::machine_stopped, out);
    return done_in(out);
  }

  void change_something() { store.ballot_changed({{++term_}, {}}); }

  void store_all() {
    outbox out;
    store.flush({}, out);
    store.confirmed({.write = store.covering()}, {}, out);
  }

  snapshot_orders orders;
  durability store{false};

private:
  static std::vector<order_done> done_in(const outbox& out) {
    std::vector<order_done> all;
    for (const auto& what : out.notices)
      all.push_back(std::get<order_done>(what));
    return all;
  }

  std::uint64_t term_ = 0;
};

} // namespace

TEST_CASE("an order is answered once what was taken for it is stored") {
  bench b;
  b.orders.give({1});
  CHECK(b.orders.wait());
  b.orders.asked();
  CHECK_FALSE(b.orders.wait());
  b.change_something(); // the snapshot
  b.orders.taken({9}, b.store);
  CHECK(b.answered().empty());
  b.store_all();
  const auto done = b.answered();
  REQUIRE(done.size() == 1);
  CHECK(done[0].id == ticket{1});
  CHECK(done[0].result == log_index{9});
  CHECK(b.answered().empty());
}

TEST_CASE("an answer does not speak of a later snapshot that is not stored yet") {
  bench b;
  b.orders.give({1});
  b.orders.asked();
  b.change_something();
  b.orders.taken({9}, b.store);
  outbox out;
  b.store.flush({}, out);
  const auto first = b.store.covering();
  b.orders.give({2});
  b.orders.asked();
  b.change_something();
  b.orders.taken({12}, b.store);
  b.store.confirmed({.write = first}, {}, out);
  const auto done = b.answered();
  REQUIRE(done.size() == 1);
  CHECK(done[0].result == log_index{9});
}

TEST_CASE("an order that is given while a snapshot is taken needs another one") {
  bench b;
  b.orders.give({1});
  b.orders.asked();
  b.orders.give({2});
  b.orders.taken({9}, b.store);
  CHECK(b.answered().size() == 1);
  CHECK(b.orders.wait());
  b.orders.nothing_new({9}, b.store);
  CHECK(b.answered().size() == 1);
}

TEST_CASE("orders that can not be carried out are refused, and those that were are not") {
  bench b;
  b.orders.give({1});
  b.orders.asked();
  b.change_something();
  b.orders.taken({9}, b.store);
  b.orders.give({2});
  b.orders.asked();
  b.orders.give({3});
  const auto done = b.refused();
  REQUIRE(done.size() == 2);
  CHECK(done[0].id == ticket{2});
  CHECK(done[1].result.error().code == errc::machine_stopped);
  b.store_all();
  CHECK(b.answered().size() == 1);
}

TEST_CASE(
    "an order whose snapshot the store left out for want of room is not told that it is there") {
  bench b;
  b.orders.give({1});
  b.orders.asked();
  b.change_something();
  b.orders.taken({9}, b.store);
  outbox out;
  b.store.flush({}, out);
  SUBCASE("this one") {
    b.store.confirmed({.write = b.store.covering(), .left_out = {9}}, {}, out);
    const auto done = b.answered();
    REQUIRE(done.size() == 1);
    CHECK(done[0].result.error().code == errc::storage_full);
  }
  SUBCASE("an earlier one") {
    b.store.confirmed({.write = b.store.covering(), .left_out = {8}}, {}, out);
    CHECK(b.answered().at(0).result == log_index{9});
  }
}

} // namespace snapshot_orders_test
