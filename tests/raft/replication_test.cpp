// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/replication.hpp>

#include <doctest/doctest.h>

#include "raft/support/group.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace replication_test {

using namespace support;

namespace {

/// Snapshots after a few entries, sent in small pieces, with nothing kept behind them.
core_options compact_often() {
  core_options o;
  o.snapshot_after_bytes = 20 * 64;
  o.retain_entries = 0;
  o.retain_bytes_max = 0;
  o.snapshot_chunk_bytes = 16;
  return o;
}

void write(group& g, std::uint64_t at, int entries) {
  for (int i = 0; i < entries; ++i) {
    g.propose(at, "w");
    g.exchange();
  }
}

/// The leader's own view of a peer.
log_index match_of(group& g, std::uint64_t leader, std::uint64_t peer) {
  g.pass_time(60ms);
  const auto view = g.told<core_view>(leader).back();
  for (const auto& p : view.peers)
    if (p.id.value == peer)
      return p.match;
  return {};
}

bool carries_term(const mail& m, std::uint64_t term) {
  const auto* a = m.as<append_entries>();
  return a && std::ranges::any_of(a->entries, [&](const entry& e) { return e.term.value == term; });
}

} // namespace

TEST_CASE("a new leader's first message carries its first entry") {
  group g{made_of({1, 2}, {1, 2})};
  std::vector<std::size_t> sizes;
  g.hold([&](const mail& m) {
    if (const auto* a = m.as<append_entries>())
      sizes.push_back(a->entries.size());
    return false;
  });
  g.elect(1);
  REQUIRE(!sizes.empty());
  CHECK(sizes.front() == 1);
}

TEST_CASE("an entry of an earlier term is committed by one of the own term only (R1)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.part({1, 2});
  g.hold([](const mail& m) { return m.as<append_reply>() != nullptr; });
  g.propose(1, "x"); // index 3, of term 2, on 1 and 2; 1 never hears so
  g.exchange();
  const auto before = g[1].commit();
  REQUIRE(g[2].log().last().index == log_index{3});
  g.drop();

  g.hold([](const mail& m) { return carries_term(m, 3); });
  g.elect(1);
  g.pass_time(120ms); // heartbeats tell 1 that 2 has x
  REQUIRE(match_of(g, 1, 2) == log_index{3});
  CHECK(g[1].commit() == before);
  g.release();
  CHECK(g[1].commit() == log_index{4});
}

TEST_CASE(
    "a window that arrives in disorder is sent again once, not once for each of its messages") {
  core_options one_by_one;
  one_by_one.append_entries_max = 1;
  group g{made_of({1, 2, 3}, {1, 2, 3}), one_by_one};
  g.elect(1);
  g.pass_time(100ms);
  g.hold<append_entries>(1, 2);
  constexpr int window = 200;
  for (int i = 0; i < window; ++i)
    g.propose(1, "x");
  g.exchange();
  REQUIRE(g.held.size() >= window);
  auto late = std::exchange(g.held, {});
  std::size_t sent = 0;
  g.hold([&](const mail& m) {
    sent += m.as<append_entries>() && m.to == member_id{2} ? 1 : 0;
    return false;
  });
  // Each lies before the one that it follows, but for pairs that are in order: so refusals and
  // acceptances come in turns.
  for (std::size_t end = late.size(); end >= 2; end -= 2) {
    g.pass(std::move(late[end - 2]));
    g.pass(std::move(late[end - 1]));
  }
  g.exchange();
  CHECK(g[2].log().last() == g[1].log().last());
  CHECK(sent < 2 * window);
}

TEST_CASE("old and doubled messages change nothing that a newer one has brought (R2)") {
  group g{made_of({1, 2}, {1, 2})};
  g.elect(1);
  std::vector<mail> seen;
  g.hold([&](const mail& m) {
    if (m.as<append_entries>())
      seen.push_back(m);
    return false;
  });
  write(g, 1, 5);
  const auto last = g[2].log().last();
  std::ranges::reverse(seen);
  for (int twice = 0; twice < 2; ++twice)
    for (const auto& m : seen)
      g.pass(m);
  CHECK(g[2].log().last() == last);
  CHECK(g[2].commit() == last.index);
  CHECK(g[2].state().counts.truncations == 0);
}

