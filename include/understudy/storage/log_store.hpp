// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the raft core needs of a place that survives.

#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/recovered_state.hpp>

#include <concepts>

namespace understudy {

/// Keeps ballot, snapshot and entries.
///
/// - `write` takes one `store_write`, in the order its fields are documented in. It may keep it in
///   a buffer.
/// - `sync` makes all writes so far durable. A failed write or sync is final: the store is not used
///   again, since nobody knows what it holds (D4).
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

} // namespace understudy
