// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/members_desk.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace members_desk_test {

using namespace understudy;

namespace {

placed_configuration placed(std::uint64_t index, std::vector<member> members) {
  return {{index},
          std::make_shared<const configuration>(
              configuration{.cluster = {77}, .members = std::move(members)})};
}

std::vector<letter> flushed(members_desk& desk) {
  outbox out;
  desk.flush(out);
  return std::move(out.letters);
}

} // namespace

TEST_CASE("who knows no configuration, an older one, or another cluster's is answered at once") {
  members_desk desk;
  desk.update(placed(5, {{.id = {1}, .address = "x"}, {.id = {2}, .status = standing::evicted}}));
  desk.ask({10}, {});
  desk.ask({11}, {{77}, {4}});
  desk.ask({12}, {{78}, {9}});
  desk.ask({13}, {{77}, {5}});
  const auto told = flushed(desk);
  REQUIRE(told.size() == 3);
  const auto& all = std::get<members_reply>(told[0].what);
  CHECK(all.cluster == cluster_id{77});
  CHECK(all.index == log_index{5});
  CHECK(all.members == std::vector<member_place>{{{1}, "x"}, {{2}, ""}});
  CHECK(desk.waiting() == 1);
}

TEST_CASE("who knows all there is waits for the next configuration, and is answered once") {
  members_desk desk;
  desk.ask({10}, {});
  CHECK(flushed(desk).empty()); // not in a cluster yet
  desk.update(placed(5, {{.id = {1}}}));
  CHECK(flushed(desk).size() == 1);
  desk.ask({10}, {{77}, {5}});
  desk.ask({11}, {{77}, {5}});
  desk.ask({10}, {{77}, {5}}); // asked again
  desk.forget({11});
  CHECK(flushed(desk).empty());
  desk.update(placed(5, {{.id = {1}}}));
  CHECK(flushed(desk).empty()); // the same one
  desk.update(placed(6, {{.id = {1}}, {.id = {2}}}));
  const auto told = flushed(desk);
  REQUIRE(told.size() == 1);
  CHECK(told[0].to == member_id{10});
  CHECK(flushed(desk).empty());
}

TEST_CASE("no more questions wait than there is room for; what is news is told all the same") {
  members_desk desk;
  desk.update(placed(5, {{.id = {1}}}));
  for (std::uint64_t i = 0; i < members_desk::askers_max + 10; ++i)
    desk.ask({100 + i}, {{77}, {5}});
  CHECK(desk.waiting() == members_desk::askers_max);
  desk.ask({1}, {});
  CHECK(flushed(desk).size() == 1);
  CHECK(desk.waiting() == members_desk::askers_max);
}

} // namespace members_desk_test
