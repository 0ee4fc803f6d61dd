// SPDX-License-Identifier: BSL-1.0
#include <understudy/roster/settings.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace settings_test {

using namespace understudy;

namespace {

struct bad_settings {
  settings rules;
  std::string says;
};

} // namespace

TEST_CASE("the defaults are valid settings") {
  CHECK(complaints(settings{}).empty());
  CHECK(validate(settings{}).has_value());
}

TEST_CASE("settings at their bounds are valid") {
  CHECK(complaints(settings{.max_voters = 1, .min_voters = 1}).empty());
  CHECK(complaints(settings{.max_voters = 63, .min_voters = 63}).empty());
  CHECK(complaints(settings{.lease_ms = 60'000}).empty());
}

TEST_CASE("each field that makes no sense is named with its value") {
  const std::vector<bad_settings> table{
      {{.max_voters = 64}, "max_voters must be from 1 to 63, and is 64"},
      {{.min_voters = 0}, "min_voters must be from 1 to max_voters (5), and is 0"},
      {{.max_voters = 3, .min_voters = 4}, "min_voters must be from 1 to max_voters (3), and is 4"},
      {{.evict_after_ms = 0}, "evict_after_ms must be positive, and is 0"},
      {{.sessions_max = 0}, "sessions_max must be positive, and is 0"},
      {{.session_expiry_ms = -1}, "session_expiry_ms must be positive, and is -1"},
      {{.session_window = 0}, "session_window must be positive, and is 0"},
      {{.session_bytes_max = 0}, "session_bytes_max must be positive, and is 0"},
      {{.command_bytes_max = 0}, "command_bytes_max must be positive, and is 0"},
      {{.lease_ms = 60'001}, "lease_ms must be from 0 to 60000, and is 60001"},
  };
  for (const auto& row : table) {
    CHECK(complaints(row.rules) == std::vector{row.says});
    const auto judged = validate(row.rules);
    REQUIRE_FALSE(judged.has_value());
    CHECK(judged.error().code == errc::invalid_option);
    CHECK(judged.error().detail == row.says);
  }
}

TEST_CASE("all complaints are listed at once") {
  CHECK(complaints(settings{.max_voters = 0, .sessions_max = 0}).size() == 3);
  CHECK(validate(settings{.evict_after_ms = 0, .sessions_max = 0}).error().detail
        == "evict_after_ms must be positive, and is 0; sessions_max must be positive, and is 0");
}

TEST_CASE("equal settings show no difference") {
  CHECK(difference(settings{}, settings{}).empty());
}

TEST_CASE("every field that differs is named with both values") {
  CHECK(difference({.max_voters = 3}, {.max_voters = 5})
        == "max_voters is 5 in the cluster, and 3 was given");
  CHECK(difference({.lease_ms = 100}, {}) == "lease_ms is 0 in the cluster, and 100 was given");
  const settings all{.max_voters = 7,
                     .min_voters = 1,
                     .evict_after_ms = 1,
                     .sessions_max = 1,
                     .session_expiry_ms = 1,
                     .session_window = 1,
                     .session_bytes_max = 1,
                     .command_bytes_max = 1,
                     .lease_ms = 1};
  const auto text = difference(all, {});
  for (const auto* name :
       {"max_voters", "min_voters", "evict_after_ms", "sessions_max", "session_expiry_ms",
        "session_window", "session_bytes_max", "command_bytes_max", "lease_ms"})
    CHECK_MESSAGE(text.find(name) != std::string::npos, name);
}

} // namespace settings_test
