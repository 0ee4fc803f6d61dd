// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The raft core's view of the log: every entry since a base, and the configurations among them.

#include <understudy/core/assert.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/snapshot.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace understudy {

/// A gapless run of entries behind `base()`, kept in memory.
///
/// The configuration in force is part of it: appending a configuration entry puts it in force,
/// truncating the entry puts the one before it in force again (thesis §4.1, M9).
class raft_log {
public:
  /// The place before the first entry kept; all up to there is in a snapshot, or nothing was.
  [[nodiscard]] log_position base() const { return base_; }

  /// The index of the first entry kept, or the one it will have.
  [[nodiscard]] log_index first() const { return base_.index.next(); }

  [[nodiscard]] log_position last() const {
    return entries_.empty() ? base_ : entries_.back().position();
  }

  [[nodiscard]] bool holds(log_index i) const { return i > base_.index && i <= last().index; }

  /// The entry at `i`, which must be held.
  [[nodiscard]] const entry& at(log_index i) const {
    UNDERSTUDY_ASSERT(holds(i), "an entry is read that the log does not hold");
    return entries_[i - first()];
  }

  /// The term of the entry at `i`, also at the base itself; none where that is not known.
  [[nodiscard]] std::optional<term_number> term_at(log_index i) const {
    if (i == base_.index)
      return base_.term;
    if (!holds(i))
      return std::nullopt;
    return at(i).term;
  }

  /// Log time at the end of the log.
  [[nodiscard]] log_time last_stamp() const {
    return entries_.empty() ? base_stamp_ : entries_.back().stamp;
  }

  [[nodiscard]] log_time stamp_at(log_index i) const {
    return i == base_.index ? base_stamp_ : at(i).stamp;
  }

  /// What all entries kept weigh.
  [[nodiscard]] std::size_t weight_bytes() const { return weight_; }

  /// What all entries that were ever appended weigh.
  [[nodiscard]] std::size_t appended_bytes() const { return appended_; }

  void append(entry what) {
    UNDERSTUDY_ASSERT(what.index == last().index.next(), "an entry is appended behind a gap");
    UNDERSTUDY_ASSERT(what.term >= last().term, "terms in a log never fall");
    if (const auto* members = what.as<configuration_ptr>())
      configurations_.push_back({what.index, *members});
    const auto weight = what.weight_bytes();
    weight_ += weight;
    appended_ += weight;
    entries_.push_back(std::move(what));
  }

  /// Drops every entry above `keep`.
  void truncate_above(log_index keep) {
    UNDERSTUDY_ASSERT(keep >= base_.index, "what is in a snapshot is not truncated");
    while (!entries_.empty() && entries_.back().index > keep) {
      weight_ -= entries_.back().weight_bytes();
      entries_.pop_back();
    }
    while (!configurations_.empty() && configurations_.back().index > keep)
      configurations_.pop_back();
  }

  /// Forgets every entry up to `through`, which becomes the base.
  void compact_through(log_index through) {
    UNDERSTUDY_ASSERT(through >= base_.index && through <= last().index,
                      "a log is compacted up to an entry that it holds");
    if (through == base_.index)
      return;
    base_members_ = configuration_at(through);
    base_stamp_ = at(through).stamp;
    base_ = at(through).position();
    while (!entries_.empty() && entries_.front().index <= through) {
      weight_ -= entries_.front().weight_bytes();
      entries_.pop_front();
    }
    std::erase_if(configurations_, [&](const auto& c) { return c.index <= through; });
  }

  /// Starts anew from a snapshot. Its configuration is in force from now on, whatever stood in the
  /// log before (M14).
  void restart_from(const snapshot& image) {
    entries_.clear();
    configurations_.clear();
    weight_ = 0;
    base_ = image.at;
    base_stamp_ = image.stamp;
    base_members_ = image.members;
  }

  /// Entries from `from` on, until one of the limits is reached; always at least one if there is.
  [[nodiscard]] std::vector<entry> slice(log_index from, log_index through, std::size_t entries_max,
                                         std::size_t bytes_max) const {
    // Counted first: a message of one entry must not hold room for a thousand.
    std::size_t count = 0;
    std::size_t bytes = 0;
    for (auto i = from; holds(i) && i <= through && count < entries_max; ++i, ++count) {
      bytes += at(i).weight_bytes();
      if (count > 0 && bytes > bytes_max)
        break;
    }
    std::vector<entry> part;
    part.reserve(count);
    for (auto i = from; part.size() < count; ++i)
      part.push_back(at(i));
    return part;
  }

  /// The newest place at or below `from` whose term is at most `limit`: where two logs that differ
  /// in a whole term can agree at the earliest (§5.3, fast backtracking; R12). Below the base, the
  /// base.
  [[nodiscard]] log_position agreement_at_most(log_index from, term_number limit) const {
    auto i = std::min(from, last().index);
    while (i > base_.index && at(i).term > limit)
      i = i.previous();
    if (i <= base_.index)
      return base_;
    return at(i).position();
  }

  /// The newest configuration, committed or not; index 0 where there is none.
  [[nodiscard]] const placed_configuration& newest_configuration() const {
    return configurations_.empty() ? base_members_ : configurations_.back();
  }

  /// The configuration that was in force when `i` was the end of the log.
  [[nodiscard]] const placed_configuration& configuration_at(log_index i) const {
    for (auto c = configurations_.rbegin(); c != configurations_.rend(); ++c)
      if (c->index <= i)
        return *c;
    return base_members_;
  }

  /// The first of the run of configurations up to the newest that all have its voters.
  [[nodiscard]] log_index voters_since() const {
    const auto& newest = newest_configuration();
    auto since = newest.index;
    for (auto c = configurations_.rbegin(); c != configurations_.rend(); ++c) {
      if (c->content->voters != newest.content->voters
          || c->content->outgoing != newest.content->outgoing)
        return since;
      since = c->index;
    }
    const bool base_too = base_members_.content
                          && base_members_.content->voters == newest.content->voters
                          && base_members_.content->outgoing == newest.content->outgoing;
    return base_too ? base_members_.index : since;
  }

private:
  log_position base_;
  log_time base_stamp_;
  placed_configuration base_members_;
  std::deque<entry> entries_;
  std::vector<placed_configuration> configurations_;
  std::size_t weight_ = 0;
  std::size_t appended_ = 0;
};

} // namespace understudy
