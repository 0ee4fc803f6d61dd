// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A node's disk, which outlives the node: what was synced is there after a crash, and of the rest
/// whatever a disk may keep.

#include <understudy/storage/log_store.hpp>
#include <understudy/storage/memory_store.hpp>
#include <understudy/testing/observation.hpp>
#include <understudy/testing/random.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace understudy::testing {

/// The disk itself.
class simulated_disk {
public:
  /// A write that will come: nobody waits for it, and the disk may have done it by then.
  void begin(const store_write& what) { begun_.push_back(what); }

  void write(const store_write& what) {
    if (!begun_.empty() && begun_.front().write == what.write)
      begun_.pop_front();
    unsynced_.push_back(what);
  }

  /// Whether it has no room for anything but ballots.
  void be_full(bool full) { full_ = full; }

  expected<void> sync() {
    if (full_ && std::ranges::any_of(unsynced_, needs_room))
      return fail(errc::storage_full, "no space left (simulated)");
    for (const auto& w : unsynced_)
      static_cast<void>(kept_.write(w)); // never fails
    unsynced_.clear();
    stored_ = {kept_.vote(), kept_.last()};
    return {};
  }

  /// The newest ballot, and nothing of the log.
  expected<void> sync_ballot() {
    for (auto& w : unsynced_)
      static_cast<void>(kept_.write({.vote = std::exchange(w.vote, std::nullopt)})); // never fails
    stored_.vote = kept_.vote();
    return {};
  }

  /// The power fails. Of the writes since the last sync a part survives, as `log_store` allows it:
  /// the log up to any step of any write, and any one of the ballots. It may still be lost the next
  /// time. Returns whether something was lost.
  bool crash(random_stream& random) {
    unsynced_.insert(unsynced_.end(), begun_.begin(), begun_.end());
    begun_.clear();
    const auto before = std::exchange(unsynced_, {});
    if (before.empty())
      return false;
    const auto whole = random.below(before.size() + 1);
    const auto ballots = random.below(before.size() + 1);
    for (std::size_t i = 0; i < whole; ++i)
      unsynced_.push_back(log_part(before[i]));
    if (whole < before.size())
      unsynced_.push_back(torn(log_part(before[whole]), random));
    for (std::size_t i = 0; i < ballots; ++i)
      unsynced_.push_back({.vote = before[i].vote});
    return whole < before.size() || ballots < before.size();
  }

  /// What a process finds now.
  [[nodiscard]] recovered_state recover() const {
    auto found = kept_;
    for (const auto& w : unsynced_)
      static_cast<void>(found.write(w)); // never fails
    return found.recover().value();
  }

  /// What a process is certain to find, whenever the power fails.
  [[nodiscard]] recovered_state certain() const { return kept_.recover().value(); }

  /// The same in short.
  [[nodiscard]] const stored_state& stored() const { return stored_; }

private:
  static bool needs_room(const store_write& what) {
    return what.base || what.keep || !what.entries.empty();
  }

  static store_write log_part(const store_write& what) {
    auto log = what;
    log.vote.reset();
    return log;
  }

  /// The first steps of a write, but not all: snapshot, truncation, one entry after the other.
  static store_write torn(store_write what, random_stream& random) {
    const std::size_t steps = (what.base ? 1u : 0u) + (what.keep ? 1u : 0u) + what.entries.size();
    auto left = steps == 0 ? 0 : random.below(steps);
    const auto takes = [&] { return left > 0 && left-- > 0; };
    if (what.base && !takes())
      what.base = nullptr;
    if (what.keep && !takes())
      what.keep.reset();
    what.entries.resize(left);
    return what;
  }

  memory_store kept_;
  std::deque<store_write> begun_; ///< above all that were written
  std::vector<store_write> unsynced_;
  stored_state stored_;
  bool full_ = false;
};

/// The log store of a node whose disk this is.
class disk_store {
public:
  explicit disk_store(std::shared_ptr<simulated_disk> disk) : disk_{std::move(disk)} {}

  expected<void> write(const store_write& what) {
    disk_->write(what);
    return {};
  }

  expected<void> sync() { return disk_->sync(); }
  expected<void> sync_ballot() { return disk_->sync_ballot(); }

  expected<recovered_state> recover() { return disk_->recover(); }

  [[nodiscard]] const stored_state& stored() const { return disk_->stored(); }

private:
  std::shared_ptr<simulated_disk> disk_;
};

static_assert(ballot_keeper<disk_store>);

} // namespace understudy::testing
