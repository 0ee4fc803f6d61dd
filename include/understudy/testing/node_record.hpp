// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>
#include <understudy/testing/history.hpp>
#include <understudy/testing/log_mirror.hpp>
#include <understudy/testing/node_rules.hpp>
#include <understudy/testing/observation.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

namespace understudy::testing {

/// Where a peer stands, as its leader believes.
struct believed_place {
  generation stream = {}; ///< with another one it begins anew
  log_index match = {};
  log_index next = {};

  friend bool operator==(const believed_place&, const believed_place&) = default;
};

/// What the checker knows of one node.
struct node_record {
  cluster_id cluster = {};
  log_mirror log = {};
  node_state before = {};               ///< at the last look
  placed_configuration newest = {};     ///< in its log at the last look
  std::optional<promise> promised = {}; ///< by an earlier process of this node
  log_index kept = {};     ///< stored before, and still to be had, though this process may not know
  log_index replaced = {}; ///< a snapshot took the place of another history's log up to here
  log_index reached = {};  ///< where the logs of its earlier processes ended, synced or not
  term_number led = {};    ///< the newest term in which it led
  log_index led_from = {}; ///< the first entry of that term
  std::map<member_id, believed_place> peers = {}; ///< in that term
  std::uint64_t looks = 0;

  /// Up to here it has stored its log, whatever its present process knows of that.
  [[nodiscard]] log_index stored_through() const { return std::max(before.durable, kept); }

  /// Through here the node must have its log when it comes back. What it says to have stored below
  /// a snapshot that took a log's place may be of either.
  [[nodiscard]] log_index owed() const {
    return before.durable < replaced ? kept : stored_through();
  }

  /// Takes over what the log looks like now, and returns what has changed.
  log_change look(const observation& o, history& past) {
    const auto stored = owed();
    const bool moves = o.log.base() != log.base();
    const auto chain = moves ? log.chain(stored) : std::nullopt; // only a snapshot asks for it
    const auto change = log.look(o.id, o.log, past);
    if (promised) // nothing has changed, it has come back
      return change;
    if (change.installed) {
      kept = left_by_snapshot(stored, chain, past);
      replaced = o.log.base().index;
    } else if (change.truncated) {
      kept = std::min(kept, change.kept);
    }
    return change;
  }

  /// It leads, from the first entry of the term that its log ends with.
  void begin_term() {
    peers.clear();
    led_from = log.last().index;
    while (log.term(led_from.previous()) == log.last().term)
      led_from = led_from.previous();
  }

  /// Another process begins, from what this one had stored.
  void returned(const history& past) {
    const auto through = owed();
    if (const auto known = log.chain(through))
      promised = {through, *known};
    else // a snapshot that is not stored yet has taken its place
      promised = {through, past.committed_chain(through)};
    kept = through;
    reached = std::max(reached, log.last().index);
    replaced = {};
    before = {.vote = before.stored.vote, .stored = before.stored};
    log = {};
    newest = {};
  }

private:
  /// How much of what was stored, with that chain, is owed once a snapshot has taken the log's
  /// place: all that the cluster has committed; of another history what the node itself knew to be
  /// committed.
  [[nodiscard]] log_index left_by_snapshot(log_index stored, std::optional<std::uint64_t> chain,
                                           const history& past) const {
    const bool agrees = stored <= past.committed_through() && chain == past.committed_chain(stored);
    return agrees ? stored : std::min(stored, before.commit);
  }
};

} // namespace understudy::testing
