// SPDX-License-Identifier: BSL-1.0
//
// How soon a cluster is whole again, and what a writer notices meanwhile.
//
// All nodes are in one process, with settings as they are by default but for `max_voters`, which is
// 3. The machine is a store of parcels of 1 KiB. Counters are in milliseconds: medians over the
// trials, with the extremes beside them.
//
//   successor    A follower of three voters crashes. From then on until there are three voters
//                again, the newest configuration is committed, and the new voter has applied all
//                that the leader had committed at the crash, as the new voter itself sees it.
//                `listener_ms`: the fourth node is there and has pulled everything. `new_node_ms`:
//                there is none, and an empty node is started at the moment of the crash, with the
//                nodes that live as its seeds. Both take turns in one cluster of `mb` megabytes,
//                and nobody writes meanwhile; `ratio` is of each pair.
//   swap         A voter goes, and the fourth node, which has all data, takes its seat: from the
//                first event of any node that the mark is committed (`roster_changed`) to the
//                fourth node's event that the new voters are (its last `voters_changed`). Events
//                take a while to be told, so this may be a little short; `from_call_ms`, from the
//                call to the same end, is certainly long enough. `answer_ms` is from the call to
//                its answer: that of an order, or of a node that has left.
//   write_gap    A client writes every half a millisecond, 16 writes open at most, through a
//                follower that stays. `gap_ms` is the longest time between two answers, one of
//                which may come before and one after what happens; `wait_ms` the longest that a
//                single write was open. After each trial a new node enters, so that three voters
//                and a listener are there for the next.
//
// `stall_ms` is how late a timer of 1 ms fired at worst in the same trial: so much of a gap may be
// the machine's doing. `nothing` shows what gap a writer sees when nothing happens.
//
// `Time` is the mean over the trials of what is measured first. A table for people:
// --benchmark_counters_tabular=true; for programs: --benchmark_format=json.

#include <understudy/understudy.hpp>

#include <benchmark/benchmark.h>

#include "changing_group.hpp"
#include "figures.hpp"
#include "guarded.hpp"
#include "parcel_store.hpp"
#include "steady_writer.hpp"
#include <demo/stall_meter.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace step_in_bench {

using namespace benchmarks;
using namespace std::chrono_literals;
using demo::stall_meter;
using event = understudy::node_event::kind;

constexpr std::size_t small_megabytes = 1; ///< where the size of the state does not matter
constexpr std::chrono::milliseconds patience = changing_group::patience;

moment clock_now() {
  return std::chrono::steady_clock::now();
}

/// The median, and the extremes beside it.
void report(benchmark::State& state, const std::string& name, const std::vector<double>& values) {
  if (values.empty())
    return;
  state.counters[name] = median(values);
  state.counters[name + "_min"] = std::ranges::min(values);
  state.counters[name + "_max"] = std::ranges::max(values);
}

// -- successor ------------------------------------------------------------------------------------

/// Crashes a follower. Its successor is the listener if there is one, else a node started now.
milliseconds time_to_successor(changing_group& nodes, bool listener_is_there) {
  const auto level = nodes.leader().node.status().commit;
  const auto lost = nodes.followers().front();
  auto successor = listener_is_there ? nodes.listener() : lost;
  nodes.strike(lost); // a new node is not to ask it

  const auto begin = clock_now();
  understudy::testing::crash(lost.node);
  if (!listener_is_there)
    successor = nodes.add();
  static_cast<void>(checked(successor.node.wait_until(
      [&](const understudy::node_status& now) {
        const auto votes = [&](understudy::member_id id) {
          return std::ranges::find(now.voters, id) != now.voters.end();
        };
        return now.voters.size() == changing_group::seats && !now.changing && votes(now.id)
               && !votes(lost.node.id()) && now.applied >= level;
      },
      patience)));
  const milliseconds took = clock_now() - begin;

  changing_group::end(lost);
  nodes.settle();
  return took;
}

