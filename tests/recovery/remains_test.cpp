// SPDX-License-Identifier: BSL-1.0
#include <understudy/recovery/remains.hpp>
#include <understudy/storage/aside.hpp>
#include <understudy/storage/file_names.hpp>
#include <understudy/storage/store_in.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"
#include "support/scratch.hpp"

#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

namespace remains_test {

using namespace understudy;
using support::entry_of;
using support::made_of;

namespace {

snapshot base_at(std::uint64_t index) {
  return {.at = {{index}, {2}},
          .members = {{1}, std::make_shared<configuration>(made_of({1, 2, 3}, {1, 2, 3}))},
          .image = bytes{"all of it"},
          .digest = digest_of(bytes{"all of it"}.view())};
}

std::map<std::string, std::string> contents(const std::string& of) {
  std::map<std::string, std::string> all;
  for (const auto& file : std::filesystem::directory_iterator{of}) {
    std::ostringstream text;
    text << std::ifstream{file.path(), std::ios::binary}.rdbuf();
    all[file.path().filename().string()] = text.str();
  }
  return all;
}

/// A store of node 2 with a snapshot, and entries of which one was never acknowledged.
any_store store_at(const std::string& path) {
  auto store = store_in(path)({.newcomer = {.id = {2}, .start = 6}, .seed = 3}).value();
  REQUIRE(store.write({.write = {1},
                       .base = std::make_shared<snapshot>(base_at(7)),
                       .keep = {},
                       .entries = {entry_of(8, 2, "x"), entry_of(9, 3, "y")},
                       .vote = ballot{{4}, {1}}}));
  REQUIRE(store.sync());
  return store;
}

} // namespace

TEST_CASE("a core hands out its snapshot, what follows it, and what it has heard to be committed") {
  recovered_state had{.vote = {{3}, {}}, .base = std::make_shared<snapshot>(base_at(7))};
  had.entries = {entry_of(8, 2, "x"), entry_of(9, 3, "y")};
  core_options options;
  options.volatile_log = true;
  raft_core core{{2}, options, 1, had};
  outbox out;
  core.wake({}, out);
  append_entries beyond{.term = {3}, .previous = {{20}, {3}}, .commit = {15}};
  core.on(member_id{1}, beyond, {}, out);
  core.settle({}, out);
  const auto left = remains_of(core, {2});
  CHECK(left.node == member_id{2});
  CHECK(left.kept.base == had.base);
  CHECK(left.kept.entries.size() == 2);
  CHECK(left.last() == log_position{{9}, {3}});
  CHECK(left.committed == log_index{15});
  CHECK(left.members().index == log_index{1});
}

TEST_CASE("the newest configuration is the one that stands last in the log") {
  remains left{.node = {2}};
  left.kept.base = std::make_shared<snapshot>(base_at(7));
  left.kept.entries = {entry_of(8, 2, "x"), entry_of(9, 3, made_of({1, 2}, {1}))};
  CHECK(left.members().index == log_index{9});
  CHECK(remains{}.members().content == nullptr);
  CHECK(remains{}.last() == log_position{});
}

TEST_CASE("a directory is read, and not changed") {
  test_support::scratch disk;
  const auto path = disk.make("b");
  store_at(path).abandon();
  const auto before = contents(path);
  const auto left = remains_in(path);
  REQUIRE_MESSAGE(left, left.error().detail);
  CHECK(left->node == member_id{2});
  CHECK(left->last() == log_position{{9}, {3}});
  CHECK(left->kept.vote == ballot{{4}, {1}});
  REQUIRE(left->kept.base);
  CHECK(left->kept.base->intact());
  CHECK(left->committed == log_index{7});
  CHECK(contents(path) == before);
}

TEST_CASE("what a running node holds is not read from under it") {
  test_support::scratch disk;
  const auto path = disk.make("b");
  auto running = store_at(path);
  const auto left = remains_in(path);
  REQUIRE_FALSE(left);
  CHECK(left.error().code == errc::storage_in_use);
}

TEST_CASE("files that are half put aside are not read, on either side") {
  test_support::scratch disk;
  const auto path = disk.make("b");
  store_at(path).abandon();
  {
    auto in = storage::posix_directory::open(path, storage::access::hold).value();
    REQUIRE(storage::mark_retired(*in));
    const auto files = storage::survey_of(*in)->files();
    REQUIRE(in->rename(files[0], "aside-1/" + files[0]));
    REQUIRE(in->rename(files[1], "aside-1/" + files[1]));
  }
  for (const auto& where : {path, path + "/aside-1"}) {
    const auto left = remains_in(where);
    REQUIRE_FALSE(left);
    CHECK(left.error().code == errc::storage_damaged);
    CHECK(left.error().detail.find("aside") != std::string::npos);
  }
  {
    auto in = storage::posix_directory::open(path, storage::access::hold).value();
    REQUIRE(storage::finish_aside(*in));
  }
  CHECK(remains_in(path).error().code == errc::storage_missing);
  const auto left = remains_in(path + "/aside-1");
  REQUIRE_MESSAGE(left, left.error().detail);
  CHECK(left->last() == log_position{{9}, {3}});
}

TEST_CASE("who runs can go on, and who does not only if it was not marked") {
  auto members = made_of({1, 2}, {1, 2});
  remains left{.node = {2}};
  CHECK_FALSE(left.can_go_on());
  left.kept.entries = {entry_of(1, 1, members)};
  CHECK(left.can_go_on());
  members.members[1].status = standing::leaving;
  left.kept.entries = {entry_of(1, 1, members)};
  CHECK_FALSE(left.can_go_on());
  left.runs = true;
  CHECK(left.can_go_on());
}

TEST_CASE("where no node has stored anything there are no remains") {
  test_support::scratch disk;
  for (const auto& path : {disk.make("empty"), disk.path("nowhere")}) {
    const auto left = remains_in(path);
    REQUIRE_FALSE(left);
    CHECK(left.error().code == errc::storage_missing);
    CHECK(left.error().detail.find(path) == 0);
  }
  CHECK(contents(disk.path("empty")).empty());
}

} // namespace remains_test
