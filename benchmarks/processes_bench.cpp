// SPDX-License-Identifier: BSL-1.0
//
// Nodes in processes of their own, beside etcd, which has to be installed (Debian: etcd-server).
// Everything is at its defaults and on this machine; values have 256 bytes.
//
//   failover   The leader is killed (SIGKILL). From then on until the first write is acknowledged
//              that was sent after it, to one of the other nodes, over HTTP. `ms` is the median
//              over the trials, `p99_ms`, `min_ms` and `max_ms` stand beside it. `listener`: three
//              nodes vote and a fourth listens; each trial kills one for good, and a new one
//              enters. `durable`: three nodes with directories; who was killed is started again.
//              `etcd`: three members on the same disk; likewise. `silent` and `etcd_silent`: the
//              leader is not killed but stopped (SIGSTOP), so that its connections stay and nothing
//              comes over them, as when a network swallows what is sent. `stall_ms` is the
//              machine's part: how late a timer of 1 ms fired at worst in the median trial.
//
//   writes     `callers` threads, each with one write open, all of them over HTTP, at the nodes in
//              turn. Rounds of both take turns. `per_s`, `p50_us`, `p99_us` are of the nodes,
//              `etcd_...` of etcd, `ratio` is of the rates, the median of the rounds. `memory`: the
//              nodes have no directories, and etcd's are on a disk in memory. `durable`: both are
//              on the disk of UNDERSTUDY_BENCH_DIR, or of the system's directory for temporary
//              files.
//
//   client     The same, but the nodes' writes come through the library's own client. etcd's still
//              come through its gateway to JSON, as there is no client of it in C++: a ratio that
//              says what a C++ program has, and not what etcd can do.
//
//   loopback   What the machine can do: `callers` threads send 256 bytes each to a process that
//              sends them back, one after the other.
//
//   rolling    Five nodes, of which three vote, are replaced by new processes one after the other,
//              the oldest last, while four callers write, each every 4 ms. The old ones are told to
//              leave (SIGTERM), or killed, when the new one has entered. `leave` and `kill`:
//              through the library's client, which is told of five nodes at the start, and learns
//              of the others. `leave_http` and `kill_http`: over HTTP; a caller goes on at the next
//              node when one does not acknowledge its write. `etcd_leave` and `etcd_kill`:
//              likewise, with etcd's three members; a new one is added as a learner and promoted,
//              the old one's process ended and then its membership. `gap_ms` is the longest time
//              between two acknowledged writes, the median over the rounds; `wait_max_ms` the
//              longest that a caller waited; `failed` should be 0.
//
//   listeners  500 writes a second at three nodes, and in turns at three with so many listeners:
//              `cpu_us` and `sent` (bytes) are what the leader spends on each write with listeners,
//              `cpu_ratio` and `sent_ratio` that divided by the same without any.
//
// `Time` is that of one write, or of one failover, or of all replacements. A table for people:
// --benchmark_counters_tabular=true; for programs: --benchmark_format=json.

#include <understudy/client.hpp>
#include <understudy/transport/tcp_network.hpp>

#include <benchmark/benchmark.h>

#include "checked.hpp"
#include "echo_process.hpp"
#include "etcd_processes.hpp"
#include "figures.hpp"
#include "guarded.hpp"
#include "node_cost.hpp"
#include "node_processes.hpp"
#include "open_doors.hpp"
#include "paced_writers.hpp"
#include "scratch_directory.hpp"
#include "served_store.hpp"
#include "write_load.hpp"
#include <demo/stall_meter.hpp>
#include <node/key_value.hpp>
#include <node/key_value_messages.hpp>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace processes_bench {

using namespace benchmarks;
using namespace std::chrono_literals;
using node_program::key_value;

constexpr std::int64_t trials = 20;
constexpr std::int64_t rounds = 5;
constexpr auto length = 1s;

/// A disk in memory.
[[nodiscard]] std::filesystem::path memory_disk() {
  const std::filesystem::path shared{"/dev/shm"};
  if (!std::filesystem::is_directory(shared))
    throw std::runtime_error{"there is no /dev/shm for etcd's files"};
  return shared;
}

[[nodiscard]] std::unique_ptr<etcd_processes> make_etcd(const std::filesystem::path& directory) {
  const auto program = etcd_processes::program();
  if (!program)
    throw std::runtime_error{"etcd is not installed; Debian has it as etcd-server"};
  return std::make_unique<etcd_processes>(*program, 3, directory);
}

