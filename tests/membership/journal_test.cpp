// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/journal.hpp>

#include <doctest/doctest.h>

#include "drill.hpp"

#include <sstream>

namespace journal_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::drill;

TEST_CASE("each line is an event too, with its kind and its text") {
  journal notes;
  outbox out;
  notes.note({.base = {7}, .what = decision::eviction, .who = {3}, .text = "member 3 is gone"},
             out);
  REQUIRE(out.notices.size() == 1);
  const auto& event = std::get<node_event>(out.notices[0]);
  CHECK(event.what == node_event::kind::decided);
  CHECK(event.who == member_id{3});
  CHECK(event.index == log_index{7});
  CHECK(event.detail == "eviction: member 3 is gone");
}

TEST_CASE("the journal keeps the newest lines") {
  journal notes;
  outbox out;
  for (std::uint64_t i = 1; i <= journal::lines_max + 10; ++i)
    notes.note({.base = {i}}, out);
  CHECK(notes.lines().size() == journal::lines_max);
  CHECK(notes.lines().front().base == log_index{11});
}

TEST_CASE("a plan is written down when it differs from the last, not each time it is made") {
  drill b{3, 3};
  const auto lines = b.lines(1, decision::plan);
  CHECK(b.line(1, decision::plan) == "settled: 3 sit, 0 open");
  b.run(1h);
  b.show_all();
  CHECK(b.lines(1, decision::plan) == lines);
  const auto& first = b.node(1).it->journal().lines().front();
  CHECK(first.term == term_number{1});
  CHECK(first.base == log_index{1});
  CHECK(b.events(1, node_event::kind::decided)
        == static_cast<int>(b.node(1).it->journal().lines().size()));
}

TEST_CASE("kinds of decisions print their names") {
  std::ostringstream out;
  for (auto d : {decision::plan, decision::eviction, decision::drop, decision::passed_over,
                 decision::hand_back, decision::instruction, decision::leave})
    out << d << ' ';
  CHECK(out.str() == "plan eviction drop passed_over hand_back instruction leave ");
}

} // namespace journal_test
