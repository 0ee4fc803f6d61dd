// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a front door closes when its node leaves (docs/membership.md).
///
/// From the moment it is told to, it takes nothing more. `stopped` says for certain that nothing
/// was done, so whoever hears it can ask another node at once. What is open goes on to its end; the
/// node leaves when that is reached.

#include <understudy/core/outbox.hpp>

#include <cstddef>

namespace understudy {

/// Whether calls are taken, and whether the last of them has ended.
class draining {
public:
  void begin() { begun_ = true; }

  /// Whether a new call is refused.
  [[nodiscard]] bool begun() const { return begun_; }

  /// Says once that no call is open. Comes after all answers have been handed out: whoever hears
  /// it may stop the node.
  void tell_when_done(std::size_t open_calls, outbox& out) {
    if (!begun_ || told_ || open_calls > 0)
      return;
    told_ = true;
    out.tell(calls_drained{});
  }

private:
  bool begun_ = false;
  bool told_ = false;
};

} // namespace understudy