// -- failover -------------------------------------------------------------------------------------

enum class kind { listener, durable, etcd, silent, etcd_silent };

[[nodiscard]] std::unique_ptr<served_store> make_store(kind what) {
  switch (what) {
  case kind::listener:
  case kind::silent:
    return std::make_unique<node_processes>(UNDERSTUDY_NODE_PROGRAM, node_processes::seats + 1);
  case kind::durable:
    return std::make_unique<node_processes>(UNDERSTUDY_NODE_PROGRAM, node_processes::seats,
                                            disk_to_measure());
  case kind::etcd:
  case kind::etcd_silent:
    return make_etcd(disk_to_measure());
  }
  throw std::runtime_error{"unlisted"};
}

void failover(benchmark::State& state, kind what) {
  guarded(state, [&] {
    const auto store = make_store(what);
    const bool is_silent = what == kind::silent || what == kind::etcd_silent;
    demo::stall_meter stalls;
    std::vector<double> took;
    std::vector<double> stalled;
    for (auto _ : state) {
      stalls.take();
      took.push_back(time_to_next_write(*store, is_silent).count());
      stalled.push_back(stalls.take().count());
      state.SetIterationTime(took.back() / 1e3);
      store->restore();
    }
    state.counters["ms"] = median(took);
    state.counters["p99_ms"] = quantile(took, 0.99);
    state.counters["min_ms"] = std::ranges::min(took);
    state.counters["max_ms"] = std::ranges::max(took);
    state.counters["stall_ms"] = median(stalled);
  });
}

BENCHMARK_CAPTURE(failover, listener, kind::listener)->Iterations(trials)->UseManualTime();
BENCHMARK_CAPTURE(failover, durable, kind::durable)->Iterations(trials)->UseManualTime();
BENCHMARK_CAPTURE(failover, etcd, kind::etcd)->Iterations(trials)->UseManualTime();
BENCHMARK_CAPTURE(failover, silent, kind::silent)->Iterations(trials)->UseManualTime();
BENCHMARK_CAPTURE(failover, etcd_silent, kind::etcd_silent)->Iterations(trials)->UseManualTime();

// -- writes ---------------------------------------------------------------------------------------

enum class medium { memory, disk };

/// Writes 256 bytes under a key of its own, again and again.
[[nodiscard]] one_write over_http(const served_store& store, std::size_t caller) {
  const auto doors = store.doors();
  auto line = std::make_shared<httplib::Client>(connection_to(doors[caller % doors.size()]));
  return [&store, line, key = "caller" + std::to_string(caller), value = std::string(256, 'v')] {
    return store.put(*line, key, value);
  };
}

/// Takes turns between `ours(caller)` and etcd.
template <class Ours>
void compare(benchmark::State& state, const served_store& etcd, const Ours& ours) {
  const auto callers = static_cast<std::size_t>(state.range(0));
  const auto theirs = [&](std::size_t caller) { return over_http(etcd, caller); };
  const auto measure = [&](const std::function<one_write(std::size_t)>& make) {
    auto round = write_for(callers, make, length);
    if (round.failed != 0)
      throw std::runtime_error{std::to_string(round.failed) + " writes failed"};
    return round;
  };

  static_cast<void>(measure(ours)); // memory and caches
  static_cast<void>(measure(theirs));
  series of_ours;
  series of_etcd;
  std::vector<double> ratios;
  for (auto _ : state) {
    auto etcd_round = measure(theirs);
    auto our_round = measure(ours);
    ratios.push_back(our_round.per_second() / etcd_round.per_second());
    state.SetIterationTime(1 / our_round.per_second());
    of_etcd.add(std::move(etcd_round));
    of_ours.add(std::move(our_round));
  }
  const auto report = [&](const std::string& prefix, const series& s) {
    state.counters[prefix + "per_s"] = s.per_second();
    state.counters[prefix + "p50_us"] = s.wait(0.5).count();
    state.counters[prefix + "p99_us"] = s.wait(0.99).count();
  };
  report("", of_ours);
  report("etcd_", of_etcd);
  state.counters["ratio"] = median(ratios);
  state.counters["ratio_min"] = std::ranges::min(ratios);
  state.counters["ratio_max"] = std::ranges::max(ratios);
}

[[nodiscard]] std::unique_ptr<node_processes> make_nodes(medium where) {
  return std::make_unique<node_processes>(UNDERSTUDY_NODE_PROGRAM, node_processes::seats,
                                          where == medium::disk ? std::optional{disk_to_measure()}
                                                                : std::nullopt);
}

