// SPDX-License-Identifier: BSL-1.0
#include <understudy/storage/snapshot_writer.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <utility>
#include <variant>

namespace snapshot_writer_test {

using namespace understudy;

namespace {

static_assert(component<snapshot_writer>);

/// What the component tells when it is told `what`.
template <class N> sibling_message answer_to(N what, snapshot_stager stage = {}) {
  snapshot_writer writer{std::move(stage)};
  outbox out;
  writer.on(what, {}, out);
  REQUIRE(out.notices.size() == 1);
  return std::move(out.notices.front());
}

std::shared_ptr<const snapshot> some_snapshot() {
  return std::make_shared<snapshot>(snapshot{.at = {{7}, {2}}, .digest = 9});
}

} // namespace

TEST_CASE("what the replica froze is written down, with its digest") {
  const auto told = answer_to(
      write_down{.at = {{7}, {2}}, .stamp = {interval{5}}, .image = [] { return bytes{"all"}; }});
  const auto& taken = std::get<snapshot_taken>(told);
  CHECK(taken.at == log_position{{7}, {2}});
  CHECK(taken.stamp == log_time{interval{5}});
  CHECK(taken.image == bytes{"all"});
  CHECK(taken.digest == digest_of(taken.image.view()));
}

TEST_CASE("a state that can not be written down is told to the replica") {
  const auto told
      = answer_to(write_down{.image = []() -> bytes { throw std::runtime_error{"shy"}; }});
  CHECK(std::get<not_written>(told).why == "shy");
  const auto odd = answer_to(write_down{.image = []() -> bytes { throw 3; }});
  CHECK_FALSE(std::get<not_written>(odd).why.empty());
}

TEST_CASE("a snapshot is brought to the disk before anybody is told") {
  int staged = 0;
  const auto told = answer_to(stage_snapshot{some_snapshot()}, [&](const snapshot& s) {
    staged += s.at.index == log_index{7} ? 1 : 0;
    return expected<void>{};
  });
  CHECK(staged == 1);
  CHECK(std::get<snapshot_staged>(told).what == some_snapshot()->key());
  CHECK(std::get<snapshot_staged>(told).code == errc::none);
}

TEST_CASE("without a stager the log writer does it all") {
  CHECK(std::get<snapshot_staged>(answer_to(stage_snapshot{some_snapshot()})).code == errc::none);
}

TEST_CASE("a full disk is no failure, and any other is the node's end (D4)") {
  const auto full = answer_to(stage_snapshot{some_snapshot()},
                              [](const snapshot&) { return fail(errc::storage_full, "full"); });
  CHECK(std::get<snapshot_staged>(full).code == errc::storage_full);
  const auto broken = answer_to(stage_snapshot{some_snapshot()},
                                [](const snapshot&) { return fail(errc::storage_failed, "EIO"); });
  CHECK(std::get<store_failed>(broken).why == "EIO");
}

} // namespace snapshot_writer_test
