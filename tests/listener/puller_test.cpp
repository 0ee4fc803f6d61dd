// SPDX-License-Identifier: BSL-1.0
#include <understudy/listener/puller.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace puller_test {

using namespace understudy;
using namespace std::chrono_literals;

static_assert(component<puller>);

namespace {

constexpr member_id self{100};
constexpr member_id a{1}, b{2}, c{3};
constexpr cluster_id cluster{77};

placed_configuration placed(std::uint64_t index, std::vector<member_id> voters,
                            std::vector<member_id> outgoing = {}) {
  configuration members{
      .cluster = cluster, .voters = std::move(voters), .outgoing = std::move(outgoing)};
  return {log_index{index}, std::make_shared<const configuration>(std::move(members))};
}

entry at(std::uint64_t index, std::uint64_t term, std::string_view data = "x") {
  return {log_index{index}, term_number{term}, {}, share(command{{1}, {index}, {}, bytes{data}})};
}

/// A puller with its raft core and its sources played by hand.
struct scene {
  puller_options options;
  puller it{self, options};
  instant now{100s};
  outbox out;

  void view(core_view v) {
    if (v.leader_heard == instant{})
      v.leader_heard = now;
    it.on(v, now, out);
    it.settle(now, out);
  }

  void listens(std::vector<member_id> voters, member_id leader) {
    view({.term = {3}, .leader = leader, .newest = placed(9, std::move(voters))});
  }

  void stored(std::uint64_t index, std::uint64_t term, std::uint64_t commit) {
    stored_through s{.last = {{index}, {term}}, .commit = {commit}};
    it.on(s, now, out);
    it.settle(now, out);
  }

  void reply(member_id from, pull_reply r) {
    it.on(from, r, now, out);
    it.settle(now, out);
  }

  void lose(member_id who) {
    peer_lost lost{who};
    it.on(lost, now, out);
    it.settle(now, out);
  }

  void pass(interval time) {
    now += time;
    out.wake_at.reset();
    it.wake(now, out);
    it.settle(now, out);
  }

  /// The only question sent since the last time.
  letter question() {
    std::vector<letter> found;
    std::swap(found, out.letters);
    REQUIRE(found.size() == 1);
    return found.front();
  }

  static pull_request ask_in(const letter& l) { return std::get<pull_request>(l.what); }

  template <class T> std::vector<T> told() {
    std::vector<T> found;
    for (auto& n : out.notices)
      if (auto* t = std::get_if<T>(&n))
        found.push_back(*t);
    std::erase_if(out.notices, [](auto& n) { return std::holds_alternative<T>(n); });
    return found;
  }
};

} // namespace

TEST_CASE("S2: a listener pulls from a follower, stores, and asks on from there") {
  scene s;
  s.listens({a, b}, a);
  const auto first = s.question();
  CHECK(first.to == b);
  CHECK(s.ask_in(first).cluster == cluster);
  CHECK(s.ask_in(first).from == log_position{});
  CHECK(s.ask_in(first).wait == s.options.wait);

  s.reply(
      b, {.ask = s.ask_in(first).ask, .entries = {at(1, 1), at(2, 2)}, .commit = {5}, .term = {4}});
  const auto pulled = s.told<pulled_entries>();
  REQUIRE(pulled.size() == 1);
  CHECK(pulled[0].previous == log_position{});
  CHECK(pulled[0].entries.size() == 2);
  CHECK(pulled[0].commit == log_index{5});
  CHECK(pulled[0].term == term_number{4});
  CHECK_MESSAGE(s.out.letters.empty(), "what was pulled is not durable yet");
  CHECK(s.it.lag() == 5);

  s.stored(2, 2, 2);
  const auto second = s.question();
  CHECK(second.to == b);
  CHECK(s.ask_in(second).from == log_position{{2}, {2}});
  CHECK(s.ask_in(second).ask > s.ask_in(first).ask);
  CHECK(s.it.lag() == 3);
  CHECK(s.it.counters().from_followers == 1);
  CHECK(s.it.counters().from_leader == 0);
  CHECK(s.it.counters().entries == 2);
  CHECK(s.it.counters().bytes > 0);
}

