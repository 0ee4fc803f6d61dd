// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Lets each message of requests in once.
///
/// A network may deliver a message twice. If the first copy is refused ("overloaded", "not leader")
/// its sender tells the caller that nothing was done; the second copy, taken later, would make that
/// a lie (C4). The sender's tickets only ever grow, so the first one in a message tells it from all
/// others. A message that is too old to be told apart counts as lost; its sender tries again.

#include <understudy/core/ids.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace understudy {

/// Remembers the latest messages of each peer.
class duplicate_filter {
public:
  static constexpr std::size_t remembered_max = 64; ///< messages of one peer
  static constexpr std::size_t lives_max = 2;       ///< of one peer: this process and the last
  static constexpr std::size_t peers_max = 1'024;   ///< beyond it the quietest peer is forgotten

  /// Whether the message of `from` that begins with `id` has not been here before.
  [[nodiscard]] bool first_time(member_id from, ticket id) {
    auto& peer = peers_[from];
    peer.heard = ++clock_;
    if (peers_.size() > peers_max)
      forget_quietest();
    return life_of(peer, id).first_time(id);
  }

private:
  /// What one process of a peer has sent.
  struct life {
    ticket floor = {};             ///< everything up to here is old
    std::vector<ticket> seen = {}; ///< above the floor, in order

    [[nodiscard]] bool first_time(ticket id) {
      const auto place = std::lower_bound(seen.begin(), seen.end(), id);
      if (id <= floor || (place != seen.end() && *place == id))
        return false;
      seen.insert(place, id);
      if (seen.size() > remembered_max) {
        floor = seen.front();
        seen.erase(seen.begin());
      }
      return true;
    }

    [[nodiscard]] bool is_far_from(ticket id) const {
      constexpr std::uint64_t distance = std::uint64_t{1} << 44;
      const auto newest = seen.back();
      return id < newest ? newest.value - id.value > distance : id.value - newest.value > distance;
    }
  };

  struct peer_messages {
    std::uint64_t heard = 0;
    std::vector<life> lives = {}; ///< the newest comes first
  };

  /// A process that came back under its old id begins its tickets elsewhere: its earlier life is
  /// over, and not a reason to refuse it. But what is late of that must not make this one
  /// forgotten.
  static life& life_of(peer_messages& peer, ticket id) {
    auto& lives = peer.lives;
    const auto known
        = std::ranges::find_if(lives, [id](const life& l) { return !l.is_far_from(id); });
    if (known != lives.end())
      return *known;
    if (lives.size() == lives_max)
      lives.pop_back();
    return *lives.emplace(lives.begin());
  }

  /// The one just heard is never the quietest, so its reference stays good.
  void forget_quietest() {
    const auto quietest
        = std::min_element(peers_.begin(), peers_.end(), [](const auto& a, const auto& b) {
            return a.second.heard < b.second.heard;
          });
    peers_.erase(quietest);
  }

  std::unordered_map<member_id, peer_messages> peers_;
  std::uint64_t clock_ = 0;
};

} // namespace understudy
