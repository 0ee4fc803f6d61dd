// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/time.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace understudy {

/// A leadership on its way to another voter (thesis §3.10).
///
/// Proposals that come meanwhile are kept, not refused, so that a transfer costs callers a pause of
/// at most its limit; when it fails, the leader goes on with them.
class transfer {
public:
  void begin(member_id to, instant until) {
    to_ = to;
    until_ = until;
    asked_ = false;
  }

  /// Ends it, and gives back the proposals that were kept.
  std::vector<propose> end() {
    to_ = {};
    return std::exchange(kept_, {});
  }

  void keep(propose what) { kept_.push_back(std::move(what)); }

  [[nodiscard]] bool active() const { return static_cast<bool>(to_); }
  [[nodiscard]] member_id to() const { return to_; }
  [[nodiscard]] instant until() const { return until_; }
  [[nodiscard]] bool asked() const { return asked_; }
  void ask() { asked_ = true; }

private:
  member_id to_;
  instant until_ = {};
  bool asked_ = false; ///< `timeout_now` went out
  std::vector<propose> kept_;
};

} // namespace understudy
