// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/fault_kinds.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <set>
#include <string_view>

namespace fault_kinds_test {

using namespace understudy::testing;

TEST_CASE("every kind has a name of its own, and is found by it") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < fault_count; ++i) {
    const auto kind = static_cast<fault>(i);
    CHECK(names.insert(to_string(kind)).second);
    CHECK(fault_named(to_string(kind)) == kind);
  }
  CHECK_FALSE(fault_named("earthquake"));
}

TEST_CASE("a kind is drawn as often as its number says, and never at 0") {
  fault_table weights;
  weights[fault::pause] = 2;
  weights[fault::flap] = 1;
  CHECK(weights.sum() == 3);
  CHECK(weights.drawn(0) == fault::pause);
  CHECK(weights.drawn(1) == fault::pause);
  CHECK(weights.drawn(2) == fault::flap);
}

TEST_CASE("tables add up kind by kind") {
  fault_table a;
  fault_table b;
  a[fault::crash] = 1;
  b[fault::crash] = 2;
  b[fault::heal] = 3;
  a += b;
  CHECK(a[fault::crash] == 3);
  CHECK(a[fault::heal] == 3);
  CHECK(a.sum() == 6);
}

} // namespace fault_kinds_test
