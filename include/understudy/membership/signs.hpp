// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a node knows of the others' being alive.

#include <understudy/core/assert.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/time.hpp>
#include <understudy/roster/roster.hpp>

#include <iterator>
#include <map>
#include <optional>
#include <set>

namespace understudy {

/// When each member last gave a sign, and whose process has ended.
///
/// Signs are counted by the leader only, afresh in each term: what a new leader has not heard yet
/// is no silence. An end is remembered on every node at all times, for the node that saw it may be
/// the next to lead.
class signs_of_life {
public:
  /// Something arrived from `who`.
  void saw(member_id who, instant now) {
    const auto found = seen_.find(who);
    if (found != seen_.end())
      found->second = now;
  }

  void lost(const peer_lost& what) {
    if (what.gone)
      gone_.insert(what.who);
  }

  /// Once for all that arrived together, before anybody asks.
  void refresh(const core_view& view, instant now) {
    if (!view.leads || view.term != term_) {
      seen_.clear();
      leaving_.clear();
      shown_ = committed_ = {};
    }
    term_ = view.leads ? view.term : term_number{};
    if (!view.leads || !view.committed.content)
      return;
    if (shown_ != view.newest.index || committed_ != view.committed.index)
      meet(view, now);
    for (const auto& p : view.peers)
      if (p.in_contact)
        saw(p.id, now);
  }

  /// Whether this member can never come back: its process has ended, and took its log along.
  [[nodiscard]] bool is_gone(const member& who) const {
    return !who.durable && gone_.contains(who.id);
  }

  /// When a member of the newest roster last gave a sign; leading only.
  [[nodiscard]] instant last(member_id who) const {
    const auto found = seen_.find(who);
    UNDERSTUDY_ASSERT(found != seen_.end(), "every member of a leader's roster has a clock");
    return found->second;
  }

  /// When this leader first saw the committed mark of a leaving member.
  [[nodiscard]] std::optional<instant> leaving_since(member_id who) const {
    const auto found = leaving_.find(who);
    return found == leaving_.end() ? std::nullopt : std::optional{found->second};
  }

private:
  /// The roster is another one.
  void meet(const core_view& view, instant now) {
    const auto& newest = *view.newest.content;
    shown_ = view.newest.index;
    committed_ = view.committed.index;
    for (const auto& m : newest.members)
      seen_.try_emplace(m.id, now);
    for (const auto& m : view.committed.content->members)
      if (m.status == standing::leaving)
        leaving_.try_emplace(m.id, now);
    const auto is_stranger = [&](const auto& one) { return !find(newest, one.first); };
    std::erase_if(seen_, is_stranger);
    std::erase_if(leaving_, is_stranger);
    if (gone_.size() > members_limit)
      std::erase_if(gone_, [&](member_id id) { return !find(newest, id); });
  }

  log_index shown_ = {};     ///< the newest configuration that was looked through
  log_index committed_ = {}; ///< and the newest committed one
  term_number term_ = {};
  std::map<member_id, instant> seen_ = {};
  std::map<member_id, instant> leaving_ = {};
  std::set<member_id> gone_ = {}; ///< soon no more than the roster can have members
};

} // namespace understudy
