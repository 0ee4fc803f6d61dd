// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/assert.hpp>
#include <understudy/core/entry.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace understudy::storage {

/// The term of every index of a log, in room for its changes of term only.
class term_runs {
public:
  /// The log is `at` and nothing else.
  void restart(log_position at) {
    runs_.assign(1, at);
    last_ = at;
  }

  /// The next entry.
  void add(log_position next) {
    UNDERSTUDY_ASSERT(next.index == last_.index.next(), "a log is written without gaps");
    UNDERSTUDY_ASSERT(next.term >= last_.term, "terms do not go back along a log");
    if (next.term != last_.term)
      runs_.push_back(next);
    last_ = next;
  }

  /// Every index above `keep` goes.
  void truncate(log_index keep) {
    UNDERSTUDY_ASSERT(covers(keep), "a truncation keeps what the log starts with");
    while (runs_.size() > 1 && runs_.back().index > keep)
      runs_.pop_back();
    last_ = {keep, runs_.back().term};
  }

  /// Every index below `first` goes.
  void drop_below(log_index first) {
    if (!covers(first))
      return;
    runs_.erase(runs_.begin(), run_of(first));
    runs_.front().index = first;
  }

  /// Whether the log has an entry here, or starts with it.
  [[nodiscard]] bool holds(log_position at) const {
    return covers(at.index) && run_of(at.index)->term == at.term;
  }

  [[nodiscard]] log_index first() const { return runs_.front().index; }
  [[nodiscard]] log_position last() const { return last_; }

private:
  [[nodiscard]] bool covers(log_index i) const {
    return i <= last_.index && i >= runs_.front().index;
  }

  /// The run that `i` belongs to, if it is covered.
  [[nodiscard]] std::vector<log_position>::const_iterator run_of(log_index i) const {
    return std::ranges::upper_bound(runs_, i, {}, &log_position::index) - 1;
  }

  /// The first position of each run of one term. A new log starts with the place before its first
  /// entry.
  std::vector<log_position> runs_{log_position{}};
  log_position last_;
};

} // namespace understudy::storage
