// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/assert.hpp>
#include <understudy/storage/log_store.hpp>

#include <algorithm>

namespace understudy {

/// A log store in memory: the model that every durable one is held against, and what the simulator
/// writes to. A node without a directory needs no store at all (`core_options::volatile_log`): its
/// log lives in the raft core and ends with the process.
class memory_store {
public:
  expected<void> write(const store_write& what) {
    if (what.base)
      restart_from(what.base);
    if (what.keep)
      drop_above(*what.keep);
    for (const auto& e : what.entries) {
      UNDERSTUDY_ASSERT(e.index == last().index.next(), "a log is written without gaps");
      state_.entries.push_back(e);
    }
    if (what.vote)
      state_.vote = *what.vote;
    return {};
  }

  expected<void> sync() { return {}; }

  expected<recovered_state> recover() const { return state_; }

  [[nodiscard]] const ballot& vote() const { return state_.vote; }

  /// The end of the log.
  [[nodiscard]] log_position last() const {
    if (!state_.entries.empty())
      return state_.entries.back().position();
    return state_.base ? state_.base->at : log_position{};
  }

private:
  void drop_above(log_index keep) {
    auto above
        = std::ranges::find_if(state_.entries, [&](const entry& e) { return e.index > keep; });
    state_.entries.erase(above, state_.entries.end());
  }

  /// A snapshot replaces the log up to its index; what follows stays only where it follows on.
  void restart_from(const std::shared_ptr<const snapshot>& base) {
    const auto covered
        = std::ranges::find(state_.entries, base->at, [](const entry& e) { return e.position(); });
    if (covered == state_.entries.end())
      state_.entries.clear();
    else
      state_.entries.erase(state_.entries.begin(), covered + 1);
    state_.base = base;
  }

  recovered_state state_;
};

static_assert(log_store<memory_store>);

} // namespace understudy
