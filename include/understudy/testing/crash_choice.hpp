// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a power failure leaves of the steps that were not synced: one choice of the many that a
/// disk has.
///
/// A choice is a function, so that a test can add its own. It sees all un-synced steps, in order,
/// and says of each what is left. Those that are left take effect in their order; one that builds
/// upon a lost one, as the renaming of a file that never came to be, has no effect.

#include <understudy/core/assert.hpp>
#include <understudy/testing/disk_operation.hpp>
#include <understudy/testing/random.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace understudy::testing {

/// One remnant for each un-synced step.
using crash_choice = std::function<std::vector<remnant>(std::span<const disk_operation>)>;

/// All is lost that was not synced.
[[nodiscard]] inline crash_choice lose_unsynced() {
  return [](std::span<const disk_operation> unsynced) {
    return std::vector<remnant>(unsynced.size());
  };
}

/// The disk was quick: nothing is lost, except what a failed sync had lost already.
[[nodiscard]] inline crash_choice keep_unsynced() {
  return [](std::span<const disk_operation> unsynced) {
    return std::vector<remnant>(unsynced.size(), remnant::all());
  };
}

namespace detail {

/// Nothing, a beginning, or some sectors of a write; now and then the file has grown all the same.
inline remnant any_part(const disk_operation& write, random_stream& random) {
  auto left = remnant::nothing();
  const auto kind = random.below(4);
  if (kind == 1)
    left = remnant::first(random.below(write.data.size() + 1));
  if (kind >= 2) {
    std::vector<bool> which(sectors_of(write));
    for (std::size_t i = 0; i < which.size(); ++i)
      which[i] = random.below(2) == 0;
    left = remnant::some_sectors(std::move(which));
  }
  left.sized = random.below(4) == 0;
  return left;
}

} // namespace detail

/// Any subset. How much survives is drawn once for the whole crash: else long journals would never
/// be kept, or lost, nearly whole.
[[nodiscard]] inline crash_choice any_subset(random_stream& random) {
  return [&random](std::span<const disk_operation> unsynced) {
    std::vector<remnant> left;
    left.reserve(unsynced.size());
    const auto kept_of_8 = random.below(8);
    for (const auto& one : unsynced) {
      if (random.below(8) < kept_of_8)
        left.push_back(remnant::all());
      else
        left.push_back(one.is_write() ? detail::any_part(one, random) : remnant::nothing());
    }
    return left;
  };
}

/// A disk that works in order stopped at this byte: the first `bytes` that were written and not
/// synced are there, and no later write or change of a size. Names are all there.
[[nodiscard]] inline crash_choice torn_at(std::uint64_t bytes) {
  return [bytes](std::span<const disk_operation> unsynced) {
    std::vector<remnant> left;
    left.reserve(unsynced.size());
    auto rest = bytes;
    bool torn = false;
    for (const auto& one : unsynced) {
      if (one.is_metadata()) {
        left.push_back(remnant::all());
      } else if (torn) {
        left.push_back(remnant::nothing());
      } else if (!one.is_write() || one.data.size() <= rest) {
        rest -= one.data.size();
        left.push_back(remnant::all());
      } else {
        torn = true;
        left.push_back(remnant::first(rest));
      }
    }
    return left;
  };
}

/// What becomes of the steps that a choice is not about.
enum class the_others : std::uint8_t { kept, lost };

/// Of the un-synced step `which` this is left.
[[nodiscard]] inline crash_choice step_left(std::size_t which, remnant left, the_others others) {
  return [which, left = std::move(left), others](std::span<const disk_operation> unsynced) {
    UNDERSTUDY_ASSERT(which < unsynced.size(), "there are not as many un-synced steps");
    auto all = others == the_others::kept ? keep_unsynced()(unsynced) : lose_unsynced()(unsynced);
    all[which] = left;
    return all;
  };
}

/// Of the step that was last this is left, and the others are kept or lost: what the power failure
/// in the middle of a write leaves.
[[nodiscard]] inline crash_choice last_step_left(remnant left, the_others others) {
  return [left = std::move(left), others](std::span<const disk_operation> unsynced) {
    UNDERSTUDY_ASSERT(!unsynced.empty(), "there is no un-synced step");
    return step_left(unsynced.size() - 1, left, others)(unsynced);
  };
}

} // namespace understudy::testing
