// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/routing.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace routing_test {

using namespace understudy;

namespace {

struct speaker {
  using peer_messages = type_list<timeout_now, vote_reply>;
  using notices = type_list<peer_lost>;

  void on(member_id from, timeout_now&, instant, outbox&) { heard = from; }
  void on(member_id, vote_reply&, instant, outbox&) {}
  void on(peer_lost& m, instant, outbox&) { lost = m.who; }
  void wake(instant, outbox&) {}
  void settle(instant, outbox&) {}

  member_id heard = {};
  member_id lost = {};
};

struct keeper {
  using peer_messages = type_list<>;
  using notices = type_list<peer_lost, take_snapshot>;

  void on(peer_lost&, instant, outbox&) {}
  void on(take_snapshot&, instant, outbox&) {}
  void wake(instant, outbox&) {}
  void settle(instant, outbox&) {}
};

static_assert(component<speaker> && component<keeper>);
static_assert(handles_peer<speaker, timeout_now> && !handles_peer<speaker, seat_request>);
static_assert(handles_notice<keeper, take_snapshot> && !handles_notice<speaker, take_snapshot>);
static_assert(notice_receivers<peer_lost, speaker, keeper> == 2);
static_assert(notice_receivers<node_event, speaker, keeper> == 0);

} // namespace

TEST_CASE("the tables name the components that list a type") {
  const sibling_message lost{peer_lost{}};
  const sibling_message image{take_snapshot{}};
  const sibling_message event{node_event{}};
  CHECK(notice_routes<speaker, keeper>[lost.index()] == 0b11);
  CHECK(notice_routes<speaker, keeper>[image.index()] == 0b10);
  CHECK(notice_routes<keeper, speaker>[image.index()] == 0b01);
  CHECK(notice_routes<speaker, keeper>[event.index()] == 0);
  CHECK(peer_routes<keeper, speaker>[peer_message{timeout_now{}}.index()] == 0b10);
  CHECK(peer_routes<keeper, speaker>[peer_message{seat_request{}}.index()] == 0);
}

TEST_CASE("a message reaches a component that lists it, and no other") {
  speaker s;
  outbox out;
  peer_message listed{timeout_now{}};
  peer_message other{seat_request{}};
  CHECK(deliver(s, member_id{4}, listed, instant{}, out));
  CHECK(s.heard == member_id{4});
  CHECK_FALSE(deliver(s, member_id{5}, other, instant{}, out));
  CHECK(s.heard == member_id{4});

  sibling_message lost{peer_lost{member_id{6}}};
  sibling_message image{take_snapshot{}};
  CHECK(deliver(s, lost, instant{}, out));
  CHECK(s.lost == member_id{6});
  CHECK_FALSE(deliver(s, image, instant{}, out));
}

} // namespace routing_test
