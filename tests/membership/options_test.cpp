// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/options.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace options_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

monitor_options joiner() {
  monitor_options options;
  options.self.id = {1};
  options.contacts = {{2}};
  return options;
}

/// The complaints after `spoil` changed a good set of options.
template <class Change> std::vector<std::string> after(Change spoil) {
  auto options = joiner();
  spoil(options);
  return complaints(options);
}

} // namespace

TEST_CASE("a node with an id and a seed, or told to found, has what it needs") {
  CHECK(complaints(joiner()).empty());
  CHECK(after([](auto& o) { o.found = true; }).empty());
  CHECK(after([](auto& o) { o.found = true, o.contacts.clear(); }).empty());
  CHECK(after([](auto& o) { o.returning = own_record{{1}, o.self}, o.contacts.clear(); }).empty());
  CHECK(validate(joiner()).has_value());
}

TEST_CASE("each option that makes no sense is named") {
  using list = std::vector<std::string>;
  CHECK(after([](auto& o) { o.self.id = {}; }) == list{"self: id must not be 0"});
  CHECK(after([](auto& o) { o.rules.max_voters = 64; })
        == list{"rules: max_voters must be from 1 to 63, and is 64"});
  CHECK(after([](auto& o) { o.contacts.clear(); })
        == list{"contacts must name a seed, unless the node is told to found"});
  CHECK(after([](auto& o) { o.contacts.resize(65); })
        == list{"contacts must be at most 64, and are 65"});
  CHECK(after([](auto& o) { o.found = true, o.cluster = {5}; })
        == list{"found makes a new cluster, and cluster names an old one"});
  CHECK(after([](auto& o) { o.retry = 0ns; }) == list{"retry must be positive, and is 0 ns"});
  CHECK(after([](auto& o) { o.founding_patience = -1ns; })
        == list{"founding_patience must be positive, and is -1 ns"});
  CHECK(after([](auto& o) { o.entering_patience = 0ns; })
        == list{"entering_patience must be positive, and is 0 ns"});
  CHECK(after([](auto& o) { o.seat_retry = 0ns; })
        == list{"seat_retry must be positive, and is 0 ns"});
  CHECK(after([](auto& o) { o.catch_up_limit = 0ns; })
        == list{"catch_up_limit must be positive, and is 0 ns"});
  CHECK(after([](auto& o) { o.suspect_after = 0ns; })
        == list{"suspect_after must be positive, and is 0 ns"});
  CHECK(after([](auto& o) { o.presence_every = 0ns; })
        == list{"presence_every must be positive, and is 0 ns"});
  CHECK(after([](auto& o) { o.order_patience = 0ns; })
        == list{"order_patience must be positive, and is 0 ns"});
  CHECK(after([](auto& o) { o.leave_limit = 0ns; })
        == list{"leave_limit must be positive, and is 0 ns"});
  CHECK(after([](auto& o) { o.presence_every = 10s; })
        == list{"presence_every (10000000000 ns) must be less than rules.evict_after_ms (10000 "
                "ms)"});
  CHECK(after([](auto& o) { o.retry_max = 1ns; })
        == list{"retry_max (1 ns) must not be less than retry (50000000 ns)"});
  CHECK(after([](auto& o) { o.entering_max = 0; })
        == list{"entering_max must be positive, and is 0"});
}

TEST_CASE("all complaints come in one answer") {
  auto options = joiner();
  options.seat_retry = 0ns;
  options.entering_max = 0;
  const auto judged = validate(options);
  REQUIRE_FALSE(judged.has_value());
  CHECK(judged.error().code == errc::invalid_option);
  CHECK(judged.error().detail
        == "seat_retry must be positive, and is 0 ns; entering_max must be positive, and is 0");
}

} // namespace options_test
