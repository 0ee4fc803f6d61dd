// SPDX-License-Identifier: BSL-1.0
// Calls to the disk that fail: nothing that was promised is lost, and nothing is promised after.
#include <understudy/storage/durable_store.hpp>
#include <understudy/testing/faulty_directory.hpp>

#include <doctest/doctest.h>

#include "storage/support/store_workload.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace disk_fault_test {

using namespace support;

namespace {

/// A store at work until something fails.
struct failing_run {
  failing_run(std::uint64_t seed, const std::shared_ptr<faulty_disk>& on) : work{seed}, disk{on} {}

  /// Runs `rounds` batches; the first error ends it.
  std::optional<failure> go(int rounds) {
    auto opened = open_store(disk);
    if (!opened)
      return opened.error();
    store.emplace(std::move(*opened));
    random_stream random{9};
    for (int i = 0; i < rounds; ++i) {
      for (auto left = random.between(1, 4); left > 0; --left)
        if (auto done = store->write(work.next()); !done)
          return done.error();
      if (auto done = store->sync(); !done)
        return done.error();
      certain = work.model().told();
    }
    return std::nullopt;
  }

  /// Why what is on `left` may not be; empty if it may.
  std::string complaint_of(const std::shared_ptr<faulty_disk>& left) const {
    auto again = open_store(left);
    if (!again)
      return again.error().detail;
    return work.model().complaint(shortened(*again->recover()), certain, work.model().told());
  }

  /// `found` as it would be with the newest snapshot: where there was no room for that, and the log
  /// has all that it covers, the log stands for it.
  recovered_state shortened(recovered_state found) const {
    const auto newest = (*work.model().now().recover()).base;
    if (!newest || (found.base && found.base->at.index >= newest->at.index))
      return found;
    const auto last = std::ranges::find(found.entries, newest->at, &entry::position);
    if (last == found.entries.end())
      return found;
    found.entries.erase(found.entries.begin(), std::next(last));
    found.base = newest;
    return found;
  }