void successor(benchmark::State& state) {
  guarded(state, [&] {
    understudy::config config;
    caf::actor_system system{config};
    changing_group nodes{system, changing_group::seats};
    fill(nodes.leader().node, static_cast<std::size_t>(state.range(0)));
    std::vector<double> with_listener;
    std::vector<double> with_new_node;
    std::vector<double> ratios;
    for (auto _ : state) {
      nodes.add();
      nodes.settle();
      with_listener.push_back(time_to_successor(nodes, true).count());
      with_new_node.push_back(time_to_successor(nodes, false).count());
      ratios.push_back(with_new_node.back() / with_listener.back());
      state.SetIterationTime(with_listener.back() / 1e3);
    }
    report(state, "listener_ms", with_listener);
    report(state, "new_node_ms", with_new_node);
    report(state, "ratio", ratios);
  });
}

BENCHMARK(successor)->ArgName("mb")->Arg(1)->Arg(10)->Arg(100)->Iterations(15)->UseManualTime();

// -- swap -----------------------------------------------------------------------------------------

/// How a voter goes.
enum class departure { follower_is_evicted, follower_leaves, leader_leaves };

/// What is said of one swap.
struct swap_figures {
  milliseconds from_mark{0};
  milliseconds from_call{0};
  milliseconds answer{0};
};

swap_figures swap_once(changing_group& nodes, departure how) {
  const auto everybody = nodes.all();
  const auto leader = nodes.leader();
  const auto listener = nodes.listener();
  const auto goes = how == departure::leader_leaves ? leader : nodes.followers().front();

  const auto begin = clock_now();
  if (how == departure::follower_is_evicted)
    static_cast<void>(checked(leader.node.evict(goes.node.id()), patience));
  else if (const auto left = checked(goes.node.leave(), patience);
           left.how != understudy::leave_outcome::left)
    throw std::runtime_error{"a node could not leave: " + left.detail};
  const milliseconds answer = clock_now() - begin;
  nodes.heal(goes);
  nodes.strike(goes);
  changing_group::end(goes);
  nodes.settle();

  auto mark = listener.events->first(event::roster_changed, begin);
  const auto seat = listener.events->last(event::voters_changed, begin);
  if (!mark || !seat)
    throw std::runtime_error{"a mark or a change of voters was not told of"};
  for (const auto& p : everybody)
    if (const auto told = p.events->first(event::roster_changed, begin))
      mark = std::min(*mark, *told);
  return {*seat - *mark, *seat - begin, answer};
}

/// Three voters and a listener that has everything, and what the machine does beside them.
struct full_house {
  understudy::config config = {};
  caf::actor_system system{config};
  changing_group nodes{system, changing_group::seats + 1};
  stall_meter stalls = {};

  full_house() {
    fill(nodes.leader().node, small_megabytes);
    nodes.settle();
  }
};

void swap(benchmark::State& state, departure how) {
  guarded(state, [&] {
    full_house house;
    auto& nodes = house.nodes;
    auto& stalls = house.stalls;
    std::vector<double> from_mark;
    std::vector<double> from_call;
    std::vector<double> answers;
    std::vector<double> stalled;
    for (auto _ : state) {
      stalls.take();
      const auto figures = swap_once(nodes, how);
      from_mark.push_back(figures.from_mark.count());
      from_call.push_back(figures.from_call.count());
      answers.push_back(figures.answer.count());
      stalled.push_back(stalls.take().count());
      state.SetIterationTime(from_mark.back() / 1e3);
      nodes.add();
      nodes.settle();
    }
    report(state, "swap_ms", from_mark);
    report(state, "from_call_ms", from_call);
    report(state, "answer_ms", answers);
    report(state, "stall_ms", stalled);
  });
}

BENCHMARK_CAPTURE(swap, follower_is_evicted, departure::follower_is_evicted)
    ->Iterations(20)
    ->UseManualTime();
BENCHMARK_CAPTURE(swap, follower_leaves, departure::follower_leaves)
    ->Iterations(20)
    ->UseManualTime();
BENCHMARK_CAPTURE(swap, leader_leaves, departure::leader_leaves)->Iterations(20)->UseManualTime();

// -- write gap ------------------------------------------------------------------------------------

enum class happening {
  nothing,
  leader_leaves,
  follower_leaves,
  leadership_moves,
  leader_crashes, ///< its link breaks: noticed at once
  leader_freezes  ///< its link stays: noticed by its silence
};

