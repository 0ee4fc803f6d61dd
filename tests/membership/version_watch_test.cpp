// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/version_watch.hpp>

#include <doctest/doctest.h>

#include "drill.hpp"

#include <cstdint>

namespace version_watch_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::drill;

namespace {

/// Node `id` ends and comes back at once, with its log, as a build that knows `version`.
void come_back(drill& b, std::uint64_t id, std::uint32_t version) {
  auto o = drill::options(id);
  o.returning = own_record{b.content().cluster, *find(b.content(), {id})};
  o.self = o.returning->self;
  o.self.machine_version = version;
  b.start(o);
  b.node(id).log = &b.log();
  b.show_all();
}

std::uint32_t shown(drill& b, std::uint64_t id) {
  return find(b.content(), {id})->machine_version;
}

} // namespace

TEST_CASE("U3: the roster shows what the build knows as which a node has come back") {
  drill b{3};
  for (const std::uint64_t id : {2u, 3u, 1u}) {
    come_back(b, id, 2);
    b.run(200ms);
    CHECK(shown(b, id) == 2);
  }
  come_back(b, 3, 1); // and back again
  b.run(200ms);
  CHECK(shown(b, 3) == 1);
  b.order_at(1, use_machine_version{2});
  CHECK(b.outcome_at(1) == errc::version_unsupported);

  come_back(b, 3, 2);
  b.run(200ms);
  b.order_at(3, use_machine_version{2});
  b.run(100ms);
  CHECK(b.outcome_at(3) == errc::none);
  CHECK(b.content().machine_version == 2);
}

TEST_CASE("what is shown is said once, and what is lost again") {
  drill b{3};
  come_back(b, 2, 2);
  b.run(5s);
  CHECK(b.count_sent<order_request>(2) == 1);
  CHECK(b.lines(1, decision::instruction) == 1);

  b.loses = [](const letter& l) { return std::holds_alternative<order_request>(l.what); };
  come_back(b, 3, 2);
  b.run(500ms);
  CHECK(shown(b, 3) == 1);
  b.loses = {};
  b.run(200ms);
  CHECK(shown(b, 3) == 2);
}

TEST_CASE("a node that came back too old knows that it would ask in vain") {
  drill b{3};
  for (const std::uint64_t id : {1u, 2u, 3u}) {
    come_back(b, id, 2);
    b.run(200ms);
  }
  b.order_at(1, use_machine_version{2});
  b.run(100ms);
  REQUIRE(b.content().machine_version == 2);
  const auto asked = b.count_sent<order_request>(3);
  come_back(b, 3, 1);
  b.run(25s);
  CHECK(shown(b, 3) == 2);
  CHECK(b.count_sent<order_request>(3) == asked);
}

} // namespace version_watch_test
