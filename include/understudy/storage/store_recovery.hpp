// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a start makes of a directory: first all of it is read and verified, then it is put in
/// order. Between the two nothing has changed on the disk.

#include <understudy/core/notices.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/storage/ballot_pair.hpp>
#include <understudy/storage/directory.hpp>
#include <understudy/storage/file_names.hpp>
#include <understudy/storage/segment_replay.hpp>
#include <understudy/storage/segmented_log.hpp>
#include <understudy/storage/snapshot_file.hpp>
#include <understudy/storage/synced_mark.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy::storage {

/// What a directory holds, verified.
struct found_store {
  survey files = {};
  stored_ballot ballots = {};
  bool ballots_agree = false; ///< both copies are there, and say the same
  stored_snapshot base = {};  ///< the newest; none if there is none
  replayed_segments segments;
  bool marked = false; ///< the synced mark names the last segment, or a later one
};

/// The parts of a store, ready to be written to.
struct restored_store {
  ballot_pair ballots;
  segmented_log log;
  recovered_state recovered = {};
};

/// The cluster that the first configuration in `from` names.
[[nodiscard]] inline cluster_id cluster_in(const store_write& from) {
  if (from.base && from.base->members.content)
    return from.base->members.content->cluster;
  for (const auto& e : from.entries)
    if (const auto* c = e.as<configuration_ptr>())
      return (*c)->cluster;
  return {};
}

namespace detail {

/// The newest snapshot that verifies. One behind it takes its place only if the log goes on from
/// there, which the caller sees.
[[nodiscard]] inline expected<stored_snapshot> newest_snapshot(directory& in, const survey& files,
                                                               const file_owner& owner) {
  std::optional<failure> why;
  for (const auto& at : files.snapshots) {
    auto read = read_snapshot(in, at, owner);
    if (read)
      return read;
    if (read.error().code != errc::storage_damaged)
      return read;
    if (!why)
      why = read.error();
  }
  if (why)
    return tl::unexpected<failure>{*why};
  return stored_snapshot{};
}

/// Whether the log takes over where the snapshot ends.
[[nodiscard]] inline expected<void> check_joint(const directory& in, const found_store& found) {
  const auto base = found.base.content ? found.base.content->at : log_position{};
  const auto damaged
      = [&](const std::string& why) { return fail(errc::storage_damaged, in.path() + ": " + why); };
  if (found.segments.used.empty()) {
    if (found.base.of_own_log)
      return damaged("the log is gone, which had reached entry "
                     + std::to_string(base.index.value));
    return {};
  }
  const auto& begins = found.segments.used.front().begins;
  if (begins.index > base.index)
    return damaged("the log begins behind entry " + std::to_string(begins.index.value)
                   + ", and no snapshot that can be read covers what came before");
  if (found.base.of_own_log && !found.segments.log.holds_base())
    return damaged("the log does not hold entry " + std::to_string(base.index.value)
                   + ", at which the snapshot was taken of it");
  return {};
}

[[nodiscard]] inline expected<found_store> new_store(survey files, const file_owner& newcomer) {
  return found_store{.files = std::move(files),
                     .ballots = {.owner = newcomer},
                     .segments = {.log = log_replay{{}}}};
}

} // namespace detail

/// Reads and verifies `in`; for an empty directory the result is a store of `newcomer` that is not
/// there yet.
[[nodiscard]] inline expected<found_store> recover_store(directory& in,
                                                         const file_owner& newcomer) {
  auto files = survey_of(in);
  if (!files)
    return tl::unexpected<failure>{files.error()};
  if (files->empty())
    return detail::new_store(std::move(*files), newcomer);
  const auto copies = read_ballots(in);
  const auto newest = newest_of(copies);
  if (!newest)
    return tl::unexpected<failure>{newest.error()};
  const auto& owner = newest->owner;
  auto base = detail::newest_snapshot(in, *files, owner);
  if (!base)
    return tl::unexpected<failure>{base.error()};
  const auto at = base->content ? base->content->at : log_position{};
  const auto mark = synced_mark::read(in, owner);
  if (mark && files->segments.empty())
    return fail(errc::storage_damaged, in.path()
                                           + ": the log is gone; it had been synced up to "
                                             "entry "
                                           + std::to_string(mark->last.value));
  auto segments = replay_segments(in, files->segments, owner, at, mark);
  if (!segments)
    return tl::unexpected<failure>{segments.error()};
  const bool marked
      = mark && (segments->used.empty() || segments->used.back().sequence <= mark->segment);
  found_store found{.files = std::move(*files),
                    .ballots = *newest,
                    .ballots_agree = copies[0] && copies[1] && *copies[0] == *copies[1],
                    .base = std::move(*base),
                    .segments = std::move(*segments),
                    .marked = marked};
  if (auto done = detail::check_joint(in, found); !done)
    return tl::unexpected<failure>{done.error()};
  return found;
}