TEST_CASE("the source it pulls from now is announced when it changes") {
  scene s;
  s.listens({a, b, c}, a);
  const auto first = s.question().to;
  auto events = s.told<node_event>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].what == node_event::kind::source_changed);
  CHECK(events[0].who == first);
  CHECK(s.it.source() == first);
  s.lose(first);
  events = s.told<node_event>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].who == s.question().to);
  CHECK(events[0].who != first);
}

TEST_CASE("a source that hears the leader is asked on, also while nothing happens") {
  scene s;
  s.listens({a, b, c}, a);
  const auto first = s.question();
  s.reply(first.to, {.ask = s.ask_in(first).ask, .leader = a, .leader_silent = 299ms});
  CHECK(s.question().to == first.to);
}

TEST_CASE("one question is open at a time") {
  scene s;
  s.listens({a, b}, a);
  s.question();
  s.listens({a, b}, a);
  s.stored(0, 0, 0);
  s.pass(10ms);
  CHECK(s.out.letters.empty());
}

TEST_CASE("an answer with nothing new does not bother the core") {
  scene s;
  s.listens({a, b}, a);
  s.stored(4, 1, 4);
  auto asked = s.ask_in(s.question());
  // The first question left before the core had said where the log stands.
  s.reply(b, {.ask = asked.ask, .commit = {4}, .leader = a});
  CHECK(s.told<pulled_entries>().empty());
  asked = s.ask_in(s.question());
  CHECK(asked.from == log_position{{4}, {1}});
  s.reply(b, {.ask = asked.ask, .previous = {{4}, {1}}, .commit = {4}, .leader = a});
  CHECK(s.told<pulled_entries>().empty());
  CHECK(s.question().to == b);
}

TEST_CASE("a commit index that is news is handed on without entries") {
  scene s;
  s.listens({a, b}, a);
  auto asked = s.ask_in(s.question());
  s.reply(b, {.ask = asked.ask, .entries = {at(1, 1)}, .commit = {1}});
  s.told<pulled_entries>();
  s.stored(1, 1, 0);
  asked = s.ask_in(s.question());
  s.reply(b, {.ask = asked.ask, .previous = {{1}, {1}}, .commit = {1}});
  const auto pulled = s.told<pulled_entries>();
  REQUIRE(pulled.size() == 1);
  CHECK(pulled[0].commit == log_index{1});
}

TEST_CASE("M19: what does not continue the log is dropped, and another source is asked") {
  scene s;
  s.listens({a, b, c}, a);
  const auto first = s.question();
  const auto ask = s.ask_in(first).ask;
  pull_reply wrong{.ask = ask, .commit = {9}};
  SUBCASE("another place than asked for") {
    wrong.previous = {{1}, {1}};
    wrong.entries = {at(2, 1)};
  }
  SUBCASE("a gap at the start") {
    wrong.entries = {at(2, 1)};
  }
  SUBCASE("a gap in the middle") {
    wrong.entries = {at(1, 1), at(3, 1)};
  }
  SUBCASE("a term that falls") {
    wrong.entries = {at(1, 2), at(2, 1)};
  }
  SUBCASE("an entry that the source has not committed") {
    wrong.entries = {at(1, 1), at(2, 1)};
    wrong.commit = {1};
  }
  SUBCASE("an entry without content") {
    wrong.entries = {entry{{1}, {1}, {}, nullptr}};
  }
  SUBCASE("a snapshot without a snapshot") {
    wrong.verdict = pull_verdict::snapshot;
  }
  s.reply(first.to, wrong);
  CHECK(s.told<pulled_entries>().empty());
  CHECK(s.told<pulled_chunk>().empty());
  CHECK(s.it.counters().refused == 1);
  const auto second = s.question();
  CHECK(second.to != first.to);
  CHECK(second.to != a);
  CHECK(s.ask_in(second).from == log_position{});
}

