// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/signs.hpp>

#include <doctest/doctest.h>

#include "group.hpp"

#include <memory>

namespace signs_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::at;
using membership_test::group;

namespace {

/// Member 1 leads in `term`, and `now` is committed at `index`.
core_view leader_of(const configuration& now, std::uint64_t index = 10, std::uint64_t term = 1) {
  core_view view{.term = {term}, .leader = {1}, .leads = true, .term_committed = true};
  view.committed = view.newest = {{index}, std::make_shared<const configuration>(now)};
  return view;
}

constexpr instant start{1h};

} // namespace

TEST_CASE("in a new term everybody's clock starts anew") {
  signs_of_life signs;
  const auto now = group(3, {1, 2, 3});
  signs.refresh(leader_of(now), start);
  CHECK(signs.last({2}) == start);
  signs.refresh(leader_of(now), start + 5s);
  CHECK(signs.last({2}) == start);
  signs.refresh(leader_of(now, 10, 2), start + 6s);
  CHECK(signs.last({2}) == start + 6s);
}

TEST_CASE("letters and contact are signs") {
  signs_of_life signs;
  auto view = leader_of(group(3, {1, 2, 3}));
  signs.refresh(view, start);
  signs.saw({2}, start + 1s);
  signs.saw({9}, start + 1s); // a stranger
  view.peers = {{.id = {3}, .in_contact = true}};
  signs.refresh(view, start + 2s);
  CHECK(signs.last({2}) == start + 1s);
  CHECK(signs.last({3}) == start + 2s);
}

TEST_CASE("who enters later is given its time from then on") {
  signs_of_life signs;
  signs.refresh(leader_of(group(2, {1})), start);
  signs.refresh(leader_of(group(3, {1}), 11), start + 5s);
  CHECK(signs.last({2}) == start);
  CHECK(signs.last({3}) == start + 5s);
}

TEST_CASE("only a memory node's end is final, and it is remembered without leading") {
  signs_of_life signs;
  signs.lost({{2}, true});
  signs.lost({{3}, false}); // only out of reach
  auto now = group(4, {1, 2, 3});
  signs.refresh({}, start);
  CHECK(signs.is_gone(at(now, 2)));
  CHECK_FALSE(signs.is_gone(at(now, 3)));
  at(now, 2).durable = true;
  CHECK_FALSE(signs.is_gone(at(now, 2)));
}

TEST_CASE("a letter that comes late brings nobody back to life") {
  signs_of_life signs;
  const auto now = group(2, {1});
  signs.refresh(leader_of(now), start);
  signs.lost({{2}, true});
  signs.saw({2}, start + 1s);
  CHECK(signs.is_gone(now.members[1]));
}

TEST_CASE("ends of nodes that never enter do not fill the memory") {
  signs_of_life signs;
  for (std::uint64_t id = 100; id < 100 + 2 * members_limit; ++id)
    signs.lost({{id}, true});
  signs.lost({{2}, true});
  signs.refresh(leader_of(group(2, {1})), start);
  CHECK(signs.is_gone({.id = {2}}));
  CHECK_FALSE(signs.is_gone({.id = {100}}));
}

TEST_CASE("a leave is timed from when its mark is seen to be committed") {
  signs_of_life signs;
  auto now = group(3, {1, 2, 3});
  signs.refresh(leader_of(now), start);
  at(now, 2).status = standing::leaving;
  auto view = leader_of(group(3, {1, 2, 3}));
  view.newest = {{11}, std::make_shared<const configuration>(now)};
  signs.refresh(view, start + 1s);
  CHECK_FALSE(signs.leaving_since({2}).has_value());
  view.committed = view.newest;
  signs.refresh(view, start + 2s);
  CHECK(signs.leaving_since({2}) == start + 2s);
  signs.refresh(leader_of(group(1, {1}), 12), start + 3s);
  CHECK_FALSE(signs.leaving_since({2}).has_value());
}

} // namespace signs_test
