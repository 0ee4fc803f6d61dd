// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a leader holds of its peers: where each stands is what it has truly stored (I3b, I13, I14).

#include <understudy/core/ids.hpp>
#include <understudy/testing/history.hpp>
#include <understudy/testing/node_record.hpp>
#include <understudy/testing/observation.hpp>

#include <map>
#include <string>

namespace understudy::testing {

/// Whether a node has stored a log up to `i`, and not another one than `log`. What one of the two
/// has forgotten by now was compared when it was committed.
[[nodiscard]] inline bool has_stored(const node_record& who, const log_mirror& log, log_index i) {
  if (who.stored_through() < i)
    return false;
  const auto theirs = who.log.chain(i);
  const auto wanted = log.chain(i);
  return !theirs || !wanted || *theirs == *wanted;
}

/// I13: what a leader knows of each peer makes sense, and only grows.
inline void check_progress(node_record& n, const observation& o) {
  for (const auto& [id, peer] : *o.peers) {
    auto& known = n.credited[id];
    if (known.stream != peer.stream())
      known = {peer.stream(), {}};
    if (peer.match() < known.match || peer.match() >= peer.next()
        || peer.match() > o.log.last().index)
      throw invariant_violated{"I13", o.id,
                               "a peer stands at " + std::to_string(peer.match().value)
                                   + ", after it stood at " + std::to_string(known.match.value)
                                   + ", and is sent " + std::to_string(peer.next().value)
                                   + " next"};
  }
}

/// I3b and I14: what is credited to a peer it has stored, entry for entry; unless it follows
/// another leader by now, and this one does not know. `nodes`: all of them.
inline void check_credit(node_record& n, const observation& o,
                         const std::map<member_id, node_record>& nodes) {
  for (const auto& [id, peer] : *o.peers) {
    auto& known = n.credited[id];
    if (peer.match() == known.match)
      continue;
    known.match = peer.match();
    const auto other = nodes.find(id);
    const bool follows = other != nodes.end() && other->second.before.vote.term == o.vote.term;
    if (other == nodes.end() || (follows && !has_stored(other->second, n.log, peer.match())))
      throw invariant_violated{"I14", o.id,
                               "a peer is credited with entry " + std::to_string(peer.match().value)
                                   + ", which it has not stored"};
  }
}

} // namespace understudy::testing