TEST_CASE("M19: an answer that was overtaken by the log is dropped, and asked for anew") {
  scene s;
  s.listens({a, b}, a);
  const auto asked = s.ask_in(s.question());
  s.stored(2, 1, 2);
  s.reply(b, {.ask = asked.ask, .entries = {at(1, 1)}, .commit = {1}});
  CHECK(s.told<pulled_entries>().empty());
  const auto next = s.question();
  CHECK(next.to == b);
  CHECK(s.ask_in(next).from == log_position{{2}, {1}});
}

TEST_CASE("C10: after a change of source the answers of the old one are ignored") {
  scene s;
  s.listens({a, b, c}, a);
  const auto first = s.question();
  s.pass(s.options.source_timeout);
  const auto second = s.question();
  CHECK(second.to != first.to);
  CHECK(s.it.counters().silent == 1);
  s.reply(first.to, {.ask = s.ask_in(first).ask, .entries = {at(1, 1)}, .commit = {1}});
  CHECK(s.told<pulled_entries>().empty());
  s.reply(second.to, {.ask = s.ask_in(second).ask, .entries = {at(1, 1)}, .commit = {1}});
  CHECK(s.told<pulled_entries>().size() == 1);
  SUBCASE("also when they come twice") {
    s.reply(second.to, {.ask = s.ask_in(second).ask, .entries = {at(1, 1)}, .commit = {1}});
    CHECK(s.told<pulled_entries>().empty());
    CHECK(s.it.counters().late == 2);
  }
}

TEST_CASE("an answer counts only from the member that was asked") {
  scene s;
  s.listens({a, b, c}, a);
  const auto asked = s.question();
  s.reply(a, {.ask = s.ask_in(asked).ask, .entries = {at(1, 1)}, .commit = {1}});
  CHECK(s.told<pulled_entries>().empty());
  CHECK(s.out.letters.empty());
}

TEST_CASE("M20: a source that is behind, refuses or is lost is left for another one in no time") {
  scene s;
  s.listens({a, b, c}, a);
  const auto first = s.question();
  SUBCASE("behind") {
    s.reply(first.to, {.ask = s.ask_in(first).ask, .verdict = pull_verdict::behind});
  }
  SUBCASE("refused") {
    s.reply(first.to, {.ask = s.ask_in(first).ask, .verdict = pull_verdict::refused});
  }
  SUBCASE("lost") {
    s.lose(first.to);
  }
  const auto second = s.question();
  CHECK(second.to != first.to);
  CHECK(second.to != a);
}

TEST_CASE("M20: a source that refuses may name the one that will not") {
  scene s;
  s.listens({b}, {});
  s.stored(0, 0, 0);
  const auto q = s.question();
  s.reply(
      b,
      {.ask = s.ask_in(q).ask, .verdict = pull_verdict::refused, .leader = c, .leader_silent = 1h});
  CHECK(s.question().to == c);
  const auto told = s.told<leader_hint>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].leader == c);
}

TEST_CASE("a leader is named behind the entries, which may begin the term in which it leads") {
  scene s;
  s.listens({a, b}, a);
  s.stored(0, 0, 0);
  const auto q = s.question();
  s.reply(b,
          {.ask = s.ask_in(q).ask, .entries = {at(1, 1)}, .commit = {1}, .term = {9}, .leader = a});
  std::vector<std::size_t> order;
  for (const auto& n : s.out.notices)
    if (std::holds_alternative<pulled_entries>(n) || std::holds_alternative<leader_hint>(n))
      order.push_back(n.index());
  REQUIRE(order.size() == 2);
  CHECK(order[0] < order[1]); // as the notices stand in their list
}

TEST_CASE("M20: a source that has nothing new and has lost the leader itself is left for another") {
  scene s;
  s.listens({a, b, c}, a);
  const auto first = s.question();
  CHECK(first.to == b);
  s.reply(b, {.ask = s.ask_in(first).ask, .leader = a, .leader_silent = 300ms});
  const auto second = s.question();
  CHECK(second.to == c);
  s.reply(c, {.ask = s.ask_in(second).ask});
  CHECK(s.question().to == a);
}

