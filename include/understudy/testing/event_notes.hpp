// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/observe/events.hpp>
#include <understudy/testing/history.hpp>
#include <understudy/testing/node_counters.hpp>

#include <map>
#include <string>

namespace understudy::testing {

/// What the nodes of a run tell of themselves, as far as it is of use later.
class event_notes {
public:
  /// Counts an event; whether a leader sends a node away. Throws `invariant_violated` for what must
  /// never be told.
  [[nodiscard]] bool note(member_id who, const node_event& e, node_counters& counters) {
    counters.count(e);
    switch (e.what) {
    case node_event::kind::enter_failed:
      obstacles_[who] = e.code;
      break;
    case node_event::kind::source_changed: {
      auto& source = sources_[who];
      counters.source_switches += source && source != e.who ? 1 : 0;
      source = e.who;
      break;
    }
    case node_event::kind::node_stopped:
    case node_event::kind::protocol_violation:
      throw invariant_violated{std::string{to_string(e.what)}, who, e.detail};
    default:
      break;
    }
    return e.what == node_event::kind::decided && e.detail.starts_with("eviction");
  }

  /// Another process, if any, begins with another source.
  void ended(member_id who) { sources_.erase(who); }

  /// What a node said last when it could not enter.
  [[nodiscard]] errc obstacle(member_id node) const {
    const auto found = obstacles_.find(node);
    return found == obstacles_.end() ? errc::none : found->second;
  }

private:
  std::map<member_id, member_id> sources_;
  std::map<member_id, errc> obstacles_;
};

} // namespace understudy::testing
