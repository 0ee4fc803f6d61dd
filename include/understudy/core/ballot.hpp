// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>

namespace understudy {

/// The two numbers that must survive everything (§5.1): the newest term seen, and the one candidate
/// that got this node's vote in it. Durable before any message that depends on them.
struct ballot {
  term_number term = {};
  member_id vote = {}; ///< none: not given yet

  friend bool operator==(const ballot&, const ballot&) = default;

  template <class Archive> void serialize(Archive& archive) { archive(term, vote); }
};

} // namespace understudy
