// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// I15: nothing in a node, and nothing that it sends, is larger than its limit says.
///
/// What is under way to a peer or to the replica, and what is not committed yet, is weighed in the
/// checker's own copy of the log; the node's own account of it is not asked for.

#include <understudy/core/messages.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/testing/history.hpp>
#include <understudy/testing/log_mirror.hpp>
#include <understudy/testing/node_record.hpp>
#include <understudy/testing/observation.hpp>
#include <understudy/testing/seen_counters.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace understudy::testing {

namespace detail {

inline void require_room(member_id who, std::string_view what, std::uint64_t now,
                         std::uint64_t most) {
  if (now > most)
    throw invariant_violated{"I15", who,
                             std::string{what} + ": " + std::to_string(now) + ", and at most "
                                 + std::to_string(most) + " are allowed"};
}

/// Entries in one message: one may always go, however large it is.
inline void check_batch(member_id who, std::string_view what, const std::vector<entry>& batch,
                        std::size_t entries_max, std::size_t bytes_max) {
  require_room(who, what, batch.size(), entries_max);
  std::size_t bytes = 0;
  for (const auto& e : batch)
    bytes += e.weight_bytes();
  if (batch.size() > 1)
    require_room(who, "bytes of " + std::string{what}, bytes, bytes_max);
}

/// How far the peer's log has got with what the leader has, up to `newest`.
[[nodiscard]] inline log_index arrived(const log_mirror& log, const progress& peer,
                                       const node_record& theirs, log_index newest) {
  auto at = std::max(peer.match(), std::min(theirs.log.last().index, newest));
  // What lies below its base is committed. Of the rest, it may end otherwise, after another leader.
  while (at > peer.match() && at > theirs.log.base().index && theirs.log.chain(at) != log.chain(at))
    at = at.previous();
  // What a crash has taken had arrived; the leader need not know of that yet.
  return std::max(at, std::min(theirs.reached, newest));
}

/// Commands that a leader has taken and not committed. The last of them may have been too many.
inline void check_uncommitted(const observation& o, const log_mirror& log, log_index led_from) {
  const auto committed = std::max(o.commit, led_from.previous());
  auto newest = log.last().index;
  while (newest > committed && !o.log.at(newest).as<command>())
    newest = newest.previous();
  if (newest > committed)
    require_room(o.id, "bytes of commands that are not committed",
                 log.weight_between(committed, newest.previous()).commands,
                 o.limits->uncommitted_bytes_max - 1);
}

} // namespace detail

/// The node itself.
inline void check_sizes(const observation& o, const node_record& n, seen_counters& counters) {
  for (const auto& h : o.holdings)
    detail::require_room(o.id, h.what, h.now, h.most);
  if (!o.limits)
    return;
  // A snapshot is put in the place of all that it covers, and none of that is handed over.
  const auto taken = std::max(o.applied, o.image ? o.image->at.index : log_index{});
  const auto in_hand = o.handed > taken ? o.handed - taken : 0;
  detail::require_room(o.id, "entries handed to the replica", in_hand, o.limits->apply_window);
  counters.replicas_busy += in_hand == o.limits->apply_window ? 1 : 0;
  if (o.peers)
    detail::check_uncommitted(o, n.log, n.led_from);
}

/// What a leader has sent to one peer, and is neither stored there nor in its log. A window that
/// has room takes one more message, so that much it may overflow. `theirs`: null if the peer was
/// never seen.
inline void check_window(const observation& o, const log_mirror& log, const progress& peer,
                         const node_record* theirs, seen_counters& counters) {
  const auto newest = peer.next().previous();
  if (peer.mode() != flow::replicate || peer.match() < log.base().index || peer.match() >= newest
      || newest > log.last().index)
    return;
  const auto from = theirs ? detail::arrived(log, peer, *theirs, newest) : peer.match();
  const auto& limits = *o.limits;
  const auto entries = newest - from;
  detail::require_room(o.id, "entries under way to a peer", entries,
                       limits.window_entries - 1 + limits.append_entries_max);
  const auto bytes = log.weight_between(from, newest).all;
  const auto last = log.weight_between(newest.previous(), newest).all;
  detail::require_room(o.id, "bytes under way to a peer", bytes,
                       limits.window_bytes - 1
                           + std::max<std::uint64_t>(limits.append_bytes_max, last));
  counters.windows_full += entries >= limits.window_entries || bytes >= limits.window_bytes ? 1 : 0;
}

/// What it sends.
inline void check_size(const observation& o, const letter& sent) {
  if (!o.limits)
    return;
  const auto& limits = *o.limits;
  if (const auto* news = std::get_if<append_entries>(&sent.what)) {
    detail::check_batch(o.id, "entries in a message", news->entries, limits.append_entries_max,
                        limits.append_bytes_max);
  } else if (const auto* answer = std::get_if<pull_reply>(&sent.what)) {
    detail::check_batch(o.id, "entries for a puller", answer->entries, limits.window_entries,
                        limits.append_bytes_max);
    if (answer->chunk)
      detail::require_room(o.id, "bytes of a snapshot for a puller", answer->chunk->data.size(),
                           limits.snapshot_chunk_bytes);
  } else if (const auto* piece = std::get_if<install_snapshot>(&sent.what)) {
    detail::require_room(o.id, "bytes of a snapshot in a message", piece->chunk.data.size(),
                         limits.snapshot_chunk_bytes);
  }
}

} // namespace understudy::testing
