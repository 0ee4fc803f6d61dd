// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <demo/feed.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

namespace feed_test {

using demo::feed;

namespace {

/// Takes what is left, at most `most`.
std::uint64_t drain(feed& f, std::uint64_t most) {
  std::uint64_t taken = 0;
  while (taken < most && f.next())
    ++taken;
  return taken;
}

} // namespace

TEST_CASE("a feed ends after the passes that were promised, and with a whole pass") {
  feed f{{{"a", 1}, {"b", 2}, {"a", 3}}, 2};
  f.finish();
  CHECK(drain(f, 100) == 6);
  CHECK(f.over());
  CHECK(f.passes() == 2);
  CHECK(f.progress() == 1.0);
}

TEST_CASE("a feed goes on until it is told to finish, and then ends the pass that it is in") {
  feed f{{{"a", 1}, {"b", 2}, {"a", 3}}, 1};
  CHECK(drain(f, 7) == 7);
  CHECK_FALSE(f.over());
  f.finish();
  CHECK(drain(f, 100) == 2);
  CHECK(f.passes() == 3);
  CHECK(f.counts_per_pass() == std::map<std::string, std::uint64_t>{{"a", 2}, {"b", 1}});
}

TEST_CASE("a feed that is held gives nothing, and loses nothing") {
  feed f{{{"a", 1}, {"b", 2}}, 1};
  CHECK(f.next()->address == "a");
  f.hold(true);
  CHECK(f.next() == nullptr);
  f.hold(false);
  CHECK(f.next()->address == "b");
}

TEST_CASE("a feed of nothing is over when it is told to finish") {
  feed f{{}, 20};
  CHECK(f.next() == nullptr);
  CHECK_FALSE(f.over());
  f.finish();
  CHECK(f.over());
  CHECK(f.passes() == 0);
}

TEST_CASE("the built-in workload is the same every time, and has favourites") {
  const auto once = demo::built_in_requests(1'000);
  CHECK(once == demo::built_in_requests(1'000));
  const feed f{once, 1};
  std::uint64_t most = 0;
  for (const auto& [address, count] : f.counts_per_pass())
    most = std::max(most, count);
  CHECK(most >= 5);
}

} // namespace feed_test
