// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/admission_policy.hpp>

#include <doctest/doctest.h>

#include "bench.hpp"

#include <stdexcept>
#include <string>

namespace admission_policy_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::bench;

namespace {

/// Founder 1 with this policy, and what became of node 2, which asked to be taken in.
struct gate {
  bench b;

  explicit gate(admission_policy policy) {
    auto o = bench::founder(1);
    o.admission = std::move(policy);
    b.start(o);
    b.run(0ms);
    b.start(bench::options(2, {1}));
    b.run(1s);
  }

  [[nodiscard]] bool is_in() { return find(b.content(), {2}) != nullptr; }
};

} // namespace

TEST_CASE("without a policy everybody is taken in") {
  CHECK(rule_on({}, {}, {}).verdict == admission_verdict::take_in);
}

TEST_CASE("a policy sees the newcomer and the committed roster, once for each newcomer") {
  int asked = 0;
  gate g{[&](const member& who, const configuration& known) -> admission_ruling {
    ++asked;
    CHECK(who.id == member_id{2});
    CHECK(known.members.size() == 1);
    return {};
  }};
  CHECK(g.is_in());
  CHECK(asked == 1);
}

TEST_CASE("who is let in as a listener is pinned, and gets no seat") {
  gate g{[](const member&, const configuration&) -> admission_ruling {
    return {admission_verdict::as_listener};
  }};
  REQUIRE(g.is_in());
  CHECK(find(g.b.content(), {2})->pinned);
  CHECK(g.b.state(2) == membership::member);
}

TEST_CASE("who is refused is told why, and asks no more") {
  gate g{[](const member&, const configuration&) -> admission_ruling {
    return {admission_verdict::refuse, "no room"};
  }};
  CHECK_FALSE(g.is_in());
  CHECK(g.b.state(2) == membership::failed);
  CHECK(g.b.obstacle(2).code == errc::not_admitted);
  CHECK(g.b.obstacle(2).detail == "no room");
  CHECK(g.b.log().newest().content->members.size() == 1);
}

TEST_CASE("a policy that throws or answers nonsense refuses, and the cluster is as it was") {
  const auto fate = [](admission_policy policy) {
    gate g{std::move(policy)};
    CHECK_FALSE(g.is_in());
    CHECK(g.b.state(1) == membership::member);
    CHECK(g.b.obstacle(2).code == errc::not_admitted);
    return g.b.obstacle(2).detail;
  };
  using ruling = admission_ruling;
  CHECK(fate([](const member&, const configuration&) -> ruling {
          return {static_cast<admission_verdict>(7)};
        })
        == "the admission policy answered 7, which is no verdict");
  CHECK(fate([](const member&, const configuration&) -> ruling {
          throw std::runtime_error{"list not found"};
        })
        == "the admission policy threw: list not found");
  CHECK(fate([](const member&, const configuration&) -> ruling { throw 7; })
        == "the admission policy threw what is no std::exception");
}

TEST_CASE("a policy is asked about newcomers, not about members that ask again") {
  gate g{[](const member&, const configuration& known) -> admission_ruling {
    return {known.members.size() < 2 ? admission_verdict::take_in : admission_verdict::refuse};
  }};
  REQUIRE(g.is_in());
  g.b.tell(2, 1, enter_request{.newcomer = bench::options(2).self});
  const auto* again = std::get_if<enter_reply>(&g.b.sent.back().what);
  REQUIRE(again != nullptr);
  CHECK(again->code == errc::none);
}

} // namespace admission_policy_test
