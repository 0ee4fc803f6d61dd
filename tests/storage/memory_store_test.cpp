// SPDX-License-Identifier: BSL-1.0
#include <understudy/storage/memory_store.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace memory_store_test {

using namespace understudy;
using support::entry_of;

namespace {

/// A store with entries 1 to `last` of term 1.
memory_store filled_to(std::uint64_t last) {
  memory_store store;
  store_write w;
  for (std::uint64_t i = 1; i <= last; ++i)
    w.entries.push_back(entry_of(i, 1));
  REQUIRE(store.write(w));
  return store;
}

std::shared_ptr<const snapshot> image_at(std::uint64_t index, std::uint64_t term) {
  return std::make_shared<snapshot>(snapshot{.at = {{index}, {term}}});
}

/// "base 4: 5/1 6/1", index and term of what is kept.
std::string kept(memory_store& store) {
  const auto found = *store.recover();
  std::string text = found.base ? "base " + std::to_string(found.base->at.index.value) + ":" : "";
  for (const auto& e : found.entries)
    text += (text.empty() ? "" : " ") + std::to_string(e.index.value) + "/"
            + std::to_string(e.term.value);
  return text;
}

} // namespace

TEST_CASE("a new store has nothing") {
  memory_store store;
  CHECK(kept(store).empty());
  CHECK(store.recover()->vote == ballot{});
}

TEST_CASE("what was written is found again") {
  auto store = filled_to(3);
  REQUIRE(store.write({.vote = ballot{{4}, {2}}}));
  REQUIRE(store.sync());
  CHECK(kept(store) == "1/1 2/1 3/1");
  CHECK(store.recover()->vote == ballot{{4}, {2}});
}

TEST_CASE("a write truncates before it appends") {
  auto store = filled_to(4);
  REQUIRE(store.write({.keep = log_index{2}, .entries = {entry_of(3, 2)}}));
  CHECK(kept(store) == "1/1 2/1 3/2");
}

TEST_CASE("a gap is a broken invariant, not a log") {
  auto store = filled_to(2);
  CHECK_THROWS_AS((void)store.write({.entries = {entry_of(4, 1)}}), invariant_broken);
}

TEST_CASE("a snapshot of the own log leaves what follows it") {
  auto store = filled_to(6);
  REQUIRE(store.write({.base = image_at(4, 1)}));
  CHECK(kept(store) == "base 4: 5/1 6/1");
  REQUIRE(store.write({.entries = {entry_of(7, 1)}}));
  CHECK(kept(store) == "base 4: 5/1 6/1 7/1");
}

TEST_CASE("a snapshot of another log leaves nothing") {
  auto store = filled_to(6);
  REQUIRE(store.write({.base = image_at(4, 3), .entries = {entry_of(5, 3)}}));
  CHECK(kept(store) == "base 4: 5/3");
}

TEST_CASE("a snapshot that comes with a truncation leaves nothing behind it") {
  auto store = filled_to(6);
  REQUIRE(store.write({.base = image_at(4, 1), .keep = log_index{4}, .entries = {entry_of(5, 2)}}));
  CHECK(kept(store) == "base 4: 5/2");
}

} // namespace memory_store_test