void writes(benchmark::State& state, medium where) {
  guarded(state, [&] {
    const auto etcd = make_etcd(where == medium::disk ? disk_to_measure() : memory_disk());
    const auto nodes = make_nodes(where);
    compare(state, *etcd, [&](std::size_t caller) { return over_http(*nodes, caller); });
  });
}

void loopback(benchmark::State& state) {
  guarded(state, [&] {
    const echo_process echo;
    const auto callers = static_cast<std::size_t>(state.range(0));
    series all;
    for (auto _ : state) {
      auto round = write_for(
          callers, [&](std::size_t) { return echo.caller(); }, length);
      if (round.failed != 0)
        throw std::runtime_error{"the echo has failed"};
      state.SetIterationTime(1 / round.per_second());
      all.add(std::move(round));
    }
    state.counters["per_s"] = all.per_second();
    state.counters["p50_us"] = all.wait(0.5).count();
    state.counters["p99_us"] = all.wait(0.99).count();
  });
}

/// Writes through the library's own client, which looks for a node that answers.
class own_client {
public:
  explicit own_client(const node_processes& nodes)
      : calls_{checked(understudy::spawn_client<key_value>(system_, contacts(nodes), {}, 0,
                                                           understudy::over_tcp({})))} {}
  own_client(const own_client&) = delete;
  own_client& operator=(const own_client&) = delete;
  ~own_client() { calls_.stop(); }

  [[nodiscard]] one_write caller(std::size_t number) const {
    return [this, what = key_value::put{"caller" + std::to_string(number), std::string(256, 'v')}] {
      return calls_.submit(what, 10s).get().has_value();
    };
  }

private:
  static std::vector<understudy::contact> contacts(const node_processes& nodes) {
    std::vector<understudy::contact> places;
    for (const auto& at : nodes.places())
      places.push_back(checked(understudy::tcp_seed(at)));
    return places;
  }

  understudy::networked_config config_;
  caf::actor_system system_{config_};
  understudy::cluster_client<key_value> calls_;
};

void client(benchmark::State& state, medium where) {
  guarded(state, [&] {
    const auto etcd = make_etcd(where == medium::disk ? disk_to_measure() : memory_disk());
    const auto nodes = make_nodes(where);
    const own_client calls{*nodes};
    compare(state, *etcd, [&](std::size_t caller) { return calls.caller(caller); });
  });
}

void loads(benchmark::internal::Benchmark* of) {
  of->ArgName("callers")->Arg(1)->Arg(64)->Arg(256)->Iterations(rounds)->UseManualTime();
}

BENCHMARK(loopback)->Apply(loads);
BENCHMARK_CAPTURE(writes, memory, medium::memory)->Apply(loads);
BENCHMARK_CAPTURE(writes, durable, medium::disk)->Apply(loads);
BENCHMARK_CAPTURE(client, memory, medium::memory)->Apply(loads);
BENCHMARK_CAPTURE(client, durable, medium::disk)->Apply(loads);

// -- rolling replacement --------------------------------------------------------------------------

constexpr std::size_t pacers = 4;

/// All nodes of `store` are replaced, the oldest last; `callers(i)` make the writers, and
/// `changed()` tells them of the new nodes, if they have to be told.
template <class Store, class Callers, class Changed>
[[nodiscard]] paced_writers::findings replace_all(Store& store, int signal, const Callers& callers,
                                                  const Changed& changed) {
  paced_writers writers{pacers, callers, 4ms};
  for (auto left = store.doors().size(); left > 0; --left) {
    store.add();
    changed();
    store.end(left > 1 ? 1 : 0, signal);
    changed();
  }
  return writers.finish();
}

/// `replace(store)` is a round.
template <class Make, class Replace>
void rolling(benchmark::State& state, const Make& make, const Replace& replace) {
  guarded(state, [&] {
    const auto store = make();
    std::vector<double> gaps;
    std::vector<double> waits;
    std::size_t failed = 0;
    for (auto _ : state) {
      const auto began = std::chrono::steady_clock::now();
      const paced_writers::findings found = replace(*store);
      state.SetIterationTime(seconds{std::chrono::steady_clock::now() - began}.count());
      gaps.push_back(found.longest_gap.count());
      waits.push_back(found.longest_wait.count());
      failed += found.failed;
    }
    state.counters["gap_ms"] = median(gaps);
    state.counters["gap_max_ms"] = std::ranges::max(gaps);
    state.counters["wait_max_ms"] = std::ranges::max(waits);
    state.counters["failed"] = static_cast<double>(failed);
  });
}

