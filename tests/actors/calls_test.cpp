// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/calls.hpp>

#include <doctest/doctest.h>

#include <support/inventory.hpp>

#include <chrono>
#include <memory>

namespace calls_test {

using namespace understudy;
using test_support::inventory;

namespace {

using slot = promised_reply<inventory::restock, int>;
using slot_with_receipt = promised_reply<inventory::restock, answered<int>>;

} // namespace

TEST_CASE("a slot hands a reply to its future, plain or with its receipt") {
  const reply r{.body = wire::encode(42), .index = {7}, .copies = 3};
  auto plain = std::make_shared<slot>(true);
  auto future = plain->future();
  plain->answer(r);
  CHECK(future.get() == 42);

  auto full = std::make_shared<slot_with_receipt>(true);
  auto whole = full->future();
  full->answer(r);
  const auto got = whole.get();
  REQUIRE(got);
  CHECK(got->value == 42);
  CHECK(got->receipt.index == log_index{7});
  CHECK(got->receipt.copies == 3);
}

TEST_CASE("only the first answer counts") {
  auto one = std::make_shared<slot>(true);
  auto future = one->future();
  one->answer(fail(errc::rejected, "no"));
  one->answer(reply{.body = wire::encode(42)});
  CHECK(future.get().error() == failure{errc::rejected, "no"});
}

TEST_CASE("a reply that can not be read is an error") {
  auto one = std::make_shared<slot>(true);
  auto future = one->future();
  one->answer(reply{.body = bytes{"?"}});
  CHECK(future.get().error().code == errc::undecodable);
}

TEST_CASE("a slot that is let go of answers by itself, and says no more than is known") {
  const auto abandoned = [](bool changes_data, bool sent) {
    auto one = std::make_shared<slot>(changes_data);
    auto future = one->future();
    if (sent)
      one->in_flight();
    one.reset();
    return future.get().error().code;
  };
  CHECK(abandoned(true, true) == errc::outcome_unknown);
  CHECK(abandoned(true, false) == errc::stopped);
  CHECK(abandoned(false, true) == errc::stopped);
  CHECK(abandoned(false, false) == errc::stopped);
}

TEST_CASE("a call can be answered before it is made") {
  auto future = answered_at_once<int>({errc::stopped, "over"});
  REQUIRE(future.wait_for(std::chrono::seconds{0}) == std::future_status::ready);
  CHECK(future.get().error() == failure{errc::stopped, "over"});
}

} // namespace calls_test
