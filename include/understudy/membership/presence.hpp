// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/configuration.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/membership/options.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace understudy {

/// Tells the leader that this member is alive, for a listener has no other reason to write to it.
class presence_sender {
public:
  explicit presence_sender(std::shared_ptr<const monitor_options> options)
      : options_{std::move(options)} {}

  /// At once when another leads, and then every `presence_every`; more often in a cluster that
  /// waits less long than this node was told.
  void pump(member_id leader, const configuration_ptr& known, instant now, outbox& out) {
    if (!leader || leader == options_->self.id) {
      told_ = {};
      return;
    }
    if (leader != told_ || now >= last_ + pause(known)) {
      told_ = leader;
      last_ = now;
      out.send(leader, presence{});
    }
    out.wake(last_ + pause(known));
  }

private:
  [[nodiscard]] interval pause(const configuration_ptr& known) const {
    if (!known)
      return options_->presence_every;
    const std::chrono::milliseconds evict_after{known->rules.evict_after_ms};
    return std::min<interval>(options_->presence_every, evict_after / 4);
  }

  std::shared_ptr<const monitor_options> options_;
  member_id told_ = {}; ///< the leader that was told last
  instant last_ = {};   ///< and when
};

} // namespace understudy