TEST_CASE(
    "M20: a source that has nothing new is left when the leader has said that there is more") {
  scene s;
  s.view({.term = {3}, .leader = a, .leader_commit = {5}, .newest = placed(9, {a, b, c})});
  for (const auto source : {b, c}) {
    const auto asked = s.question();
    CHECK(asked.to == source);
    s.reply(source, {.ask = s.ask_in(asked).ask, .leader = a});
  }
  CHECK(s.question().to == a); // they are as far behind as this node, whatever they hear
}

TEST_CASE("N9: a source that is silent too long is left, and the next one is asked for less") {
  scene s;
  s.listens({a, b, c}, a);
  const auto first = s.question();
  CHECK(s.ask_in(first).bytes_max == s.options.bytes_max);
  s.pass(s.options.source_timeout);
  const auto second = s.question();
  CHECK(second.to != first.to);
  CHECK(s.ask_in(second).bytes_max == s.options.bytes_max / 2);
  s.pass(10ms);
  s.reply(second.to, {.ask = s.ask_in(second).ask,
                      .entries = {at(1, 1, std::string(s.options.bytes_max / 2, 'x'))},
                      .commit = {2},
                      .term = {3}});
  s.stored(1, 1, 1);
  CHECK(s.ask_in(s.question()).bytes_max == s.options.bytes_max);
}

TEST_CASE("M20: a group that does not answer is asked on at a bounded pace") {
  scene s;
  s.listens({a, b, c}, a);
  int asked = 0;
  for (int i = 0; i < 200; ++i) {
    for (auto& l : std::exchange(s.out.letters, {})) {
      ++asked;
      s.lose(l.to);
    }
    s.pass(5ms);
  }
  CHECK(asked > 20);
  CHECK(asked < 200);
}

TEST_CASE("the only voter is asked again after it was lost") {
  scene s;
  s.listens({a}, a);
  CHECK(s.question().to == a);
  s.lose(a);
  CHECK(s.out.letters.empty());
  REQUIRE(s.out.wake_at);
  s.pass(*s.out.wake_at - s.now);
  CHECK(s.question().to == a);
}

TEST_CASE("M15: a listener learns from any member who leads, and how fresh that is") {
  scene s;
  s.listens({a, b}, {});
  const auto asked = s.question();
  s.reply(asked.to, {.ask = s.ask_in(asked).ask,
                     .verdict = pull_verdict::behind,
                     .term = {4},
                     .leader = b,
                     .leader_silent = 30ms});
  const auto hints = s.told<leader_hint>();
  REQUIRE(hints.size() == 1);
  CHECK(hints[0].leader == b);
  CHECK(hints[0].term == term_number{4});
  CHECK(hints[0].heard == s.now - 30ms);
}

TEST_CASE("a divergence is told to the core, and another source is asked") {
  scene s;
  s.listens({a, b, c}, a);
  const auto asked = s.question();
  s.reply(asked.to, {.ask = s.ask_in(asked).ask, .verdict = pull_verdict::diverged});
  CHECK(s.told<pulled_divergence>().size() == 1);
  const auto next = s.question();
  CHECK(next.to != asked.to);
  CHECK(s.ask_in(next).from == s.ask_in(asked).from);
}

TEST_CASE("a snapshot is pulled chunk by chunk, and resumed from another source") {
  scene s;
  s.listens({a, b, c}, a);
  const auto first = s.question();
  const snapshot_key key{{{20}, {2}}, 99};
  s.reply(first.to, {.ask = s.ask_in(first).ask,
                     .verdict = pull_verdict::snapshot,
                     .commit = {30},
                     .chunk = snapshot_chunk{.key = key, .size = 8, .data = bytes{"half"}}});
  const auto chunks = s.told<pulled_chunk>();
  REQUIRE(chunks.size() == 1);
  CHECK(chunks[0].chunk.data == bytes{"half"});
  CHECK(s.it.counters().bytes == 4);
  stored_through half{.resume = key, .received = 4};
  s.it.on(half, s.now, s.out);
  s.it.settle(s.now, s.out);
  s.question();
  s.lose(first.to);
  const auto second = s.question();
  CHECK(second.to != first.to);
  CHECK(s.ask_in(second).resume == key);
  CHECK(s.ask_in(second).received == 4);
}

