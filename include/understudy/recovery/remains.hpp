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
#include <understudy/storage/file_names.hpp>
#include <understudy/storage/posix_directory.hpp>
#include <understudy/storage/store_recovery.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <new>
#include <string>
#include <system_error>
#include <utility>

namespace understudy {

/// One node's snapshot and log. Cheap to copy: the data is shared.
struct remains {
  member_id node = {};
  bool runs = false; ///< it did when it was asked; else its process would have to be started
  recovered_state kept = {};
  log_index committed = {}; ///< what the node knows to be committed, also behind its own log

  /// Whether the node can vote in its cluster again: it runs, or would go on under its id when it
  /// is started, as it does not once it has been marked.
  [[nodiscard]] bool can_go_on() const {
    const auto own = find_own_record(kept, node);
    return own && (runs || own->self.status == standing::present);
  }

  /// The end of the log.
  [[nodiscard]] log_position last() const {
    if (!kept.entries.empty())
      return kept.entries.back().position();
    return kept.base ? kept.base->at : log_position{};
  }

  /// The configuration in force; none if the node had not heard of its cluster yet.
  [[nodiscard]] placed_configuration members() const { return newest_configuration(kept); }
};

/// What a running node has.
[[nodiscard]] inline remains remains_of(const raft_core& core, member_id self) {
  constexpr auto all = std::numeric_limits<std::size_t>::max();
  const auto& log = core.log();
  remains left{.node = self,
               .runs = true,
               .kept = {.vote = core.vote(), .base = core.image()},
               .committed = std::max(core.commit(), core.heard_commit())};
  const auto behind = left.kept.base ? left.kept.base->at.index : log_index{};
  UNDERSTUDY_ASSERT(log.base().index <= behind, "a snapshot covers what the log has let go");
  if (behind < log.last().index)
    left.kept.entries = log.slice(behind.next(), log.last().index, all, all);
  return left;
}

namespace detail {

/// Files that are on their way into `aside-N/` are whole only when all have arrived.
[[nodiscard]] inline expected<void> check_not_moving(const std::string& path) {
  const std::filesystem::path here{path};
  const bool is_aside = here.filename().string().starts_with("aside-");
  std::error_code unknown;
  for (const auto& where : {here, is_aside ? here.parent_path() : here})
    if (std::filesystem::exists(where / storage::retired_name, unknown))
      return fail(errc::storage_damaged,
                  path + ": a start was interrupted while it put the files of " + where.string()
                      + " aside; storage::finish_aside, or another start there, ends that");
  return {};
}

[[nodiscard]] inline expected<remains> read_remains(const std::string& path) {
  if (auto done = check_not_moving(path); !done)
    return tl::unexpected<failure>{std::move(done.error())};
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

} // namespace detail

/// What the directory of a node has that does not run; nothing in it is changed. Errors: those of
/// `posix_directory::open` and of `durable_store::open`, and `storage_missing` if there is no store
/// in it.
[[nodiscard]] inline expected<remains> remains_in(const std::string& path) {
  try {
    return detail::read_remains(path);
  } catch (const std::bad_alloc&) {
    return fail(errc::storage_failed, path + ": there is not enough memory to read it");
  }
}

} // namespace understudy
