// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/admission.hpp>

#include <doctest/doctest.h>

#include "bench.hpp"

#include <string>

namespace admission_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::bench;

namespace {

/// Node 1, founder and leader, and what it answers to newcomers.
struct door {
  bench b;

  explicit door(std::size_t entering_max = 256) {
    auto o = bench::founder(1);
    o.entering_max = entering_max;
    b.start(o);
    b.run(0ms);
  }

  void knock(std::uint64_t id, std::uint64_t start = 0) {
    auto newcomer = bench::options(id).self;
    if (start)
      newcomer.start = start;
    b.tell(id, 1, enter_request{.newcomer = newcomer});
  }

  /// The answers to `id` so far, by name.
  [[nodiscard]] std::string answers(std::uint64_t id) const {
    std::string text;
    for (const auto& l : b.sent)
      if (const auto* reply = std::get_if<enter_reply>(&l.what); reply && l.to == member_id{id})
        text += (text.empty() ? "" : " ") + std::string{to_string(reply->code)};
    return text;
  }
};

} // namespace

TEST_CASE("a newcomer is answered when its entry is committed, not when it is appended") {
  door d;
  d.b.commits = false;
  d.knock(2);
  CHECK(d.b.log().newest().content->members.size() == 2);
  CHECK(d.answers(2).empty());
  d.knock(2); // a retry meanwhile
  CHECK(d.b.log().newest().index == log_index{2});
  d.b.commit();
  CHECK(d.answers(2) == "none");
}

TEST_CASE("several enter at a time, each behind the other") {
  door d;
  d.b.commits = false;
  for (std::uint64_t id : {5u, 3u, 4u})
    d.knock(id);
  d.b.commit();
  CHECK(d.b.content().members.size() == 4);
  CHECK(seats(d.b.content()).order() == membership_test::ids({1, 5, 3, 4}));
  for (std::uint64_t id : {5u, 3u, 4u})
    CHECK(d.answers(id) == "none");
}

TEST_CASE("I15: only so many can be on their way in") {
  door d{2};
  d.b.commits = false;
  d.knock(2);
  d.knock(3);
  d.knock(4);
  CHECK(d.answers(4) == "overloaded");
  d.b.commit();
  d.b.commits = true;
  d.knock(4);
  CHECK(d.answers(4) == "overloaded none");
  CHECK(d.answers(3) == "none");
}

TEST_CASE("B7: two starts of one id that enter together: the second is refused") {
  door d;
  d.b.commits = false;
  d.knock(2, 7);
  d.knock(2, 8);
  CHECK(d.answers(2) == "duplicate_id");
  d.b.commit();
  CHECK(find(d.b.content(), {2})->start == 7);
  d.knock(2, 8);
  d.knock(2, 7);
  CHECK(d.answers(2) == "duplicate_id none duplicate_id none");
}

TEST_CASE("what the core refuses is told to the newcomer") {
  door d;
  auto nameless = bench::options(2).self;
  nameless.name = std::string(300, 'x');
  d.b.tell(2, 1, enter_request{.newcomer = nameless});
  CHECK(d.answers(2) == "invalid_option");
}

TEST_CASE("M21: a leader that lost its term forgets who was entering, and the next takes them in") {
  door d;
  d.b.commits = false;
  d.knock(2);
  d.b.lead(0); // the entry is gone
  CHECK(d.b.log().newest().content->members.size() == 1);
  d.knock(2);
  CHECK(d.answers(2) == "not_leader");
  d.b.lead(1);
  d.b.commits = true;
  CHECK(d.answers(2) == "not_leader");
  d.knock(2);
  CHECK(d.answers(2) == "not_leader none");
}

TEST_CASE("M12: a very late request of one that left is refused by a leader that never saw it") {
  door d;
  d.b.start(bench::options(2, {1}));
  d.knock(3);
  CHECK(d.answers(3) == "none");
  d.b.change(drop_member{{3}});
  d.b.start(bench::options(4, {1})); // to which the roster of today is all there is
  d.b.run(10ms);
  d.b.lead(4);
  d.b.tell(3, 4, enter_request{.newcomer = bench::options(3).self});
  CHECK(d.answers(3) == "none removed");
  CHECK(find(d.b.content(), {3}) == nullptr);
}

TEST_CASE("M12: what an uncommitted entry has forgotten sends nobody away") {
  door d;
  for (std::uint64_t id = 100; id < 100 + departed_limit; ++id) {
    d.b.change(enter_member{bench::options(id).self});
    d.b.change(drop_member{{id}});
  }
  d.b.change(enter_member{bench::options(2).self});
  d.b.commits = false;
  d.b.change(drop_member{{2}});
  REQUIRE(d.b.log().newest().content->forgotten == log_index{3});
  const enter_request early{.newcomer = bench::options(3).self, .since = {2}};
  d.b.tell(3, 1, early);
  CHECK(d.answers(3).empty());
  d.b.lead(1); // in another term, and what was not committed is gone
  d.b.commits = true;
  d.b.tell(3, 1, early);
  CHECK(d.answers(3) == "none");
}

TEST_CASE("an entry that a leader finds in its log is not appended again") {
  door d;
  d.b.commits = false;
  d.b.change(enter_member{bench::options(2).self});
  d.knock(2);
  CHECK(d.b.log().newest().index == log_index{2});
  CHECK(d.answers(2).empty());
  d.b.commit();
  CHECK(d.answers(2) == "none");
}

TEST_CASE("T6: nobody enters under another's id") {
  door d;
  d.b.tell(2, 1, enter_request{.newcomer = bench::options(3).self});
  CHECK(d.b.content().members.size() == 1);
  CHECK(d.b.events(1, node_event::kind::protocol_violation) == 1);
  CHECK(d.answers(2).empty());
}

TEST_CASE("a newcomer's entry is the index at which it stands, whatever it claims") {
  door d;
  auto liar = bench::options(2).self;
  liar.entered = {1};
  liar.status = standing::evicted;
  d.b.tell(2, 1, enter_request{.newcomer = liar});
  CHECK(find(d.b.content(), {2})->entered == log_index{2});
  CHECK(find(d.b.content(), {2})->status == standing::present);
}

} // namespace admission_test
