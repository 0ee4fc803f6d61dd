// SPDX-License-Identifier: BSL-1.0
#include <understudy/listener/answer_size.hpp>

#include <doctest/doctest.h>

#include <cstdint>

namespace answer_size_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t most = 100'000;
const puller_options options{.bytes_max = most, .source_timeout = 400ms};

} // namespace

TEST_CASE("N9: where no answer comes in time, half as much is asked for, down to the least") {
  answer_size size{options};
  CHECK(size.bytes() == most);
  size.missed();
  CHECK(size.bytes() == most / 2);
  for (int i = 0; i < 40; ++i)
    size.missed();
  CHECK(size.bytes() == answer_bytes_least);
}

TEST_CASE("N9: where all that was asked for comes quickly, twice as much is, up to the most") {
  answer_size size{options};
  size.missed();
  size.missed();
  size.came(most / 4, 100ms);
  CHECK(size.bytes() == most / 2);
  size.came(most / 2, 1ms);
  CHECK(size.bytes() == most);
  size.came(2 * most, 1ms);
  CHECK(size.bytes() == most);
}

TEST_CASE("N9: an answer that was slow, or small, does not say that more would come in time") {
  answer_size size{options};
  size.missed();
  size.came(most / 2, 101ms);
  CHECK(size.bytes() == most / 2);
  size.came(most / 4 - 1, 1ms);
  CHECK(size.bytes() == most / 2);
}

} // namespace answer_size_test
