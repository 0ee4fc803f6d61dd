// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/random.hpp>
#include <understudy/core/time.hpp>

#include <algorithm>

namespace understudy {

/// How long to wait before asking again: twice as long each time, up to a limit, and never quite
/// the same, so that nodes that lost one peer at one time do not return at one time.
class backoff {
public:
  backoff(interval least, interval most) : least_{least}, most_{most}, current_{least} {}

  [[nodiscard]] interval next(random_source& random) {
    const auto wait = random.jittered(current_);
    current_ = std::min(current_ * 2, most_);
    return wait;
  }

  /// There was an answer.
  void reset() { current_ = least_; }

private:
  interval least_;
  interval most_;
  interval current_;
};

} // namespace understudy