TEST_CASE("messages that overtake each other still bring everything") {
  group g{made_of({1, 2}, {1, 2})};
  g.elect(1);
  g.hold<append_entries>(1, 2);
  for (const char* body : {"a", "b", "c", "d"}) {
    g.propose(1, body);
    g.exchange();
  }
  std::ranges::reverse(g.held);
  g.release();
  g.pass_time(200ms);
  CHECK(g.applied(2) == "abcd");
  CHECK(g.agree({1, 2}));
}

TEST_CASE("lost messages and lost answers are made up for") {
  group g{made_of({1, 2}, {1, 2})};
  g.elect(1);
  SUBCASE("messages") {
    g.hold<append_entries>(1, 2);
  }
  SUBCASE("answers") {
    g.hold<append_reply>(2, 1);
  }
  g.propose(1, "a");
  g.propose(1, "b");
  g.exchange();
  g.drop();
  g.pass_time(200ms);
  CHECK(g.applied(1) == "ab");
  CHECK(g.agree({1, 2}));
}

TEST_CASE("an acknowledgement leaves when the entries are durable (I14)") {
  group g{made_of({1, 2}, {1, 2}), {.volatile_log = false}};
  g.elect(1);
  g.stall_disk(2);
  g.propose(1, "x");
  g.exchange();
  CHECK(g[2].log().last().index == log_index{3});
  CHECK(g[1].commit() == log_index{2});
  g.finish_disk(2);
  g.exchange();
  CHECK(g[1].commit() == log_index{3});
}

TEST_CASE("D5: a follower whose disk is full answers, and acknowledges only what is stored (I14)") {
  core_options o;
  o.volatile_log = false;
  group g{made_of({1, 2}, {1, 2}), o};
  g.elect(1);
  const auto stored = g[2].durable();
  g.fill_disk(2);
  log_index most;
  int answers = 0;
  g.hold([&](const mail& m) {
    if (const auto* r = m.as<append_reply>()) {
      ++answers;
      most = std::max(most, r->match);
    }
    return false;
  });
  g.propose(1, "a");
  g.pass_time(1s);
  CHECK(answers > 10);
  CHECK(most == stored);
  CHECK(g[2].log().last() == g[1].log().last());
  CHECK(g[1].commit() == stored);
  g.finish_disk(2);
  g.pass_time(100ms);
  CHECK(most == g[1].log().last().index);
  CHECK(g.applied(1) == "a");
}

TEST_CASE("the leader counts itself when its own disk has it, and not before (R6)") {
  SUBCASE("alone") {
    group g{made_of({1}, {1}), {.volatile_log = false}};
    g.elect(1);
    g.stall_disk(1);
    g.propose(1, "x");
    CHECK(g.applied(1).empty());
    g.finish_disk(1);
    CHECK(g.applied(1) == "x");
  }
  SUBCASE("a majority of others is enough") {
    group g{made_of({1, 2, 3}, {1, 2, 3}), {.volatile_log = false}};
    g.elect(1);
    g.stall_disk(1);
    g.propose(1, "x");
    g.exchange();
    CHECK(g.applied(1) == "x");
    CHECK(g[1].durable() < g[1].commit());
  }
}

TEST_CASE("a slow disk does not vouch for entries that were written over (R3)") {
  group g{made_of({1, 2, 3}, {1, 2, 3}), {.volatile_log = false}};
  g.elect(1);
  g.part({1, 3});
  g.stall_disk(3);
  g.forget_told();
  g.propose(1, "old"); // index 3 of term 2, at 3 not yet written
  g.exchange();
  const auto old_write = g.told<store_write>(3).back().write;
  g.heal();
  g.part({2, 3});
  g.finish_disk(2);
  g.stand(2);
  g.exchange(); // 3 has not voted: its vote waits for the disk
  g.tell(3, store_written{old_write});
  g.exchange();
  CHECK_FALSE(g[2].leads());
  g.finish_disk(3);
  g.exchange();
}

