// SPDX-License-Identifier: BSL-1.0

// Directories that earlier releases wrote, kept in tests/storage/golden/<format version>: each
// release reads them all. UNDERSTUDY_GOLDEN names a directory to write the newest one to.

#include <understudy/storage/durable_store.hpp>
#include <understudy/storage/posix_directory.hpp>
#include <understudy/testing/faulty_directory.hpp>

#include <doctest/doctest.h>

#include "storage/support/store_workload.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace golden_test {

using namespace support;

namespace {

const auto golden = std::filesystem::path{__FILE__}.parent_path() / "golden";

configuration everything() {
  auto all = made_of({7, 8, 9}, {7, 8});
  all.outgoing = ids({7, 9});
  all.departed = {{{4}, {3}}};
  all.forgotten = {2};
  all.rules.max_voters = 3;
  all.members[1].name = "second";
  all.members[1].address = "local:8";
  all.members[1].status = standing::leaving;
  all.members[2].pinned = all.members[2].durable = true;
  return all;
}

/// One of everything that can be stored: what is written, in order.
std::vector<store_write> one_of_everything() {
  const auto image = [] {
    auto made = std::make_shared<snapshot>();
    made->at = {{5}, {2}};
    made->stamp = {interval{123'456'789}};
    made->members = {{1}, std::make_shared<configuration>(everything())};
    made->image = bytes{std::string(700, 'i')};
    made->digest = digest_of(made->image.view());
    return made;
  }();
  const auto at = [](std::uint64_t index, std::uint64_t term, payload what) {
    return entry{
        {index}, {term}, {interval{1'000 * static_cast<std::int64_t>(index)}}, share(what)};
  };
  const command written{.session = {3},
                        .number = {4},
                        .answered_below = {2},
                        .body = bytes{std::string("a command\0", 10)}};
  return {
      {.entries = {entry_of(1, 1, everything()), at(2, 1, no_op{})}, .vote = ballot{{1}, {7}}},
      {.entries = {at(3, 1, open_session{}), at(4, 1, no_op{})}, .vote = ballot{{2}, {8}}},
      {.keep = log_index{3}, .entries = {at(4, 2, written), at(5, 2, close_session{{3}})}},
      {.entries = {at(6, 2, settle{{3}, {9}}), at(7, 2, expire_sessions{})}},
      {.base = image},
      {.entries = {at(8, 2, command{.body = bytes{std::string(4'500, 'x')}})}},
      {.entries = {at(9, 3, no_op{})}, .vote = ballot{{3}, {}}},
  };
}

void store_everything(std::unique_ptr<storage::directory> in, store_model& model) {
  auto store = durable_store::open(std::move(in), store_owner, small_segments);
  REQUIRE(store);
  for (const auto& what : one_of_everything()) {
    model.write(what);
    REQUIRE(store->write(what));
    REQUIRE(store->sync());
  }
  REQUIRE(store->close());
}

std::vector<std::byte> content_of(const std::filesystem::path& path) {
  std::ifstream from{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{from}, {}};
  const auto raw = std::as_bytes(std::span{text});
  return {raw.begin(), raw.end()};
}

} // namespace

TEST_CASE("what a release wrote every later one reads") {
  store_model model;
  store_everything(std::make_unique<faulty_directory>(std::make_shared<faulty_disk>()), model);
  int versions = 0;
  for (const auto& version : std::filesystem::directory_iterator{golden}) {
    CAPTURE(version.path().string());
    const auto disk = std::make_shared<faulty_disk>();
    for (const auto& one : std::filesystem::directory_iterator{version})
      disk->put(one.path().filename().string(), content_of(one.path()));
    auto store = open_store(disk);
    REQUIRE_MESSAGE(store, store.error().detail);
    CHECK(store->owner().cluster == cluster_id{77});
    const auto found = store->recover();
    CHECK(model.complaint(*found, model.told(), model.told()) == "");
    CHECK(found->entries.size() == 4);
    ++versions;
  }
  CHECK(versions == storage::format_version);
}

TEST_CASE("the format is what it was") {
  store_model model;
  const auto disk = std::make_shared<faulty_disk>();
  store_everything(std::make_unique<faulty_directory>(disk), model);
  if (const char* to = std::getenv("UNDERSTUDY_GOLDEN")) {
    store_model again;
    auto in = storage::posix_directory::open(to, storage::access::hold);
    REQUIRE(in);
    store_everything(std::move(*in), again);
  }
  const auto newest = golden / std::to_string(storage::format_version);
  for (const auto& name : disk->names()) {
    CAPTURE(name);
    CHECK(disk->contents(name) == content_of(newest / name));
  }
}

} // namespace golden_test
