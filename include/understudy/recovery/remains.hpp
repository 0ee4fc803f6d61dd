// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a node still has of its cluster's data.

#include <understudy/core/assert.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/raft/core.hpp>
#include <understudy/storage/posix_directory.hpp>
#include <understudy/storage/store_recovery.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

namespace understudy {

/// One node's snapshot and log. Cheap to copy: the data is shared.
struct remains {
  member_id node = {};
  recovered_state kept = {};
  log_index committed = {}; ///< what the node knows to be committed, also behind its own log

  /// The end of the log.
  [[nodiscard]] log_position last() const {
    if (!kept.entries.empty())
      return kept.entries.back().position();
    return kept.base ? kept.base->at : log_position{};
  }

  /// The configuration in force; none if the node had not heard of its cluster yet.
  [[nodiscard]] placed_configuration members() const {
    auto newest = kept.base ? kept.base->members : placed_configuration{};
    for (const auto& e : kept.entries)
      if (const auto* c = e.as<configuration_ptr>())
        newest = {e.index, *c};
    return newest;
  }
};

/// What a running node has.
[[nodiscard]] inline remains remains_of(const raft_core& core, member_id self) {
  constexpr auto all = std::numeric_limits<std::size_t>::max();
  const auto& log = core.log();
  remains left{.node = self,
               .kept = {.vote = core.vote(), .base = core.image()},
               .committed = std::max(core.commit(), core.heard_commit())};
  const auto behind = left.kept.base ? left.kept.base->at.index : log_index{};
  UNDERSTUDY_ASSERT(log.base().index <= behind, "a snapshot covers what the log has let go");
  if (behind < log.last().index)
    left.kept.entries = log.slice(behind.next(), log.last().index, all, all);
  return left;
}

/// What the directory of a node has that does not run; nothing in it is changed. Errors: those of
/// `posix_directory::open` and of `durable_store::open`, and `storage_missing` if there is no store
/// in it.
[[nodiscard]] inline expected<remains> remains_in(const std::string& path) {
  const auto held = storage::posix_directory::open(path, storage::access::hold);
  if (!held)
    return tl::unexpected<failure>{held.error()};
  auto found = storage::recover_store(**held, {});
  if (!found)
    return tl::unexpected<failure>{std::move(found.error())};
  if (found->files.empty())
    return fail(errc::storage_missing, path + ": no node has stored anything here");
  remains left{.node = found->ballots.owner.node,
               .kept = {.vote = found->ballots.vote, .base = found->base.content}};
  if (left.kept.base)
    left.committed = left.kept.base->at.index;
  if (found->segments.log.holds_base())
    left.kept.entries = found->segments.log.take_entries();
  return left;
}

} // namespace understudy
