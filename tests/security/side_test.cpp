// SPDX-License-Identifier: BSL-1.0
#include <understudy/security/side.hpp>

#include <doctest/doctest.h>

namespace side_test {

using namespace understudy::security;

TEST_CASE("a connection has two ends, each the other's opposite") {
  CHECK(opposite(side::opener) == side::acceptor);
  CHECK(opposite(side::acceptor) == side::opener);
}

} // namespace side_test
