// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/outbox.hpp>

#include <doctest/doctest.h>

namespace outbox_test {

using namespace understudy;
using namespace std::chrono_literals;

TEST_CASE("of several wishes to be woken the earliest counts") {
  outbox out;
  const instant noon{12h};
  out.wake(noon + 2s);
  out.wake(noon + 1s);
  out.wake(noon + 3s);
  CHECK(out.wake_at == noon + 1s);
}

TEST_CASE("an outbox keeps the order in which things were said") {
  outbox out;
  CHECK(out.empty());
  out.send(member_id{2}, timeout_now{term_number{1}});
  out.send(member_id{3}, seat_request{});
  out.tell(take_snapshot{});
  REQUIRE(out.letters.size() == 2);
  CHECK(out.letters[0].to == member_id{2});
  CHECK(out.letters[1].to == member_id{3});
  CHECK(out.notices.size() == 1);
  out.clear();
  CHECK(out.empty());
}

} // namespace outbox_test
