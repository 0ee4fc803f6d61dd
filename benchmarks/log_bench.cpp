// SPDX-License-Identifier: BSL-1.0
//
// The durable log beside what the disk can do, and beside SQLite.
//
// Each round stores the same batches three times, in turns, so that whatever else the machine does
// disturbs all alike: in the log, in a plain file, and in a table of SQLite (WAL,
// synchronous=FULL, a transaction for each batch). The plain file gets as many bytes as the log
// writes, in one write and one fdatasync for each batch, is preallocated in the same way, and
// another one is begun as often, with the same three syncs: of it, of the directory, and of a small
// file that says that it is there. As the log does, that one is also told of each sync, in as many
// bytes, which are not synced. Each batch is made right before it is stored, as a node's are, which
// takes none of the time that is measured. Reported are medians over the rounds:
//
//   MB_per_s   of the log's own bytes
//   of_raw     the log's rate beside that of the plain file
//   of_sqlite  the log's rate beside that of SQLite
//
// store/<bytes>/<batch> runs in UNDERSTUDY_BENCH_DIR (the system's directory for temporary files
// if it is not set), store_unsynced in /dev/shm, where a sync costs nothing. replay reads a log of
// 1 KiB entries back, of_read_and_hash beside reading and hashing the same files, where both keep
// what they read, in memory that the process has already; of_read_and_hash_anew is the same where
// the system has to give the memory first, and clear it; of_passing is beside a reader that keeps
// nothing, and so stays in the processor's cache. encode tells what a 64-byte entry costs the
// processor, times_memcpy beside copying its record.

#include <understudy/core/digest.hpp>
#include <understudy/storage/durable_store.hpp>
#include <understudy/storage/posix_directory.hpp>

#include <benchmark/benchmark.h>

#include "checked.hpp"
#include "figures.hpp"
#include "scratch_directory.hpp"
#include <malloc.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace log_bench {

using namespace benchmarks;
using namespace understudy;

constexpr std::int64_t rounds = 25;
constexpr std::uint64_t segment_bytes = std::uint64_t{16} << 20;
constexpr storage::file_owner owner{.cluster = {1}, .node = {7}, .start = 9};

std::unique_ptr<storage::posix_directory> directory_at(const std::string& path) {
  return checked(storage::posix_directory::open(path, storage::access::hold));
}

/// Batches of entries, one behind the other.
class load {
public:
  load(std::size_t bytes, std::size_t batch) : body_{std::string(bytes, 'x')}, batch_{batch} {}

  store_write next() {
    store_write what;
    for (std::size_t i = 0; i < batch_; ++i)
      what.entries.push_back(
          {.index = ++last_,
           .term = {1},
           .what = share(command{.session = {1}, .number = {last_.value}, .body = body_})});
    return what;
  }

  [[nodiscard]] std::uint64_t record_bytes() const {
    return storage::record_bytes(56 + body_.size());
  }
  [[nodiscard]] std::uint64_t batch_bytes() const { return batch_ * record_bytes(); }
  [[nodiscard]] std::size_t batch() const { return batch_; }
  [[nodiscard]] const bytes& body() const { return body_; }

private:
  bytes body_;
  std::size_t batch_;
  log_index last_;
};

/// One way to store batches.
struct contender {
  virtual ~contender() = default;
  virtual void store(const store_write& what) = 0;
};

class log_contender final : public contender {
public:
  explicit log_contender(const std::string& path)
      : store_{checked(
          durable_store::open(directory_at(path), owner, {.segment_bytes = segment_bytes}))} {}

  void store(const store_write& what) override {
    checked(store_.write(what));
    checked(store_.sync());
  }

private:
  durable_store store_;
};

/// What the same bytes and syncs cost without a log.
class raw_contender final : public contender {
public:
  raw_contender(const std::string& path, std::uint64_t batch_bytes)
      : in_{directory_at(path)}, data_(batch_bytes, std::byte{'x'}),
        mark_{checked(in_->create("mark"))} {
    checked(mark_->allocate(mark_places.back() + header_bytes));
  }

  void store(const store_write&) override {
    if (!file_ || at_ + data_.size() > size_)
      begin();
    checked(file_->write(at_, data_));
    checked(file_->sync());
    at_ += data_.size();
    tell_mark();
  }

private:
  void begin() {
    const auto name = "raw-" + std::to_string(++files_);
    size_ = std::max<std::uint64_t>(segment_bytes, header_bytes + data_.size());
    auto made = checked(in_->create(name + ".new"));
    checked(made->allocate(size_));
    checked(made->write(0, header_));
    checked(made->sync());
    checked(in_->rename(name + ".new", name));
    checked(in_->sync());
    tell_mark();
    checked(mark_->sync());
    file_ = std::move(made);
    at_ = header_bytes;
  }

