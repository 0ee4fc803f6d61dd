// SPDX-License-Identifier: BSL-1.0
#include <understudy/wire/codec.hpp>

// A user may include these as well: our overloads are the closer match.
#include <cereal/types/map.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/vector.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

namespace containers_test {

namespace {

using namespace understudy;

std::vector<std::byte> raw(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values)
    result.push_back(static_cast<std::byte>(value));
  return result;
}

template <class T> void check_round_trip(const T& value) {
  const auto encoded = wire::encode(value);
  const auto back = wire::decode<T>(encoded.view());
  REQUIRE(back);
  CHECK(*back == value);
  // Not one byte of it is spare.
  for (std::size_t length = 0; length < encoded.size(); ++length)
    CHECK_FALSE(wire::decode<T>(encoded.part(0, length).view()));
}

struct nothing {
  friend bool operator==(nothing, nothing) = default;
};

/// Serializes to nothing, though it has a member.
struct silent {
  int cached = 0;
  friend bool operator==(silent, silent) { return true; }
  template <class Archive> void serialize(Archive&) {}
};

/// Large in memory, a byte on the wire.
struct bulky {
  std::uint8_t value = 0;
  char padding[4095] = {};
  template <class Archive> void serialize(Archive& archive) { archive(value); }
};

/// Remembers the largest allocation asked for.
template <class T> struct watched {
  using value_type = T;
  static inline std::size_t largest = 0;

  watched() = default;
  template <class U> watched(const watched<U>&) {}
  T* allocate(std::size_t count) {
    largest = std::max(largest, count * sizeof(T));
    return std::allocator<T>{}.allocate(count);
  }
  void deallocate(T* at, std::size_t count) { std::allocator<T>{}.deallocate(at, count); }
  friend bool operator==(watched, watched) { return true; }
};

template <class T> using watched_vector = std::vector<T, watched<T>>;

/// What `T` allocated at most in an attempt to read `data`, which must fail.
template <class T> std::size_t largest_of_failure(const bytes& data) {
  watched<T>::largest = 0;
  watched_vector<T> target;
  const auto read = wire::decode_into(data.view(), "items", target);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == errc::undecodable);
  return watched<T>::largest;
}

bytes announcement(std::uint64_t count) {
  wire::output_archive out;
  out.write_size(count);
  while (out.size() < 20)
    out(std::uint8_t{0});
  return out.take();
}

} // namespace

TEST_CASE("every container comes back as it was") {
  check_round_trip(std::vector<int>{1, -2, 3});
  check_round_trip(std::vector<std::string>{"a", "", "ccc"});
  check_round_trip(std::vector<bool>{true, false, true});
  check_round_trip(std::vector<std::vector<double>>{{1.5}, {}, {2.5, -0.0}});
  check_round_trip(std::deque<std::string>{"x", "y"});
  check_round_trip(std::list<std::uint16_t>{1, 2});
  check_round_trip(std::set<std::string>{"b", "a"});
  check_round_trip(std::multiset<int>{1, 1, 2});
  check_round_trip(std::unordered_set<int>{5, 6, 7});
  check_round_trip(std::map<std::string, std::vector<int>>{{"k", {1}}, {"l", {}}});
  check_round_trip(std::multimap<int, std::string>{{1, "a"}, {1, "b"}});
  check_round_trip(std::unordered_map<int, std::string>{{1, "one"}, {2, "two"}});
  check_round_trip(std::vector<std::map<int, std::set<std::string>>>{{{1, {"a", "b"}}}, {}});
  check_round_trip(bytes{std::string_view{"some bytes"}});
  check_round_trip(bytes{});
}

TEST_CASE("an element takes a byte at least, so any number of empty ones comes back") {
  check_round_trip(std::vector<nothing>(100));
  check_round_trip(std::vector<silent>(3));
  check_round_trip(std::list<std::monostate>(2));
  check_round_trip(std::set<silent, decltype([](silent, silent) { return false; })>{{}});
  check_round_trip(std::vector<std::pair<nothing, silent>>(2));
  CHECK(wire::encode(std::vector<nothing>(100)).size() == 101);
  CHECK_FALSE(wire::decode<std::vector<nothing>>(raw({1, 9})));
}

TEST_CASE("SEC5: a billion elements announced in twenty bytes are refused without allocating") {
  for (const std::uint64_t count : {21ull, 1'000'000'000ull, 1ull << 40, ~0ull}) {
    CAPTURE(count);
    const auto data = announcement(count);
    CHECK(largest_of_failure<std::uint8_t>(data) == 0);
    CHECK(largest_of_failure<double>(data) == 0);
    CHECK(largest_of_failure<std::string>(data) == 0);
    CHECK(largest_of_failure<nothing>(data) == 0);
    CHECK(largest_of_failure<silent>(data) == 0);
    CHECK(largest_of_failure<bulky>(data) == 0);
    CHECK_FALSE(wire::decode<std::string>(data.view()));
    CHECK_FALSE(wire::decode<std::map<int, int>>(data.view()));
    CHECK_FALSE(wire::decode<std::unordered_set<int>>(data.view()));
    CHECK_FALSE(wire::decode<std::vector<bool>>(data.view()));
    CHECK_FALSE(wire::decode<std::list<nothing>>(data.view()));
  }
}

TEST_CASE("memory follows the elements that arrive, not those announced") {
  // Sixteen numbers of eight bytes would fit in no twenty bytes: nothing is allocated.
  CHECK(largest_of_failure<double>(announcement(16)) == 0);
  // Ten thousand strings could be in these bytes, but the second breaks off.
  wire::output_archive out;
  out.write_size(10'000);
  out(std::string{"a"});
  out.write_size(1'000'000);
  const std::string filler(10'000, 'x');
  out.write(filler.data(), filler.size());
  CHECK(largest_of_failure<std::string>(out.take()) <= 2 * filler.size());
}

TEST_CASE("a key that comes twice was written by no encoder") {
  CHECK(wire::decode<std::set<std::uint8_t>>(raw({2, 1, 2})));
  CHECK_FALSE(wire::decode<std::set<std::uint8_t>>(raw({2, 1, 1})));
  CHECK_FALSE(wire::decode<std::map<std::uint8_t, bool>>(raw({2, 1, 0, 1, 1})));
  CHECK_FALSE(wire::decode<std::unordered_map<std::uint8_t, bool>>(raw({2, 1, 0, 1, 1})));
  CHECK(wire::decode<std::multimap<std::uint8_t, bool>>(raw({2, 1, 0, 1, 1})));
}

} // namespace containers_test
