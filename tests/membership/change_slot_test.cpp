// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/change_slot.hpp>

#include <doctest/doctest.h>

namespace change_slot_test {

using namespace understudy;
using namespace std::chrono_literals;

TEST_CASE("the next change waits for the answer to the last, and for the view that shows it") {
  constexpr instant now{1h};
  ticket_line tickets;
  change_slot slot;
  outbox out;
  core_view view;
  view.newest.index = {5};
  CHECK(slot.is_free(view, now, out));
  const auto id = slot.begin(tickets);
  CHECK(slot.is_open(view));
  CHECK_FALSE(slot.is_free(view, now, out));
  CHECK_FALSE(slot.taken({{id.value + 1}, log_index{6}}, now)); // somebody else's
  CHECK(slot.taken({id, log_index{6}}, now));
  CHECK_FALSE(slot.taken({id, log_index{6}}, now));
  CHECK_FALSE(slot.is_free(view, now, out));
  CHECK(slot.is_open(view));
  view.newest.index = {6};
  CHECK(slot.is_free(view, now, out));
  CHECK_FALSE(out.wake_at.has_value());
}

TEST_CASE("after a refusal there is a pause") {
  constexpr instant now{1h};
  ticket_line tickets;
  change_slot slot;
  outbox out;
  const core_view view;
  CHECK(slot.taken({slot.begin(tickets), fail(errc::busy)}, now + 1s));
  CHECK_FALSE(slot.is_free(view, now, out));
  CHECK(out.wake_at == now + 1s);
  CHECK(slot.is_free(view, now + 1s, out));
}

} // namespace change_slot_test