/// Who has which part in a trial.
struct parts {
  performer leader;
  performer other; ///< a follower: it leaves, or leads next
  performer stays; ///< a follower: the writer enters here
};

/// Lets it happen, and waits until that is over.
void bring_about(happening what, const changing_group& nodes, const parts& who) {
  const auto leave = [&](const performer& goes) {
    if (const auto left = checked(goes.node.leave(), patience);
        left.how != understudy::leave_outcome::left)
      throw std::runtime_error{"a node could not leave: " + left.detail};
    nodes.heal(goes);
  };
  switch (what) {
  case happening::nothing:
    return;
  case happening::leader_leaves:
    return leave(who.leader);
  case happening::follower_leaves:
    return leave(who.other);
  case happening::leadership_moves:
    static_cast<void>(checked(who.leader.node.transfer_leadership(who.other.node.id()), patience));
    return nodes.await("leadership does not move",
                       [&] { return who.stays.node.status().leader == who.other.node.id(); });
  case happening::leader_crashes:
    understudy::testing::crash(who.leader.node);
    return nodes.heal(who.leader);
  case happening::leader_freezes:
    understudy::testing::freeze(who.leader.node);
    return nodes.await("nobody leads", [&] {
      const auto now = who.stays.node.status();
      return now.leader && now.leader != who.leader.node.id();
    });
  }
}

/// What is said of one trial.
struct gap_figures {
  milliseconds gap{0};
  milliseconds wait{0};
  milliseconds stall{0};
};

gap_figures gap_once(caf::actor_system& system, const changing_group& nodes, const parts& who,
                     happening what, stall_meter& stalls) {
  constexpr std::size_t some = 100; // writes, which take 50 ms
  steady_writer writer{system, nodes.contacts(who.stays)};
  writer.await_writes(some);
  stalls.take();
  const auto begin = clock_now();
  bring_about(what, nodes, who);
  writer.await_writes(some);
  const auto end = clock_now();
  const auto stall = stalls.take();
  const auto& book = writer.finish();
  return {book.longest_gap(begin, end), book.longest_wait(begin, end), stall};
}

/// Whoever is not there any more is made up for by a new node. A frozen one is crashed, so that it
/// is sent away at once.
void restore(changing_group& nodes, const parts& who, happening what) {
  if (what == happening::nothing || what == happening::leadership_moves)
    return nodes.settle();
  const auto& gone = what == happening::follower_leaves ? who.other : who.leader;
  nodes.strike(gone);
  changing_group::end(gone);
  nodes.settle();
  nodes.add();
  nodes.settle();
}

void write_gap(benchmark::State& state, happening what) {
  guarded(state, [&] {
    full_house house;
    auto& nodes = house.nodes;
    auto& stalls = house.stalls;
    std::vector<double> gaps;
    std::vector<double> waits;
    std::vector<double> stalled;
    for (auto _ : state) {
      const auto followers = nodes.followers();
      const parts who{nodes.leader(), followers.front(), followers.back()};
      const auto figures = gap_once(house.system, nodes, who, what, stalls);
      gaps.push_back(figures.gap.count());
      waits.push_back(figures.wait.count());
      stalled.push_back(figures.stall.count());
      state.SetIterationTime(gaps.back() / 1e3);
      restore(nodes, who, what);
    }
    report(state, "gap_ms", gaps);
    report(state, "wait_ms", waits);
    report(state, "stall_ms", stalled);
  });
}

/// Each takes twenty trials.
void trials(benchmark::internal::Benchmark* of) {
  of->Iterations(20)->UseManualTime();
}

BENCHMARK_CAPTURE(write_gap, nothing, happening::nothing)->Apply(trials);
BENCHMARK_CAPTURE(write_gap, leader_leaves, happening::leader_leaves)->Apply(trials);
BENCHMARK_CAPTURE(write_gap, follower_leaves, happening::follower_leaves)->Apply(trials);
BENCHMARK_CAPTURE(write_gap, leadership_moves, happening::leadership_moves)->Apply(trials);
BENCHMARK_CAPTURE(write_gap, leader_crashes, happening::leader_crashes)->Apply(trials);
BENCHMARK_CAPTURE(write_gap, leader_freezes, happening::leader_freezes)->Apply(trials);

} // namespace step_in_bench
