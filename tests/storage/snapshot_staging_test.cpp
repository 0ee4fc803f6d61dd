// SPDX-License-Identifier: BSL-1.0
#include <understudy/storage/durable_store.hpp>
#include <understudy/storage/posix_directory.hpp>
#include <understudy/storage/snapshot_staging.hpp>
#include <understudy/testing/faulty_directory.hpp>

#include <doctest/doctest.h>

#include "storage/support/store_workload.hpp"
#include "support/scratch.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace snapshot_staging_test {

using namespace support;

namespace {

std::shared_ptr<const snapshot> image_at(std::uint64_t index, std::size_t size = 5'000) {
  auto made = std::make_shared<snapshot>(
      snapshot{.at = {{index}, {1}},
               .members = {{1}, std::make_shared<configuration>(made_of({7}, {7}))},
               .image = bytes{std::string(size, 's')}});
  made->digest = digest_of(made->image.view());
  return made;
}

store_write entries(std::uint64_t first, std::uint64_t last) {
  store_write what;
  for (auto i = first; i <= last; ++i)
    what.entries.push_back(i == 1 ? entry_of(1, 1, made_of({7}, {7})) : entry_of(i, 1, "x"));
  return what;
}

struct bench {
  std::shared_ptr<faulty_disk> disk = std::make_shared<faulty_disk>();
  durable_store store = open_store(disk).value();

  bench() { write(entries(1, 40)); }

  void write(const store_write& what) {
    REQUIRE(store.write(what));
    REQUIRE(store.sync());
  }

  [[nodiscard]] std::vector<std::string> snapshots() const {
    auto all = disk->names();
    std::erase_if(all, [&](const std::string& name) { return !name.starts_with("snapshot-"); });
    return all;
  }

  /// How many bytes the disk has to write for `what`.
  std::size_t bytes_for(const store_write& what) {
    const auto before = disk->recording().size();
    write(what);
    std::size_t sum = 0;
    for (auto i = before; i < disk->recording().size(); ++i)
      sum += disk->recording()[i].data.size();
    return sum;
  }
};

std::string name_at(std::uint64_t index) {
  return storage::snapshot_name({{index}, {1}});
}

} // namespace

