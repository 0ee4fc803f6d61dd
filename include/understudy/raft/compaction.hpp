// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// When the log is cut, and how much of it is kept all the same (§7).

#include <understudy/core/notices.hpp>
#include <understudy/raft/core_state.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace understudy {

/// Asks the replica for a snapshot when the log has grown enough, and drops what it covers, but for
/// a tail for those who are a little behind.
class compaction {
public:
  void consider(const core_state& state, outbox& out) {
    if (asked_ || state.machine_failed
        || state.log.appended_bytes() - appended_at_last_ < state.options.snapshot_after_bytes
        || state.applied <= covered(state))
      return;
    asked_ = true;
    appended_at_last_ = state.log.appended_bytes();
    out.tell(take_snapshot{});
  }

  /// The replica has written its state down. `needed_from`: the lowest index somebody still has to
  /// be sent from.
  void on(snapshot_taken& taken, core_state& state, log_index needed_from) {
    asked_ = false;
    if (taken.at.index <= covered(state) || !state.log.holds(taken.at.index))
      return; // overtaken by one from elsewhere
    auto image = std::make_shared<snapshot>();
    image->at = taken.at;
    image->stamp = taken.stamp;
    image->members = state.log.configuration_at(taken.at.index);
    image->image = std::move(taken.image);
    image->digest = digest_of(image->image.view());
    state.image = image;
    state.durable.snapshot_taken(image);
    state.log.compact_through(keep_behind(state, needed_from));
  }

private:
  static log_index covered(const core_state& state) {
    return state.image ? state.image->at.index : log_index{};
  }

  /// The last index to drop: what laggards need is kept, as long as it weighs little enough.
  static log_index keep_behind(const core_state& state, log_index needed_from) {
    const auto& o = state.options;
    const auto end = state.image->at.index;
    const log_index tail{end.value > o.retain_entries ? end.value - o.retain_entries : 0};
    const auto wanted = std::max(std::min(tail, needed_from), state.log.base().index);
    std::size_t bytes = 0;
    auto through = end;
    while (through > wanted) {
      bytes += state.log.at(through).weight_bytes();
      if (bytes > o.retain_bytes_max)
        break;
      through = through.previous();
    }
    return through;
  }

  bool asked_ = false;
  std::size_t appended_at_last_ = 0;
};

} // namespace understudy
