// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Tells the siblings and the application what the raft core's state has become.

#include <understudy/core/notices.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/roster/roster.hpp>

#include <string>
#include <utility>

namespace understudy {

/// Sends a `core_view` when something in it changed that others act on, and every heartbeat; and an
/// event for each change that an application may want to see.
class announcer {
public:
  /// Whether `view` has to be told at once.
  [[nodiscard]] bool is_news(const core_view& view) const {
    return view.term != last_.term || view.leader != last_.leader || view.leads != last_.leads
           || view.campaigning != last_.campaigning || view.term_committed != last_.term_committed
           || view.committed.index != last_.committed.index
           || view.newest.index != last_.newest.index || view.copies != last_.copies
           || view.unfit != last_.unfit;
  }

  void announce(core_view view, outbox& out) {
    const auto event = [&](node_event::kind what, member_id who, std::string detail = {}) {
      out.tell(
          node_event{.what = what, .who = who, .index = view.commit, .detail = std::move(detail)});
    };
    if (view.leader != last_.leader)
      event(node_event::kind::leader_changed, view.leader);
    if (view.leads != last_.leads || view.campaigning != last_.campaigning)
      event(node_event::kind::role_changed, view.leads ? view.leader : member_id{}, role_in(view));
    if (view.committed.index != last_.committed.index)
      announce_configuration(view, event);
    if (view.copies != last_.copies && view.leads)
      event(node_event::kind::copies_changed, {}, std::to_string(view.copies));
    last_ = view;
    out.tell(std::move(view));
  }

private:
  /// A listener that won the election leads without a vote until it is seated (S5).
  static std::string role_in(const core_view& view) {
    if (!view.leads)
      return view.campaigning ? "candidate" : "follower";
    return has_vote(*view.newest.content, view.leader) ? "leader" : "leader without a vote";
  }

  template <class Event> void announce_configuration(const core_view& view, Event event) {
    const auto& now = view.committed.content;
    const auto& before = last_.committed.content;
    if (!now)
      return;
    if (!before || before->voters != now->voters || before->outgoing != now->outgoing)
      event(node_event::kind::voters_changed, {});
    if (!before || before->members != now->members)
      event(node_event::kind::roster_changed, {});
  }

  core_view last_;
};

} // namespace understudy
