// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/call.hpp>

#include <doctest/doctest.h>

#include <string>

namespace call_test {

using namespace understudy;

TEST_CASE("everything but a query is a write") {
  CHECK(is_write(command{}));
  CHECK(is_write(open_session{}));
  CHECK(is_write(close_session{}));
  CHECK(is_write(settle{}));
  CHECK(!is_write(query{}));
}

TEST_CASE("C4: a write is in doubt while it is out, and after an attempt without an answer") {
  call c{.body = command{}};
  CHECK(!in_doubt(c));
  for (const auto out : {call_stage::sent, call_stage::proposed}) {
    c.stage = out;
    CHECK(in_doubt(c));
  }
  c.stage = call_stage::held;
  CHECK(!in_doubt(c));
  c.doubtful = true;
  CHECK(in_doubt(c));
  c.body = query{};
  CHECK(!in_doubt(c));
}

TEST_CASE("a request weighs what it carries, and something besides") {
  const bytes data{std::string(1'000, 'x')};
  CHECK(weight_of(command{.body = data}) > 1'000);
  CHECK(weight_of(query{.body = data}) > 1'000);
  CHECK(weight_of(open_session{}) > 0);
}

TEST_CASE("a request goes into the log as it is, but for a query") {
  const command c{{7}, {3}, {2}, bytes{"x"}};
  CHECK(*payload_of(c) == payload{c});
  CHECK(*payload_of(settle{{7}, {3}}) == payload{settle{{7}, {3}}});
  CHECK(*payload_of(open_session{}) == payload{open_session{}});
  CHECK_THROWS_AS((void)payload_of(query{}), invariant_broken);
}

} // namespace call_test
