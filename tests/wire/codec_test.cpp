// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/configuration.hpp>
#include <understudy/core/random.hpp>
#include <understudy/core/snapshot.hpp>
#include <understudy/wire/codec.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

namespace codec_test {

namespace {

using namespace understudy;

enum class mood : std::uint8_t { calm, cross };

struct leaf {
  std::string name;
  std::optional<std::int32_t> size;
  mood state = mood::calm;

  friend bool operator==(const leaf&, const leaf&) = default;
  template <class Archive> void serialize(Archive& archive) { archive(name, size, state); }
};

/// A bit of everything.
struct forest {
  std::map<std::string, std::vector<leaf>> trees;
  std::variant<std::monostate, leaf, std::vector<std::uint64_t>> choice;
  std::tuple<bool, double, std::pair<std::int8_t, std::string>> bundle;
  std::array<std::optional<bool>, 3> flags;
  std::chrono::milliseconds age{0};
  std::unordered_map<std::uint32_t, std::set<std::string>> index;
  expected<std::string> outcome;
  bytes data;
  std::vector<std::vector<std::variant<bool, std::string>>> table;

  friend bool operator==(const forest&, const forest&) = default;

  // Split on purpose: both ways of cereal must work.
  template <class Archive> void save(Archive& archive) const {
    archive(trees, choice, bundle, flags, age, index, outcome, data, table);
  }
  template <class Archive> void load(Archive& archive) {
    archive(trees, choice, bundle, flags, age, index, outcome, data, table);
  }
};

struct too_long : std::length_error {
  too_long() : std::length_error{"too long"} {}
};

/// What loading throws is the codec's business.
template <class Thrown> struct thrower {
  template <class Archive> void save(Archive&) const {}
  template <class Archive> void load(Archive&) { throw Thrown{}; }
};

std::uint64_t seed_of_run() {
  const char* given = std::getenv("UNDERSTUDY_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 20'240'701;
}

std::string random_text(random_source& random) {
  std::string text(random.below(12), ' ');
  for (auto& letter : text)
    letter = static_cast<char>(random.below(256));
  return text;
}

leaf random_leaf(random_source& random) {
  leaf result{.name = random_text(random), .size = {}, .state = mood::cross};
  if (random.below(2))
    result.size = static_cast<std::int32_t>(random.next());
  return result;
}

forest random_forest(random_source& random) {
  forest result;
  for (auto i = random.below(4); i > 0; --i)
    for (auto j = random.below(3); j > 0; --j)
      result.trees["t" + std::to_string(i)].push_back(random_leaf(random));
  if (random.below(2))
    result.choice = random_leaf(random);
  else
    result.choice = std::vector<std::uint64_t>(random.below(5), random.next());
  result.bundle = {random.below(2) == 1,
                   static_cast<double>(random.below(1'000)) / 7,
                   {static_cast<std::int8_t>(random.below(256)), random_text(random)}};
  result.flags[random.below(3)] = random.below(2) == 1;
  result.age = std::chrono::milliseconds{random.below(1u << 30)};
  for (auto i = random.below(4); i > 0; --i)
    result.index[static_cast<std::uint32_t>(random.below(9))].insert(random_text(random));
  if (random.below(2))
    result.outcome = random_text(random);
  else
    result.outcome = fail(errc::stale, random_text(random), member_id{random.next()});
  result.data = bytes{std::string_view{random_text(random)}};
  result.table.resize(random.below(3));
  for (auto& row : result.table)
    row.emplace_back(random_text(random));
  return result;
}

} // namespace

TEST_CASE("nested values of all kinds come back as they were") {
  const auto seed = seed_of_run();
  CAPTURE(seed);
  random_source random{seed};
  for (int run = 0; run < 500; ++run) {
    CAPTURE(run);
    const auto original = random_forest(random);
    const auto back = wire::decode<forest>(wire::encode(original).view());
    REQUIRE(back);
    REQUIRE(*back == original);
  }
}

TEST_CASE("the types of the core come back as they were") {
  configuration original{.cluster = {7}, .rules = {.max_voters = 3}};
  original.members.push_back({.id = {1}, .name = "a", .address = "b:1", .entered = {1}});
  original.voters = {{1}};
  const auto back = wire::decode<configuration>(wire::encode(original).view());
  REQUIRE(back);
  CHECK(*back == original);

  const snapshot_key key{{{9}, {2}}, 77};
  CHECK(wire::decode<snapshot_key>(wire::encode(key).view()).value() == key);
  const log_time stamp{std::chrono::seconds{-5}};
  CHECK(wire::decode<log_time>(wire::encode(stamp).view()).value() == stamp);
  const expected<leaf> failed = fail(errc::busy, "why");
  CHECK(wire::decode<expected<leaf>>(wire::encode(failed).view()).value() == failed);
}

TEST_CASE("bytes that go on behind the value are an error, and so are missing ones") {
  const auto encoded = wire::encode(std::uint32_t{1}, std::uint8_t{2});
  const auto longer = wire::decode<std::uint32_t>(encoded.view(), "number");
  REQUIRE_FALSE(longer);
  CHECK(longer.error().code == errc::undecodable);
  CHECK(longer.error().detail == "number: goes on for 1 bytes");
  const auto shorter = wire::decode<std::uint64_t>(encoded.view(), "number");
  REQUIRE_FALSE(shorter);
  CHECK(shorter.error().detail == "number: ends 3 bytes too early");
}

TEST_CASE("nothing is thrown out of decoding, whatever a type's own load throws") {
  CHECK(wire::decode<thrower<std::bad_alloc>>({}).error().code == errc::undecodable);
  CHECK(wire::decode<thrower<too_long>>({}).error().code == errc::undecodable);
  CHECK(wire::decode<thrower<int>>({}).error().code == errc::undecodable);
}

TEST_CASE("a variant knows only its own alternatives") {
  using choice = std::variant<bool, std::string>;
  for (const std::int32_t index : {-1, 2, std::numeric_limits<std::int32_t>::max()})
    CHECK_FALSE(wire::decode<choice>(wire::encode(index, true).view()));
}

TEST_CASE("SEC6: decoding is total on random bytes") {
  const auto seed = seed_of_run();
  CAPTURE(seed);
  random_source random{seed};
  std::vector<std::byte> data;
  std::size_t decoded = 0;
  for (int run = 0; run < 20'000; ++run) {
    data.resize(random.below(64));
    // Mostly small values: they pass for sizes and tags, and get further in.
    for (auto& byte : data)
      byte = static_cast<std::byte>(random.below(random.below(8) == 0 ? 256 : 4));
    decoded += wire::decode<forest>(data).has_value();
    decoded += wire::decode<configuration>(data).has_value();
    decoded += wire::decode<std::map<std::string, leaf>>(data).has_value();
    decoded += wire::decode<std::vector<std::optional<leaf>>>(data).has_value();
  }
  CHECK(decoded > 0);
}

TEST_CASE("SEC6: decoding is total on damaged values, and what passes can be written again") {
  const auto seed = seed_of_run();
  CAPTURE(seed);
  random_source random{seed};
  std::size_t passed = 0;
  for (int run = 0; run < 5'000; ++run) {
    CAPTURE(run);
    const auto encoded = wire::encode(random_forest(random));
    std::vector<std::byte> damaged(encoded.view().begin(), encoded.view().end());
    for (auto hits = random.below(3) + 1; hits > 0; --hits)
      damaged[random.below(damaged.size())] = static_cast<std::byte>(random.next());
    if (random.below(4) == 3 && !damaged.empty())
      damaged.pop_back();
    const auto read = wire::decode<forest>(damaged);
    if (!read)
      continue;
    ++passed;
    const auto again = wire::decode<forest>(wire::encode(*read).view());
    REQUIRE(again);
    // A damaged number may be no number at all, and then equals nothing.
    if (std::get<1>(again->bundle) == std::get<1>(read->bundle))
      REQUIRE(*again == *read);
  }
  CHECK(passed > 0);
}

} // namespace codec_test
