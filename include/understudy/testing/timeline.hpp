// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/assert.hpp>
#include <understudy/core/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace understudy::testing {

/// Virtual time: what is to happen, and when. Time passes only by taking the next event; of two for
/// the same moment the one that was added first comes first.
template <class Event> class timeline {
public:
  /// The moment of the event taken last.
  [[nodiscard]] instant now() const { return now_; }

  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

  /// The moment of the next event; there must be one.
  [[nodiscard]] instant next() const {
    UNDERSTUDY_ASSERT(!empty(), "there is a next event");
    return heap_.front().when;
  }

  /// Adds an event; one for a moment in the past happens now.
  void add(instant when, Event what) {
    std::uint32_t slot;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(events_.size());
      events_.push_back(std::move(what));
    } else {
      slot = free_.back();
      free_.pop_back();
      events_[slot] = std::move(what);
    }
    heap_.push_back({std::max(when, now_), added_++, slot});
    std::ranges::push_heap(heap_, later);
  }

  /// Moves time to the next event and hands it out; there must be one.
  Event take() {
    now_ = next();
    std::ranges::pop_heap(heap_, later);
    const auto slot = heap_.back().slot;
    heap_.pop_back();
    free_.push_back(slot);
    return std::move(events_[slot]);
  }

  /// Lets time pass without an event; none may be due before.
  void pass_until(instant when) {
    UNDERSTUDY_ASSERT(empty() || next() >= when, "time does not skip an event");
    now_ = std::max(now_, when);
  }

private:
  /// Small, because a heap moves its items about; the event itself stays in its slot.
  struct item {
    instant when;
    std::uint64_t number;
    std::uint32_t slot;
  };

  static bool later(const item& a, const item& b) {
    return a.when != b.when ? a.when > b.when : a.number > b.number;
  }

  instant now_{};
  std::uint64_t added_ = 0;
  std::vector<item> heap_;
  std::vector<Event> events_;
  std::vector<std::uint32_t> free_;
};

} // namespace understudy::testing
