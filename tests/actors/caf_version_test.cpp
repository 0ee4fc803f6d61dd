// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/config.hpp>

#include <doctest/doctest.h>

#include <future>
#include <string>

namespace caf_version_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

#define LIST_OF_PAIRS(fixed, x) fixed #x

/// As many as one block of messages may have, and more.
constexpr std::string_view many = UNDERSTUDY_FOR_EACH(
    LIST_OF_PAIRS, ",", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45,
    46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69,
    70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80);

} // namespace

TEST_CASE("a list of messages is gone through to its end") {
  std::string expected;
  for (int i = 1; i <= 80; ++i)
    expected += "," + std::to_string(i);
  CHECK(many == expected);
}

TEST_CASE("blocks of messages lie apart from each other and from what is given out by hand") {
  const auto place = detail::first_message_id("inventory");
  CHECK(place == detail::first_message_id("inventory"));
  CHECK(place != detail::first_message_id("inventories"));
  for (const auto* name : {"", "a", "inventory", "a_name_that_is_longer_than_others"}) {
    CHECK(detail::first_message_id(name) >= 20'000);
    CHECK(detail::first_message_id(name) <= 65'535 - 64);
  }
}

TEST_CASE("an actor hears of another one's end, also of one that lies in the past") {
  config prepared;
  caf::actor_system system{prepared};
  const auto idle = [] { return caf::behavior{[](int) {}}; };
  std::promise<caf::actor_id> told;
  auto end = told.get_future();
  const auto watched = forget_type(system.spawn(idle));
  const auto id = watched->id();
  const auto listen = [&](bool kill_it) {
    return system.spawn([&told, watched, kill_it](caf::event_based_actor* self) {
      watch_actor(*self, watched, [self, &told](caf::actor_id who) {
        told.set_value(who);
        self->quit();
      });
      if (kill_it)
        kill(watched);
      return caf::behavior{[](int) {}};
    });
  };
  caf::actor listener; // an actor that nobody has a handle of ends
  SUBCASE("it ends later") {
    listener = listen(true);
  }
  SUBCASE("it has ended before") {
    kill(watched);
    caf::scoped_actor self{system};
    self->wait_for(caf::actor_cast<caf::actor>(watched));
    listener = listen(false);
  }
  CHECK(end.get() == id);
}

TEST_CASE("a message to oneself comes at its time, by the system's clock") {
  config prepared;
  caf::actor_system system{prepared};
  std::promise<interval> waited;
  auto result = waited.get_future();
  system.spawn([&](caf::event_based_actor* self) {
    const auto begin = self->clock().now();
    post_to_self_at(*self, begin + 5ms, 7);
    return caf::behavior{[self, begin, &waited](int) {
      waited.set_value(self->clock().now() - begin);
      self->quit();
    }};
  });
  CHECK(result.get() >= 5ms);
}

} // namespace caf_version_test