TEST_CASE("an answer from before a peer was removed is not credited after it came back (R4)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.hold<append_reply>(3, 1);
  write(g, 1, 5);
  g.change_voters(1, {1, 2});
  g.exchange();
  g.pass_time(10ms);
  CHECK(match_of(g, 1, 3) == log_index{0});
  const auto stale = std::exchange(g.held, {});
  g.hold([](const mail& m) { return m.to.value == 3 || m.from.value == 3; });
  g.tell(1, track_members{ids({3})});
  for (const auto& m : stale)
    g.pass(m);
  CHECK(match_of(g, 1, 3) == log_index{0});
}

TEST_CASE("what is beyond the match of a message is not committed by it (R8)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  const auto first = entry_of(1, 1, made_of({1, 2, 3}, {1, 2, 3}));
  g.know(2, {first, entry_of(2, 1), entry_of(3, 1)}, 1);
  g.receive(2, 1, append_entries{.term = {4}, .previous = {{1}, {1}}, .commit = {3}});
  CHECK(g[2].commit() == log_index{1});
  g.receive(2, 1,
            append_entries{
                .term = {4}, .previous = {{1}, {1}}, .entries = {entry_of(2, 4)}, .commit = {3}});
  CHECK(g[2].commit() == log_index{2});
  CHECK(g[2].log().last() == log_position{{2}, {4}});
}

TEST_CASE("an empty node is brought up to date in an idle group (R11)") {
  group g{made_of({1, 2}, {1, 2})};
  g.elect(1);
  write(g, 1, 5);
  g.add(9);
  g.tell(1, track_members{ids({9})});
  g.pass_time(200ms);
  CHECK(g.agree({1, 9}));
  CHECK(g.applied(9) == "wwwww");
}

TEST_CASE("a long divergent tail costs a message for each of its terms, not each entry (R12)") {
  const auto first = entry_of(1, 1, made_of({1, 2, 3}, {1, 2, 3}));
  std::vector<entry> ours{first};
  std::vector<entry> theirs{first};
  for (std::uint64_t i = 2; i <= 3000; ++i) {
    ours.push_back(entry_of(i, i < 1000 ? 5 : i < 2000 ? 7 : 9));
    theirs.push_back(entry_of(i, i < 1500 ? 4 : i < 2500 ? 6 : 8));
  }
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.know(1, ours, 1);
  g.know(2, ours, 1);
  g.know(3, theirs, 1);
  int probes = 0;
  g.hold([&](const mail& m) {
    probes += m.as<append_entries>() && m.to.value == 3 ? 1 : 0;
    return false;
  });
  g.elect(1);
  g.pass_time(100ms);
  CHECK(g.agree({1, 2, 3}));
  CHECK(probes < 20);
}

TEST_CASE("an old message about what is compacted is accepted as matched (R13)") {
  group g{made_of({1, 2}, {1, 2}), compact_often()};
  g.elect(1);
  g.hold<append_entries>(1, 2);
  g.propose(1, "a");
  g.exchange();
  const auto old = g.held.front();
  g.release();
  write(g, 1, 60);
  g.pass_time(100ms);
  REQUIRE(g[2].log().base().index > log_index{10});
  const auto last = g[2].log().last();
  g.pass(old);
  CHECK(g[2].log().last() == last);
  CHECK(g[2].state().counts.truncations == 0);
}

TEST_CASE("a follower behind the compacted log is sent a snapshot (N6)") {
  group g{made_of({1, 2, 3}, {1, 2, 3}), compact_often()};
  g.elect(1);
  write(g, 1, 5); // its log ends in the middle of what will be compacted
  g.part({3});
  write(g, 1, 60);
  REQUIRE(g[1].log().base().index > g[3].log().last().index);
  g.heal();
  SUBCASE("by the same leader") {}
  SUBCASE("by the next one, which probes from its own end") {
    g.elect(2);
  }
  g.pass_time(1s);
  CHECK(g[3].state().counts.installs == 1);
  CHECK(g.agree({1, 2, 3}));
  CHECK(g.applied(3) == g.applied(1));
}