TEST_CASE("what was staged only has to be given its name") {
  bench b;
  b.disk->record();
  REQUIRE(b.store.stager()(*image_at(30)));
  CHECK(b.snapshots() == std::vector{name_at(30) + ".new"});
  CHECK(b.bytes_for({.base = image_at(30)}) < 1'000);
  CHECK(b.snapshots() == std::vector{name_at(30)});
  CHECK(b.bytes_for({.base = image_at(35)}) > 5'000); // this one was not
  REQUIRE(b.store.close());
  auto again = open_store(b.disk);
  REQUIRE(again);
  const auto found = again->recover();
  CHECK(found->base->image == image_at(35)->image);
  CHECK(found->entries.size() == 5);
}

TEST_CASE("what was staged and never asked for goes, with the next one or with the next start") {
  bench b;
  REQUIRE(b.store.stager()(*image_at(20)));
  REQUIRE(b.store.stager()(*image_at(30)));
  CHECK(b.snapshots() == std::vector{name_at(30) + ".new"});
  REQUIRE(b.store.close());
  auto again = open_store(b.disk);
  REQUIRE(again);
  CHECK(b.snapshots().empty());
  CHECK(again->recover()->entries.size() == 40);
}

TEST_CASE("another snapshot of the same place is not taken for the one that was staged") {
  bench b;
  REQUIRE(b.store.stager()(*image_at(30, 10)));
  b.write({.base = image_at(30, 20)});
  REQUIRE(b.store.close());
  CHECK(open_store(b.disk)->recover()->base->image == image_at(30, 20)->image);
}

TEST_CASE("a snapshot of a log that the disk does not hold is written anew, and says so") {
  bench b;
  REQUIRE(b.store.stager()(*image_at(50)));
  b.write({.base = image_at(50)}); // as when the entries were never written before it
  REQUIRE(b.store.close());
  auto again = open_store(b.disk);
  REQUIRE_MESSAGE(again, again.error().detail);
  CHECK(again->recover()->base->at.index == log_index{50});
}

TEST_CASE("files that are staged bear the cluster's name, though it was not known at first") {
  auto disk = std::make_shared<faulty_disk>();
  auto store = open_store(disk).value();
  const auto stage = store.stager();
  REQUIRE(store.write(entries(1, 10)));
  REQUIRE(store.sync());
  REQUIRE(stage(*image_at(8)));
  REQUIRE(store.write({.base = image_at(8)}));
  REQUIRE(store.close());
  CHECK(open_store(disk));
}

TEST_CASE("on a full disk what was staged gives way to the log, and the log goes on") {
  const auto room_taken = [](const std::shared_ptr<faulty_disk>& disk) {
    std::uint64_t sum = 0;
    faulty_directory in{disk};
    for (const auto& name : disk->names())
      sum += in.open(name).value()->size().value();
    return sum;
  };
  SUBCASE("where the log needs a segment before the snapshot gets its name") {
    bench b;
    b.write(entries(41, 200));
    b.disk->limit_room(room_taken(b.disk) + 7'000);
    REQUIRE(b.store.stager()(*image_at(199)));
    REQUIRE(b.store.write(entries(201, 220)));
    static_cast<void>(b.store.sync());
    REQUIRE(b.store.write({.base = image_at(199)}));
    CHECK(b.store.sync());
  }
  SUBCASE("where another snapshot comes from the leader") {
    bench b;
    b.disk->limit_room(room_taken(b.disk) + 11'000);
    REQUIRE(b.store.stager()(*image_at(30)));
    REQUIRE(b.store.write({.base = image_at(500), .keep = log_index{500}}));
    CHECK(b.store.sync());
  }
}

TEST_CASE("a store says that it left a snapshot out, until one is there") {
  bench b;
  const auto room = b.disk->bytes_taken();
  SUBCASE("that was never staged") {
    b.disk->limit_room(room + 1'000);
  }
  SUBCASE("that was staged, and gave way to the log") {
    b.disk->limit_room(room + 6'000);
    REQUIRE(b.store.stager()(*image_at(30)));
    REQUIRE(b.store.write(entries(41, 60)));
    REQUIRE(b.store.sync());
    CHECK(b.snapshots().empty());
  }
  b.write({.base = image_at(30)});
  CHECK(b.store.left_out() == log_index{30});
  CHECK(b.snapshots().empty());
  b.disk->limit_room(room + 100'000);
  b.write({.base = image_at(30)});
  CHECK(b.store.left_out() == log_index{});
  CHECK(b.snapshots() == std::vector{name_at(30)});
}

TEST_CASE("a large snapshot is written while the log goes on") {
  test_support::scratch on_disk;
  const auto open = [&] {
    auto held = storage::posix_directory::open(on_disk.path(), storage::access::hold).value();
    return durable_store::open(std::move(held), store_owner).value();
  };
  auto store = open();
  REQUIRE(store.write(entries(1, 40)));
  REQUIRE(store.sync());
  const auto large = image_at(30, std::size_t{20} << 20);
  expected<void> staged;
  std::thread elsewhere{[&, stage = store.stager()] { staged = stage(*large); }};
  std::uint64_t last = 40;
  for (; last < 240; ++last) {
    REQUIRE(store.write(entries(last + 1, last + 1)));
    REQUIRE(store.sync());
  }
  elsewhere.join();
  REQUIRE_MESSAGE(staged, staged.error().detail);
  REQUIRE(store.write({.base = large}));
  REQUIRE(store.close());
  auto again = open();
  const auto found = again.recover();
  CHECK(found->base->digest == large->digest);
  CHECK(found->entries.size() == last - 30);
}

} // namespace snapshot_staging_test