  void tell_mark() { checked(mark_->write(mark_places[++told_ % mark_places.size()], header_)); }

  static constexpr std::uint64_t header_bytes = storage::file_header::size_bytes;
  static constexpr std::array<std::uint64_t, 2> mark_places{0, 4'096};

  std::unique_ptr<storage::posix_directory> in_;
  std::vector<std::byte> data_;
  std::vector<std::byte> header_ = std::vector<std::byte>(header_bytes, std::byte{'x'});
  std::unique_ptr<storage::file> mark_;
  std::unique_ptr<storage::file> file_;
  std::uint64_t at_ = 0;
  std::uint64_t size_ = 0;
  int files_ = 0;
  std::size_t told_ = 0;
};

class sqlite_contender final : public contender {
public:
  explicit sqlite_contender(const std::string& path) {
    require(sqlite3_open((path + "/log.db").c_str(), &database_));
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("CREATE TABLE log (at INTEGER PRIMARY KEY, term INTEGER, body BLOB)");
    require(
        sqlite3_prepare_v2(database_, "INSERT INTO log VALUES (?, ?, ?)", -1, &insert_, nullptr));
  }
  ~sqlite_contender() override {
    sqlite3_finalize(insert_);
    sqlite3_close(database_);
  }

  void store(const store_write& what) override {
    run("BEGIN");
    for (const auto& e : what.entries) {
      const auto& body = e.as<command>()->body;
      sqlite3_bind_int64(insert_, 1, static_cast<sqlite3_int64>(e.index.value));
      sqlite3_bind_int64(insert_, 2, static_cast<sqlite3_int64>(e.term.value));
      sqlite3_bind_blob(insert_, 3, body.view().data(), static_cast<int>(body.size()),
                        SQLITE_STATIC);
      if (sqlite3_step(insert_) != SQLITE_DONE)
        throw std::runtime_error{sqlite3_errmsg(database_)};
      sqlite3_reset(insert_);
    }
    run("COMMIT");
  }

private:
  void run(const char* statement) {
    require(sqlite3_exec(database_, statement, nullptr, nullptr, nullptr));
  }
  void require(int result) {
    if (result != SQLITE_OK)
      throw std::runtime_error{sqlite3_errmsg(database_)};
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

template <class Step> seconds time_of(Step step) {
  const auto start = std::chrono::steady_clock::now();
  step();
  return std::chrono::steady_clock::now() - start;
}

/// As many batches that a round writes some MiB, and takes long enough to be measured.
std::size_t batches_of(const load& work) {
  const auto wanted = (std::uint64_t{8} << 20) / work.batch_bytes();
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(wanted, 20, 400));
}

void store(benchmark::State& state, const std::filesystem::path& where) {
  const auto bytes_each = static_cast<std::size_t>(state.range(0));
  const auto batch = static_cast<std::size_t>(state.range(1));
  const scratch_directory own{where};
  load log_load{bytes_each, batch};
  load raw_load{bytes_each, batch};
  load sqlite_load{bytes_each, batch};
  log_contender log{own.make("log")};
  raw_contender raw{own.make("raw"), log_load.batch_bytes()};
  sqlite_contender sqlite{own.make("sqlite")};
  const auto count = batches_of(log_load);
  std::vector<double> rates;
  std::vector<double> of_raw;
  std::vector<double> of_sqlite;
  for (auto round : state) {
    const auto run = [&](contender& who, load& work) {
      seconds took{0};
      for (std::size_t i = 0; i < count; ++i) {
        const auto what = work.next(); // the core's work, not the log's
        took += time_of([&] { who.store(what); });
      }
      return took;
    };
    const auto raw_took = run(raw, raw_load);
    const auto took = run(log, log_load);
    const auto sqlite_took = run(sqlite, sqlite_load);
    state.SetIterationTime(took.count() / static_cast<double>(count));
    rates.push_back(static_cast<double>(count * log_load.batch_bytes()) / took.count() / 1e6);
    of_raw.push_back(raw_took / took);
    of_sqlite.push_back(sqlite_took / took);
  }
  state.counters["MB_per_s"] = median(rates);
  state.counters["of_raw"] = median(of_raw);
  state.counters["of_sqlite"] = median(of_sqlite);
}

void on_disk(benchmark::State& state) {
  store(state, disk_to_measure());
}

void unsynced(benchmark::State& state) {
  store(state, "/dev/shm");
}

/// The bytes that a start reads, in windows of the same size. They stay in memory, as those of a
/// start do, or each window takes the place of the one before.
std::uint64_t read_and_hash(const std::string& path, bool keep) {
  std::uint64_t digest = 0;
  std::vector<std::shared_ptr<std::byte[]>> kept;
  const auto in = checked(storage::posix_directory::open(path, storage::access::look));
  for (const auto& name : checked(in->list())) {
    const auto file = checked(in->open(name));
    for (std::uint64_t at = 0;;) {
      if (keep || kept.empty())
        kept.push_back(storage::make_read_buffer(storage::read_window_bytes));
      const auto got = checked(file->read(at, {kept.back().get(), storage::read_window_bytes}));
      if (got == 0)
        break;
      digest = digest_of({kept.back().get(), got}, digest);
      at += got;
    }
  }
  return digest;
}

void replay(benchmark::State& state) {
  ::mallopt(M_MMAP_THRESHOLD, 1 << 25); // what was freed is kept for the next round
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  constexpr std::size_t entries = 100'000;
  const scratch_directory own{disk_to_measure()};
  const auto path = own.make("log");
  {
    load work{1'024, 1'000};
    log_contender log{path};
    for (std::size_t i = 0; i < entries / work.batch(); ++i)
      log.store(work.next());
  }
  const auto replayed = [&] {
    std::vector<entry> found;
    const auto took = time_of([&] {
      const auto in = checked(storage::posix_directory::open(path, storage::access::look));
      found = checked(storage::recover_store(*in, owner)).segments.log.take_entries();
    });
    if (found.size() != entries)
      throw std::runtime_error{"not all entries came back"};
    return took;
  };
  const auto plain = [&](bool keep) {
    return time_of([&] { benchmark::DoNotOptimize(read_and_hash(path, keep)); });
  };
  std::vector<double> ratios;
  std::vector<double> ratios_anew;
  std::vector<double> ratios_passing;
  std::vector<double> rates;
  for (auto round : state) {
    const auto passing = plain(false);
    ::malloc_trim(0);
    const auto plain_anew = plain(true);
    const auto plain_again = plain(true);
    ::malloc_trim(0);
    const auto anew = replayed();
    const auto took = replayed();
    state.SetIterationTime(took.count());
    ratios.push_back(plain_again / took);
    ratios_anew.push_back(plain_anew / anew);
    ratios_passing.push_back(passing / took);
    rates.push_back(static_cast<double>(entries) / took.count());
  }
  state.counters["entries_per_s"] = median(rates);
  state.counters["of_read_and_hash"] = median(ratios);
  state.counters["of_read_and_hash_anew"] = median(ratios_anew);
  state.counters["of_passing"] = median(ratios_passing);
}

void encode(benchmark::State& state) {
  constexpr std::size_t batch = 1'024;
  load work{64, batch};
  const auto what = work.next();
  const auto size = static_cast<std::size_t>(work.batch_bytes());
  std::vector<std::byte> from(size, std::byte{1});
  std::vector<std::byte> copy(size);
  storage::record_batch records{1, {}};
  std::vector<double> ratios;
  std::vector<double> costs;
  for (auto round : state) {
    constexpr int times = 200;
    const auto took = time_of([&] {
      for (int i = 0; i < times; ++i) {
        for (const auto& e : what.entries) {
          const storage::entry_record image{e};
          records.add(storage::record_kind::entry, 0, image.size_bytes(),
                      [&](std::byte* to) { image.write(to); });
        }
        records.clear();
      }
    });
    const auto copied = time_of([&] {
      for (int i = 0; i < times; ++i) {
        std::memcpy(copy.data(), from.data(), size);
        benchmark::DoNotOptimize(copy.data());
        benchmark::ClobberMemory();
      }
    });
    const auto each = took.count() / (times * static_cast<double>(batch));
    state.SetIterationTime(each);
    costs.push_back(each * 1e9);
    ratios.push_back(took / copied);
  }
  state.counters["ns_per_entry"] = median(costs);
  state.counters["times_memcpy"] = median(ratios);
}

void sizes(benchmark::internal::Benchmark* b) {
  for (const std::int64_t bytes : {64, 1'024, 65'536})
    for (const std::int64_t batch : {1, 16, 256, 1'024})
      if (bytes * batch <= 1 << 20)
        b->Args({bytes, batch});
  b->ArgNames({"bytes", "batch"})->UseManualTime()->Iterations(rounds);
}

BENCHMARK(on_disk)->Name("store")->Apply(sizes)->Unit(benchmark::kMicrosecond);
BENCHMARK(unsynced)->Name("store_unsynced")->Apply(sizes)->Unit(benchmark::kMicrosecond);
BENCHMARK(replay)->UseManualTime()->Iterations(rounds)->Unit(benchmark::kMillisecond);
BENCHMARK(encode)->UseManualTime()->Iterations(rounds)->Unit(benchmark::kNanosecond);

} // namespace log_bench
