// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/result_slot.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <future>

namespace result_slot_test {

using namespace understudy;

TEST_CASE("a slot takes the first answer, and no other") {
  result_slot<int> slot{{errc::stopped, "too late"}};
  auto result = slot.future();
  CHECK(result.wait_for(std::chrono::seconds{0}) == std::future_status::timeout);
  slot.answer(1);
  slot.answer(2);
  CHECK(result.get().value() == 1);
}

TEST_CASE("a slot that is let go of without an answer says why") {
  std::future<expected<int>> result;
  {
    result_slot<int> slot{{errc::stopped, "the node is stopped"}};
    result = slot.future();
  }
  const auto answer = result.get();
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error() == failure{errc::stopped, "the node is stopped"});
}

} // namespace result_slot_test
