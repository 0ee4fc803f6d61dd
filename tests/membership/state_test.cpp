// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/state.hpp>

#include <doctest/doctest.h>

#include <sstream>

namespace state_test {

using namespace understudy;

TEST_CASE("states print their names") {
  std::ostringstream out;
  out << membership::founding << ' ' << membership::entering << ' ' << membership::member << ' '
      << membership::failed;
  CHECK(out.str() == "founding entering member failed");
}

} // namespace state_test