TEST_CASE("a follower that diverges below the compacted log is sent a snapshot (N6)") {
  const auto first = entry_of(1, 1, made_of({1, 2, 3}, {1, 2, 3}));
  group g{made_of({1, 2, 3}, {1, 2, 3}), compact_often()};
  std::vector<entry> lost{first};
  for (std::uint64_t i = 2; i <= 200; ++i)
    lost.push_back(entry_of(i, 2));
  g.know(3, lost, 1);
  g.part({3});
  g.elect(1);
  g.elect(2); // term 3
  write(g, 2, 60);
  REQUIRE(g[2].log().base().index > log_index{20});
  g.heal();
  g.pass_time(1s);
  CHECK(g.agree({1, 2, 3}));
}

TEST_CASE("a snapshot goes on where it stopped when chunks and answers are lost (N6)") {
  group g{made_of({1, 2, 3}, {1, 2, 3}), compact_often()};
  g.elect(1);
  g.part({3});
  write(g, 1, 80);
  g.heal();
  int count = 0;
  g.hold([&](const mail& m) {
    return (m.as<install_snapshot>() || m.as<snapshot_reply>()) && ++count % 3 == 0;
  });
  g.pass_time(5s);
  CHECK(g[3].state().counts.installs == 1);
  CHECK(g.applied(3) == g.applied(1));
}

TEST_CASE("D5: to a follower whose disk is full each piece of a snapshot is sent once (N6)") {
  auto o = compact_often();
  o.volatile_log = false;
  group g{made_of({1, 2, 3}, {1, 2, 3}), o};
  g.elect(1);
  g.fill_disk(3);
  write(g, 1, 1);
  g.part({3});
  write(g, 1, 200);
  g.heal();
  std::map<std::uint64_t, int> sent; // pieces, by where they begin
  g.hold([&](const mail& m) {
    if (const auto* piece = m.as<install_snapshot>(); piece && !piece->chunk.last())
      ++sent[piece->chunk.offset];
    return false;
  });
  g.pass_time(2s);
  CHECK(sent.size() > 5);
  CHECK(std::ranges::all_of(sent, [](const auto& one) { return one.second == 1; }));
  CHECK(g[3].durable() < g[1].log().base().index);
  g.finish_disk(3);
  g.pass_time(2s);
  CHECK(g.agree({1, 2, 3}));
  CHECK(g[3].durable() == g[1].log().last().index);
}

TEST_CASE("doubled answers do not double a snapshot that is under way") {
  group g{made_of({1, 2, 3}, {1, 2, 3}), compact_often()};
  g.elect(1);
  g.part({3});
  write(g, 1, 200);
  g.heal();
  std::vector<mail> echoes;
  int chunks = 0;
  g.hold([&](const mail& m) {
    chunks += m.as<install_snapshot>() ? 1 : 0;
    if (m.as<snapshot_reply>())
      echoes.push_back(m);
    return false;
  });
  g.now += 50ms;
  g.wake(1);
  for (int round = 0; round < 100 && g[3].state().counts.installs == 0; ++round) {
    g.exchange();
    for (const auto& m : std::exchange(echoes, {}))
      g.pass(m);
  }
  CHECK(g[3].state().counts.installs == 1);
  CHECK(chunks < 30);
}

TEST_CASE("neither entries nor chunks are sent again and again to a silent peer (N9)") {
  group g{made_of({1, 2, 3}, {1, 2, 3}), compact_often()};
  g.elect(1);
  g.part({3});
  SUBCASE("entries") {
    g.tell(1, peer_lost{{3}});
    write(g, 1, 3);
  }
  SUBCASE("a snapshot") {
    write(g, 1, 60);
    g.heal();
  }
  int heavy = 0;
  g.hold([&](const mail& m) {
    const auto* a = m.as<append_entries>();
    heavy += m.to.value == 3 && ((a && !a->entries.empty()) || m.as<install_snapshot>()) ? 1 : 0;
    return m.to.value == 3;
  });
  g.pass_time(5s);
  CHECK(heavy <= 2);
}

