// SPDX-License-Identifier: BSL-1.0
#include <understudy/machine.hpp>

#include <doctest/doctest.h>

#include <node/key_value.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace key_value_test {

using node_program::key_value;
using node_program::verdict;
using understudy::errc;

static_assert(understudy::state_machine<key_value>);

namespace {

constexpr auto most = std::numeric_limits<std::int64_t>::max();
constexpr auto least = std::numeric_limits<std::int64_t>::min();

std::string value_of(const key_value& table, const std::string& key) {
  return table.query(key_value::get{key}).value.value_or("(none)");
}

template <class Command> errc checked(const Command& what) {
  const auto good
      = understudy::check_command<key_value>(understudy::encode_command<key_value>(what));
  return good ? errc::none : good.error().code;
}

} // namespace

TEST_CASE("a value is put, read, replaced and erased") {
  key_value table;
  CHECK(table.apply(key_value::put{"a", "1"}).what == verdict::created);
  CHECK(table.apply(key_value::put{"a", "22"}).what == verdict::done);
  CHECK(value_of(table, "a") == "22");
  CHECK(table.query(key_value::size{}).keys == 1);
  CHECK(table.query(key_value::size{}).bytes == 3);
  CHECK(table.apply(key_value::erase{"a"}).what == verdict::done);
  CHECK(table.apply(key_value::erase{"a"}).what == verdict::key_missing);
  CHECK(value_of(table, "a") == "(none)");
  CHECK(table.query(key_value::size{}).bytes == 0);
}

TEST_CASE("compare-and-set puts a value only where things are as expected") {
  key_value table;
  CHECK(table.apply(key_value::compare_and_set{"a", "1", "2"}).what == verdict::key_missing);
  CHECK(table.apply(key_value::compare_and_set{"a", std::nullopt, "1"}).what == verdict::created);
  CHECK(table.apply(key_value::compare_and_set{"a", std::nullopt, "2"}).what
        == verdict::key_exists);
  CHECK(table.apply(key_value::compare_and_set{"a", "0", "2"}).what == verdict::value_differs);
  CHECK(value_of(table, "a") == "1");
  CHECK(table.apply(key_value::compare_and_set{"a", "1", "2"}).what == verdict::done);
  CHECK(value_of(table, "a") == "2");
}

TEST_CASE("a counter begins at 0, and refuses what does not fit into 64 bits") {
  key_value table;
  CHECK(table.apply(key_value::add{"n", most}).number == most);
  CHECK(table.apply(key_value::add{"n", 1}).what == verdict::overflow);
  CHECK(value_of(table, "n") == std::to_string(most));
  CHECK(table.apply(key_value::add{"n", least}).number == -1);
  CHECK(table.apply(key_value::add{"n", least}).what == verdict::overflow);
  CHECK(value_of(table, "n") == "-1");
}

TEST_CASE("only a decimal integer can be added to") {
  for (const auto* text : {"", "x", "1x", " 1", "+1", "1.5", "9223372036854775808"}) {
    CAPTURE(text);
    key_value table;
    table.apply(key_value::put{"n", text});
    CHECK(table.apply(key_value::add{"n", 1}).what == verdict::not_a_number);
    CHECK(value_of(table, "n") == text);
  }
}

TEST_CASE("a full table refuses what would make it larger, and nothing else") {
  key_value table;
  table.apply(key_value::limit{2, 10});
  CHECK(table.apply(key_value::put{"a", "1"}).what == verdict::created);
  CHECK(table.apply(key_value::put{"b", "1"}).what == verdict::created);
  CHECK(table.apply(key_value::put{"c", "1"}).what == verdict::too_many_keys);
  CHECK(table.apply(key_value::add{"c", 1}).what == verdict::too_many_keys);
  CHECK(table.apply(key_value::put{"a", "1234567"}).what == verdict::done); // ten bytes in all
  CHECK(table.apply(key_value::put{"b", "12"}).what == verdict::too_many_bytes);
  CHECK(table.apply(key_value::put{"b", "2"}).what == verdict::done);
  CHECK(table.query(key_value::size{}).bytes == 10);
  table.apply(key_value::limit{1, 1});
  CHECK(table.apply(key_value::put{"a", "123456"}).what == verdict::done);
  CHECK(table.apply(key_value::erase{"a"}).what == verdict::done);
}

