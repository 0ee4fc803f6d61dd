// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/handing_over.hpp>

#include <doctest/doctest.h>

#include "drill.hpp"

#include <memory>

namespace handing_over_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::at;
using membership_test::drill;
using membership_test::group;
using membership_test::ids;

TEST_CASE("the best successor is the voter in line that answers and has most") {
  auto now = group(6, {1, 2, 3, 4, 5});
  core_view view;
  const auto best = [&] {
    view.newest.content = std::make_shared<const configuration>(now);
    return best_successor(view, {1});
  };
  CHECK_FALSE(best());
  view.peers = {{.id = {2}, .match = {5}, .in_contact = true},
                {.id = {3}, .match = {7}, .in_contact = true},
                {.id = {4}, .match = {8}, .in_contact = true},
                {.id = {5}, .match = {9}, .in_contact = false},
                {.id = {6}, .match = {9}, .in_contact = true}}; // has no vote
  CHECK(best() == member_id{4});
  at(now, 4).status = standing::leaving;
  CHECK(best() == member_id{3});
  at(now, 3).pinned = true;
  CHECK(best() == member_id{2});
}

TEST_CASE("S5: a listener that won while all voters are well gives leadership back to the best") {
  drill b{5, 3};
  b.matches = {{{2}, {9}}};
  b.lead(5);
  CHECK(b.leader() == member_id{2});
  CHECK(b.line(5, decision::hand_back)
        == "leadership goes to member 2: this node does not vote, and every voter answers");
  CHECK(b.voters() == ids({1, 2, 3}));
}

TEST_CASE(
    "S5: as long as a voter does not answer, its seat may become free, and it goes on leading") {
  drill b{4, 3};
  b.silent = {{2}};
  b.lead(4);
  b.run(5s);
  CHECK(b.leader() == member_id{4});
  CHECK(b.node(4).transfers.empty());
  b.silent.clear();
  b.show_all();
  CHECK(b.leader() == member_id{1});
}

TEST_CASE("S5: a leader from outside does not give back what it can have itself") {
  drill b{4, 3};
  b.refuses_changes = true;
  b.change(mark_member{{1}, standing::leaving});
  b.lead(4);
  b.run(1s);
  CHECK(b.leader() == member_id{4});
  CHECK(b.node(4).transfers.empty());
  b.refuses_changes = false;
  b.run(1s);
  CHECK(b.voters() == ids({2, 3, 4}));
  CHECK(b.leader() == member_id{4});
}

TEST_CASE("a hand-back that fails is tried again, not in a loop, and written down once") {
  drill b{5, 3};
  b.transfers = false;
  b.lead(5);
  b.run(1s);
  b.show_all();
  CHECK(b.node(5).transfers.size() >= 10);
  CHECK(b.node(5).transfers.size() <= 11);
  CHECK(b.lines(5, decision::hand_back) == 1);
}

TEST_CASE("M1: nothing is handed back before an entry of the own term is committed") {
  drill b{5, 3};
  b.log().term_committed = false;
  b.lead(5);
  b.run(1s);
  CHECK(b.node(5).transfers.empty());
}

TEST_CASE(
    "an evicted leader whose vote is kept by the floor still hands over, once its term is firm") {
  drill b{3};
  b.log().term_committed = false;
  b.show_all();
  b.change(mark_member{{1}, standing::evicted});
  b.run(1s);
  CHECK(b.node(1).transfers.empty());
  b.log().term_committed = true;
  b.show_all();
  CHECK(b.leader() == member_id{2});
  CHECK(b.voters() == ids({1, 2, 3}));
  CHECK(b.line(1, decision::hand_back) == "leadership goes to member 2: this node is evicted");
}

TEST_CASE("a leader that votes keeps leadership") {
  drill b{4, 3};
  b.run(1min);
  CHECK(b.node(1).transfers.empty());
}

} // namespace handing_over_test
