// SPDX-License-Identifier: BSL-1.0
#include <understudy/storage/inspection.hpp>
#include <understudy/testing/faulty_directory.hpp>

#include <doctest/doctest.h>

#include "storage/support/store_workload.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace inspection_test {

using namespace support;

namespace {

/// A directory with a snapshot, a truncation and three segments.
std::shared_ptr<faulty_disk> used_disk() {
  const auto disk = std::make_shared<faulty_disk>();
  auto store = open_store(disk);
  REQUIRE(store);
  auto members = made_of({7, 8}, {7});
  members.members[1].name = "second";
  const auto text = std::string(1'000, 'x');
  std::vector<store_write> writes;
  writes.push_back({.entries = {entry_of(1, 1, members)}, .vote = ballot{{1}, {7}}});
  for (std::uint64_t i = 2; i <= 9; ++i)
    writes.push_back({.entries = {entry_of(i, 1, text.c_str())}});
  writes.push_back({.keep = log_index{8}, .entries = {entry_of(9, 2, "another")}});
  auto image = std::make_shared<snapshot>(snapshot{.at = {{2}, {1}}});
  image->members = {{1}, std::make_shared<configuration>(members)};
  image->digest = digest_of(image->image.view());
  writes.push_back({.base = image});
  for (const auto& what : writes) {
    REQUIRE(store->write(what));
    REQUIRE(store->sync());
  }
  REQUIRE(store->close());
  return disk;
}

std::vector<std::vector<std::byte>> image_of(const faulty_disk& disk) {
  std::vector<std::vector<std::byte>> all;
  for (const auto& name : disk.names())
    all.push_back(disk.contents(name));
  return all;
}

bool has_line(const storage::inspection& in, std::string_view text) {
  return std::ranges::any_of(
      in.log, [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

} // namespace

TEST_CASE("a sound directory is shown whole, and nothing in it is changed") {
  const auto disk = used_disk();
  const auto before = image_of(*disk);
  faulty_directory in{disk};
  std::vector<std::string> records;
  const auto found
      = storage::inspect(in, [&](const std::string&, const storage::record&,
                                 const std::string& content) { records.push_back(content); });
  CHECK_FALSE(found.refusal);
  CHECK(found.owner.node == store_owner.node);
  CHECK(found.owner.cluster == cluster_id{77});
  CHECK(std::ranges::all_of(found.files, [](const auto& f) { return f.damage.empty(); }));
  CHECK(has_line(found, "the snapshot covers everything up to entry 2"));
  CHECK(has_line(found, "entries 3 to 9, the last of term 2"));
  CHECK(has_line(found, "newest configuration, of entry 1: 2 members, voters 7"));
  CHECK(has_line(found, "8 second, entered by entry 1"));
  CHECK(records.front() == "entry 1 of term 1: configuration, 2 members, voters 7");
  CHECK(std::ranges::find(records, "truncation above entry 8") != records.end());
  CHECK(image_of(*disk) == before);
}

TEST_CASE("an empty directory is no damage") {
  faulty_directory in{std::make_shared<faulty_disk>()};
  const auto found = storage::inspect(in);
  CHECK(found.files.empty());
  CHECK_FALSE(found.refusal);
}

TEST_CASE("whatever is damaged is named, and the rest is shown all the same") {
  const auto disk = used_disk();
  std::string name = "ballot-a";
  bool refused = false;
  SUBCASE("a ballot, whose copy is there") {
    disk->flip_bit(name, 300);
  }
  SUBCASE("a snapshot") {
    name = storage::snapshot_name({{2}, {1}});
    disk->flip_bit(name, 1'200);
    refused = true;
  }
  SUBCASE("the header of a segment") {
    name = "segment-00000000000000000001-00000000000000000001";
    disk->flip_bit(name, 300);
    refused = true;
  }
  const auto before = image_of(*disk);
  faulty_directory in{disk};
  const auto found = storage::inspect(in);
  const auto file = std::ranges::find(found.files, name, &storage::inspected_file::name);
  REQUIRE(file != found.files.end());
  CHECK(file->damage.find(name) != std::string::npos);
  CHECK(std::ranges::count_if(found.files, [](const auto& f) { return !f.damage.empty(); }) == 1);
  CHECK(found.refusal.has_value() == refused);
  CHECK(image_of(*disk) == before);
}

TEST_CASE("a torn end and foreign files are told from damage") {
  const auto disk = used_disk();
  SUBCASE("torn") {
    const auto names = disk->names();
    const auto last = *std::ranges::find_if(
        names, [](const std::string& n) { return n.starts_with("segment-00000000000000000003"); });
    disk->overwrite(last, disk->contents(last).size() - 16,
                    std::vector<std::byte>(8, std::byte{7}));
    faulty_directory in{disk};
    const auto found = storage::inspect(in);
    CHECK_FALSE(found.refusal);
    CHECK(has_line(found, "what a crash has torn"));
  }
  SUBCASE("foreign") {
    disk->put("notes.txt", {});
    faulty_directory in{disk};
    const auto found = storage::inspect(in);
    REQUIRE(found.refusal);
    CHECK(found.refusal->code == errc::storage_foreign);
  }
}

} // namespace inspection_test
