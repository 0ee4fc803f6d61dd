// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace understudy::testing {

/// What a check may cost. Whether a history is linearizable can take time and memory that grow
/// exponentially with the operations that overlap; who sets no limit may wait for ever.
struct search_limits {
  /// Configurations that are looked at: seconds for each million, or less. (> 0)
  std::uint64_t configurations_max = 50'000'000;
  /// Memory for what was looked at, in bytes. (> 0)
  std::size_t memory_max = std::size_t{2} << 30;

  // How the search goes about it. What is found does not depend on these, only how soon.

  /// Configurations without getting on, after which the fault is looked for. (> 0)
  std::uint64_t patience = 1'000;
  /// Returns before the furthest one, among which it is looked for first. (> 0)
  std::size_t reach = 64;
};

} // namespace understudy::testing
