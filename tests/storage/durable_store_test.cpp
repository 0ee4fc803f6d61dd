// SPDX-License-Identifier: BSL-1.0
#include <understudy/storage/durable_store.hpp>
#include <understudy/testing/faulty_directory.hpp>

#include <doctest/doctest.h>

#include "storage/support/store_workload.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace durable_store_test {

using namespace support;

namespace {

using disk_ptr = std::shared_ptr<faulty_disk>;

/// A disk on which a node has stored its first entries, each in a batch of its own.
struct used_disk {
  explicit used_disk(std::uint64_t entries = 80) {
    auto store = open_store(disk);
    REQUIRE(store);
    write(*store, {.entries = {entry_of(1, 1, made_of({7}, {7}))}, .vote = ballot{{1}, {7}}});
    for (std::uint64_t i = 2; i <= entries; ++i)
      write(*store, {.entries = {entry_of(i, 1, std::string(200, 'x').c_str())}});
    REQUIRE(store->close());
  }

  void write(durable_store& store, const store_write& what) {
    model.write(what);
    REQUIRE(store.write(what));
    REQUIRE(store.sync());
  }

  /// What opening says.
  [[nodiscard]] failure refusal() const {
    const auto before = image();
    auto store = open_store(disk);
    REQUIRE_FALSE(store);
    CHECK(image() == before); // nothing was changed
    return store.error();
  }

  [[nodiscard]] std::vector<std::vector<std::byte>> image() const {
    std::vector<std::vector<std::byte>> all;
    for (const auto& name : disk->names())
      all.push_back(disk->contents(name));
    return all;
  }

  [[nodiscard]] std::vector<std::string> segments() const {
    std::vector<std::string> all;
    for (const auto& name : disk->names())
      if (name.starts_with("segment-"))
        all.push_back(name);
    return all;
  }

  /// Whether all that was stored is there.
  [[nodiscard]] bool is_whole() const {
    auto store = open_store(disk);
    REQUIRE_MESSAGE(store, store.error().detail);
    return model.complaint(*store->recover(), model.told(), model.told()).empty();
  }

  disk_ptr disk = std::make_shared<faulty_disk>();
  store_model model;
};

bool says(const failure& what, std::string_view text) {
  return what.detail.find(text) != std::string::npos;
}

} // namespace

TEST_CASE("a new store has nothing, and belongs to the newcomer") {
  const auto disk = std::make_shared<faulty_disk>();
  auto store = open_store(disk);
  REQUIRE(store);
  CHECK(store->owner() == store_owner);
  const auto found = store->recover();
  CHECK(found->entries.empty());
  CHECK(found->base == nullptr);
  CHECK(found->vote == ballot{});
}

TEST_CASE("what was synced is found again, by whom it belongs to") {
  const used_disk used;
  CHECK(used.segments().size() > 3);
  auto store = durable_store::open(std::make_unique<faulty_directory>(used.disk),
                                   {.node = {1234}, .start = 1}, small_segments);
  REQUIRE(store);
  CHECK(store->owner() == storage::file_owner{.cluster = {77}, .node = {7}, .start = 99});
  CHECK(used.model.complaint(*store->recover(), used.model.told(), used.model.told()).empty());
}

TEST_CASE("a clean stop leaves nothing to be repaired") {
  const used_disk used;
  const auto before = used.image();
  CHECK(used.is_whole());
  CHECK(used.image() == before);
}

TEST_CASE("a store that was closed says so, whatever is asked of it") {
  auto store = open_store(std::make_shared<faulty_disk>());
  REQUIRE(store);
  REQUIRE(store->close());
  CHECK(store->close());
  CHECK(store->write({.vote = ballot{{1}, {}}}).error().code == errc::stopped);
  CHECK(store->sync().error().code == errc::stopped);
  CHECK(store->retire().error().code == errc::stopped);
}

TEST_CASE("what waits when a segment is full goes to the next one, and costs no sync of its own") {
  const auto disk = std::make_shared<faulty_disk>();
  auto store = open_store(disk);
  REQUIRE(store);
  const std::string body(900, 'x');
  for (std::uint64_t i = 1; i <= 3; ++i)
    REQUIRE(store->write({.entries = {entry_of(i, 1, body.c_str())}}));
  REQUIRE(store->sync());
  const auto files = disk->calls(disk_call::sync);
  const auto names = disk->calls(disk_call::sync_directory);
  for (std::uint64_t i = 4; i <= 6; ++i)
    REQUIRE(store->write({.entries = {entry_of(i, 1, body.c_str())}}));
  REQUIRE(store->sync());
  CHECK(disk->calls(disk_call::sync) - files == 3); // the new segment, the mark, the rest
  CHECK(disk->calls(disk_call::sync_directory) - names == 1);
  const auto found = open_store(disk->after_crash(lose_unsynced()))->recover();
  CHECK(found->entries.size() == 6);
}

