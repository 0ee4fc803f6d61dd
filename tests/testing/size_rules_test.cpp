// SPDX-License-Identifier: BSL-1.0

// I15: for each limit a node that is just within it, and one that is beyond.

#include <understudy/testing/size_rules.hpp>

#include <doctest/doctest.h>

#include <testing/hand_made.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace size_rules_test {

using namespace test_support;

namespace {

std::shared_ptr<const payload> order_of(std::size_t bytes_in_all) {
  command c{.session = {1}, .number = {1}};
  c.body = bytes{std::vector<std::byte>(bytes_in_all - entry{.what = share(c)}.weight_bytes())};
  return share(std::move(c));
}

/// A leader with limits, and commands of 100 bytes each that nobody else has.
struct limited_cluster : hand_cluster {
  limited_cluster() { na.limits = &limits; }

  void take_commands(int count) {
    for (int i = 0; i < count; ++i)
      na.log.add(1, order_of(100));
  }

  /// All of them went out to b, which has answered for what came before.
  void send_all() {
    progress peer{generation{1}, log_index{2}};
    peer.accepted({2}, {});
    peer.sent(na.log.last().index, na.log.last().index - log_index{2}, 100);
    na.peers = {{b, peer}};
  }

  core_options limits;
};

} // namespace

TEST_CASE("I15: what a node holds is not more than its limit") {
  hand_cluster x;
  x.nb.holdings[1] = {"letters", 5, 5};
  x.look(x.nb);
  x.nb.holdings[1].now = 6;
  CHECK(x.broken_by(x.nb) == "I15");
}

TEST_CASE("I15: no more entries are handed to the replica than its window allows") {
  limited_cluster x;
  x.limits.apply_window = 2;
  x.look(x.na);
  CHECK(x.rules.counters().replicas_busy == 1);
  x.limits.apply_window = 1;
  CHECK(x.broken_by(x.na) == "I15");
}

TEST_CASE("I15: what a snapshot covers is in nobody's hands") {
  limited_cluster x;
  x.limits.apply_window = 1;
  x.na.image = snapshot{.at = {log_index{2}, term_number{1}},
                        .members = {{1}, *x.na.log.at({1}).as<configuration_ptr>()}};
  x.look(x.na);
}

TEST_CASE("I15: a leader takes commands until too much is not committed, and then no more") {
  limited_cluster x;
  x.limits.uncommitted_bytes_max = 200;
  x.take_commands(2);
  x.look(x.na);
  SUBCASE("one more is too many") {
    x.take_commands(1);
    CHECK(x.broken_by(x.na) == "I15");
  }
  SUBCASE("what is no command has no limit") {
    x.na.log.add(1, share(no_op{}));
    CHECK(x.broken_by(x.na) == "none");
  }
}

TEST_CASE("I15: a leader has so much under way to a peer, and one message more") {
  limited_cluster x;
  x.take_commands(6);
  x.send_all();
  SUBCASE("entries") {
    x.limits.append_entries_max = 3;
    x.limits.window_entries = 4;
    SUBCASE("are few enough") {
      x.look(x.na);
      CHECK(x.rules.counters().windows_full == 1);
    }
    SUBCASE("are too many") {
      x.limits.window_entries = 3;
      CHECK(x.broken_by(x.na) == "I15");
    }
  }
  SUBCASE("bytes") {
    x.limits.append_bytes_max = 150;
    SUBCASE("are few enough") {
      x.limits.window_bytes = 451;
      x.look(x.na);
    }
    SUBCASE("are too many") {
      x.limits.window_bytes = 450;
      CHECK(x.broken_by(x.na) == "I15");
    }
  }
  SUBCASE("what has arrived is not under way") {
    x.limits.append_entries_max = x.limits.window_entries = 1;
    x.nb.log = x.na.log;
    x.nb.durable = 2;
    x.look(x.nb);
    CHECK(x.broken_by(x.na) == "none");
  }
  SUBCASE("nor what had arrived, and was lost in a crash of which the leader has not heard") {
    x.limits.append_entries_max = x.limits.window_entries = 1;
    x.nb.log = x.na.log;
    x.nb.durable = 2;
    x.nb.stored = {{.vote = x.nb.vote, .last = {{2}, {1}}}};
    x.look(x.nb);
    x.rules.returned(b);
    x.nb.log.keep(2);
    x.look(x.nb);
    CHECK(x.broken_by(x.na) == "none");
  }
  SUBCASE("nor what is the same in a log that ends otherwise") {
    x.limits.append_entries_max = x.limits.window_entries = 1;
    x.nb.log = x.na.log;
    x.nb.log.keep(7);
    x.nb.durable = 2;
    x.elect(x.nb, x.nc, 2);
    x.nb.log.add(2, share(no_op{}));
    x.look(x.nb);
    CHECK(x.broken_by(x.na) == "none");
  }
}

TEST_CASE("I15: a message has no more entries, and no more bytes, than one may have") {
  limited_cluster x;
  x.take_commands(2);
  const append_entries two{.term = {1}, .entries = {x.na.log.at({3}), x.na.log.at({4})}};
  const append_entries one{.term = {1}, .entries = {x.na.log.at({3})}};
  SUBCASE("entries") {
    x.limits.append_entries_max = 1;
    x.look(x.na, {{b, one}});
    CHECK(x.broken_by(x.na, {{b, two}}) == "I15");
  }
  SUBCASE("bytes, but one may always go") {
    x.limits.append_bytes_max = 99;
    x.look(x.na, {{b, one}});
    CHECK(x.broken_by(x.na, {{b, two}}) == "I15");
  }
}

TEST_CASE("I15: an answer to a puller has its limits, and so has a piece of a snapshot") {
  limited_cluster x;
  x.limits.window_entries = 1;
  x.limits.snapshot_chunk_bytes = 10;
  const auto piece = [](std::size_t size) {
    return snapshot_chunk{
        .key = {.at = {{1}, {1}}}, .size = 20, .data = bytes{std::vector<std::byte>(size)}};
  };
  SUBCASE("entries") {
    pull_reply answer{.entries = {x.na.log.at({1})}, .commit = {2}};
    x.look(x.na, {{d, answer}});
    answer.entries.push_back(x.na.log.at({2}));
    CHECK(x.broken_by(x.na, {{d, answer}}) == "I15");
  }
  SUBCASE("a piece for a puller") {
    x.look(x.na, {{d, pull_reply{.commit = {2}, .chunk = piece(10)}}});
    CHECK(x.broken_by(x.na, {{d, pull_reply{.commit = {2}, .chunk = piece(11)}}}) == "I15");
  }
  SUBCASE("a piece for a follower") {
    x.look(x.na, {{b, install_snapshot{.term = {1}, .chunk = piece(10)}}});
    CHECK(x.broken_by(x.na, {{b, install_snapshot{.term = {1}, .chunk = piece(11)}}}) == "I15");
  }
}

} // namespace size_rules_test
