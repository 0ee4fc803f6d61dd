// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/descriptor.hpp>

#include <doctest/doctest.h>

#include <fcntl.h>

#include <utility>

namespace descriptor_test {

using namespace understudy;

namespace {

bool is_open(int number) {
  return ::fcntl(number, F_GETFD) != -1;
}

} // namespace

TEST_CASE("a descriptor has one owner, and closes with it") {
  descriptor first{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  REQUIRE(first);
  const int number = first.get();
  {
    const descriptor second{std::move(first)};
    CHECK_FALSE(first);
    CHECK(second.get() == number);
    CHECK(is_open(number));
  }
  CHECK_FALSE(is_open(number));
}

TEST_CASE("what is released is somebody else's to close") {
  int number = -1;
  {
    descriptor owner{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    number = owner.release();
    CHECK_FALSE(owner);
  }
  CHECK(is_open(number));
  ::close(number);
}

} // namespace descriptor_test
