// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/random.hpp>
#include <understudy/replica/reply_window.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace reply_window_test {

namespace {

using namespace understudy;

stored_reply stored(const std::string& text) {
  return {.what = stored_reply::kind::applied,
          .command = text.size(),
          .reply = bytes{std::string_view{text}}};
}

std::uint64_t seed_of_run() {
  const char* given = std::getenv("UNDERSTUDY_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 20'240'702;
}

} // namespace

TEST_CASE("the first request of a session is number 1") {
  reply_window window;
  CHECK(window.below() == request_number{1});
  CHECK_FALSE(window.fits({0}));
  CHECK(window.fits({1}));
  CHECK(window.find({1}) == nullptr);
}

TEST_CASE("replies are found by number, in whatever order they were stored") {
  reply_window window;
  window.store({9}, stored("nine"));
  window.store({2}, stored("two"));
  REQUIRE(window.find({9}));
  CHECK(window.find({9})->reply.text() == "nine");
  REQUIRE(window.find({2}));
  CHECK(window.find({2})->reply.text() == "two");
  CHECK(window.find({3}) == nullptr);
  CHECK(window.find({10}) == nullptr);
  CHECK(window.stored_bytes() == 7);
}

TEST_CASE("what is forgotten does not come back, and the bound never sinks") {
  reply_window window;
  window.store({1}, stored("one"));
  window.store({5}, stored("five"));
  window.forget_below({5});
  CHECK(window.below() == request_number{5});
  CHECK(window.find({1}) == nullptr);
  CHECK(window.find({5}));
  CHECK(window.stored_bytes() == 4);
  window.forget_below({2});
  CHECK(window.below() == request_number{5});
  window.forget_below({1'000'000'000'000});
  CHECK(window.stored_bytes() == 0);
  CHECK(window.find({5}) == nullptr);
  window.store({1'000'000'000'001}, stored("far"));
  CHECK(window.find({1'000'000'000'001}));
}

TEST_CASE("a number is stored once, and near enough only") {
  reply_window window;
  window.store({3}, stored("x"));
  CHECK_THROWS_AS(window.store({3}, stored("y")), invariant_broken);
  CHECK_THROWS_AS(window.store({0}, stored("y")), invariant_broken);
  CHECK_THROWS_AS(window.store({1 + reply_window::span_max}, stored("y")), invariant_broken);
  window.store({reply_window::span_max}, stored("last"));
  CHECK(window.find({reply_window::span_max}));
  const auto most = std::numeric_limits<std::uint64_t>::max();
  window.forget_below({most});
  CHECK_FALSE(window.fits({most}));
}

TEST_CASE("a window agrees with a map on random walks, also after having been written and read") {
  const auto seed = seed_of_run();
  CAPTURE(seed);
  random_source random{seed};
  for (int run = 0; run < 200; ++run) {
    CAPTURE(run);
    reply_window window;
    std::map<std::uint64_t, std::string> model;
    std::uint64_t below = 1;
    const auto span = random.below(100) + 1;
    for (int step = 0; step < 200; ++step) {
      const auto number = below + random.below(span);
      if (random.below(8) == 0) {
        below = std::max(below, below + random.below(span));
        window.forget_below({below});
        model.erase(model.begin(), model.lower_bound(below));
      } else if (!model.contains(number)) {
        model[number] = std::string(random.below(5), 'r');
        window.store({number}, stored(model[number]));
      }
      if (random.below(50) == 0) {
        auto back = wire::decode<reply_window>(wire::encode(window).view());
        REQUIRE(back);
        window = std::move(*back);
      }
      std::size_t total = 0;
      for (auto n = below; n < below + span; ++n) {
        const auto* found = window.find({n});
        REQUIRE((found != nullptr) == model.contains(n));
        if (found)
          REQUIRE(found->reply.text() == model[n]);
        total += found ? found->reply.size() : 0;
      }
      REQUIRE(window.stored_bytes() == total);
      REQUIRE(window.below() == request_number{below});
    }
  }
}

TEST_CASE("a window that no session can hold is refused, not stored") {
  using replies = std::vector<std::pair<request_number, stored_reply>>;
  const auto read = [](request_number below, const replies& kept) {
    return wire::decode<reply_window>(wire::encode(below, kept).view()).has_value();
  };
  CHECK(read({5}, {{{5}, stored("a")}, {{6}, stored("b")}}));
  CHECK_FALSE(read({5}, {{{4}, stored("a")}}));
  CHECK_FALSE(read({5}, {{{6}, stored("a")}, {{6}, stored("b")}}));
  CHECK_FALSE(read({5}, {{{5 + reply_window::span_max}, stored("a")}}));
  CHECK_FALSE(read({5}, {{{5}, stored_reply{}}}));
  CHECK_FALSE(read({5}, {{{5}, {.what = static_cast<stored_reply::kind>(9)}}}));
}

} // namespace reply_window_test
