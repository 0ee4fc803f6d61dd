// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/operation_history.hpp>
#include <understudy/testing/register_model.hpp>

#include <doctest/doctest.h>

#include <chrono>

namespace operation_history_test {

using namespace understudy;
using namespace understudy::testing;
using namespace std::chrono_literals;

TEST_CASE("what is recorded first comes first, also at one instant") {
  operation_recorder<cas_register> recorder;
  const auto now = instant{} + 1s;
  const auto a = recorder.invoke(1, cas_register::write("4"), now);
  recorder.complete(a, {}, now);
  const auto b = recorder.invoke(2, cas_register::read(), now, "key");
  const auto& history = recorder.history();
  CHECK(history[a].ended == operation_end::succeeded);
  CHECK(history[a].called < history[a].returned);
  CHECK(history[a].returned < history[b].called);
  CHECK(history[b].key == "key");
  CHECK(history[b].called_at == now);
}

TEST_CASE("an operation that is not ended stays open") {
  operation_recorder<cas_register> recorder;
  const auto a = recorder.invoke(1, cas_register::read());
  CHECK(recorder.history()[a].ended == operation_end::unknown);
  CHECK(recorder.history()[a].returned == never);
}

TEST_CASE("an operation ends once") {
  operation_recorder<cas_register> recorder;
  const auto a = recorder.invoke(1, cas_register::read());
  recorder.fail(a);
  CHECK(recorder.history()[a].ended == operation_end::failed);
  CHECK_THROWS_AS(recorder.complete(a, {}), invariant_broken);
}

} // namespace operation_history_test