TEST_CASE("a snapshot lets the segments go that it covers") {
  used_disk used{90};
  auto store = open_store(used.disk);
  REQUIRE(store);
  const auto before = used.segments().size();
  auto image = std::make_shared<snapshot>(snapshot{.at = {{80}, {1}}});
  image->digest = digest_of(image->image.view());
  used.write(*store, {.base = image});
  CHECK(used.segments().size() < before / 2);
  store = tl::unexpected<failure>{failure{}}; // the directory is given up
  CHECK(used.is_whole());
}

TEST_CASE("one ballot that can not be read is made good from the other (D9)") {
  const auto& names = storage::ballot_names;
  for (const auto name : names)
    for (const auto harm : {0, 1, 2}) {
      CAPTURE(name);
      CAPTURE(harm);
      used_disk used;
      if (harm == 0)
        used.disk->overwrite(name, 20, std::vector<std::byte>(40));
      else if (harm == 1)
        used.disk->erase(name);
      else
        used.disk->resize(name, 0);
      CHECK(used.is_whole());
      CHECK(used.disk->contents(names[0]) == used.disk->contents(names[1]));
    }
}

TEST_CASE("without a ballot that can be read there is no start") {
  used_disk used;
  used.disk->erase(storage::ballot_names[0]);
  used.disk->overwrite(storage::ballot_names[1], 20, std::vector<std::byte>(40));
  const auto why = used.refusal();
  CHECK(why.code == errc::storage_damaged);
  CHECK(says(why, "term and vote are lost"));
  CHECK(says(why, "ballot-b"));
}

TEST_CASE("zeros behind the log are its end (D2)") {
  const used_disk used;
  const auto last = used.segments().back();
  used.disk->resize(last, used.disk->contents(last).size() + (4 << 20));
  CHECK(used.is_whole());
}

TEST_CASE("garbage behind the log is cut off") {
  const used_disk used;
  const auto last = used.segments().back();
  const auto size = used.disk->contents(last).size();
  used.disk->overwrite(last, size - 64, std::vector<std::byte>(64, std::byte{0x5a}));
  CHECK(used.is_whole());
  CHECK(used.is_whole()); // and so the next time
}

TEST_CASE("damage in the middle stops the node, with file, offset and reason (D3)") {
  const used_disk used;
  const auto first = used.segments().front();
  used.disk->flip_bit(first, 8 * 1000);
  const auto why = used.refusal();
  CHECK(why.code == errc::storage_damaged);
  CHECK(says(why, first));
  CHECK(says(why, "at byte "));
}

TEST_CASE("zeros in the middle of the last segment are damage, with the mark or without (D3)") {
  for (const bool marked : {true, false}) {
    CAPTURE(marked);
    used_disk used{8};
    if (!marked)
      used.disk->erase(storage::mark_name);
    used.disk->overwrite(used.segments().back(), 512, std::vector<std::byte>(512));
    CHECK(used.refusal().code == errc::storage_damaged);
  }
}

TEST_CASE("a log that ends before what had been synced is damaged") {
  used_disk used{8};
  const auto last = used.segments().back();
  auto content = used.disk->contents(last);
  // The last record is gone without a trace, but for the mark.
  auto end = content.size();
  while (end > 0 && content[end - 1] == std::byte{0})
    --end;
  used.disk->overwrite(last, end - 200, std::vector<std::byte>(200));
  CHECK(used.refusal().code == errc::storage_damaged);
}

TEST_CASE("a segment that is missing, cut short or there twice is damage") {
  used_disk used;
  const auto all = used.segments();
  REQUIRE(all.size() >= 4);
  SUBCASE("in the middle") {
    used.disk->erase(all[1]);
  }
  SUBCASE("at the end") {
    used.disk->erase(all.back());
  }
  SUBCASE("at the beginning") {
    used.disk->erase(all.front());
  }
  SUBCASE("cut short") {
    used.disk->resize(all[1], 2000);
  }
  SUBCASE("empty") {
    used.disk->resize(all[1], 0);
  }
  SUBCASE("another one's content") {
    used.disk->put(all[1], used.disk->contents(all[2]));
  }
  SUBCASE("all") {
    for (const auto& name : all)
      used.disk->erase(name);
  }
  CHECK(used.refusal().code == errc::storage_damaged);
}

TEST_CASE("blocks that took each other's place are noticed (D13)") {
  used_disk used;
  const auto first = used.segments().front();
  used.disk->swap_blocks(first, 2, 4, 512);
  CHECK(used.refusal().code == errc::storage_damaged);
}

