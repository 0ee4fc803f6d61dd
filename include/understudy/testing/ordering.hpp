// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/roster_change.hpp>
#include <understudy/core/time.hpp>

#include <cstdint>
#include <utility>

namespace understudy::testing {

/// The orders of a run, as an operator gives them; `Run` has a `tell(member_id, sibling_message)`,
/// and counts what becomes of them.
template <class Run> class ordering {
public:
  /// Has a node leave. When it has, its process ends.
  void leave(member_id node, interval limit = {}) { tell(node, leave_cluster{limit}); }

  void give_order(member_id at, order what) {
    tell(at, local_order{.id = next(), .what = std::move(what)});
  }

  /// Has a node write a snapshot of what it has applied.
  void snapshot_now(member_id node) { tell(node, order_snapshot{next()}); }

private:
  void tell(member_id to, sibling_message what) {
    static_cast<Run*>(this)->tell(to, std::move(what));
  }

  ticket next() { return {++last_}; }

  std::uint64_t last_ = 0;
};

} // namespace understudy::testing
