// SPDX-License-Identifier: BSL-1.0
#include <understudy/storage/durable_store.hpp>
#include <understudy/storage/posix_directory.hpp>

#include <doctest/doctest.h>

#include "storage/support/store_workload.hpp"
#include "support/scratch.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace posix_directory_test {

using namespace support;
using storage::access;
using storage::posix_directory;
using test_support::scratch;

namespace {

std::unique_ptr<posix_directory> hold(const scratch& where) {
  auto held = posix_directory::open(where.path(), access::hold);
  REQUIRE_MESSAGE(held, held.error().detail);
  return std::move(*held);
}

std::span<const std::byte> raw(std::string_view text) {
  return std::as_bytes(std::span{text});
}

std::string content_of(storage::file& from) {
  std::string text(static_cast<std::size_t>(*from.size()), ' ');
  REQUIRE(from.read(0, std::as_writable_bytes(std::span{text})) == text.size());
  return text;
}

} // namespace

TEST_CASE("a directory that is not there is said to be missing, and is not made") {
  const scratch where;
  const auto opened = posix_directory::open(where.path("none"), access::hold);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == errc::storage_missing);
  CHECK(opened.error().detail.find("none") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(where.path("none")));
}

TEST_CASE("a file is no directory") {
  const scratch where;
  std::ofstream{where.path("file")} << "x";
  const auto opened = posix_directory::open(where.path("file"), access::hold);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == errc::storage_failed);
}

TEST_CASE("one at a time holds a directory; looking is free (B7)") {
  const scratch where;
  auto first = hold(where);
  const auto second = posix_directory::open(where.path(), access::hold);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::storage_in_use);
  CHECK(second.error().detail.find(where.path()) != std::string::npos);
  CHECK(posix_directory::open(where.path(), access::look));
  first.reset();
  CHECK(posix_directory::open(where.path(), access::hold));
}

TEST_CASE("what is written is read, and a file ends where it ends") {
  const scratch where;
  const auto in = hold(where);
  auto made = in->create("a");
  REQUIRE(made);
  auto& file = **made;
  REQUIRE(file.write(3, raw("hello")));
  REQUIRE(file.begin_sync(0, 4096)); // also behind the end
  REQUIRE(file.sync());
  CHECK(content_of(file) == std::string("\0\0\0hello", 8));
  std::array<std::byte, 10> more{};
  CHECK(file.read(6, more) == 2);
  CHECK(file.read(100, more) == 0);
  REQUIRE(file.allocate(20));
  CHECK(file.size() == 20);
  REQUIRE(file.allocate(5));
  CHECK(file.size() == 20);
  REQUIRE(file.truncate(4));
  CHECK(content_of(file) == std::string("\0\0\0h", 4));
}

TEST_CASE("names are listed in order, and those of directories are told apart") {
  const scratch where;
  const auto in = hold(where);
  REQUIRE(in->create("b"));
  REQUIRE(in->create("a"));
  REQUIRE(in->make_subdirectory("c"));
  CHECK_FALSE(in->make_subdirectory("c"));
  REQUIRE(in->rename("a", "c/a"));
  REQUIRE(in->sync());
  CHECK(*in->list() == std::vector<std::string>{"b", "c/"});
  CHECK(in->open("c/a"));
  CHECK_FALSE(in->open("a"));
  REQUIRE(in->remove("b"));
  CHECK(*in->list() == std::vector<std::string>{"c/"});
  const auto again = in->remove("b");
  REQUIRE_FALSE(again);
  CHECK(again.error().detail.find(where.path("b")) != std::string::npos);
}

TEST_CASE("a renamed file takes the place of the other one") {
  const scratch where;
  const auto in = hold(where);
  REQUIRE((*in->create("old"))->write(0, raw("old")));
  REQUIRE((*in->create("new"))->write(0, raw("new")));
  REQUIRE(in->rename("new", "old"));
  CHECK(content_of(**in->open("old")) == "new");
}

TEST_CASE("a store on a real file system comes back") {
  const scratch where;
  store_workload work{21, store_owner.node, 3'000};
  for (int life = 0; life < 5; ++life) {
    auto store = durable_store::open(hold(where), store_owner, small_segments);
    REQUIRE_MESSAGE(store, store.error().detail);
    const auto complaint
        = work.model().complaint(*store->recover(), work.model().told(), work.model().told());
    REQUIRE_MESSAGE(complaint.empty(), complaint);
    for (int i = 0; i < 50; ++i) {
      REQUIRE(store->write(work.next()));
      if (i % 3 == 0)
        REQUIRE(store->sync());
    }
    REQUIRE((life % 2 == 0 ? store->close() : store->sync()));
  }
}

} // namespace posix_directory_test
