// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/compaction.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <cstdint>
#include <variant>
#include <vector>

namespace compaction_test {

using namespace understudy;
using namespace std::chrono_literals;
using support::entry_of;
using support::made_of;

namespace {

/// A core's state of 100 applied entries, and a compaction that is due.
struct bench {
  explicit bench(core_options options = {}) : state{{1}, options, 1} {
    state.append(entry_of(1, 1, made_of({1}, {1})));
    grow_to(100);
  }

  void grow_to(std::uint64_t index) {
    while (state.log.last().index < log_index{index})
      state.append(entry_of(state.log.last().index.value + 1, 1));
    state.advance_commit({index});
    state.applied = {index};
  }

  bool asks() {
    outbox out;
    rule.consider(state, now, out);
    return !out.notices.empty();
  }

  /// One step. Returns how often the replica was asked; the orders that were answered are added to
  /// `answers`.
  std::size_t step() {
    outbox out;
    rule.consider(state, now, out);
    std::size_t asked = 0;
    for (auto& what : out.notices) {
      asked += std::holds_alternative<take_snapshot>(what) ? 1u : 0u;
      if (const auto* s = std::get_if<stage_snapshot>(&what))
        on_its_way = s->what->key();
      if (auto* done = std::get_if<order_done>(&what))
        answers.push_back(*done);
    }
    return asked;
  }

  void store_all(log_index left_out = {}) {
    outbox out;
    state.durable.flush({}, out);
    state.durable.confirmed({.write = state.durable.covering(), .left_out = left_out}, {}, out);
  }

  void taken(std::uint64_t at, std::uint64_t needed = UINT64_MAX) {
    const bytes image{"state"};
    snapshot_taken what{.at = {{at}, {1}}, .image = image, .digest = digest_of(image.view())};
    outbox out;
    rule.on(what, state, {needed}, out);
    for (const auto& told : out.notices)
      if (const auto* s = std::get_if<stage_snapshot>(&told))
        on_its_way = s->what->key();
    if (stages_at_once)
      staged();
  }

  /// The snapshot writer is done.
  void staged(errc code = errc::none, std::uint64_t needed = UINT64_MAX) {
    outbox out;
    snapshot_staged what{on_its_way, code};
    rule.on(what, state, {needed}, now, out);
    for (auto& told : out.notices)
      if (auto* done = std::get_if<order_done>(&told))
        answers.push_back(*done);
  }

