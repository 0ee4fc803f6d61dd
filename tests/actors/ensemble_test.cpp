// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/ensemble.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace ensemble_test {

using namespace understudy;
using namespace std::chrono_literals;

namespace {

using diary = std::shared_ptr<std::vector<std::string>>;

diary new_diary() {
  return std::make_shared<std::vector<std::string>>();
}

/// Tells a writer to store for each vote request, and answers once that is done.
struct asker {
  using peer_messages = type_list<request_vote>;
  using notices = type_list<store_written, peer_lost>;

  diary notes;
  member_id from = {};

  void on(member_id sender, request_vote& m, instant, outbox& out) {
    from = sender;
    notes->push_back("asked");
    out.tell(store_write{.write = generation{m.term.value}});
  }
  void on(store_written& m, instant, outbox& out) {
    notes->push_back("told " + std::to_string(m.write.value));
    out.send(from, vote_reply{.term = {m.write.value}});
  }
  void on(peer_lost&, instant, outbox&) { notes->push_back("asker lost a peer"); }
  void wake(instant now, outbox& out) {
    notes->push_back("asker woke");
    out.wake(now + 10ms);
  }
  void settle(instant, outbox&) { notes->push_back("asker settled"); }
};

/// Stores when it settles.
struct writer {
  using peer_messages = type_list<>;
  using notices = type_list<store_write, peer_lost>;

  diary notes;
  generation newest = {};

  void on(store_write& m, instant, outbox&) {
    newest = m.write;
    notes->push_back("got " + std::to_string(m.write.value));
  }
  void on(peer_lost&, instant, outbox&) { notes->push_back("writer lost a peer"); }
  void wake(instant now, outbox& out) {
    notes->push_back("writer woke");
    out.wake(now + 3ms);
  }
  void settle(instant, outbox& out) {
    notes->push_back("writer settled");
    if (newest != generation{})
      out.tell(store_written{std::exchange(newest, generation{})});
  }
};

/// Asks for the next round as long as it goes round.
struct restless {
  using peer_messages = type_list<>;
  using notices = type_list<take_snapshot>;
  void on(take_snapshot&, instant, outbox&) {}
  void wake(instant, outbox&) {}
  void settle(instant, outbox& out) { out.tell(take_snapshot{}); }
};

constexpr instant noon{1h};

} // namespace

TEST_CASE("components of one actor talk without leaving it, and settle until all is quiet") {
  const auto notes = new_diary();
  ensemble both{asker{notes}, writer{notes}};
  request_vote first{.term = {1}};
  request_vote second{.term = {2}};
  both.receive(member_id{7}, first, noon);
  both.receive(member_id{7}, second, noon);
  CHECK(*notes == std::vector<std::string>{"asked", "got 1", "asked", "got 2"});
  CHECK(both.outside().letters.empty());

  notes->clear();
  both.settle(noon);
  CHECK(*notes
        == std::vector<std::string>{"asker settled", "writer settled", "told 2", "asker settled"});
  REQUIRE(both.outside().letters.size() == 1);
  CHECK(both.outside().letters[0].to == member_id{7});
  CHECK(std::get<vote_reply>(both.outside().letters[0].what).term == term_number{2});
  CHECK(both.outside().notices.empty());

  notes->clear();
  both.settle(noon);
  CHECK(notes->empty());
}

TEST_CASE("a notice goes to every component that takes it") {
  const auto notes = new_diary();
  ensemble both{asker{notes}, writer{notes}};
  peer_lost lost{member_id{3}};
  both.tell(lost, noon);
  CHECK(*notes == std::vector<std::string>{"asker lost a peer", "writer lost a peer"});
}

TEST_CASE("what nobody inside takes is left outside, and what others want too is left as well") {
  const auto notes = new_diary();
  ensemble alone{asker{notes}};
  request_vote m{.term = {4}};
  alone.receive(member_id{7}, m, noon);
  REQUIRE(alone.outside().notices.size() == 1);
  CHECK(std::holds_alternative<store_write>(alone.outside().notices[0]));

  ensemble both{asker{notes}, writer{notes}};
  notice_set shared;
  shared.set(sibling_message{store_write{}}.index());
  both.share(shared);
  notes->clear();
  both.receive(member_id{7}, m, noon);
  CHECK(*notes == std::vector<std::string>{"asked", "got 4"});
  REQUIRE(both.outside().notices.size() == 1);
  CHECK(std::get<store_write>(both.outside().notices[0]).write == generation{4});
}

TEST_CASE("each component is woken at its own time, and once at the beginning") {
  const auto notes = new_diary();
  ensemble both{asker{notes}, writer{notes}};
  CHECK(both.next_wake() == std::nullopt);
  both.begin(noon);
  CHECK(*notes == std::vector<std::string>{"asker woke", "writer woke"});
  CHECK(both.next_wake() == noon + 3ms);

  notes->clear();
  both.wake(noon + 2ms);
  CHECK(notes->empty());
  both.wake(noon + 4ms);
  CHECK(*notes == std::vector<std::string>{"writer woke"});
  CHECK(both.next_wake() == noon + 7ms);

  notes->clear();
  both.wake(noon + 20ms);
  CHECK(*notes == std::vector<std::string>{"asker woke", "writer woke"});
}

TEST_CASE("a step that is neither message nor notice is settled like one") {
  const auto notes = new_diary();
  ensemble both{asker{notes}, writer{notes}};
  both.use<writer>([](writer& w, instant, outbox&) { w.newest = generation{9}; }, noon);
  both.settle(noon);
  CHECK(*notes == std::vector<std::string>{"writer settled", "told 9", "asker settled"});
}

TEST_CASE("components that never come to rest are a broken invariant") {
  ensemble alone{restless{}};
  take_snapshot m;
  alone.tell(m, noon);
  CHECK_THROWS_AS(alone.settle(noon), invariant_broken);
}

} // namespace ensemble_test