TEST_CASE("a voter that hears its leader does not pull, nor does a leader") {
  scene s;
  s.listens({self, a, b}, a);
  CHECK(s.out.letters.empty());
  s.view({.term = {3}, .leader = self, .leads = true, .newest = placed(9, {a, b})});
  CHECK(s.out.letters.empty());
  s.pass(10s);
  CHECK(s.out.letters.empty());
}

TEST_CASE("a voter that a change is about to vote out pulls at once") {
  scene s;
  s.view({.term = {3}, .leader = a, .newest = placed(9, {a, b, self})});
  CHECK(s.out.letters.empty());
  s.view({.term = {3}, .leader = a, .newest = placed(10, {a, b, c}, {a, b, self})});
  s.stored(10, 3, 9);
  CHECK(s.question().to != a);
}

TEST_CASE("a node that pulls no more is not behind, whatever a source told it before") {
  for (const bool leads : {false, true}) {
    CAPTURE(leads);
    scene s;
    s.listens({a, b}, a);
    s.stored(0, 0, 0);
    const auto q = s.question();
    s.reply(b, {.ask = s.ask_in(q).ask, .entries = {at(1, 1)}, .commit = {5}, .term = {4}});
    CHECK(s.it.lag() == 5);
    s.view({.term = {5},
            .leader = leads ? self : a,
            .leads = leads,
            .newest = placed(10, {a, b, self})});
    CHECK(s.it.lag() == 0); // it has all that is committed, or the leader sends it
  }
}

TEST_CASE("a voter that has heard no leader for a while pulls, whatever its log says of its role") {
  scene s;
  s.listens({self, a, b}, a);
  REQUIRE(s.out.wake_at);
  CHECK(*s.out.wake_at == s.now + s.options.leaderless_after);
  s.pass(s.options.leaderless_after - 1ms);
  CHECK(s.out.letters.empty());
  s.pass(1ms);
  const auto asked = s.question();
  CHECK(asked.to == b);
  SUBCASE("and stops when it hears one again, with what is on its way") {
    s.listens({self, a, b}, a);
    s.reply(asked.to, {.ask = s.ask_in(asked).ask, .entries = {at(1, 1)}, .commit = {1}});
    CHECK(s.told<pulled_entries>().size() == 1);
    CHECK(s.out.letters.empty());
  }
  SUBCASE("and finds out that its source is dead, though a leader is heard now and then") {
    for (int i = 0; i < 2; ++i) {
      s.pass(s.options.source_timeout / 2);
      s.listens({self, a, b}, a);
    }
    CHECK(s.it.counters().silent == 1);
    CHECK(s.out.letters.empty());
  }
}

TEST_CASE("a node that has just entered pulls from the roster that it was shown") {
  scene s;
  s.view({});
  CHECK(s.out.letters.empty());
  entered_cluster entered{cluster, {40}, placed(40, {a, b})};
  s.it.on(entered, s.now, s.out);
  s.it.settle(s.now, s.out);
  const auto asked = s.question();
  CHECK(s.ask_in(asked).cluster == cluster);

  INFO("configurations from before its entry are history: it was a voter of none of them");
  s.view({.term = {3}, .leader = a, .newest = placed(1, {c})});
  s.lose(asked.to);
  CHECK(s.question().to != c);
  SUBCASE("its log has caught up with the roster") {
    s.view({.term = {3}, .leader = a, .newest = placed(41, {c})});
    s.pass(s.options.source_timeout);
    CHECK(s.question().to == c);
  }
}

TEST_CASE("a configuration that was rolled back is forgotten") {
  scene s;
  s.view({.term = {3}, .leader = a, .newest = placed(9, {a, b})});
  CHECK(s.question().to == b);
  s.view({.term = {3}, .leader = a, .newest = placed(12, {a, c})});
  s.view({.term = {3}, .leader = a, .newest = placed(9, {a, b})});
  s.pass(s.options.source_timeout);
  const auto next = s.question().to;
  CHECK(next != c);
}

} // namespace puller_test
