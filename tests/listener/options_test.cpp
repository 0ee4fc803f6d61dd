// SPDX-License-Identifier: BSL-1.0
#include <understudy/listener/options.hpp>

#include <doctest/doctest.h>

namespace options_test {

using namespace understudy;
using namespace std::chrono_literals;

TEST_CASE("the default options of a puller can be used") {
  CHECK(complaints(puller_options{}).empty());
  CHECK(validate(puller_options{}));
}

TEST_CASE("a puller's options are complained about by name, all at once") {
  const puller_options wrong{.wait = 0ms, .bytes_max = 1, .turn = 0ms};
  CHECK(complaints(wrong).size() == 3);
  const auto verdict = validate(wrong);
  REQUIRE(!verdict);
  CHECK(verdict.error().code == errc::invalid_option);
  CHECK(verdict.error().detail.find("bytes_max") != std::string::npos);
  CHECK(verdict.error().detail.find("turn") != std::string::npos);
}

TEST_CASE("a source is given longer than it may hold a question") {
  CHECK(!validate(puller_options{.wait = 450ms, .source_timeout = 500ms}));
  CHECK(validate(puller_options{.wait = 400ms, .source_timeout = 500ms}));
}

} // namespace options_test
