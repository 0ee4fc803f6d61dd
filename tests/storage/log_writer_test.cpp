// SPDX-License-Identifier: BSL-1.0
#include <understudy/storage/log_writer.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace log_writer_test {

using namespace understudy;

namespace {

/// What a test wants a store to do, and what was asked of it.
struct orders {
  bool fail_write = false;
  bool fail_sync = false;
  bool full = false;
  bool fail_ballot = false;
  int writes = 0;
  int syncs = 0;
  int ballots = 0;
};

class obedient_store {
public:
  explicit obedient_store(std::shared_ptr<orders> o) : orders_{std::move(o)} {}

  expected<void> write(const store_write&) {
    ++orders_->writes;
    if (orders_->fail_write)
      return fail(errc::node_broken, "no space");
    return {};
  }
  expected<void> sync() {
    ++orders_->syncs;
    if (orders_->full)
      return fail(errc::storage_full, "no space left");
    if (orders_->fail_sync)
      return fail(errc::node_broken, "input/output error");
    return {};
  }
  expected<recovered_state> recover() { return recovered_state{}; }

private:
  std::shared_ptr<orders> orders_;
};

/// One that also keeps ballots apart.
class ballot_store : public obedient_store {
public:
  explicit ballot_store(std::shared_ptr<orders> o) : obedient_store{o}, orders_{std::move(o)} {}

  expected<void> sync_ballot() {
    ++orders_->ballots;
    if (orders_->fail_ballot)
      return fail(errc::storage_failed, "input/output error");
    return {};
  }

private:
  std::shared_ptr<orders> orders_;
};

/// The same with a snapshot for which it had no room.
struct leaving_store : obedient_store {
  using obedient_store::obedient_store;
  [[nodiscard]] log_index left_out() const { return {9}; }
};

template <class Store> struct bench_of {
  void write(std::uint64_t generation) {
    store_write w{.write = {generation}};
    writer.on(w, {}, out);
  }

  std::shared_ptr<orders> store = std::make_shared<orders>();
  log_writer<Store> writer{Store{store}};
  outbox out;
};

using bench = bench_of<obedient_store>;

static_assert(component<log_writer<obedient_store>>);

} // namespace

TEST_CASE("all that queued up goes with one sync, and one answer confirms it") {
  bench b;
  b.write(1);
  b.write(2);
  b.write(3);
  CHECK(b.out.notices.empty());
  b.writer.settle({}, b.out);
  CHECK(b.store->syncs == 1);
  REQUIRE(b.out.notices.size() == 1);
  CHECK(std::get<store_written>(b.out.notices[0]).write == generation{3});
}

TEST_CASE("with nothing written nothing is synced") {
  bench b;
  b.writer.settle({}, b.out);
  b.write(1);
  b.writer.settle({}, b.out);
  b.writer.settle({}, b.out);
  CHECK(b.store->syncs == 1);
  CHECK(b.out.notices.size() == 1);
}

TEST_CASE("after a failed sync nothing is confirmed, and nothing is tried again (D4)") {
  bench b;
  b.store->fail_sync = true;
  b.write(1);
  b.writer.settle({}, b.out);
  REQUIRE(b.out.notices.size() == 1);
  CHECK(std::get<store_failed>(b.out.notices[0]).why == "input/output error");
  b.store->fail_sync = false;
  b.write(2);
  b.writer.settle({}, b.out);
  CHECK(b.store->writes == 1);
  CHECK(b.store->syncs == 1);
  CHECK(b.out.notices.size() == 1);
}

TEST_CASE("a failed write is told at once, and what came before it is not confirmed (D4)") {
  bench b;
  b.write(1);
  b.store->fail_write = true;
  b.write(2);
  b.writer.settle({}, b.out);
  CHECK(b.store->syncs == 0);
  REQUIRE(b.out.notices.size() == 1);
  CHECK(std::get<store_failed>(b.out.notices[0]).why == "no space");
}

TEST_CASE("while the disk is full nothing is confirmed, and it is tried again (D5)") {
  using kind = node_event::kind;
  bench b;
  b.store->full = true;
  b.write(1);
  const instant start{};
  b.writer.settle(start, b.out);
  REQUIRE(b.out.notices.size() == 1);
  const auto& said = std::get<node_event>(b.out.notices[0]);
  CHECK(said.what == kind::storage_full);
  CHECK(said.detail == "no space left");
  REQUIRE(b.out.wake_at);
  const auto again = *b.out.wake_at;
  CHECK(again > start);
  b.out.clear();
  b.write(2);
  b.writer.settle(start, b.out); // not yet
  CHECK(b.store->syncs == 1);
  CHECK(b.out.wake_at == again);
  b.out.clear();
  b.writer.wake(again, b.out);
  b.writer.settle(again, b.out);
  CHECK(b.store->syncs == 2);
  CHECK(b.out.notices.empty()); // it is said once
  b.store->full = false;
  b.writer.settle(again + b.writer.retry_after, b.out);
  REQUIRE(b.out.notices.size() == 2);
  CHECK(std::get<node_event>(b.out.notices[0]).what == kind::storage_ready);
  CHECK(std::get<store_written>(b.out.notices[1]).write == generation{2});
}

TEST_CASE(
    "while the disk is full ballots are confirmed, each with the write that brought it (D5)") {
  bench_of<ballot_store> b;
  b.write(1);
  b.writer.settle({}, b.out);
  b.out.clear();
  b.store->full = true;
  b.write(2);
  b.writer.settle({}, b.out);
  REQUIRE(b.out.notices.size() == 2);
  const auto first = std::get<store_written>(b.out.notices[1]);
  CHECK(first.write == generation{1});
  CHECK(first.ballots == generation{2});
  b.out.clear();
  b.write(3);
  b.writer.settle({}, b.out); // too soon to look for room again
  CHECK(b.store->syncs == 2);
  CHECK(b.store->ballots == 2);
  REQUIRE(b.out.notices.size() == 1);
  CHECK(std::get<store_written>(b.out.notices[0]).ballots == generation{3});
  b.writer.settle({}, b.out); // nothing new
  CHECK(b.store->ballots == 2);
  b.store->full = false;
  b.out.clear();
  b.writer.settle(instant{} + b.writer.retry_after, b.out);
  const auto whole = std::get<store_written>(b.out.notices.back());
  CHECK(whole.write == generation{3});
  CHECK(whole.ballots <= whole.write);
}

TEST_CASE("who confirms a write says which snapshot is not in it") {
  bench_of<leaving_store> b;
  b.write(1);
  b.writer.settle({}, b.out);
  CHECK(std::get<store_written>(b.out.notices.at(0)).left_out == log_index{9});
}

TEST_CASE("a ballot that could not be stored stops the node, full disk or not (D4)") {
  bench_of<ballot_store> b;
  b.store->full = b.store->fail_ballot = true;
  b.write(1);
  b.writer.settle({}, b.out);
  REQUIRE(b.out.notices.size() == 2);
  CHECK(std::holds_alternative<store_failed>(b.out.notices[1]));
  b.write(2);
  b.writer.settle({}, b.out);
  CHECK(b.out.notices.size() == 2);
}

} // namespace log_writer_test
