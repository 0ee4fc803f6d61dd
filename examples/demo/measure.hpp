// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the demo measures: how long callers waited, and how much of that was the machine's doing.

#include <understudy/core/errors.hpp>

#include "stall_meter.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace demo {

using moment = std::chrono::steady_clock::time_point;

/// What callers of a step went through.
struct step_figures {
  moment begin = {};
  moment end = moment::max();
  milliseconds longest_pause{0};
  std::uint64_t failed = 0;
  std::uint64_t unknown = 0;
};

/// Every request's fate, and every count that a reply named. Safe from any thread.
class score_book {
public:
  struct totals {
    std::uint64_t submitted = 0;
    std::uint64_t applied = 0;
    std::uint64_t failed = 0;
    std::uint64_t unknown = 0;
  };

  void begin_step(moment now) {
    const std::lock_guard lock{mutex_};
    steps_.push_back({.begin = now});
  }

  void end_step(moment now) {
    const std::lock_guard lock{mutex_};
    steps_.back().end = now;
  }

  void submitted() {
    const std::lock_guard lock{mutex_};
    ++totals_.submitted;
  }

  /// A reply came: this was the address's request number `count`.
  void applied(const std::string& address, std::uint64_t count, moment since, moment now) {
    const std::lock_guard lock{mutex_};
    ++totals_.applied;
    auto& seen = counts_[address];
    if (seen.size() <= count)
      seen.resize(std::max<std::size_t>(count + 1, seen.size() * 2));
    if (seen[count] < 255)
      ++seen[count];
    note_wait(since, now);
  }

  void refused(understudy::errc why, moment since, moment now) {
    const std::lock_guard lock{mutex_};
    const bool unknown = understudy::is_uncertain(why);
    ++(unknown ? totals_.unknown : totals_.failed);
    if (!steps_.empty())
      ++(unknown ? steps_.back().unknown : steps_.back().failed);
    ++reasons_[std::string{understudy::to_string(why)}];
    note_wait(since, now);
  }

  [[nodiscard]] totals all() const {
    const std::lock_guard lock{mutex_};
    return totals_;
  }

  [[nodiscard]] std::vector<step_figures> steps() const {
    const std::lock_guard lock{mutex_};
    return steps_;
  }

  [[nodiscard]] std::map<std::string, std::uint64_t> reasons() const {
    const std::lock_guard lock{mutex_};
    return reasons_;
  }

  /// How the counts that callers were told differ from exactly 1 to n, each once.
  struct difference {
    std::uint64_t lost = 0;       ///< counts that nobody was told
    std::uint64_t duplicated = 0; ///< counts told twice, or beyond n
  };

  [[nodiscard]] difference compare(const std::map<std::string, std::uint64_t>& expected) const {
    const std::lock_guard lock{mutex_};
    difference found;
    for (const auto& [address, n] : expected) {
      const auto told = counts_.find(address);
      for (std::uint64_t count = 1; count <= n; ++count)
        if (told == counts_.end() || count >= told->second.size() || told->second[count] == 0)
          ++found.lost;
    }
    for (const auto& [address, told] : counts_) {
      const auto right = expected.find(address);
      const auto n = right == expected.end() ? 0 : right->second;
      for (std::uint64_t count = 0; count < told.size(); ++count)
        found.duplicated += count == 0 || count > n ? told[count] : told[count] > 1 ? 1 : 0;
    }
    return found;
  }

private:
  /// A wait belongs to every step that it touches.
  void note_wait(moment since, moment now) {
    for (auto step = steps_.rbegin(); step != steps_.rend() && step->end >= since; ++step)
      if (step->begin <= now)
        step->longest_pause = std::max<milliseconds>(step->longest_pause, now - since);
  }

  mutable std::mutex mutex_;
  totals totals_;
  std::vector<step_figures> steps_;
  std::map<std::string, std::uint64_t> reasons_;
  std::map<std::string, std::vector<std::uint8_t>> counts_;
};

} // namespace demo
