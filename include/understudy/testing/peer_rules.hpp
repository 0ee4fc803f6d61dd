// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a leader holds of its peers: where each stands is what it has truly stored (I3b, I13, I14),
/// and what is under way to it is not too much (I15).

#include <understudy/core/ids.hpp>
#include <understudy/testing/history.hpp>
#include <understudy/testing/node_record.hpp>
#include <understudy/testing/observation.hpp>
#include <understudy/testing/seen_counters.hpp>
#include <understudy/testing/size_rules.hpp>

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

/// I13: what a leader knows of a peer makes sense, and only grows.
inline void check_progress(const observation& o, const believed_place& before,
                           const believed_place& now) {
  const bool fell = now.stream == before.stream && now.match < before.match;
  if (fell || now.match >= now.next || now.match > o.log.last().index)
    throw invariant_violated{"I13", o.id,
                             "a peer stands at " + std::to_string(now.match.value)
                                 + ", after it stood at " + std::to_string(before.match.value)
                                 + ", and is sent " + std::to_string(now.next.value) + " next"};
}

/// I3b and I14: what is credited to a peer it has stored, entry for entry; unless it follows
/// another leader by now, and this one does not know. `peer`: null if it was never seen.
inline void check_credit(const observation& o, const log_mirror& log, const node_record* peer,
                         log_index match) {
  const bool follows = peer && peer->before.vote.term == o.vote.term;
  if (!peer || (follows && !has_stored(*peer, log, match)))
    throw invariant_violated{"I14", o.id,
                             "a peer is credited with entry " + std::to_string(match.value)
                                 + ", which it has not stored"};
}

/// All that a leader believes of its peers. It changes by what the leader does alone, so only what
/// has changed is looked at. `nodes`: all of them.
inline void check_peers(node_record& n, const observation& o,
                        const std::map<member_id, node_record>& nodes, seen_counters& counters) {
  for (const auto& [id, peer] : *o.peers) {
    auto& known = n.peers[id];
    const believed_place now{peer.stream(), peer.match(), peer.next()};
    if (now == known)
      continue;
    const auto other = nodes.find(id);
    const auto* theirs = other == nodes.end() ? nullptr : &other->second;
    check_progress(o, known, now);
    if (now.match != (now.stream == known.stream ? known.match : log_index{}))
      check_credit(o, n.log, theirs, now.match);
    if (o.limits)
      check_window(o, n.log, peer, theirs, counters);
    known = now;
  }
}

} // namespace understudy::testing
