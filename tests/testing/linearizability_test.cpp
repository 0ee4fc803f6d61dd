// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/linearizability.hpp>

#include <doctest/doctest.h>

#include "support/environment.hpp"
#include <testing/brute_force.hpp>
#include <testing/made_history.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace linearizability_test {

using namespace understudy::testing;
using made_history::crowd;

std::uint64_t first_seed() {
  const char* const given = std::getenv("UNDERSTUDY_SEED");
  return given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
}

/// Changes something about an operation, most likely so that it makes no sense any more.
template <class History> void spoil(random_stream& random, History& history) {
  auto& one = random.pick(history);
  auto& other = random.pick(history);
  if (one.ended != operation_end::succeeded)
    return;
  switch (random.below(6)) {
  case 0:
    if (other.ended == operation_end::succeeded)
      std::swap(one.reply, other.reply);
    break;
  case 1:
    one.ended = operation_end::failed;
    break;
  case 2:
    one.ended = operation_end::unknown;
    one.reply.reset();
    one.returned = never;
    break;
  case 3:
    one.returned = one.called + (one.returned - one.called) / 2;
    break;
  case 4:
    one.called += random.below(one.returned - one.called + 1);
    break;
  default:
    one.reply.reset();
  }
}

/// Compares the checker with trying every order, on a history and on what becomes of it.
template <class Model, class Make, class State>
void compare(std::uint64_t seed, const Model& model, Make make, const State& initial) {
  CAPTURE(seed);
  random_stream random{seed};
  // Small limits of patience, so that short histories see all ways to search.
  const search_limits limits{.patience = 1 + random.below(30), .reach = 1 + random.below(4)};
  const crowd how{2 + random.below(4), 1 + random.below(7), random.chance(0.5) ? 0.3 : 0.0,
                  random.chance(0.5) ? 0.1 : 0.0};
  auto history = make(random, how);
  CHECK(check_linearizable(model, history, limits).found == linearity::linearizable);
  for (int changes = 0; changes < 4; ++changes) {
    spoil(random, history);
    const auto judged = check_linearizable(model, history, limits);
    const auto expected = brute_force::culprit(history, initial);
    REQUIRE((judged.found == linearity::linearizable) == !expected.has_value());
    REQUIRE(judged.culprit.has_value() == expected.has_value());
    if (expected)
      REQUIRE(history[*judged.culprit].returned == history[*expected].returned);
  }
}

