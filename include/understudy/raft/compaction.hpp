// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// When the log is cut, and how much of it is kept all the same (§7).

#include <understudy/core/notices.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/raft/snapshot_orders.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace understudy {

/// Asks the replica for a snapshot when the log has grown enough, and drops what it covers, but for
/// a tail for those who are a little behind.
class compaction {
public:
  void consider(core_state& state, instant now, outbox& out) {
    cut(state);
    ask(state, now, out);
    orders_.answer(state.durable, out);
  }

  /// Takes a snapshot of all that is applied by now, however little that is.
  void order(ticket id) { orders_.give(id); }

  /// The replica's state is written down. Where it has to be stored it is brought to the disk
  /// before the log writer hears of it. `needed_from`: the lowest index somebody still has to be
  /// sent from.
  void on(snapshot_taken& taken, core_state& state, log_index needed_from, outbox& out) {
    if (is_overtaken(taken.at.index, state))
      return end(state);
    staging_ = made_of(taken, state);
    if (state.options.volatile_log)
      keep(state, needed_from);
    else
      out.tell(stage_snapshot{staging_});
  }

  /// It is on the disk, but for its name; or there was no room, and the log stays as it is for a
  /// while: nobody tells when there is room again.
  void on(snapshot_staged& staged, core_state& state, log_index needed_from, instant now,
          outbox& out) {
    if (!staging_ || staging_->key() != staged.what)
      return;
    if (staging_ != state.image && is_overtaken(staged.what.at.index, state))
      return end(state);
    if (staged.code == errc::none)
      return keep(state, needed_from);
    orders_.refuse(staged.code, out);
    pause_ = std::clamp(pause_ * 2, pause_min, pause_max);
    retry_at_ = now + pause_;
    end(state);
  }

private:
  void ask(core_state& state, instant now, outbox& out) {
    if (state.machine_failed)
      return orders_.refuse(errc::machine_stopped, out);
    // One at a time, and the last one has its name: else the next would take its place on the disk.
    if (asked_ || !state.durable.is_durable(stored_by_) || !(orders_.wait() || has_grown(state)))
      return;
    if (!orders_.wait() && now < retry_at_)
      return out.wake(retry_at_);
    if (state.applied <= covered(state) && orders_.wait()
        && state.durable.lacks_snapshot(covered(state)))
      return stage_again(state, out);
    if (state.applied <= covered(state))
      return orders_.nothing_new(covered(state), state.durable);
    asked_ = true;
    orders_.asked();
    out.tell(take_snapshot{});
  }

  /// The last one is still to be had, and there may be room for it by now.
  void stage_again(const core_state& state, outbox& out) {
    asked_ = true;
    orders_.asked();
    staging_ = state.image;
    out.tell(stage_snapshot{staging_});
  }

  /// Whether one from elsewhere covers more by now.
  [[nodiscard]] static bool is_overtaken(log_index at, const core_state& state) {
    return at <= covered(state) || !state.log.holds(at);
  }

  [[nodiscard]] static std::shared_ptr<const snapshot> made_of(snapshot_taken& taken,
                                                               const core_state& state) {
    auto image = std::make_shared<snapshot>();
    image->at = taken.at;
    image->stamp = taken.stamp;
    image->members = state.log.configuration_at(taken.at.index);
    image->image = std::move(taken.image);
    image->digest = taken.digest;
    return image;
  }

  void keep(core_state& state, log_index needed_from) {
    state.image = staging_;
    state.durable.snapshot_taken(staging_);
    stored_by_ = state.durable.covering();
    pause_ = {};
    cut_through_ = keep_behind(state, needed_from);
    cut(state);
    end(state);
  }

  /// Another one may be taken, once there is enough above what the last one covers: more than what
  /// was appended since, if the replica had not applied all or this one came to nothing.
  void end(core_state& state) {
    asked_ = false;
    staging_ = nullptr;
    appended_at_last_ = state.log.appended_bytes() - bytes_above(covered(state), state);
    orders_.taken(covered(state), state.durable);
  }

  static constexpr interval pause_min = std::chrono::seconds{1};
  static constexpr interval pause_max = std::chrono::seconds{8};

  /// What is dropped at once. To free a hundred thousand entries takes as long as a client may be
  /// made to wait, and all nodes come to it at the same time.
  static constexpr std::uint64_t entries_at_once = 2'048;

  /// A state that is larger than the log since the last snapshot is not written down yet.
  [[nodiscard]] bool has_grown(const core_state& state) const {
    const auto last = state.image ? state.image->image.size() : std::size_t{0};
    return state.log.appended_bytes() - appended_at_last_
           >= std::max(state.options.snapshot_after_bytes, last);
  }

  [[nodiscard]] static std::size_t bytes_above(log_index covered, const core_state& state) {
    std::size_t bytes = 0;
    for (auto i = covered.next(); i <= state.log.last().index; ++i)
      bytes += state.log.at(i).weight_bytes();
    return bytes;
  }

  void cut(core_state& state) const {
    const auto base = state.log.base().index;
    if (cut_through_ > base)
      state.log.compact_through(std::min(cut_through_, base + entries_at_once));
  }

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

  snapshot_orders orders_;
  bool asked_ = false;
  std::shared_ptr<const snapshot> staging_; ///< on its way to the disk
  generation stored_by_;                    ///< the write that stores the last one
  std::size_t appended_at_last_ = 0;
  interval pause_{0}; ///< after the snapshots in a row for which there was no room
  instant retry_at_ = {};
  log_index cut_through_; ///< entries up to here are on their way out
};

} // namespace understudy
