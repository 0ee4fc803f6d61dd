// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/caf_errors.hpp>
#include <understudy/actors/config.hpp>

#include <doctest/doctest.h>

namespace caf_errors_test {

using namespace understudy;

TEST_CASE_FIXTURE(config, "a failure goes through a caf::error and comes back whole") {
  const failure why{errc::not_leader, "ask another", {17}};
  const auto error = as_caf_error(why);
  CHECK(as_failure(error) == why);
  CHECK(error.code() == static_cast<std::uint8_t>(errc::not_leader));
}

TEST_CASE_FIXTURE(config, "a caf::error of ours is known by its code") {
  CHECK(as_caf_error({errc::overloaded}) == errc::overloaded);
  CHECK_FALSE(as_caf_error({errc::overloaded}) == errc::stopped);
  const caf::error plain = errc::stopped;
  CHECK(as_failure(plain) == failure{errc::stopped});
}

TEST_CASE_FIXTURE(config, "an error of CAF's own leaves the outcome open") {
  const auto why = as_failure(caf::make_error(caf::sec::request_timeout));
  CHECK(why.code == errc::outcome_unknown);
  CHECK_FALSE(why.detail.empty());
}

} // namespace caf_errors_test