  store_workload work;
  std::shared_ptr<faulty_disk> disk;
  store_extent certain = {};
  std::optional<durable_store> store;
};

/// A snapshot of some size takes the place of the whole log.
store_write installation(std::uint64_t index) {
  auto image = std::make_shared<snapshot>(snapshot{.at = {{index}, {1}}});
  image->image = bytes{std::string(5'000, 'x')};
  image->digest = digest_of(image->image.view());
  return {.base = image, .keep = log_index{index}};
}

/// A disk on which two entries are stored, and part of a third one.
std::shared_ptr<faulty_disk> disk_with_torn_end() {
  auto disk = std::make_shared<faulty_disk>();
  auto store = open_store(disk);
  REQUIRE(store);
  REQUIRE(store->write({.entries = {entry_of(1, 1), entry_of(2, 1)}}));
  REQUIRE(store->sync());
  REQUIRE(store->write({.entries = {entry_of(3, 1)}}));
  disk->fail_call({.nth = 1, .call = disk_call::write, .written = 40, .is_kill = true});
  REQUIRE_FALSE(store->sync());
  disk->kill();
  return disk;
}

/// The calls that a run without a fault makes.
std::uint64_t calls_of_run(std::uint64_t seed, int rounds) {
  const auto disk = std::make_shared<faulty_disk>();
  failing_run run{seed, disk};
  REQUIRE_FALSE(run.go(rounds));
  return disk->calls();
}

} // namespace

TEST_CASE("whichever call fails, the store stops, and what had been synced is there (D4)") {
  const auto calls = calls_of_run(5, 40);
  random_stream random{11};
  for (std::uint64_t n = 1; n <= calls; ++n) {
    CAPTURE(n);
    const auto disk = std::make_shared<faulty_disk>();
    disk->fail_call({.nth = n, .code = errc::storage_failed, .written = random.below(400)});
    failing_run run{5, disk};
    const auto failed = run.go(40);
    if (!failed)
      continue; // cleaning up after another error may fail without harm
    CHECK(failed->code == errc::storage_failed);
    if (run.store) {
      CHECK(run.store->write({.vote = ballot{{99}, {}}}).error() == *failed);
      CHECK(run.store->sync().error() == *failed);
    }
    for (int i = 0; i < 4; ++i) {
      const auto complaint = run.complaint_of(disk->after_crash(any_subset(random)));
      REQUIRE_MESSAGE(complaint.empty(), complaint);
    }
  }
}

TEST_CASE("the disk begins with a large batch before its sync, which may fail there already (D4)") {
  const storage::log_layout large{.segment_bytes = 8 << 20, .seed = 1};
  store_write batch;
  for (std::uint64_t i = 2; i <= 6; ++i)
    batch.entries.push_back(entry_of(i, 1, std::string(200'000, 'x').c_str()));
  for (const bool fails : {false, true}) {
    CAPTURE(fails);
    const auto disk = std::make_shared<faulty_disk>();
    disk->record();
    auto store = open_store(disk, large);
    REQUIRE(store);
    REQUIRE(store->write({.entries = {entry_of(1, 1)}, .vote = ballot{{1}, {}}}));
    REQUIRE(store->sync());
    const auto before = disk->recording().size();
    if (fails)
      disk->fail_call(1, errc::storage_failed, disk_call::sync);
    const auto written = store->write(batch);
    CHECK(written.has_value() == !fails);
    CHECK(disk->recording().size() > before);
    CHECK(store->sync().has_value() == !fails);
    auto left = open_store(disk->after_crash(lose_unsynced()), large);
    REQUIRE_MESSAGE(left, left.error().detail);
    CHECK(left->last().index == log_index{fails ? 1u : 6u});
  }
}

TEST_CASE("a sync that fails once and then succeeds fools nobody, not even after a restart (D4)") {
  auto call = disk_call::sync;
  std::size_t most = 40;
  int rounds = 40;
  SUBCASE("of a file") {}
  SUBCASE("of the directory: what was named then never comes to be") {
    call = disk_call::sync_directory;
    most = 50;
    rounds = 150; // with snapshots that take the place of others
  }
  std::size_t restarts = 0;
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    const auto disk = std::make_shared<faulty_disk>();
    disk->fail_call(n, errc::storage_failed, call);
    failing_run run{6, disk};
    if (!run.go(rounds))
      break;
    run.store.reset();
    disk->kill();
    auto again = open_store(disk);
    REQUIRE_MESSAGE(again, again.error().detail);
    const auto found = again->recover();
    const auto complaint = run.work.model().complaint(*found, run.certain, run.work.model().told());
    REQUIRE_MESSAGE(complaint.empty(), complaint);
    // What the second process found it counts as durable: so it has to be.
    auto after = open_store(disk->after_crash(lose_unsynced()));
    REQUIRE_MESSAGE(after, after.error().detail);
    const auto left = after->recover();
    CHECK(fingerprint_of(run.shortened(*left)) == fingerprint_of(run.shortened(*found)));
    CHECK(left->vote == found->vote);
    // And so has what it goes on to confirm.
    const auto next = again->last().index.next();
    const auto term = std::max<std::uint64_t>(again->last().term.value, 1);
    REQUIRE(again->write({.entries = {entry_of(next.value, term)}}));
    REQUIRE(again->sync());
    auto last = open_store(disk->after_crash(lose_unsynced()));
    REQUIRE_MESSAGE(last, last.error().detail);
    CHECK(last->last().index == next);
    ++restarts;
  }
  CHECK(restarts > most);
}

TEST_CASE("a ballot that a start has found is not lost with the next one that is torn (E2)") {
  // The first process is killed at a sync, the second one in the midst of a write: that of another
  // ballot, before what the first one left in memory is on the disk.
  random_stream random{3};
  for (std::uint64_t sync = 1; sync <= 2; ++sync)
    for (std::uint64_t written = 8; written < storage::file_header::size_bytes; written += 8) {
      CAPTURE(sync);
      CAPTURE(written);
      const auto disk = std::make_shared<faulty_disk>();
      auto store = open_store(disk);
      REQUIRE(store);
      REQUIRE(store->write({.entries = {entry_of(1, 1)}, .vote = ballot{{1}, {7}}}));
      REQUIRE(store->sync());
      REQUIRE(store->write({.vote = ballot{{2}, {8}}}));
      disk->fail_call({.nth = sync, .call = disk_call::sync, .is_kill = true});
      static_cast<void>(store->sync());
      disk->kill();

      auto again = open_store(disk);
      REQUIRE(again);
      const auto found = again->recover()->vote;
      REQUIRE(again->write({.vote = ballot{{3}, {7}}}));
      disk->fail_call({.nth = 1, .call = disk_call::write, .written = written, .is_kill = true});
      static_cast<void>(again->sync());
      for (int i = 0; i < 32; ++i) {
        auto left = open_store(disk->after_crash(any_subset(random)));
        REQUIRE_MESSAGE(left, left.error().detail);
        CHECK(left->recover()->vote.term >= found.term);
      }
    }
}

TEST_CASE("a start makes anew only what may lose its name (D4)") {
  const auto disk = std::make_shared<faulty_disk>();
  auto store = open_store(disk);
  REQUIRE(store);
  REQUIRE(store->write({.entries = {entry_of(1, 1), entry_of(2, 1), entry_of(3, 1)}}));
  REQUIRE(store->sync());
  auto image = std::make_shared<snapshot>(snapshot{.at = {{2}, {1}}});
  image->digest = digest_of(image->image.view());
  std::vector<std::string> anew;
  SUBCASE(
      "nothing, where the mark names the last segment and the log has what is in the snapshot") {
    REQUIRE(store->write({.base = image}));
    REQUIRE(store->sync());
  }
  SUBCASE("the last segment, where the mark does not") {
    REQUIRE(store->write({.base = image}));
    REQUIRE(store->sync());
    disk->overwrite("synced", 0, std::vector<std::byte>(8'192));
    anew = {"ballot-a", "ballot-b", storage::to_string(storage::segment_name{1, {1}}),
            storage::to_string(storage::segment_name{2, {1}})}; // what is not certain is carried on
  }
  SUBCASE("the snapshot, where what it replaces is still there and would go") {
    REQUIRE(store->write({.base = image}));
    REQUIRE(store->sync());
    auto second = std::make_shared<snapshot>(snapshot{.at = {{3}, {1}}});
    second->digest = image->digest;
    disk->fail_call({.nth = 1, .call = disk_call::remove, .is_kill = true});
    static_cast<void>(store->write({.base = second}));
    anew = {storage::snapshot_name(second->at)};
  }
  disk->kill();
  disk->record();
  const auto again = open_store(disk);
  REQUIRE_MESSAGE(again, again.error().detail);
  CHECK(again->last().index == log_index{3});
  std::vector<std::string> named;
  for (std::size_t i = 0; i < disk->recording().size(); ++i)
    if (disk->recording()[i].what == disk_change::rename)
      named.push_back(disk->recording()[i].to);
  std::ranges::sort(named);
  CHECK(named == anew);
}

TEST_CASE("a full disk loses nothing, and when there is room again all goes on (D5)") {
  const auto roomy = std::make_shared<faulty_disk>();
  failing_run whole{8, roomy};
  REQUIRE_FALSE(whole.go(60));
  random_stream random{12};
  std::size_t full = 0;
  for (std::uint64_t room = 0; room < 40'000; room += random.between<std::uint64_t>(1, 97)) {
    CAPTURE(room);
    const auto disk = std::make_shared<faulty_disk>();
    disk->limit_room(room);
    failing_run run{8, disk};
    const auto failed = run.go(60);
    if (!failed)
      continue;
    ++full;
    REQUIRE(failed->code == errc::storage_full);
    if (!run.store) {
      CHECK(disk->names().empty());
      continue;
    }
    const auto complaint = run.complaint_of(disk->after_crash(any_subset(random)));
    REQUIRE_MESSAGE(complaint.empty(), complaint);
    // A vote needs no room.
    REQUIRE(run.store->sync().error().code == errc::storage_full);
    const ballot vote{{1'000}, {5}};
    const store_write voting{.vote = vote};
    run.work.also(voting);
    REQUIRE(run.store->write(voting));
    REQUIRE(run.store->sync_ballot());
    auto voted = open_store(disk->after_crash(lose_unsynced()));
    if (voted)
      CHECK(voted->recover()->vote == vote);
    else
      CHECK(voted.error().code == errc::storage_full); // even to cut off what was torn
    disk->limit_room(1'000'000);
    REQUIRE(run.store->sync());
    run.certain = run.work.model().told();
    const auto lost = run.complaint_of(disk->after_crash(lose_unsynced()));
    REQUIRE_MESSAGE(lost.empty(), lost);
  }
  CHECK(full > 100);
}

TEST_CASE("of snapshots for which a full disk has no room only the newest waits (D5)") {
  const auto disk = std::make_shared<faulty_disk>();
  auto store = open_store(disk);
  REQUIRE(store);
  disk->limit_room(disk->bytes_taken());
  for (const std::uint64_t index : {10u, 20u, 30u}) {
    REQUIRE(store->write(installation(index)));
    CHECK(store->sync().error().code == errc::storage_full);
  }
  REQUIRE(store->write({.entries = {entry_of(31, 1)}}));
  disk->limit_room(1'000'000);
  const auto renamed = disk->calls(disk_call::rename);
  REQUIRE(store->sync());
  CHECK(disk->calls(disk_call::rename) - renamed == 2); // a snapshot, and a segment behind it
  const auto found = open_store(disk->after_crash(lose_unsynced()))->recover();
  CHECK(found->base->at.index == log_index{30});
  CHECK(found->entries.size() == 1);
}

TEST_CASE("a snapshot with room for itself alone is written once, and goes when overtaken (D5)") {
  const auto disk = std::make_shared<faulty_disk>();
  auto store = open_store(disk);
  REQUIRE(store);
  REQUIRE(store->write({.entries = {entry_of(1, 1)}}));
  REQUIRE(store->sync());
  const auto first = storage::snapshot_name({{10}, {1}});
  auto room = disk->bytes_taken();
  disk->limit_room(room);
  REQUIRE(store->write(installation(10)));
  for (; !disk->has(first); room += 64) {
    disk->limit_room(room);
    REQUIRE(store->sync().error().code == errc::storage_full);
  }
  const auto renamed = disk->calls(disk_call::rename);
  for (int i = 0; i < 5; ++i)
    CHECK(store->sync().error().code == errc::storage_full);
  CHECK(disk->calls(disk_call::rename) == renamed);
  SUBCASE("then there is room") {
    disk->limit_room(1'000'000);
    REQUIRE(store->sync());
    CHECK(disk->calls(disk_call::rename) == renamed + 1); // a segment
    CHECK(disk->has(first));
  }
  SUBCASE("then a newer one comes") {
    REQUIRE(store->write(installation(20)));
    disk->limit_room(1'000'000);
    REQUIRE(store->sync());
    CHECK_FALSE(disk->has(first));
    CHECK(disk->has(storage::snapshot_name({{20}, {1}})));
  }
  const auto found = open_store(disk->after_crash(lose_unsynced()))->recover();
  CHECK(found->base);
  CHECK(found->entries.empty());
}

TEST_CASE("a store whose file system becomes read-only stops, and says why (D4)") {
  const auto disk = std::make_shared<faulty_disk>();
  failing_run run{4, disk};
  REQUIRE_FALSE(run.go(10));
  disk->be_read_only(true);
  REQUIRE(run.store->write({.entries = {entry_of(run.store->last().index.value + 1, 99)}}));
  const auto done = run.store->sync();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::storage_failed);
  CHECK(done.error().detail.find("read-only") != std::string::npos);
  CHECK(run.store->sync().error() == done.error());
  const auto complaint = run.complaint_of(disk->after_crash(lose_unsynced()));
  CHECK_MESSAGE(complaint.empty(), complaint);
}

TEST_CASE("to cut off a torn end a start needs no room but for a header (D5)") {
  const auto disk = disk_with_torn_end();
  disk->limit_room(disk->bytes_taken() + 200);
  const auto again = open_store(disk);
  REQUIRE_MESSAGE(again, again.error().detail);
  CHECK(again->last().index == log_index{2});
}

TEST_CASE("a start has the room of what was never finished, and where that is not enough changes "
          "nothing else (D5)") {
  const auto disk = disk_with_torn_end();
  const auto unfinished = storage::snapshot_name({{2}, {1}}) + ".new";
  std::size_t bytes = 0;
  SUBCASE("enough") {
    bytes = 300;
  }
  SUBCASE("too little") {
    bytes = 50;
  }
  const auto names = disk->names();
  std::vector<std::vector<std::byte>> contents;
  for (const auto& name : names)
    contents.push_back(disk->contents(name));
  disk->put(unfinished, std::vector<std::byte>(bytes, std::byte{1}));
  disk->limit_room(disk->bytes_taken());
  const auto again = open_store(disk);
  CHECK_FALSE(disk->has(unfinished));
  if (bytes == 300) {
    REQUIRE_MESSAGE(again, again.error().detail);
    CHECK(again->last().index == log_index{2});
    return;
  }
  REQUIRE_FALSE(again);
  CHECK(again.error().code == errc::storage_full);
  CHECK(disk->names() == names);
  for (std::size_t i = 0; i < names.size(); ++i)
    CHECK(disk->contents(names[i]) == contents[i]);
}

} // namespace disk_fault_test
