// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/known_nodes.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace known_nodes_test {

using namespace understudy;

namespace {

using ids = std::vector<member_id>;

constexpr member_id a{1}, b{2}, c{3}, d{4};
constexpr member_id near{100}, far{101}; // names that are not ids

members_reply of(std::uint64_t index, const ids& members, cluster_id cluster = {7}) {
  members_reply all{.cluster = cluster, .index = {index}};
  for (const auto m : members)
    all.members.push_back({m, {}});
  return all;
}

} // namespace

TEST_CASE("as long as nobody has said who the members are, those that were named count") {
  const known_nodes known{{b, a, b}};
  CHECK(known.in_order() == ids{b, a});
  CHECK(known.first() == b);
  CHECK(known.after(b) == a);
  CHECK(known.after(a) == b);
  CHECK(!known.question().cluster);
  CHECK(!known_nodes{{}}.first());
}

TEST_CASE("members that were named come first, then the other members, then who is none") {
  known_nodes known{{d, b}};
  CHECK(known.learn(of(5, {a, b, c})));
  CHECK(known.in_order() == ids{b, a, c, d});
  CHECK(known.after(d) == b);
  CHECK(known.after({77}) == b); // of whom nobody knows
  CHECK(known.question().known == log_index{5});
  CHECK(known.counts(c));
  CHECK(!known.counts(d));
  CHECK(!known.counts({77}));
  known.name({c, d}); // perhaps of another cluster
  CHECK(known.in_order() == ids{c, d});
  CHECK(known.counts(d));
  CHECK(!known.question().cluster);
}

TEST_CASE("what is older, or says nothing, is no news; what is of another cluster is") {
  known_nodes known{{a}};
  CHECK(!known.learn(of(5, {})));
  CHECK(known.learn(of(5, {a, b})));
  CHECK(!known.learn(of(5, {a})));
  CHECK(!known.learn(of(4, {a})));
  CHECK(known.learn(of(3, {c}, {8})));
  CHECK(known.in_order() == ids{c, a, b}); // a and b, in case that was wrong
  CHECK(!known.counts(b));
  CHECK(known.places().size() == 3);
}

TEST_CASE("what can be no roster is no news") {
  known_nodes known{{a}};
  CHECK(!known.learn(of(5, {a, {}})));
  CHECK(!known.learn(of(5, {a}, {})));
  CHECK(!known.learn(of(5, ids(known_nodes::members_max + 1, a))));
  CHECK(!known.cluster());
}

TEST_CASE("a member goes by the name under which it was met") {
  known_nodes known{{near, far}};
  CHECK(known.met(near, a) == a);
  CHECK(known.learn(of(5, {b, a})));
  CHECK(known.in_order() == ids{near, b, far});
  SUBCASE("under two names, by the one under which it was met last") {
    CHECK(known.met(far, a) == near);
    CHECK(known.in_order() == ids{far, b, near}); // near may be another one's name by then
  }
  SUBCASE("somebody else has answered there since: the first goes by its id") {
    CHECK(known.met(near, b) == b);
    CHECK(known.in_order() == ids{near, a, far});
  }
  SUBCASE("it is none any more: then its name comes last, for whoever is there next") {
    CHECK(known.learn(of(6, {b})));
    CHECK(known.in_order() == ids{b, near, far});
  }
}

} // namespace known_nodes_test