TEST_CASE("keys and values over their limits are refused before they enter the log") {
  const std::string key(key_value::key_bytes_max, 'k');
  const std::string value(key_value::value_bytes_max, 'v');
  CHECK(checked(key_value::put{key, value}) == errc::none);
  CHECK(checked(key_value::compare_and_set{key, value, value}) == errc::none);
  CHECK(checked(key_value::put{"", "1"}) == errc::rejected);
  CHECK(checked(key_value::put{key + 'k', "1"}) == errc::rejected);
  CHECK(checked(key_value::put{"a", value + 'v'}) == errc::rejected);
  CHECK(checked(key_value::erase{""}) == errc::rejected);
  CHECK(checked(key_value::add{"", 1}) == errc::rejected);
  CHECK(checked(key_value::compare_and_set{"a", value + 'v', ""}) == errc::rejected);
  CHECK(checked(key_value::compare_and_set{"a", std::nullopt, value + 'v'}) == errc::rejected);
}

TEST_CASE("the largest command fits into what the program has the cluster take") {
  const std::string key(key_value::key_bytes_max, 'k');
  const std::string value(key_value::value_bytes_max, 'v');
  const auto largest
      = understudy::encode_command<key_value>(key_value::compare_and_set{key, value, value});
  CHECK(largest.size() <= key_value::command_bytes_max);
}

TEST_CASE("a snapshot holds the whole table, its limits and its sizes") {
  key_value table;
  table.apply(key_value::limit{3, 100});
  table.apply(key_value::put{"a", std::string{"\0\xff", 2}});
  table.apply(key_value::put{"b", ""});
  auto copy = understudy::wire::decode<key_value>(understudy::wire::encode(table).view());
  REQUIRE(copy);
  CHECK(value_of(*copy, "a") == std::string{"\0\xff", 2});
  CHECK(copy->query(key_value::size{}).bytes == 4);
  CHECK(copy->query(key_value::size{}).keys_max == 3);
  CHECK(understudy::wire::encode(*copy) == understudy::wire::encode(table));
}

TEST_CASE("clearing takes what begins with the prefix, and says how much it was") {
  key_value table;
  for (const char* key : {"a", "a/", "a/1", "a/2", "b", "aa"})
    table.apply(key_value::put{key, "v"});
  CHECK(table.apply(key_value::clear{"a/"}).number == 3);
  CHECK(value_of(table, "a") == "v");
  CHECK(value_of(table, "aa") == "v");
  CHECK(table.query(key_value::size{}).keys == 3);
  CHECK(table.query(key_value::size{}).bytes == 7);
  CHECK(table.apply(key_value::clear{"c"}).number == 0);
  CHECK(table.apply(key_value::clear{}).number == 3);
  CHECK(table.query(key_value::size{}).bytes == 0);
}

TEST_CASE("a table is written for those who know the version that is used") {
  key_value table;
  table.apply(key_value::put{"a", "1"});
  const auto first = understudy::wire::encode(table);
  table.use_version(2);
  const auto second = understudy::wire::encode(table);
  CHECK(understudy::wire::decode<std::uint32_t>(first.part(0, 4).view()).value() == 1);
  CHECK(understudy::wire::decode<std::uint32_t>(second.part(0, 4).view()).value() == 2);
  const auto copy = understudy::wire::decode<key_value>(second.view());
  REQUIRE(copy);
  CHECK(understudy::wire::encode(*copy) == second);
}

TEST_CASE("a snapshot of another version of the machine is refused by name") {
  const auto strange = understudy::wire::encode(std::uint32_t{7});
  const auto read = understudy::wire::decode<key_value>(strange.view(), "snapshot");
  REQUIRE_FALSE(read);
  CHECK(read.error().code == errc::undecodable);
  CHECK(read.error().detail.find("version 7") != std::string::npos);
}

TEST_CASE("the order in which keys came does not show in the bytes") {
  key_value one;
  key_value other;
  one.apply(key_value::put{"a", "1"});
  one.apply(key_value::put{"b", "2"});
  other.apply(key_value::put{"b", "2"});
  other.apply(key_value::put{"a", "1"});
  CHECK(understudy::wire::encode(one) == understudy::wire::encode(other));
}

} // namespace key_value_test