[[nodiscard]] std::unique_ptr<node_processes> make_five() {
  return std::make_unique<node_processes>(UNDERSTUDY_NODE_PROGRAM, 5);
}

void rolling_client(benchmark::State& state, int signal) {
  rolling(state, make_five, [&](node_processes& nodes) {
    const own_client calls{nodes};
    return replace_all(
        nodes, signal, [&](std::size_t i) { return calls.caller(i); }, [] {});
  });
}

template <class Make> void rolling_http(benchmark::State& state, int signal, const Make& make) {
  rolling(state, make, [&](auto& store) {
    open_doors doors{store.doors()};
    return replace_all(
        store, signal, [&](std::size_t i) { return through(doors, store, i); },
        [&] { doors.update(store.doors()); });
  });
}

void rolling_nodes(benchmark::State& state, int signal) {
  rolling_http(state, signal, make_five);
}

void rolling_etcd(benchmark::State& state, int signal) {
  rolling_http(state, signal, [] { return make_etcd(memory_disk()); });
}

BENCHMARK_CAPTURE(rolling_client, leave, SIGTERM)
    ->Name("rolling/leave")
    ->Iterations(rounds)
    ->UseManualTime();
BENCHMARK_CAPTURE(rolling_client, kill, SIGKILL)
    ->Name("rolling/kill")
    ->Iterations(rounds)
    ->UseManualTime();
BENCHMARK_CAPTURE(rolling_nodes, leave, SIGTERM)
    ->Name("rolling/leave_http")
    ->Iterations(rounds)
    ->UseManualTime();
BENCHMARK_CAPTURE(rolling_nodes, kill, SIGKILL)
    ->Name("rolling/kill_http")
    ->Iterations(rounds)
    ->UseManualTime();
BENCHMARK_CAPTURE(rolling_etcd, leave, SIGTERM)
    ->Name("rolling/etcd_leave")
    ->Iterations(rounds)
    ->UseManualTime();
BENCHMARK_CAPTURE(rolling_etcd, kill, SIGKILL)
    ->Name("rolling/etcd_kill")
    ->Iterations(rounds)
    ->UseManualTime();

// -- what listeners cost --------------------------------------------------------------------------

/// What the leader of some nodes spends on a write at a fixed rate.
struct spending {
  double cpu_us = 0;
  double sent = 0; ///< bytes
};

[[nodiscard]] spending measure_leader(node_processes& nodes) {
  const own_client calls{nodes};
  paced_writers writers{pacers, [&](std::size_t i) { return calls.caller(i); }, 8ms};
  std::this_thread::sleep_for(500ms);
  const auto leader = nodes.leader();
  const auto process = nodes.process_of(leader);
  const auto door = nodes.doors()[leader];
  const auto sent_bytes = [&] { return metric_of(door, "understudy_sent_bytes_total"); };

  const auto sent = sent_bytes();
  const auto cpu = processor_time_of(process);
  const auto answered = writers.answered();
  std::this_thread::sleep_for(2s);
  const auto writes = static_cast<double>(writers.answered() - answered);
  const spending all{microseconds{processor_time_of(process) - cpu}.count() / writes,
                     (sent_bytes() - sent) / writes};
  if (writers.finish().failed != 0)
    throw std::runtime_error{"a write failed"};
  return all;
}

void listeners(benchmark::State& state) {
  guarded(state, [&] {
    node_processes few{UNDERSTUDY_NODE_PROGRAM, node_processes::seats};
    node_processes many{UNDERSTUDY_NODE_PROGRAM,
                        node_processes::seats + static_cast<std::size_t>(state.range(0))};
    std::vector<double> cpu;
    std::vector<double> sent;
    spending last;
    for (auto _ : state) {
      const auto without = measure_leader(few);
      last = measure_leader(many);
      cpu.push_back(last.cpu_us / without.cpu_us);
      sent.push_back(last.sent / without.sent);
      state.SetIterationTime(last.cpu_us / 1e6);
    }
    state.counters["cpu_us"] = last.cpu_us;
    state.counters["sent"] = last.sent;
    state.counters["cpu_ratio"] = median(cpu);
    state.counters["sent_ratio"] = median(sent);
  });
}

BENCHMARK(listeners)->ArgName("listeners")->Arg(4)->Arg(16)->Iterations(rounds)->UseManualTime();

} // namespace processes_bench
