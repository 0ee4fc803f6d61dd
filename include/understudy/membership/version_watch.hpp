// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/configuration.hpp>
#include <understudy/core/roster_change.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/membership/orders.hpp>
#include <understudy/membership/scene.hpp>
#include <understudy/roster/roster.hpp>

#include <memory>
#include <utility>

namespace understudy {

/// Sees to it that the roster shows what this node's build knows. A durable node may come back as a
/// newer build than the one it left as, or as an older one; until the roster says so, the cluster
/// would count on something that is not there.
class version_watch {
public:
  explicit version_watch(std::shared_ptr<const monitor_options> options)
      : options_{std::move(options)} {}

  /// `s` has a committed configuration, which shows this node. One that is too old for what is used
  /// would be refused for as long as it runs.
  void pump(scene s, order_desk& desk) {
    const auto& own = options_->self;
    const auto& known = *s.view.committed.content;
    const auto& shown = *find(known, s.self);
    if (own.machine_version < known.machine_version
        || (shown.protocol_version == own.protocol_version
            && shown.machine_version == own.machine_version))
      return order_.withdraw(desk);
    static_cast<void>(
        order_.pump(declare_versions{own.id, own.protocol_version, own.machine_version},
                    s.now + options_->order_patience, options_->seat_retry, desk, s));
  }

private:
  std::shared_ptr<const monitor_options> options_;
  own_order order_ = {};
};

} // namespace understudy