TEST_CASE("records of another segment are none of this one's (D12)") {
  used_disk used;
  const auto all = used.segments();
  // What a file system would leave in a block that it uses again: here right behind the log.
  auto old = used.disk->contents(all.front());
  auto& last = all.back();
  auto content = used.disk->contents(last);
  auto end = content.size();
  while (end > 128 && content[end - 1] == std::byte{0})
    --end;
  end = (end + 7) / 8 * 8;
  const auto room = std::min(content.size() - end, old.size() - 128);
  used.disk->overwrite(last, end, std::span{old}.subspan(128, room));
  CHECK(used.is_whole());
}

TEST_CASE("a damaged snapshot is not loaded (D11)") {
  used_disk used{90};
  {
    auto store = open_store(used.disk);
    REQUIRE(store);
    auto image = std::make_shared<snapshot>(snapshot{.at = {{80}, {1}}});
    image->image = bytes{std::string(3000, 'i')};
    image->digest = digest_of(image->image.view());
    used.write(*store, {.base = image});
  }
  const auto name = storage::snapshot_name({{80}, {1}});
  SUBCASE("a bit in it") {
    used.disk->flip_bit(name, 8 * 1000);
  }
  SUBCASE("cut short") {
    used.disk->resize(name, 1000);
  }
  SUBCASE("longer") {
    used.disk->resize(name, 9000);
  }
  SUBCASE("gone") {
    used.disk->erase(name);
  }
  CHECK(used.refusal().code == errc::storage_damaged);
}

TEST_CASE("files of another node, cluster, format or program are refused (B7, B14)") {
  used_disk used;
  const auto foreign = std::make_shared<faulty_disk>();
  auto layout = small_segments;
  auto other = durable_store::open(std::make_unique<faulty_directory>(foreign),
                                   {.node = {8}, .start = 99}, layout);
  REQUIRE(other);
  auto members = made_of({8}, {8});
  members.cluster = {78};
  REQUIRE(other->write({.entries = {entry_of(1, 1, members)}, .vote = ballot{{1}, {8}}}));
  REQUIRE(other->close());
  SUBCASE("of another node") {
    used.disk->put("ballot-b", foreign->contents("ballot-b"));
    CHECK((used.refusal().code == errc::cluster_mismatch
           || used.refusal().code == errc::storage_foreign));
  }
  SUBCASE("of another cluster") {
    const auto name = used.segments().back();
    auto header = storage::file_header{
        .kind = storage::file_kind::segment,
        .owner = {.cluster = {78}, .node = store_owner.node, .start = store_owner.start}};
    used.disk->overwrite(name, 0, storage::to_bytes(header));
    const auto why = used.refusal();
    CHECK(why.code == errc::cluster_mismatch);
    CHECK(says(why, name));
    CHECK(says(why, "78"));
  }
  SUBCASE("of a newer release") {
    auto image = used.disk->contents("ballot-a");
    storage::put(image.data() + 8, std::uint32_t{2});
    storage::put(image.data() + 120, digest_of(std::span{image}.first<120>()));
    used.disk->put("ballot-a", image);
    const auto why = used.refusal();
    CHECK(why.code == errc::format_unsupported);
    CHECK(says(why, "format 2"));
  }
  SUBCASE("of somebody else") {
    used.disk->put("notes.txt", {});
    const auto why = used.refusal();
    CHECK(why.code == errc::storage_foreign);
    CHECK(says(why, "notes.txt"));
  }
}

TEST_CASE("what an earlier life left is put aside whole, and kept") {
  used_disk used;
  const auto before = used.image();
  {
    faulty_directory in{used.disk};
    REQUIRE(storage::set_aside(in));
  }
  std::vector<std::vector<std::byte>> aside;
  for (const auto& name : used.disk->names())
    if (name.starts_with("aside-1/") && !name.ends_with('/'))
      aside.push_back(used.disk->contents(name));
  CHECK(aside == before);
  auto store = durable_store::open(std::make_unique<faulty_directory>(used.disk),
                                   {.node = {8}, .start = 1}, small_segments);
  REQUIRE(store);
  CHECK(store->owner().node == member_id{8});
  CHECK(store->recover()->entries.empty());
}

TEST_CASE("putting aside can be interrupted anywhere") {
  const used_disk used;
  const auto recorded = used.disk->clone();
  recorded->record();
  {
    faulty_directory in{recorded};
    REQUIRE(storage::set_aside(in));
  }
  random_stream random{4};
  for (std::size_t k = 0; k <= recorded->recording().size(); ++k)
    for (int i = 0; i < 20; ++i) {
      const auto disk = recorded->image_after(k, any_subset(random));
      auto store = durable_store::open(std::make_unique<faulty_directory>(disk),
                                       {.node = {8}, .start = 1}, small_segments);
      REQUIRE_MESSAGE(store, store.error().detail);
      const auto found = store->recover();
      const bool old_life = store->owner().node == member_id{7};
      const bool whole = used.model.complaint(*found, used.model.told(), used.model.told()).empty();
      CHECK((old_life ? whole : found->entries.empty()));
    }
}

} // namespace durable_store_test
