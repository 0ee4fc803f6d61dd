// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/configuration.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/roster/settings.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace understudy {

/// The cluster's settings count. Other ones that a node was given are reported, each time the
/// cluster's change.
class settings_watch {
public:
  explicit settings_watch(std::shared_ptr<const monitor_options> options)
      : options_{std::move(options)} {}

  /// `committed` is in force; it has a content.
  void see(const placed_configuration& committed, outbox& out) {
    const auto& rules = committed.content->rules;
    if (seen_ == rules)
      return;
    seen_ = rules;
    if (auto text = difference(options_->rules, rules); !text.empty())
      out.tell(node_event{.what = node_event::kind::settings_differ,
                          .who = options_->self.id,
                          .index = committed.index,
                          .code = errc::settings_differ,
                          .detail = std::move(text)});
  }

private:
  std::shared_ptr<const monitor_options> options_;
  std::optional<settings> seen_ = {};
};

} // namespace understudy
