// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How old the data of this node may be, for queries that it answers without asking anybody.

#include <understudy/core/messages.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/time.hpp>

#include <algorithm>

namespace understudy {

/// Not thread-safe: part of a node's request forwarder.
class data_age {
public:
  /// What the raft core knows.
  void update(const core_view& v) {
    leads_ = v.leads;
    fresh_at_ = v.fresh_at;
  }

  /// How long ago it was the newest for certain; the longest time there is if it never was.
  [[nodiscard]] interval at(instant now) const {
    if (leads_)
      return interval{0};
    return fresh_at_ == instant{} ? interval::max()
                                  : std::max<interval>(interval{0}, now - fresh_at_);
  }

private:
  bool leads_ = false;
  instant fresh_at_ = {};
};

/// Whether data of this `age` is no answer to `asked`.
[[nodiscard]] inline bool is_too_old(const query& asked, interval age) {
  return asked.consistency == consistency::local && asked.age_max > interval{0}
         && age > asked.age_max;
}

} // namespace understudy
