// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Callers that write one thing after the other, and how soon a store takes writes again when its
/// leader is gone.

#include "figures.hpp"
#include "served_store.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <latch>
#include <list>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace benchmarks {

/// One write of one caller, and whether it was acknowledged.
using one_write = std::function<bool()>;

/// One round of as many callers as `make_caller(i)` makes, each a thread with one write open, for
/// `length`. What was open then is waited for.
[[nodiscard]] inline round_figures
write_for(std::size_t callers, const std::function<one_write(std::size_t)>& make_caller,
          std::chrono::milliseconds length) {
  using clock = std::chrono::steady_clock;
  std::vector<round_figures> parts(callers);
  std::vector<one_write> writes;
  for (std::size_t i = 0; i < callers; ++i)
    writes.push_back(make_caller(i));
  std::latch ready{static_cast<std::ptrdiff_t>(callers) + 1};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < callers; ++i)
    threads.emplace_back([&, i, write = std::move(writes[i])] {
      ready.arrive_and_wait();
      const auto until = clock::now() + length;
      for (auto now = clock::now(); now < until;) {
        const bool good = write();
        const auto sent = std::exchange(now, clock::now());
        if (good)
          parts[i].waits.push_back(now - sent);
        else
          ++parts[i].failed;
      }
    });
  ready.arrive_and_wait();
  const auto began = clock::now();
  threads.clear();
  round_figures all{.took = clock::now() - began};
  for (const auto& part : parts) {
    all.waits.insert(all.waits.end(), part.waits.begin(), part.waits.end());
    all.failed += part.failed;
  }
  return all;
}

/// Kills the leader, or stops it until the write is acknowledged. From then on until the first
/// write is acknowledged that was sent after it: a new one is sent every 5 ms, each on a connection
/// of its own, to the other nodes in turn.
[[nodiscard]] inline milliseconds time_to_next_write(served_store& store, bool silently = false) {
  using clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds pace{5};
  constexpr std::chrono::seconds patience{60};
  const auto leads = store.leader();
  auto others = store.doors();
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(leads));

  std::atomic<clock::duration> first{clock::duration::max()};
  const auto is_answered = [&] { return first.load() != clock::duration::max(); };
  std::list<std::jthread> writes;
  const auto begin = clock::now();
  if (silently)
    store.freeze(leads);
  else
    store.kill(leads);
  for (std::size_t i = 0; !is_answered(); ++i) {
    if (clock::now() - begin > patience)
      throw std::runtime_error{"no write is acknowledged any more"};
    writes.emplace_back([&, port = others[i % others.size()]] {
      auto line = connection_to(port, std::chrono::seconds{2});
      if (!store.put(line, "after", "the leader"))
        return;
      const auto took = clock::now() - begin;
      for (auto known = first.load(); took < known && !first.compare_exchange_weak(known, took);) {
      }
    });
    std::this_thread::sleep_until(begin + pace * (i + 1));
  }
  writes.clear();
  if (silently)
    store.kill(leads);
  return first.load();
}

} // namespace benchmarks
