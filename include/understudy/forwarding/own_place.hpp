// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/roster/roster.hpp>

#include <cstdint>
#include <utility>

namespace understudy {

/// Whether a node's id had another process before this one.
enum class node_life : std::uint8_t {
  first = 0,
  /// Back under its old id, with its log. Which numbers its own session has used nobody remembers,
  /// so this life opens a session for itself.
  resumed = 1,
};

/// This node's place in the cluster, as the committed configurations show it.
class own_place {
public:
  /// What a configuration shows for the first time.
  struct news {
    bool session_open = false; ///< the node has entered: its own session is there
    bool seated = false;       ///< it votes, and was a member without a vote before
    bool removed = false;      ///< it was a member, and is none any more
  };

  own_place(member_id self, node_life life) : self_{self}, life_{life} {}

  /// Takes in the newest committed configuration.
  [[nodiscard]] news update(const placed_configuration& committed) {
    if (!committed.content || committed.index < seen_)
      return {};
    seen_ = committed.index;
    const auto* self = find(*committed.content, self_);
    const bool known = static_cast<bool>(session_);
    if (!self && !known)
      return {}; // from before it entered
    if (self)
      session_ = session_id{self->entered.value};
    if (!self || self->status == standing::evicted)
      return {.removed = !std::exchange(removed_, true)};
    const bool votes = has_vote(*committed.content, self_);
    const bool voted = std::exchange(votes_, votes);
    // Who enters, enters without a vote, even if entry and seat are seen at once. A founder has its
    // vote from its entry on; who came back may have had it for long.
    const bool was_without
        = known || (life_ == node_life::first && self->entered < committed.index);
    return {.session_open = !known && life_ == node_life::first && session_,
            .seated = votes && !voted && was_without};
  }

  /// The cluster said so, whatever this node's own log shows. Returns whether it is news.
  bool send_away() { return !std::exchange(removed_, true); }

  /// The session that the node's enter entry opened; none before it is committed.
  [[nodiscard]] session_id session() const { return session_; }
  [[nodiscard]] bool removed() const { return removed_; }
  /// The index of the newest configuration seen.
  [[nodiscard]] log_index seen() const { return seen_; }

private:
  member_id self_;
  node_life life_;
  log_index seen_ = {};
  session_id session_ = {};
  bool votes_ = false;
  bool removed_ = false;
};

} // namespace understudy
