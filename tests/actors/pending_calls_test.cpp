// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/pending_calls.hpp>

#include <doctest/doctest.h>

#include <support/inventory.hpp>

#include <future>
#include <memory>
#include <set>
#include <vector>

namespace pending_calls_test {

using namespace understudy;
using test_support::inventory;

namespace {

using slot = promised_reply<inventory::restock, int>;

reply with(int value) {
  return {.body = wire::encode(value)};
}

} // namespace

TEST_CASE("each ticket is answered once, and a place that is used again has another name") {
  pending_calls calls;
  auto one = std::make_shared<slot>(true);
  auto future = one->future();
  const auto first = calls.add(std::move(one));
  CHECK(calls.size() == 1);
  CHECK(calls.answer(first, with(1)));
  CHECK(future.get() == 1);
  CHECK(calls.size() == 0);
  CHECK_FALSE(calls.answer(first, with(2)));

  auto two = std::make_shared<slot>(true);
  auto next = two->future();
  const auto second = calls.add(std::move(two));
  CHECK(second != first);
  CHECK_FALSE(calls.answer(first, with(3)));
  CHECK(calls.answer(second, with(4)));
  CHECK(next.get() == 4);
}

TEST_CASE("tickets that were never given out mean nothing") {
  pending_calls calls;
  CHECK_FALSE(calls.answer({}, with(1)));
  CHECK_FALSE(calls.answer({17}, with(1)));
  static_cast<void>(calls.add(std::make_shared<slot>(true)));
  CHECK_FALSE(calls.answer({}, with(1)));
}

TEST_CASE("whoever still waits at the end gets an answer") {
  pending_calls calls;
  std::vector<std::future<expected<int>>> futures;
  std::set<std::uint64_t> tickets;
  for (int i = 0; i < 100; ++i) {
    auto one = std::make_shared<slot>(true);
    one->in_flight();
    futures.push_back(one->future());
    tickets.insert(calls.add(std::move(one)).value);
  }
  CHECK(tickets.size() == 100);
  calls.abandon_all();
  CHECK(calls.size() == 0);
  for (auto& f : futures)
    CHECK(f.get().error().code == errc::outcome_unknown);
}

} // namespace pending_calls_test
