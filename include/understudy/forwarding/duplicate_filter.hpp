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
  static constexpr std::size_t peers_max = 1'024;   ///< beyond it the quietest peer is forgotten

  /// Whether the message of `from` that begins with `id` has not been here before.
  [[nodiscard]] bool first_time(member_id from, ticket id) {
    auto& peer = peers_[from];
    peer.heard = ++clock_;
    if (peers_.size() > peers_max)
      forget_quietest();
    if (!peer.seen.empty() && far_from(peer, id))
      peer = {.heard = clock_, .floor = {}, .seen = {}};
    const auto place = std::lower_bound(peer.seen.begin(), peer.seen.end(), id);
    if (id <= peer.floor || (place != peer.seen.end() && *place == id))
      return false;
    peer.seen.insert(place, id);
    if (peer.seen.size() > remembered_max) {
      peer.floor = peer.seen.front();
      peer.seen.erase(peer.seen.begin());
    }
    return true;
  }

private:
  struct peer_messages {
    std::uint64_t heard = 0;
    ticket floor = {};        ///< everything up to here is old
    std::vector<ticket> seen; ///< above the floor, in order
  };

  /// A process that came back under its old id begins its tickets elsewhere: its earlier life is
  /// over, and not a reason to refuse it.
  static bool far_from(const peer_messages& peer, ticket id) {
    constexpr std::uint64_t distance = std::uint64_t{1} << 44;
    const auto newest = peer.seen.back();
    return id < newest ? newest.value - id.value > distance : id.value - newest.value > distance;
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
