// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>

#include <set>

namespace understudy::testing {

/// Who may only be sent away where somebody is there to take the seat (I12): whoever runs, and whom
/// a leader wants to go of its own accord. What it decides may come too late to be written down,
/// and holds good only if it is.
class eviction_book {
public:
  /// A leader has decided it. `runs`: the process of `whom` has not ended.
  void decided(member_id whom, bool runs) {
    if (runs && !ordered_.contains(whom))
      decided_.insert(whom);
    else
      decided_.erase(whom);
  }

  /// An operator wants it, and may have whom it likes sent away.
  void ordered(member_id whom) {
    ordered_.insert(whom);
    decided_.erase(whom);
  }

  [[nodiscard]] bool needs_heir(member_id whom) const { return decided_.contains(whom); }

private:
  std::set<member_id> decided_;
  std::set<member_id> ordered_;
};

} // namespace understudy::testing
