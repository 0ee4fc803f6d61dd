// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/settings_watch.hpp>

#include <doctest/doctest.h>

#include "bench.hpp"

namespace settings_watch_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::bench;

TEST_CASE("other settings than the cluster's are named, and the cluster's are used") {
  bench b;
  b.start(bench::founder(1, 3));
  auto o = bench::options(2, {1});
  o.rules = {.max_voters = 7};
  b.start(o);
  b.run(1s);
  CHECK(b.state(2) == membership::member);
  REQUIRE(b.events(2, node_event::kind::settings_differ, errc::settings_differ) == 1);
  for (const auto& e : b.node(2).events)
    if (e.what == node_event::kind::settings_differ)
      CHECK(e.detail == "max_voters is 3 in the cluster, and 7 was given");
  CHECK(b.events(1, node_event::kind::settings_differ, errc::settings_differ) == 0);
  b.change(set_rules{{.max_voters = 7}});
  b.run(1s);
  CHECK(b.events(1, node_event::kind::settings_differ, errc::settings_differ) == 1);
  CHECK(b.events(2, node_event::kind::settings_differ, errc::settings_differ) == 1);
}

} // namespace settings_watch_test
