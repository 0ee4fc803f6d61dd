// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the records of a log amount to, one after the other.
///
/// The log on disk is a list of what was done: entries added, entries dropped. So whatever part of
/// its end a crash takes away, what is left is a state that the log was in.

#include <understudy/core/entry.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/storage/entry_record.hpp>
#include <understudy/storage/little_endian.hpp>
#include <understudy/storage/record.hpp>
#include <understudy/storage/record_reader.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace understudy::storage {

/// The payload of a truncation: the position that is the log's end from then on.
using truncation_image = std::array<std::byte, 16>;

[[nodiscard]] inline truncation_image truncation_to(log_position keep) {
  truncation_image image{};
  put(image.data(), keep.index.value);
  put(image.data() + 8, keep.term.value);
  return image;
}

/// A log on its way back into memory.
///
/// Entries that a snapshot covers are checked, but not kept. An error's text lacks the place, which
/// the caller knows.
class log_replay {
public:
  /// `base`: where the newest snapshot stands; nowhere: there is none.
  explicit log_replay(log_position base) : base_{base} {}

  /// The oldest segment starts here, or one that a snapshot made start anew.
  void begin(log_position at) {
    entries_.clear();
    last_ = at;
    holds_base_ = at == base_;
  }

  [[nodiscard]] expected<void> apply(const record& r) {
    if (r.kind == record_kind::entry)
      return append(r.payload);
    if (r.kind == record_kind::truncation)
      return truncate(r.payload);
    return fail(errc::storage_damaged, "this is no record of a log");
  }

  [[nodiscard]] log_position last() const { return last_; }

  /// Whether the log contains what the snapshot ends with: if not, nothing in it follows on.
  [[nodiscard]] bool holds_base() const { return holds_base_; }

  /// The entries behind the snapshot.
  [[nodiscard]] std::vector<entry> take_entries() { return std::move(entries_); }

private:
  expected<void> append(const bytes& payload) {
    auto read = entry_from(payload);
    if (!read)
      return fail(errc::storage_damaged, read.error().detail);
    if (read->index != last_.index.next() || read->term < last_.term)
      return fail(errc::storage_damaged, "entry " + std::to_string(read->index.value) + " of term "
                                             + std::to_string(read->term.value)
                                             + " can not follow entry "
                                             + std::to_string(last_.index.value) + " of term "
                                             + std::to_string(last_.term.value));
    last_ = read->position();
    if (last_.index == base_.index)
      holds_base_ = last_ == base_;
    if (last_.index > base_.index)
      entries_.push_back(std::move(*read));
    return {};
  }

  expected<void> truncate(const bytes& payload) {
    if (payload.size() != truncation_image{}.size())
      return fail(errc::storage_damaged, "a truncation of another size");
    const log_position keep{{get<std::uint64_t>(payload.view().data())},
                            {get<std::uint64_t>(payload.view().data() + 8)}};
    if (keep.index >= last_.index || keep.term > last_.term)
      return fail(errc::storage_damaged, "a truncation to entry " + std::to_string(keep.index.value)
                                             + " where entry " + std::to_string(last_.index.value)
                                             + " is the last");
    while (!entries_.empty() && entries_.back().index > keep.index)
      entries_.pop_back();
    const bool differs = entries_.empty()
                             ? keep.index == base_.index && holds_base_ && keep != base_
                             : entries_.back().position() != keep;
    if (differs)
      return fail(errc::storage_damaged, "a truncation to an entry of another term");
    last_ = keep;
    if (keep.index <= base_.index)
      holds_base_ = keep == base_;
    return {};
  }

  log_position base_;
  log_position last_;
  bool holds_base_ = false;
  std::vector<entry> entries_;
};

} // namespace understudy::storage
