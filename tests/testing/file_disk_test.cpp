// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/file_disk.hpp>

#include <doctest/doctest.h>

#include "testing/disk_writes.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>

namespace file_disk_test {

using namespace understudy;
using namespace understudy::testing;
using disk_writes::entries;
using disk_writes::text;

namespace {

const storage::file_owner owner{.node = {7}, .start = 1};
constexpr storage::log_layout small_segments{.segment_bytes = 4096};

} // namespace

TEST_CASE("D1: what the store has synced is in its files after any crash") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    file_disk disk{owner, small_segments};
    random_stream random{seed};
    REQUIRE(disk.write(entries(1, 1, 2, 1)));
    CHECK(disk.stored().last == log_position{});
    REQUIRE(disk.sync());
    CHECK(disk.stored().last == log_position{{2}, {1}});
    CHECK(text(disk.certain()) == "t1: 1 2");
    static_cast<void>(disk.crash(random));
    CHECK(text(disk.recover()) == "t1: 1 2");
    CHECK(disk.stored().last == log_position{{2}, {1}});
  }
}

TEST_CASE("of what the store has not synced a crash leaves more or less, in order") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    file_disk disk{owner, small_segments};
    random_stream random{seed};
    REQUIRE(disk.write(entries(1, 1, 2, 1)));
    REQUIRE(disk.sync());
    REQUIRE(disk.write(entries(2, 3, 4, 2)));
    disk.begin(entries(3, 5, 5, 3)); // the writer has not come to it
    CHECK(text(disk.certain()) == "t1: 1 2");
    static_cast<void>(disk.crash(random));
    seen.insert(text(disk.recover()));
  }
  // Stopped between log and ballot the store has the old ballot with the new log.
  CHECK(seen
        == std::set<std::string>{"t1: 1 2", "t1: 1 2 3", "t1: 1 2 3 4", "t1: 1 2 3 4 5",
                                 "t2: 1 2 3 4", "t3: 1 2 3 4 5"});
}

TEST_CASE("what a crash has left to mend is told, until the next one") {
  int torn = 0;
  int unmarked = 0;
  int whole = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    file_disk disk{owner, small_segments};
    random_stream random{seed};
    REQUIRE(disk.write(entries(1, 1, 2, 1)));
    REQUIRE(disk.write(entries(2, 3, 4, 1)));
    static_cast<void>(disk.crash(random));
    const auto left = disk.remains();
    torn += left.torn ? 1 : 0;
    unmarked += left.unmarked ? 1 : 0;
    whole += left.torn || left.unmarked ? 0 : 1;
    static_cast<void>(disk.crash(random));
    CHECK_FALSE(disk.remains().torn);
  }
  CHECK(torn > 0);
  CHECK(unmarked > 0);
  CHECK(whole > 0);
}

TEST_CASE("what the store has taken up after one crash is there after the next") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    file_disk disk{owner, small_segments};
    random_stream random{seed};
    REQUIRE(disk.write(entries(1, 1, 2, 1)));
    static_cast<void>(disk.crash(random));
    const auto found = text(disk.recover());
    CHECK(text(disk.certain()) == found);
    static_cast<void>(disk.crash(random));
    CHECK(text(disk.recover()) == found);
  }
}

TEST_CASE("D5: full files take what has been allocated, then ballots alone, until there is room") {
  file_disk disk{owner, small_segments};
  REQUIRE(disk.write(entries(1, 1, 1, 1)));
  REQUIRE(disk.sync());
  disk.be_full(true);
  std::uint64_t last = 1;
  expected<void> done;
  while (done && last < 1000) {
    ++last;
    REQUIRE(disk.write(entries(last, last, last, 1)));
    done = disk.sync();
  }
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::storage_full);
  CHECK(last > 2);
  REQUIRE(disk.write({.write = {last + 1}, .vote = ballot{{5}, {}}}));
  REQUIRE(disk.sync_ballot());
  CHECK(disk.stored().vote.term == term_number{5});
  CHECK(disk.stored().last.index == log_index{last - 1});
  disk.be_full(false);
  REQUIRE(disk.sync());
  CHECK(disk.stored().last.index == log_index{last});
}

TEST_CASE("D3: a store that does not take up its own files again breaks a rule, and says why") {
  file_disk disk{owner, small_segments};
  random_stream random{1};
  REQUIRE(disk.write(entries(1, 1, 10, 1)));
  REQUIRE(disk.sync());
  REQUIRE(disk.write(entries(2, 11, 20, 1))); // which say that those before them had been synced
  REQUIRE(disk.sync());
  const auto names = disk.files().names();
  const auto segment = std::ranges::find_if(
      names, [](const std::string& name) { return name.starts_with("segment-"); });
  REQUIRE(segment != names.end());
  disk.files().flip_bit(*segment, 8 * 300);
  std::string said;
  try {
    static_cast<void>(disk.crash(random));
  } catch (const invariant_violated& broken) {
    said = broken.what();
  }
  CHECK(said.starts_with("I9: its store cannot be opened any more"));
  CHECK(said.find(*segment) != std::string::npos);
}

} // namespace file_disk_test
