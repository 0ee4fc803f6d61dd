// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/founding.hpp>

#include <doctest/doctest.h>

#include "bench.hpp"

namespace founding_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::bench;
using membership_test::ids;

namespace {

monitor_options founder_with_seeds(std::uint64_t id, std::initializer_list<std::uint64_t> seeds) {
  auto o = bench::founder(id);
  o.contacts = ids(seeds);
  return o;
}

} // namespace

TEST_CASE("S8: a node told to found, that knows of no other, leads a cluster of one at once") {
  bench b;
  b.start(bench::founder(1, 7));
  b.run(0ms);
  REQUIRE(b.clusters() == 1);
  CHECK(b.content().cluster);
  CHECK(b.content().rules.max_voters == 7);
  CHECK(b.content().voters == ids({1}));
  REQUIRE(b.content().members.size() == 1);
  CHECK(b.content().members[0].entered == log_index{1});
  CHECK(b.content().members[0].address == "host1");
  CHECK(b.state(1) == membership::member);
  CHECK(b.events(1, node_event::kind::entered) == 1);
  b.run(1min);
  CHECK(b.clusters() == 1);
}

TEST_CASE("a new cluster uses all that its founder knows of the machine") {
  auto o = bench::founder(1);
  o.self.machine_version = 3;
  bench b;
  b.start(o);
  b.run(0ms);
  CHECK(b.content().machine_version == 3);
  b.start(bench::options(2, {1})); // knows the first version alone
  b.run(1s);
  CHECK(b.state(2) == membership::failed);
  CHECK(b.obstacle(2).code == errc::version_unsupported);
  CHECK(b.obstacle(2).detail == "the cluster uses version 3 of the machine, and member 2 knows 1");
  CHECK(b.content().members.size() == 1);
}

TEST_CASE("cluster ids come from the generator: another seed, another cluster") {
  const auto options = bench::founder(1);
  random_source one{1}, other{2};
  CHECK(first_configuration(options, one).cluster != first_configuration(options, other).cluster);
}

TEST_CASE("B3: a founder gives silent seeds time to answer") {
  bench b;
  b.start(founder_with_seeds(1, {2, 3}));
  b.run(999ms);
  CHECK(b.clusters() == 0);
  CHECK(b.state(1) == membership::founding);
  CHECK(b.count_sent<census_request>(1) >= 4); // it asks again
  b.run(1ms);
  CHECK(b.clusters() == 1);
}

TEST_CASE("a founder founds as soon as every seed has said that it knows no cluster") {
  bench b;
  b.start(bench::options(2, {1}));
  b.start(bench::options(3, {1}));
  b.start(founder_with_seeds(1, {1, 2, 3}));
  b.run(1ms);
  REQUIRE(b.clusters() == 1);
  CHECK(b.state(1) == membership::member);
}

TEST_CASE("B13: a node told to found does not, if any seed answers for a cluster") {
  bench b;
  b.start(bench::founder(1));
  b.start(bench::options(2, {1}));
  b.run(1s);
  b.start(founder_with_seeds(3, {9, 2})); // 2 is a listener, and no leader
  b.run(10s);
  CHECK(b.clusters() == 1);
  CHECK(b.state(3) == membership::failed);
  CHECK(b.obstacle(3).code == errc::cluster_exists);
  CHECK(b.obstacle(3).leader == member_id{1});
  CHECK(b.events(3, node_event::kind::enter_failed, errc::cluster_exists) == 1);
  CHECK(b.content().members.size() == 2);
}

TEST_CASE("a cluster without a leader is a cluster all the same") {
  bench b;
  b.start(bench::founder(1));
  b.run(0ms);
  b.lead(0);
  b.start(founder_with_seeds(3, {1}));
  b.run(5s);
  CHECK(b.obstacle(3).code == errc::cluster_exists);
}

TEST_CASE("a node on its way into a cluster says so to a founder") {
  bench b;
  b.start(bench::founder(1));
  b.run(0ms);
  b.commits = false;
  b.start(bench::options(2, {1}));
  b.run(100ms);
  REQUIRE(b.state(2) == membership::entering);
  b.start(founder_with_seeds(3, {2}));
  b.run(5s);
  CHECK(b.obstacle(3).code == errc::cluster_exists);
}

TEST_CASE("of two founders that see each other, the one with the smaller id founds") {
  for (auto delay : {0ms, 20ms, 200ms, 900ms}) {
    for (bool smaller_first : {true, false}) {
      CAPTURE(delay.count());
      CAPTURE(smaller_first);
      bench b;
      b.start(founder_with_seeds(smaller_first ? 1 : 2, {smaller_first ? 2u : 1u}));
      b.run(delay);
      b.start(founder_with_seeds(smaller_first ? 2 : 1, {smaller_first ? 1u : 2u}));
      b.run(5s);
      REQUIRE(b.clusters() == 1);
      CHECK(b.state(1) == membership::member);
      CHECK(b.state(2) == membership::failed);
      CHECK(b.obstacle(2).code == errc::another_founder);
    }
  }
}

TEST_CASE("two founders of which only one knows the other still make one cluster") {
  for (std::uint64_t knows : {1u, 2u}) {
    CAPTURE(knows);
    bench b;
    b.start(founder_with_seeds(knows, {3 - knows}));
    b.start(founder_with_seeds(3 - knows, {9}));
    b.run(5s);
    REQUIRE(b.clusters() == 1);
    CHECK(b.state(1) == membership::member);
    CHECK(b.obstacle(2).code == errc::another_founder);
  }
}

TEST_CASE("B1: founders that were cut off make two clusters, and nothing crosses") {
  bench b;
  b.silent = {{1}, {2}};
  b.start(founder_with_seeds(1, {2}));
  b.start(founder_with_seeds(2, {1}));
  b.run(2s);
  b.silent.clear();
  REQUIRE(b.clusters() == 2);
  const auto one = b.content(0).cluster;
  const auto other = b.content(1).cluster;
  CHECK(one != other);
  // A node that means one of them is refused by the other, and told why.
  auto lost = bench::options(3, {2});
  lost.cluster = one;
  b.start(lost);
  b.run(1s);
  CHECK(b.obstacle(3).code == errc::cluster_mismatch);
  b.tell(4, 2, enter_request{.cluster = one, .newcomer = bench::options(4).self});
  const auto* answer = std::get_if<enter_reply>(&b.sent.back().what);
  REQUIRE(answer != nullptr);
  CHECK(answer->code == errc::cluster_mismatch);
  // One that knows both seeds can not choose.
  b.start(bench::options(5, {1, 2}));
  b.run(1s);
  CHECK(b.obstacle(5).code == errc::cluster_mismatch);
  CHECK(b.content(1).members.size() == 1);
}

TEST_CASE("B9: an answer that comes too late to keep a founder from founding is an alarm") {
  bench b;
  b.start(bench::founder(1));
  b.silent = {{1}};
  b.run(0ms);
  b.start(founder_with_seeds(2, {1}));
  b.run(2s);
  REQUIRE(b.clusters() == 2);
  b.tell(1, 2, census_reply{.cluster = b.content(0).cluster, .members = 1});
  CHECK(b.events(2, node_event::kind::enter_failed, errc::cluster_exists) == 1);
  CHECK(b.state(2) == membership::member);
}

} // namespace founding_test
