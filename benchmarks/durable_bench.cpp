// SPDX-License-Identifier: BSL-1.0
//
// What durability costs: commands at nodes of one process that keep all on one disk, beside what
// that disk can sync.
//
// In each round the disk is measured first, with one small write and one fdatasync after the other;
// then commands of 64 bytes are sent. Reported are medians over the rounds, and waits of all
// requests:
//
//   per_s  p50_us  p99_us  commands
//   raw_syncs_per_s        of the plain file
//   of_raw                 commands for each sync that the plain file could have had
//   syncs_per_s            of all nodes together, while they took commands
//   per_sync               commands for each sync of a node
//
// With one command outstanding a command needs two syncs that one waits for, the leader's and a
// follower's, which run at the same time; with many, one sync is for all that came during the last.
//
// The disk is that of UNDERSTUDY_BENCH_DIR, or of the system's directory for temporary files.

#include <understudy/storage/any_store.hpp>
#include <understudy/storage/posix_directory.hpp>
#include <understudy/storage/store_in.hpp>
#include <understudy/understudy.hpp>

#include <benchmark/benchmark.h>

#include "checked.hpp"
#include "figures.hpp"
#include "parcel.hpp"
#include "scratch_directory.hpp"
#include "voting_group.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace durable_bench {

using namespace understudy;
using namespace std::chrono_literals;
using benchmarks::checked;
using benchmarks::median;

constexpr std::int64_t rounds = 11;

/// A store that counts its syncs, and does all else that the one in it can.
class counting_store {
public:
  counting_store(any_store store, std::shared_ptr<std::atomic<std::uint64_t>> syncs)
      : store_{std::move(store)}, syncs_{std::move(syncs)} {}

  expected<void> write(const store_write& what) { return store_.write(what); }
  expected<void> sync() {
    ++*syncs_;
    return store_.sync();
  }
  expected<void> sync_ballot() { return store_.sync_ballot(); }
  snapshot_stager stager() { return store_.stager(); }
  [[nodiscard]] log_index left_out() const { return store_.left_out(); }
  expected<recovered_state> recover() { return store_.recover(); }
  node_identity identity() { return store_.identity(); }
  expected<void> retire() { return store_.retire(); }
  expected<void> close() { return store_.close(); }

private:
  any_store store_;
  std::shared_ptr<std::atomic<std::uint64_t>> syncs_;
};

static_assert(ballot_keeper<counting_store> && snapshot_leaver<counting_store>);

store_opener counted(store_opener open, std::shared_ptr<std::atomic<std::uint64_t>> syncs) {
  return [open = std::move(open), syncs = std::move(syncs)](const store_wish& wish) {
    return open(wish).map([&](any_store&& store) {
      return any_store{counting_store{std::move(store), syncs}};
    });
  };
}

/// A file as a log has it: allocated before it is written.
class plain_file {
public:
  explicit plain_file(const std::string& directory)
      : in_{checked(storage::posix_directory::open(directory, storage::access::hold))},
        file_{checked(in_->create("plain"))} {
    checked(file_->allocate(size));
    const std::vector<std::byte> zeros(size);
    checked(file_->write(0, zeros));
    checked(file_->sync());
    checked(in_->sync());
  }

  /// Small writes one behind the other, each synced before the next.
  double syncs_per_second(std::chrono::milliseconds length) {
    const std::array<std::byte, 160> record{};
    const auto start = std::chrono::steady_clock::now();
    double done = 0;
    benchmarks::seconds took{0};
    do {
      checked(file_->write(at_, record));
      checked(file_->sync());
      at_ = at_ + 2 * record.size() > size ? 0 : at_ + record.size();
      ++done;
      took = std::chrono::steady_clock::now() - start;
    } while (took < length);
    return done / took.count();
  }

private:
  static constexpr std::uint64_t size = std::uint64_t{4} << 20;

  std::unique_ptr<storage::posix_directory> in_;
  std::unique_ptr<storage::file> file_;
  std::uint64_t at_ = 0;
};

/// Commands at the leader of `range(0)` nodes, from `range(1)` callers with `range(2)` outstanding
/// each.
void measure(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const benchmarks::scratch_directory own{benchmarks::disk_to_measure()};
  plain_file plain{own.make("plain")};
  const auto syncs = std::make_shared<std::atomic<std::uint64_t>>(0);
  config config;
  caf::actor_system system{config};
  const benchmarks::voting_group nodes{
      system, size, [&](node_options& o) { o.store = counted(store_in(own.make(o.name)), syncs); }};
  const benchmarks::load what{.callers = static_cast<std::size_t>(state.range(1)),
                              .outstanding = static_cast<std::size_t>(state.range(2)),
                              .length = 300ms};
  benchmarks::series commands;
  std::vector<double> raw;
  std::vector<double> ratios;
  std::vector<double> sync_rates;
  std::vector<double> batches;
  for (auto round : state) {
    raw.push_back(plain.syncs_per_second(what.length));
    const auto before = syncs->load();
    auto seen = benchmarks::ask_parcels(system, nodes.actor_at(benchmarks::place::leader), what);
    const auto made = static_cast<double>(syncs->load() - before);
    if (seen.failed != 0)
      throw std::runtime_error{std::to_string(seen.failed) + " requests failed: " + seen.why};
    state.SetIterationTime(1 / seen.per_second());
    ratios.push_back(seen.per_second() / raw.back());
    sync_rates.push_back(made / seen.took.count());
    batches.push_back(static_cast<double>(seen.waits.size()) * static_cast<double>(size) / made);
    commands.add(std::move(seen));
  }
  state.counters["per_s"] = commands.per_second();
  state.counters["p50_us"] = commands.wait(0.5).count();
  state.counters["p99_us"] = commands.wait(0.99).count();
  state.counters["raw_syncs_per_s"] = median(raw);
  state.counters["of_raw"] = median(ratios);
  state.counters["syncs_per_s"] = median(sync_rates);
  state.counters["per_sync"] = median(batches);
}

void durable_commands(benchmark::State& state) {
  try {
    measure(state);
  } catch (const std::exception& e) {
    state.SkipWithError(e.what());
  }
}

void loads(benchmark::internal::Benchmark* of) {
  of->ArgNames({"nodes", "callers", "outstanding"})->Iterations(rounds)->UseManualTime();
  for (const std::int64_t nodes : {1, 3}) {
    for (const std::int64_t outstanding : {1, 64, 1'024})
      of->Args({nodes, 1, outstanding});
    of->Args({nodes, 16, 64});
  }
}

BENCHMARK(durable_commands)->Apply(loads)->Unit(benchmark::kMicrosecond);

} // namespace durable_bench