namespace detail {

/// What the newest snapshot makes needless, but for itself.
[[nodiscard]] inline std::vector<std::string> replaced_files(const found_store& found) {
  std::vector<std::string> names;
  for (const auto& s : found.segments.obsolete)
    names.push_back(to_string(s));
  for (const auto& at : found.files.snapshots)
    if (at != found.base.content->at)
      names.push_back(snapshot_name(at));
  return names;
}

/// Whether the log would lack something if the newest snapshot were not there: it is missed unless
/// all is there that it replaces.
[[nodiscard]] inline bool needs_base(const found_store& found) {
  return found.base.content && (!found.segments.log.holds_base() || !replaced_files(found).empty());
}

/// Puts what is needed, and may not have its name after a power failure, in a file of its own once
/// more.
///
/// A directory's sync that failed may have lost a name for good, and the next one does not tell
/// (D4). But the mark names a segment only once that has its name, and all before it theirs. A
/// snapshot may have been named since.
[[nodiscard]] inline expected<void> make_anew(directory& in, found_store& found) {
  const auto& [base, of_own_log] = found.base;
  if (needs_base(found))
    if (auto done = write_snapshot(in, *base, found.ballots.owner, of_own_log); !done)
      return done;
  if (found.marked || !found.segments.current.content)
    return {};
  return make_anew(in, found.segments.current);
}

[[nodiscard]] inline expected<void> remove_all(directory& in,
                                               const std::vector<std::string>& names) {
  for (const auto& name : names)
    if (auto done = in.remove(name); !done)
      return done;
  return in.sync();
}

/// Removes what was never finished and what is of no use any more; the second only when what it was
/// replaced by is on the disk. What a process that was killed has named may not be there yet.
///
/// What was never finished goes before anything is made, though a full disk may still refuse the
/// start: it may be what the disk is full of.
[[nodiscard]] inline expected<void> clean_up(directory& in, found_store& found) {
  if (auto done = remove_all(in, found.files.unfinished); !done)
    return done;
  if (auto done = make_anew(in, found); !done)
    return done;
  return remove_all(in, replaced_files(found));
}

[[nodiscard]] inline expected<segmented_log> restore_log(directory& in, found_store& found,
                                                         const log_layout& layout,
                                                         recovered_state& recovered) {
  auto mark = synced_mark::open(in, found.files.mark, found.ballots.owner);
  if (!mark)
    return tl::unexpected<failure>{mark.error()};
  segmented_log log{in, found.ballots.owner, layout, std::move(*mark)};
  const auto base = found.base.content ? found.base.content->at : log_position{};
  const bool follows = found.segments.log.holds_base();
  term_runs terms;
  terms.restart(base);
  if (follows) {
    recovered.entries = found.segments.log.take_entries();
    for (const auto& e : recovered.entries)
      terms.add(e.position());
  }
  if (found.segments.current.content)
    if (auto done = log.resume(std::move(found.segments), std::move(terms)); !done)
      return tl::unexpected<failure>{done.error()};
  if (!follows && found.base.content)
    if (auto done = log.restart(base); !done)
      return tl::unexpected<failure>{done.error()};
  return log;
}

} // namespace detail

/// Puts in order what `found` says, and makes it ready to be written to. All that is recovered is
/// durable when this returns.
[[nodiscard]] inline expected<restored_store> restore_store(directory& in, found_store found,
                                                            const log_layout& layout) {
  if (auto done = detail::clean_up(in, found); !done)
    return tl::unexpected<failure>{done.error()};
  auto ballots = found.ballots_agree && found.marked ? ballot_pair::open(in, found.ballots)
                                                     : ballot_pair::restore(in, found.ballots);
  if (!ballots)
    return tl::unexpected<failure>{ballots.error()};
  recovered_state recovered{.vote = found.ballots.vote, .base = found.base.content};
  auto log = detail::restore_log(in, found, layout, recovered);
  if (!log)
    return tl::unexpected<failure>{log.error()};
  return restored_store{
      .ballots = std::move(*ballots), .log = std::move(*log), .recovered = std::move(recovered)};
}

/// Removes what there is of a store that could not be made whole, as far as that works.
inline void undo_new(directory& in) {
  if (const auto made = survey_of(in))
    for (const auto& name : made->files())
      static_cast<void>(in.remove(name));
}

} // namespace understudy::storage
