// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/simulated_disk.hpp>

#include <doctest/doctest.h>

#include "testing/disk_writes.hpp"

#include <cstdint>
#include <set>
#include <string>

namespace simulated_disk_test {

using namespace understudy;
using namespace understudy::testing;
using disk_writes::entries;
using disk_writes::text;

TEST_CASE("what is synced is there after a crash") {
  simulated_disk disk;
  random_stream random{1};
  disk.write(entries(1, 1, 2, 1));
  CHECK(disk.stored().last == log_position{});
  REQUIRE(disk.sync());
  CHECK(disk.stored().last == log_position{{2}, {1}});
  CHECK_FALSE(disk.crash(random));
  CHECK(text(disk.recover()) == "t1: 1 2");
}

TEST_CASE("of what is not synced any beginning of the log may survive, and any ballot beside it") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    simulated_disk disk;
    random_stream random{seed};
    disk.write(entries(1, 1, 2, 1));
    REQUIRE(disk.sync());
    disk.write(entries(2, 3, 4, 2));
    auto truncation = entries(3, 4, 4, 3);
    truncation.keep = log_index{3};
    disk.begin(truncation); // the writer has not come to it
    const bool lost = disk.crash(random);
    CHECK((lost || text(disk.recover()) == "t3: 1 2 3 4"));
    CHECK(disk.stored().last == log_position{{2}, {1}});
    seen.insert(text(disk.recover()));
  }
  for (const auto* term : {"t1", "t2", "t3"})
    for (const auto* log : {": 1 2", ": 1 2 3", ": 1 2 3 4"})
      CHECK(seen.contains(std::string{term} + log));
  CHECK(seen.size() == 9);
}

TEST_CASE("what survived one crash may be lost by the next, until it is synced") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    simulated_disk disk;
    random_stream random{seed};
    disk.write(entries(1, 1, 2, 1));
    static_cast<void>(disk.crash(random));
    if (text(disk.recover()) != "t1: 1 2")
      continue;
    if (seed % 2 == 0)
      REQUIRE(disk.sync());
    static_cast<void>(disk.crash(random));
    seen.insert((seed % 2 == 0 ? "synced " : "not synced ") + text(disk.recover()));
  }
  CHECK(seen.contains("not synced t0:"));
  CHECK(seen.contains("synced t1: 1 2"));
  CHECK_FALSE(seen.contains("synced t0:"));
}

TEST_CASE("a write that was begun is written once") {
  simulated_disk disk;
  disk.begin(entries(1, 1, 1, 1));
  disk.write(entries(1, 1, 1, 1));
  REQUIRE(disk.sync());
  random_stream random{1};
  CHECK_FALSE(disk.crash(random));
  CHECK(text(disk.recover()) == "t1: 1");
}

TEST_CASE("D5: a full disk takes ballots alone, and a crash leaves an old log with a new ballot") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    simulated_disk disk;
    random_stream random{seed};
    disk.write(entries(1, 1, 2, 1));
    REQUIRE(disk.sync());
    disk.be_full(true);
    disk.write(entries(2, 3, 3, 2));
    CHECK(disk.sync().error().code == errc::storage_full);
    disk.write({.write = {3}, .vote = ballot{{5}, {}}});
    REQUIRE(disk.sync_ballot());
    CHECK(disk.stored().vote.term == term_number{5});
    CHECK(disk.stored().last == log_position{{2}, {1}});
    static_cast<void>(disk.crash(random));
    seen.insert(text(disk.recover()));
    disk.be_full(false);
    REQUIRE(disk.sync());
    CHECK(disk.stored().vote.term == term_number{5});
  }
  CHECK(seen == std::set<std::string>{"t5: 1 2", "t5: 1 2 3"});
}

TEST_CASE("D5: a full disk with nothing to store but a ballot has room enough") {
  simulated_disk disk;
  disk.be_full(true);
  disk.write({.write = {1}, .vote = ballot{{2}, {}}});
  CHECK(disk.sync());
  CHECK(text(disk.recover()) == "t2:");
}

} // namespace simulated_disk_test
