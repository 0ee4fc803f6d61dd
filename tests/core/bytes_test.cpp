// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/bytes.hpp>

#include <doctest/doctest.h>

namespace bytes_test {

using namespace understudy;

TEST_CASE("bytes are equal by what they say, not by where they lie") {
  CHECK(bytes{"abc"} == bytes{"abc"});
  CHECK_FALSE(bytes{"abc"} == bytes{"abd"});
  CHECK(bytes{} == bytes{""});
}

TEST_CASE("a copy shares the allocation") {
  const bytes first{"abc"};
  const auto second = first;
  CHECK(first.view().data() == second.view().data());
}

TEST_CASE("a part shares the allocation and is cut to what there is") {
  const bytes whole{"abcdef"};
  const auto middle = whole.part(2, 3);
  CHECK(middle.text() == "cde");
  CHECK(middle.view().data() == whole.view().data() + 2);
  CHECK(whole.part(4, 100).text() == "ef");
  CHECK(whole.part(6, 1).empty());
  CHECK(whole.part(100, 1).empty());
}

TEST_CASE("a part keeps the whole alive") {
  bytes part;
  {
    const bytes whole{"a longer text that is surely on the heap"};
    part = whole.part(2, 6);
  }
  CHECK(part.text() == "longer");
}

} // namespace bytes_test
