// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the raft core needs of a place that survives.

#include <understudy/core/ballot.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/snapshot.hpp>

#include <concepts>
#include <memory>
#include <vector>

namespace understudy {

/// What a node finds when it starts: all of it, or nothing for a new incarnation.
struct recovered_state {
  ballot vote = {};
  std::shared_ptr<const snapshot> base = nullptr;
  std::vector<entry> entries = {}; ///< follow `base`, or start at index 1
};

/// Keeps ballot, snapshot and entries.
///
/// - `write` takes one `store_write`, in the order its fields are documented in. It may keep it in
///   a buffer.
/// - `sync` makes all writes so far durable. A failed write or sync is final: the store is not used
///   again, since nobody knows what it holds (D4).
/// - `recover` returns what was durable, and perhaps some of what was written after it, but never a
///   part that depends on a missing one.
template <class S>
concept log_store = requires(S store, const store_write& what) {
  { store.write(what) } -> std::same_as<expected<void>>;
  { store.sync() } -> std::same_as<expected<void>>;
  { store.recover() } -> std::same_as<expected<recovered_state>>;
};

} // namespace understudy
