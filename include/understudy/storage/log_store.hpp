// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the raft core needs of a place that survives.

#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/recovered_state.hpp>

#include <concepts>
#include <functional>

namespace understudy {

/// Brings a snapshot of a store's own log to the disk, so that the `write` that hands it over is
/// quickly done. On any thread, while the store goes on. `storage_full` changes nothing.
using snapshot_stager = std::function<expected<void>(const snapshot&)>;

/// Keeps ballot, snapshot and entries.
///
/// - `write` takes one `store_write`, in the order its fields are documented in. It may keep it in
///   a buffer.
/// - `sync` makes all writes so far durable. `storage_full` is an answer that is not final: nothing
///   has been lost, and the next `sync` tries again. Any other failed write or sync is: the store
///   is not used again, since nobody knows what it holds (D4).
/// - `recover` returns what was durable, and perhaps some of what was written after it: never a
///   snapshot, truncation or entry without all of them that came before; the ballot is independent,
///   so entries of a term may be there without it. What was not durable is not so for having been
///   recovered: the next `sync` makes it so.
template <class S>
concept log_store = requires(S store, const store_write& what) {
  { store.write(what) } -> std::same_as<expected<void>>;
  { store.sync() } -> std::same_as<expected<void>>;
  { store.recover() } -> std::same_as<expected<recovered_state>>;
};

/// A log store that makes the newest ballot durable, and nothing else, with `sync_ballot`: it needs
/// no room, so a node whose disk is full can vote. Without it votes wait for room, too.
template <class S>
concept ballot_keeper = log_store<S> && requires(S store) {
  { store.sync_ballot() } -> std::same_as<expected<void>>;
};

/// A log store that leaves a snapshot of its own log out where there is no room for it, and keeps
/// the log that it covers. `left_out` is the index of such a one, if that was the last.
template <class S>
concept snapshot_leaver = log_store<S> && requires(const S store) {
  { store.left_out() } -> std::same_as<log_index>;
};

/// A log store that a node can be started on: it also remembers whose it is.
///
/// `identity` is that of the node that wrote it first, whatever start this is. `close` syncs and
/// lets go of whatever the store holds, so that another one can be opened in its place. After
/// `retire` what is stored belongs to a life that is over: the next opening puts it aside, and
/// makes a new store.
///
/// A store may also be a `ballot_keeper` and a `snapshot_leaver`. And it may have a `stager()`,
/// which gives a `snapshot_stager`: without one a node's log stands still while a snapshot is
/// written.
template <class S>
concept node_store = log_store<S> && std::movable<S> && requires(S store) {
  { store.identity() } -> std::same_as<node_identity>;
  { store.close() } -> std::same_as<expected<void>>;
  { store.retire() } -> std::same_as<expected<void>>;
};

} // namespace understudy
