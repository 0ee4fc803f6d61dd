// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/own_place.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <utility>
#include <vector>

namespace own_place_test {

using namespace understudy;

namespace {

constexpr member_id self{100}, a{1};

/// A configuration at `index`, with this node in it since `entered`; 0: without it.
placed_configuration at(std::uint64_t index, std::uint64_t entered, std::vector<member_id> voters,
                        standing status = standing::present) {
  configuration all{.cluster = {7}, .members = {{.id = a, .entered = {1}}}};
  if (entered > 0)
    all.members.push_back({.id = self, .entered = {entered}, .status = status});
  all.voters = std::move(voters);
  return {{index}, std::make_shared<const configuration>(std::move(all))};
}

} // namespace

TEST_CASE("the node's session is its enter entry, and opens once") {
  own_place it{self, node_life::first};
  CHECK(!it.update(at(3, 0, {a})).session_open);
  CHECK(!it.session());
  CHECK(it.update(at(4, 4, {a})).session_open);
  CHECK(it.session() == session_id{4});
  CHECK(!it.update(at(5, 4, {a})).session_open);
}

TEST_CASE("a node that was sent away is removed once, whoever says so first") {
  own_place it{self, node_life::first};
  CHECK(it.update(at(4, 4, {a})).session_open);
  CHECK(it.send_away());
  CHECK_FALSE(it.send_away());
  CHECK(it.removed());
  CHECK_FALSE(it.update(at(9, 0, {a})).removed);
}

TEST_CASE("a node that came back does not use the session of its earlier life") {
  own_place it{self, node_life::resumed};
  CHECK(!it.update(at(9, 4, {a})).session_open);
  CHECK(it.session() == session_id{4});
}

TEST_CASE("S6: a seat is news if the node was a member without a vote before") {
  own_place it{self, node_life::first};
  SUBCASE("seen step by step") {
    CHECK(!it.update(at(4, 4, {a})).seated);
  }
  SUBCASE("entry and seat seen at once") {}
  CHECK(it.update(at(8, 4, {a, self})).seated);
  CHECK(!it.update(at(9, 4, {a, self})).seated);
  CHECK(!it.update(at(10, 4, {a})).seated);
  CHECK_MESSAGE(it.update(at(11, 4, {a, self})).seated, "unseated, and seated again");
}

TEST_CASE("the seat of a founder, and of a voter that came back, is no news") {
  own_place founder{self, node_life::first};
  CHECK(!founder.update(at(1, 1, {self})).seated);
  own_place back{self, node_life::resumed};
  CHECK(!back.update(at(9, 4, {a, self})).seated);
}

TEST_CASE("a node is removed when it is dropped, or marked as evicted; leaving is no removal") {
  own_place it{self, node_life::first};
  CHECK(!it.update(at(3, 0, {a})).removed);
  CHECK(!it.update(at(4, 4, {a, self})).removed);
  CHECK(!it.update(at(5, 4, {a, self}, standing::leaving)).removed);
  CHECK(!it.removed());
  SUBCASE("dropped") {
    CHECK(it.update(at(6, 0, {a})).removed);
  }
  SUBCASE("marked") {
    CHECK(it.update(at(6, 4, {a, self}, standing::evicted)).removed);
  }
  CHECK(it.removed());
  CHECK_MESSAGE(!it.update(at(7, 0, {a})).removed, "it is told once");
}

TEST_CASE("an older configuration says nothing") {
  own_place it{self, node_life::first};
  CHECK(it.update(at(4, 4, {a})).session_open);
  CHECK(!it.update(at(3, 0, {a})).removed);
  CHECK(!it.update({}).removed);
  CHECK(it.seen() == log_index{4});
}

} // namespace own_place_test