TEST_CASE("reads are answered while the only other live voter is sent a snapshot") {
  group g{made_of({1, 2, 3}, {1, 2, 3}), compact_often()};
  g.elect(1);
  g.part({3});
  write(g, 1, 60);
  g.heal();
  g.part({2});
  g.hold([](const mail& m) { return m.as<install_snapshot>() != nullptr; });
  g.forget_told();
  g.tell(1, read_request{{1}});
  g.pass_time(2s);
  CHECK(g[1].leads());
  REQUIRE(g.told<read_ready>(1).size() == 1);
  CHECK(g.told<read_ready>(1)[0].code == errc::none);
}

TEST_CASE("a snapshot that is not ahead of what is committed changes nothing (N10)") {
  group g{made_of({1, 2}, {1, 2})};
  g.elect(1);
  write(g, 1, 5);
  const auto last = g[2].log().last();
  snapshot image{.at = {{3}, {2}}, .members = g[2].newest()};
  image.digest = digest_of(image.image.view());
  g.receive(2, 1, install_snapshot{.term = {2}, .chunk = chunk_of(image, 0, 100)});
  CHECK(g[2].log().last() == last);
  CHECK(g[2].state().counts.installs == 0);
}

TEST_CASE("a snapshot that the log agrees with keeps the log and commits up to it (N10)") {
  const auto first = entry_of(1, 1, made_of({1, 2}, {1, 2}));
  group g{made_of({1, 2}, {1, 2})};
  g.know(2, {first, entry_of(2, 1), entry_of(3, 1)}, 1);
  snapshot image{.at = {{2}, {1}}, .members = g[2].newest()};
  image.digest = digest_of(image.image.view());
  g.receive(2, 1, install_snapshot{.term = {1}, .chunk = chunk_of(image, 0, 100)});
  CHECK(g[2].log().last().index == log_index{3});
  CHECK(g[2].commit() == log_index{2});
  CHECK(g[2].state().counts.installs == 0);
}

TEST_CASE("a snapshot of an earlier leader is refused, and its sender learns the term (N10)") {
  group g{made_of({1, 2}, {1, 2})};
  g.elect(1);
  snapshot image{.at = {{9}, {1}}, .members = g[2].newest()};
  g.hold([](const mail&) { return true; });
  g.receive(2, 1, install_snapshot{.term = {1}, .chunk = chunk_of(image, 0, 100)});
  g.exchange();
  REQUIRE(g.held.size() == 1);
  CHECK(g.held[0].as<snapshot_reply>()->term == term_number{2});
  CHECK_FALSE(g.held[0].as<snapshot_reply>()->done);
}

TEST_CASE("a snapshot's configuration takes the place of an uncommitted one (M14)") {
  const auto two = made_of({1, 2, 3}, {1, 2});
  group g{two};
  g.know(2, {entry_of(1, 1, two), entry_of(2, 3, made_of({1, 2, 3}, {2}))}, 1);
  REQUIRE(g[2].newest().index == log_index{2});
  snapshot image{.at = {{5}, {4}}, .members = g[1].newest()};
  image.digest = digest_of(image.image.view());
  g.receive(2, 1, install_snapshot{.term = {4}, .chunk = chunk_of(image, 0, 100)});
  CHECK(g[2].newest().index == log_index{1});
  CHECK(g[2].newest().content->voters == ids({1, 2}));
}

TEST_CASE("a term that nobody votes in can not bring back what another has committed (R14)") {
  group g{made_of({1, 2, 3}, {1, 2, 3})};
  g.elect(1);
  g.part({1});
  g.propose(1, "lost"); // never leaves node 1
  g.elect(2);
  g.propose(2, "kept");
  g.exchange();
  g.heal();
  g.pass_time(1s);
  CHECK(g[1].state().counts.truncations == 1);
  for (std::uint64_t id : {1u, 2u, 3u})
    CHECK(g.applied(id) == "kept");
}

} // namespace replication_test
