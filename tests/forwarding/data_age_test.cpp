// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/data_age.hpp>

#include <doctest/doctest.h>

#include <chrono>

namespace data_age_test {

using namespace understudy;
using namespace std::chrono_literals;

TEST_CASE("data is as old as the last moment at which it was the newest") {
  data_age age;
  CHECK(age.at(instant{5s}) == interval::max()); // it never was
  age.update({.fresh_at = instant{3s}});
  CHECK(age.at(instant{5s}) == 2s);
  CHECK(age.at(instant{1s}) == 0s);
  age.update({.fresh_at = instant{3s}, .leads = true});
  CHECK(age.at(instant{5s}) == 0s);
}

TEST_CASE("only a local query may ask for data that is no older than it says") {
  const query local{.consistency = consistency::local, .age_max = 1s};
  CHECK(!is_too_old(local, 1s));
  CHECK(is_too_old(local, 1s + 1ns));
  CHECK(!is_too_old({.consistency = consistency::local}, interval::max()));
  CHECK(!is_too_old({.consistency = consistency::session, .age_max = 1s}, 2s));
}

} // namespace data_age_test
