// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/options.hpp>

#include <doctest/doctest.h>

namespace options_test {

using namespace understudy;
using namespace std::chrono_literals;

TEST_CASE("the default options of forwarder and client can be used") {
  CHECK(validate(forwarder_options{}));
  CHECK(validate(client_options{}));
}

TEST_CASE("options of calls are complained about by name, all at once") {
  const auto verdict
      = validate(forwarder_options{.suspect_after = 0ms,
                                   .calls = {.calls_max = 0, .bytes_max = 0, .retry_pause = 0ms},
                                   .offline_patience = 0ms});
  REQUIRE(!verdict);
  CHECK(verdict.error().code == errc::invalid_option);
  for (const auto* name :
       {"suspect_after", "calls_max", "bytes_max", "retry_pause", "offline_patience"})
    CHECK(verdict.error().detail.find(name) != std::string::npos);
}

TEST_CASE("a client needs a window and time for an attempt") {
  CHECK(!validate(client_options{.window = 0}));
  CHECK(!validate(client_options{.attempt_timeout = 0ms}));
  CHECK(!validate(client_options{.calls = {.deadline_default = 20min}}));
}

} // namespace options_test
