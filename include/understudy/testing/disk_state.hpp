// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A disk with what is not on it yet, and the record of how it came to be so.
///
/// The state is a value and changes by operations alone. So a recorded run can be taken up at any
/// of its points, and the power can fail there in any manner, without running the program again.

#include <understudy/core/assert.hpp>
#include <understudy/testing/crash_choice.hpp>
#include <understudy/testing/disk_image.hpp>
#include <understudy/testing/disk_operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace understudy::testing {

/// What is durable, what is not, and what a process sees: both together.
class disk_state {
public:
  disk_state() = default;

  /// A disk on which all is durable.
  disk_state(disk_image image, inode_id next)
      : durable_{std::move(image)}, visible_{durable_}, next_{next} {}

  [[nodiscard]] const disk_image& durable() const { return durable_; }
  [[nodiscard]] const disk_image& visible() const { return visible_; }

  /// What may be lost, in order.
  [[nodiscard]] const std::vector<disk_operation>& unsynced() const { return unsynced_; }

  /// The length of all writes among them.
  [[nodiscard]] std::uint64_t unsynced_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& o : unsynced_)
      sum += o.data.size();
    return sum;
  }

  void perform(const disk_operation& what) {
    next_ = std::max(next_, after(what.inode));
    visible_.apply(what);
    switch (what.what) {
    case disk_change::sync_file:
    case disk_change::lose_file:
      settle(what.what == disk_change::sync_file,
             [&](const disk_operation& o) { return !o.is_metadata() && o.inode == what.inode; });
      break;
    case disk_change::sync_directory:
    case disk_change::lose_directory:
      settle(what.what == disk_change::sync_directory,
             [](const disk_operation& o) { return o.is_metadata(); });
      collect();
      break;
    case disk_change::rename:
    case disk_change::remove:
      unsynced_.push_back(what);
      collect();
      break;
    default:
      unsynced_.push_back(what);
    }
  }

  /// The power fails.
  [[nodiscard]] disk_state crashed(const crash_choice& choice) const {
    auto image = durable_;
    const auto left = choice(unsynced_);
    UNDERSTUDY_ASSERT(left.size() == unsynced_.size(), "a choice is about every un-synced step");
    for (std::size_t i = 0; i < left.size(); ++i)
      image.apply(unsynced_[i], left[i]);
    image.collect([](inode_id) { return false; });
    return {std::move(image), next_};
  }

  /// The process is killed; the machine goes on. All is seen as before, and may be lost as before.
  [[nodiscard]] disk_state killed() const {
    auto copy = *this;
    copy.held_.clear();
    copy.collect();
    return copy;
  }

  [[nodiscard]] inode_id next_inode() const { return next_; }

  /// A file that is open outlives its last name.
  void hold(inode_id inode) { held_.insert(inode); }

  void release(inode_id inode) {
    if (const auto one = held_.find(inode); one != held_.end())
      held_.erase(one);
    collect();
  }

  /// Changes what is on the disk behind the back of everybody: `change(image)` for both images.
  template <class Change> void tamper(Change change) {
    change(durable_);
    change(visible_);
    collect();
  }

  /// A number for what is made while tampering.
  [[nodiscard]] inode_id take_inode() { return std::exchange(next_, after(next_)); }

private:
  static inode_id after(inode_id i) { return inode_id{static_cast<std::uint64_t>(i) + 1}; }

  /// Those are durable from now on, or lost and forgotten.
  template <class Which> void settle(bool durable, Which which) {
    if (durable)
      for (const auto& o : unsynced_)
        if (which(o))
          durable_.apply(o);
    std::erase_if(unsynced_, which);
  }

  /// Forgets files that nobody can come to any more, whatever is kept or lost.
  void collect() {
    visible_.collect([&](inode_id i) { return held_.contains(i); });
    durable_.collect([&](inode_id i) { return visible_.file(i) != nullptr || may_be_named(i); });
  }

  [[nodiscard]] bool may_be_named(inode_id inode) const {
    return std::ranges::any_of(
        unsynced_, [&](const disk_operation& o) { return o.is_metadata() && o.inode == inode; });
  }

  disk_image durable_;
  disk_image visible_;
  std::vector<disk_operation> unsynced_;
  std::multiset<inode_id> held_; ///< the open files, once for each time
  inode_id next_{1};
};

/// All that was done to a disk, in order.
class disk_recording {
public:
  explicit disk_recording(disk_state start) : start_{std::move(start)}, now_{start_} {}

  void add(disk_operation what) { operations_.push_back(std::move(what)); }

  /// How many operations there are so far: a point of the run, to be noted with what was promised
  /// to others at that point.
  [[nodiscard]] std::size_t size() const { return operations_.size(); }

  [[nodiscard]] const disk_operation& operator[](std::size_t i) const {
    UNDERSTUDY_ASSERT(i < size(), "there is no such operation");
    return operations_[i];
  }

  /// The disk after the first `operations` of them. Cheap when asked for in ascending order.
  [[nodiscard]] const disk_state& after(std::size_t operations) {
    UNDERSTUDY_ASSERT(operations <= size(), "not as many operations were recorded");
    if (operations < done_) {
      now_ = start_;
      done_ = 0;
    }
    for (; done_ < operations; ++done_)
      now_.perform(operations_[done_]);
    return now_;
  }

private:
  disk_state start_;
  std::vector<disk_operation> operations_;
  disk_state now_;
  std::size_t done_ = 0;
};

} // namespace understudy::testing
