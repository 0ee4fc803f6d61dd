// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/tickets.hpp>

#include <doctest/doctest.h>

namespace tickets_test {

using namespace understudy;

TEST_CASE("no ticket is drawn twice, and none of them means none") {
  ticket_line line;
  const auto first = line.next();
  CHECK(first);
  CHECK(line.next() != first);
}

} // namespace tickets_test
