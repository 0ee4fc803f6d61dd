// SPDX-License-Identifier: BSL-1.0
#include <understudy/recovery/remains_image.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"
#include "support/scratch.hpp"
#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ios>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace remains_image_test {

using namespace understudy;
using support::entry_of;
using support::made_of;

namespace {

remains some_remains() {
  remains all{.node = {2}, .runs = true, .committed = {15}};
  all.kept.vote = {{4}, {1}};
  all.kept.base = std::make_shared<snapshot>(
      snapshot{.at = {{7}, {2}},
               .stamp = {interval{5}},
               .members = {{1}, std::make_shared<configuration>(made_of({1, 2, 3}, {1, 2, 3}))},
               .image = bytes{"all of it"},
               .digest = digest_of(bytes{"all of it"}.view())});
  all.kept.entries = {entry_of(8, 2, "x"), entry_of(9, 3, made_of({1, 2}, {1}))};
  return all;
}

void check_same(const remains& a, const remains& b) {
  CHECK(a.node == b.node);
  CHECK(a.runs == b.runs);
  CHECK(a.committed == b.committed);
  CHECK(a.kept.vote == b.kept.vote);
  REQUIRE((a.kept.base != nullptr) == (b.kept.base != nullptr));
  if (a.kept.base) {
    CHECK(a.kept.base->at == b.kept.base->at);
    CHECK(a.kept.base->stamp == b.kept.base->stamp);
    CHECK(a.kept.base->image == b.kept.base->image);
    CHECK(b.kept.base->intact());
    CHECK(*a.kept.base->members.content == *b.kept.base->members.content);
  }
  REQUIRE(a.kept.entries.size() == b.kept.entries.size());
  for (std::size_t i = 0; i < a.kept.entries.size(); ++i)
    CHECK(same_content(a.kept.entries[i], b.kept.entries[i]));
}

void write(const std::string& path, std::span<const std::byte> what) {
  std::ofstream file{path, std::ios::binary};
  for (const auto b : what)
    file.put(static_cast<char>(b));
}

} // namespace

TEST_CASE("what is left comes back as it was") {
  for (auto all : {some_remains(), remains{.node = {9}}}) {
    const auto back = decode_remains(encode_remains(all).view());
    REQUIRE_MESSAGE(back, back.error().detail);
    check_same(all, *back);
  }
  auto no_snapshot = some_remains();
  no_snapshot.kept.base = nullptr;
  no_snapshot.kept.entries = {entry_of(1, 2, "x")};
  check_same(no_snapshot, decode_remains(encode_remains(no_snapshot).view()).value());
}

TEST_CASE("whatever bit is not as it was, it is noticed, and so is whatever is missing") {
  const auto whole = encode_remains(some_remains());
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::vector<std::byte> changed(whole.view().begin(), whole.view().end());
    changed[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
    const auto read = decode_remains(changed);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::undecodable);
  }
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(decode_remains(whole.view().first(size)));
}

TEST_CASE("entries that do not follow on are no remains") {
  auto gap = some_remains();
  gap.kept.entries.erase(gap.kept.entries.begin());
  const auto read = decode_remains(encode_remains(gap).view());
  REQUIRE_FALSE(read);
  CHECK(read.error().detail == "remains: an entry is missing");
}

TEST_CASE("a path is that of a file, or of a node's directory, and errors name it") {
  const test_support::scratch disk;
  const auto file = disk.path("left");
  CHECK(remains_at(file).error().code == errc::storage_missing);
  write(file, encode_remains(some_remains()).view());
  const auto read = remains_at(file);
  REQUIRE_MESSAGE(read, read.error().detail);
  check_same(some_remains(), *read);
  write(file, std::as_bytes(std::span{std::string_view{"something else entirely, and long"}}));
  CHECK(remains_at(file).error().detail == file + ": these are no remains of a node");
  CHECK(remains_at(disk.make("empty")).error().code == errc::storage_missing);
  REQUIRE(::mkfifo(disk.path("pipe").c_str(), 0600) == 0);
  CHECK(remains_at(disk.path("pipe")).error().code == errc::storage_failed);
}

TEST_CASE("what is left is kept in a new file, whole, and takes nobody's place") {
  const test_support::scratch disk;
  const auto image = encode_remains(some_remains());
  const auto file = disk.path("left");
  REQUIRE(keep_remains(image.view(), file));
  check_same(some_remains(), remains_at(file).value());
  CHECK(keep_remains(image.view(), file).error().code == errc::storage_foreign);
  CHECK(keep_remains(image.view(), disk.make("directory")).error().code == errc::storage_foreign);
  CHECK(keep_remains(image.view(), disk.path("no/where")).error().code == errc::storage_missing);
  CHECK(std::filesystem::status(file).permissions()
        == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

} // namespace remains_image_test