TEST_CASE("short histories of registers are judged as by trying every order") {
  const auto first = first_seed();
  MESSAGE("seeds from " << first);
  for (auto seed = first; seed < first + test_support::walks(4'000); ++seed) {
    random_stream random{seed};
    const made_history::registers make{1 + random.below(4), random.chance(0.6),
                                       1 + random.below(2)};
    compare(seed, cas_register{}, make, register_value{});
  }
}

TEST_CASE("short histories of texts are judged as by trying every order") {
  const auto first = first_seed();
  MESSAGE("seeds from " << first);
  for (auto seed = first; seed < first + test_support::walks(4'000); ++seed) {
    random_stream random{seed};
    const made_history::texts make{1 + random.below(2), random.chance(0.5) ? 0.5 : 0.1,
                                   random.chance(0.7) ? 1 + random.below(4) : 0};
    compare(seed, key_value{}, make, std::string{});
  }
}

/// Changes what the first read was told that was called after `at` operations.
template <class History, class Change>
std::size_t spoil_read_after(History& history, std::size_t at, Change change) {
  for (; at < history.size(); ++at)
    if (history[at].reply && change(history[at]))
      return at;
  FAIL("there is no such read");
  return 0;
}

TEST_CASE("ten thousand operations of fifty clients on one register are explained") {
  for (const double lost : {0.0, 0.1})
    for (const std::uint64_t values : {5u, 100u, 1'000'000u})
      for (const bool exchanges : {false, true}) {
        // Crashed exchanges of some hundred values are what the search is slow at.
        if (exchanges && lost > 0 && values == 100)
          continue;
        CAPTURE(lost);
        CAPTURE(values);
        CAPTURE(exchanges);
        random_stream random{first_seed()};
        const made_history::registers make{values, exchanges};
        const auto history = make(random, {50, 10'000, lost});
        CHECK(check_linearizable(cas_register{}, history).found == linearity::linearizable);
      }
}

TEST_CASE("ten thousand operations of fifty clients on texts are explained") {
  for (const double lost : {0.0, 0.1})
    for (const std::uint64_t keys : {1u, 10u}) {
      CAPTURE(lost);
      CAPTURE(keys);
      random_stream random{first_seed()};
      const made_history::texts make{keys};
      const auto history = make(random, {50, 10'000, lost});
      CHECK(check_linearizable(key_value{}, history).found == linearity::linearizable);
    }
}

TEST_CASE("one read of a value that was never written is found among ten thousand operations") {
  random_stream random{first_seed()};
  auto history = made_history::registers{5}(random, {50, 10'000, 0.1});
  const auto at = spoil_read_after(history, 8'000, [](auto& o) {
    o.reply->value = "another";
    return o.call.what == register_call::kind::read;
  });
  const auto judged = check_linearizable(cas_register{}, history);
  CHECK(judged.found == linearity::not_linearizable);
  CHECK(judged.culprit == at);
}

TEST_CASE("one read of an old value is found among ten thousand operations") {
  random_stream random{first_seed()};
  auto history = made_history::registers{1'000'000}(random, {50, 10'000});
  const auto old = std::ranges::find_if(history, [](const auto& o) {
    return o.call.what == register_call::kind::read && o.reply && o.reply->value;
  });
  const auto at = spoil_read_after(history, 5'000, [&](auto& o) {
    if (o.call.what != register_call::kind::read)
      return false;
    o.reply->value = old->reply->value;
    return true;
  });
  const auto judged = check_linearizable(cas_register{}, history);
  CHECK(judged.found == linearity::not_linearizable);
  CHECK(judged.culprit == at);
}

TEST_CASE("a lost append is found among ten thousand operations") {
  random_stream random{first_seed()};
  auto history = made_history::texts{10}(random, {50, 10'000});
  spoil_read_after(history, 5'000, [](auto& o) {
    if (o.call.what != text_call::kind::get || o.reply->text.size() < 20)
      return false;
    o.reply->text.erase(0, 6);
    return true;
  });
  CHECK(check_linearizable(key_value{}, history).found == linearity::not_linearizable);
}

TEST_CASE("where a limit is reached, nothing is claimed") {
  random_stream random{first_seed()};
  const auto history = made_history::registers{100}(random, {50, 2'000});
  CHECK(check_linearizable(cas_register{}, history, {.configurations_max = 100}).found
        == linearity::unknown);
  CHECK(check_linearizable(cas_register{}, history, {.memory_max = 1'000}).found
        == linearity::unknown);
}

TEST_CASE("a fault under one key is found whatever can not be decided under another") {
  random_stream random{first_seed()};
  auto history = made_history::registers{100}(random, {50, 2'000});
  for (auto& o : history)
    o.key = "long";
  operation<register_call, register_reply> read;
  read.key = "short";
  read.call = cas_register::read();
  read.reply = register_reply{"1"};
  read.ended = operation_end::succeeded;
  read.called = 1;
  read.returned = never - 1;
  history.push_back(read);
  const auto judged = check_linearizable(cas_register{}, history, {.configurations_max = 100});
  CHECK(judged.found == linearity::not_linearizable);
  CHECK(judged.culprit == history.size() - 1);
}

TEST_CASE("a history without operations is linearizable") {
  CHECK(check_linearizable(cas_register{}, {}).found == linearity::linearizable);
}

TEST_CASE("a write of unknown outcome may be seen late, or never, and not be unseen") {
  operation_recorder<cas_register> recorder;
  recorder.invoke(0, cas_register::write("1"));
  const auto read = [&](const register_value& seen) {
    recorder.complete(recorder.invoke(1, cas_register::read()), {seen});
    return check_linearizable(cas_register{}, recorder.history()).found;
  };
  CHECK(read(std::nullopt) == linearity::linearizable);
  CHECK(read("1") == linearity::linearizable);
  CHECK(read(std::nullopt) == linearity::not_linearizable);
}

} // namespace linearizability_test