  core_state state;
  instant now{100s};
  compaction rule;
  std::vector<order_done> answers = {};
  snapshot_key on_its_way = {};
  bool stages_at_once = true;
};

core_options often() {
  core_options o;
  o.snapshot_after_bytes = 50 * 64;
  o.retain_entries = 10;
  return o;
}

} // namespace

TEST_CASE("a snapshot is asked for when the log has grown, and one at a time") {
  bench b{often()};
  CHECK(b.asks());
  CHECK_FALSE(b.asks());
  b.taken(100);
  CHECK_FALSE(b.asks());
  b.grow_to(149);
  CHECK_FALSE(b.asks());
  b.grow_to(150);
  CHECK(b.asks());
}

TEST_CASE("what was in the log and not applied when a snapshot was taken counts for the next one") {
  bench b{often()};
  while (b.state.log.last().index < log_index{140}) // 40 more that are not committed yet
    b.state.append(entry_of(b.state.log.last().index.value + 1, 1));
  CHECK(b.asks());
  b.taken(100);
  CHECK_FALSE(b.asks());
  b.grow_to(149);
  CHECK_FALSE(b.asks());
  b.grow_to(150);
  CHECK(b.asks());
}

TEST_CASE("a short log is left alone, and so is one that nothing was applied of") {
  bench young;
  CHECK_FALSE(young.asks());
  bench idle{often()};
  idle.state.applied = {0};
  CHECK_FALSE(idle.asks());
  bench broken{often()};
  broken.state.machine_failed = true;
  CHECK_FALSE(broken.asks());
}

TEST_CASE("a tail is kept behind the snapshot for laggards") {
  bench b{often()};
  b.taken(80);
  CHECK(b.state.log.base().index == log_index{70});
  CHECK(b.state.log.last().index == log_index{100});
}

TEST_CASE("a long log is cut in pieces, so that nobody waits while it is freed") {
  bench b{often()};
  b.grow_to(10'000);
  b.taken(9'000);
  std::uint64_t base = 0;
  for (int pieces = 0; b.state.log.base().index < log_index{8'990}; ++pieces) {
    REQUIRE(pieces < 5);
    CHECK(b.state.log.base().index.value - base <= 2'048);
    base = b.state.log.base().index.value;
    b.asks();
  }
  b.asks();
  CHECK(b.state.log.base().index == log_index{8'990});
}

TEST_CASE("what somebody still has to be sent is kept, as long as it weighs little enough") {
  bench b{often()};
  b.taken(80, 33);
  CHECK(b.state.log.base().index == log_index{33});

  auto options = often();
  options.retain_bytes_max = 20 * 64;
  bench small{options};
  small.taken(80, 33);
  CHECK(small.state.log.base().index == log_index{60});
}

TEST_CASE("a snapshot carries the configuration of exactly its index (N1)") {
  bench b{often()};
  b.state.append(entry_of(101, 1, made_of({1, 2}, {1})));
  b.state.append(entry_of(102, 1));
  b.state.advance_commit({102});
  b.taken(100);
  CHECK(b.state.image->members.index == log_index{1});
  b.taken(101);
  CHECK(b.state.image->members.index == log_index{101});
  CHECK(b.state.image->intact());
}

TEST_CASE("a snapshot that was overtaken is dropped") {
  bench b{often()};
  b.taken(80);
  b.taken(60);
  CHECK(b.state.image->at.index == log_index{80});
}

TEST_CASE("a snapshot that the store left out is staged once more for whoever orders it anew") {
  core_options o = often();
  o.volatile_log = false;
  bench b{o};
  b.rule.order({7});
  CHECK(b.step() == 1);
  b.taken(100);
  b.store_all({100});
  CHECK(b.step() == 0);
  REQUIRE(b.answers.size() == 1);
  CHECK(b.answers[0].result.error().code == errc::storage_full);
  b.rule.order({8});
  b.on_its_way = {};
  CHECK(b.step() == 0); // the replica has nothing newer
  CHECK(b.on_its_way.at.index == log_index{100});
  SUBCASE("still in vain") {
    b.staged(errc::storage_full);
    REQUIRE(b.answers.size() == 2);
    CHECK(b.answers[1].result.error().code == errc::storage_full);
    CHECK(b.step() == 0); // nobody asks for it any more
  }
  SUBCASE("and there is room") {
    b.staged();
    b.store_all();
    b.step();
    REQUIRE(b.answers.size() == 2);
    CHECK(b.answers[1].result == log_index{100});
  }
}

TEST_CASE("a snapshot that is ordered is taken however short the log, and answered once stored") {
  core_options o = often();
  o.volatile_log = false;
  bench b{o};
  b.state.applied = {40};
  outbox out;
  b.state.durable.flush({}, out);
  b.rule.order({7});
  CHECK(b.step() == 1);
  CHECK(b.answers.empty());
  b.rule.order({8}); // after the replica was asked: this one is for a later state
  b.taken(40);
  b.state.applied = {50};
  CHECK(b.step() == 0);
  CHECK(b.answers.empty()); // not stored yet
  b.store_all();
  CHECK(b.step() == 1);
  REQUIRE(b.answers.size() == 1);
  CHECK(b.answers[0].id == ticket{7});
  CHECK(b.answers[0].result == log_index{40});
  b.taken(50);
  b.step();
  b.store_all();
  b.step();
  REQUIRE(b.answers.size() == 2);
  CHECK(b.answers[1].id == ticket{8});
  CHECK(b.answers[1].result == log_index{50});
}

TEST_CASE("where the last snapshot has it all, that is the answer") {
  bench b{often()};
  CHECK(b.asks());
  b.taken(100);
  b.rule.order({7});
  CHECK(b.step() == 0);
  REQUIRE(b.answers.size() == 1);
  CHECK(b.answers[0].result == log_index{100});
}

TEST_CASE("a machine that has broken writes no snapshots, and says so") {
  bench b{often()};
  b.rule.order({7});
  CHECK(b.asks());
  b.rule.order({8});
  b.state.machine_failed = true;
  CHECK(b.step() == 0);
  REQUIRE(b.answers.size() == 2);
  for (const auto& a : b.answers)
    CHECK(a.result.error().code == errc::machine_stopped);
}

TEST_CASE("what a snapshot covers is let go once it is on the disk, and not before") {
  core_options o = often();
  o.volatile_log = false;
  bench b{o};
  b.stages_at_once = false;
  CHECK(b.asks());
  b.taken(80);
  CHECK(b.on_its_way.at == log_position{{80}, {1}});
  CHECK(b.state.image == nullptr);
  CHECK(b.state.log.base().index == log_index{0});
  b.grow_to(300);
  CHECK_FALSE(b.asks()); // one at a time
  b.staged();
  REQUIRE(b.state.image);
  CHECK(b.state.image->at.index == log_index{80});
  CHECK(b.state.log.base().index == log_index{70});
  CHECK_FALSE(b.asks()); // the next one would take its place on the disk
  b.store_all();
  CHECK(b.asks());
}

TEST_CASE("without room for a snapshot the log stays, and another one is tried before long") {
  core_options o = often();
  o.volatile_log = false;
  bench b{o};
  b.stages_at_once = false;
  b.rule.order({7});
  CHECK(b.step() == 1);
  b.taken(100);
  b.staged(errc::storage_full);
  REQUIRE(b.answers.size() == 1);
  CHECK(b.answers[0].result.error().code == errc::storage_full);
  CHECK(b.state.image == nullptr);
  CHECK(b.state.log.base().index == log_index{0});
  for (const interval pause : {1s, 2s, 4s, 8s, 8s}) {
    CHECK_FALSE(b.asks());
    b.now += pause - 1ms;
    CHECK_FALSE(b.asks());
    b.now += 1ms;
    CHECK(b.asks()); // without another entry
    b.taken(100);
    b.staged(errc::storage_full);
  }
  b.now += 8s;
  CHECK(b.asks());
  b.taken(100);
  b.staged();
  CHECK(b.state.log.base().index == log_index{90});
  b.store_all();
  b.grow_to(150);
  CHECK(b.asks()); // there is room again
}

TEST_CASE("who orders a snapshot does not wait for another try") {
  core_options o = often();
  o.volatile_log = false;
  bench b{o};
  b.stages_at_once = false;
  CHECK(b.asks());
  b.taken(100);
  b.staged(errc::storage_full);
  CHECK(b.step() == 0);
  b.rule.order({7});
  CHECK(b.step() == 1);
}

TEST_CASE("a snapshot that another one overtakes on its way to the disk is let go") {
  core_options o = often();
  o.volatile_log = false;
  bench b{o};
  b.stages_at_once = false;
  CHECK(b.asks());
  b.taken(80);
  outbox out;
  auto other = std::make_shared<snapshot>(snapshot{.at = {{500}, {1}}});
  b.state.install(other, out);
  b.staged();
  CHECK(b.state.image == other);
  CHECK(b.state.log.base().index == log_index{500});
}

} // namespace compaction_test
