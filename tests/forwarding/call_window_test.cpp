// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/call_window.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace call_window_test {

using namespace understudy;

namespace {

command numbered(call_window& w) {
  command c;
  w.number(c);
  return c;
}

} // namespace

TEST_CASE("commands are numbered from 1 on, in the session that is open") {
  call_window w;
  CHECK(!w.open());
  w.opened({40});
  CHECK(numbered(w) == command{.session = {40}, .number = {1}});
  CHECK(numbered(w) == command{.session = {40}, .number = {2}});
}

TEST_CASE("a command is numbered once, and only in an open session") {
  call_window w;
  command c;
  CHECK_THROWS_AS(w.number(c), invariant_broken);
  w.opened({40});
  w.number(c);
  CHECK_THROWS_AS(w.number(c), invariant_broken);
}

TEST_CASE("C6: the number sent along stays below every open command, in whatever order they end") {
  call_window w;
  w.opened({40});
  std::vector<command> open;
  for (int i = 0; i < 5; ++i)
    open.push_back(numbered(w));
  w.close(open[1]);
  w.close(open[2]);
  CHECK(w.answered_below() == request_number{1});
  w.close(open[0]);
  CHECK(w.answered_below() == request_number{4});
  w.refresh(open[3]);
  CHECK(open[3].answered_below == request_number{4});
  w.close(open[4]);
  CHECK(w.answered_below() == request_number{4});
  w.close(open[3]);
  CHECK(w.answered_below() == request_number{6});
  CHECK(numbered(w).number == request_number{6});
}

TEST_CASE("the window is full when the next number would lie too far beyond the oldest open one") {
  call_window w;
  w.opened({40});
  const auto oldest = numbered(w);
  const auto second = numbered(w);
  CHECK(!w.full(3));
  const auto third = numbered(w);
  CHECK(w.full(3));
  w.close(second);
  w.close(third);
  CHECK(w.full(3));
  w.close(oldest);
  CHECK(!w.full(3));
}

TEST_CASE("the end of a command of an earlier session changes nothing") {
  call_window w;
  w.opened({40});
  const auto old = numbered(w);
  w.lost({39});
  CHECK(w.open());
  w.lost({40});
  CHECK(!w.open());
  w.opened({50});
  auto fresh = numbered(w);
  CHECK(fresh == command{.session = {50}, .number = {1}});
  w.close(old);
  CHECK(w.answered_below() == request_number{1});
  auto stale = old;
  w.refresh(stale);
  CHECK(stale == old);
  w.close({});
  CHECK(w.answered_below() == request_number{1});
}

} // namespace call_window_test
