// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A log store on a disk: what was synced is there after a killed process and a power failure, and
/// what is not as it was written is noticed.
///
/// A directory belongs to one node. It holds term and vote twice (ballot_pair.hpp), the log in
/// segments (segment.hpp), the newest snapshot (snapshot_file.hpp) and a mark of what was synced
/// (synced_mark.hpp); every file says whose it is (file_header.hpp). Nothing is written over but
/// ballot and mark, and nothing is removed before what replaces it is on the disk.
///
/// What a crash has torn is cut off when the node starts. Anything else that does not verify stops
/// it, with file, offset and reason: a node that forgets what it said is worse than none (D3).

#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/storage/aside.hpp>
#include <understudy/storage/ballot_pair.hpp>
#include <understudy/storage/directory.hpp>
#include <understudy/storage/file_names.hpp>
#include <understudy/storage/log_store.hpp>
#include <understudy/storage/segmented_log.hpp>
#include <understudy/storage/snapshot_file.hpp>
#include <understudy/storage/snapshot_staging.hpp>
#include <understudy/storage/store_recovery.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace understudy {

/// The durable log store. Not to be used from two threads at once, but for its `stager()`.
///
/// `storage_full` is not final: what was written waits in order, and the next `sync` tries again.
/// How much waits is for the raft core to limit: it goes on only so far without a confirmation.
/// Every other failure is: the store then answers with the same error for good (D4).
class durable_store {
public:
  /// Opens what `in` holds, or makes a new store for `newcomer` in an empty directory. Verifies
  /// everything before it changes anything; then the torn end of the log is cut off, an unreadable
  /// ballot is made good from the other one, and what was left half written is removed. Whose the
  /// store is then, `identity` says; `newcomer` is of no account if there was one. Only what a
  /// retired life has left is put aside before that.
  ///
  /// | error | when |
  /// | --- | --- |
  /// | `storage_damaged` | something does not verify, or is missing; the text says where |
  /// | `storage_foreign` | there are files that no node puts there, or another node's |
  /// | `cluster_mismatch` | there are files of another cluster |
  /// | `format_unsupported` | a newer release wrote them |
  /// | `storage_full`, `storage_failed` | the file system refused a call |
  [[nodiscard]] static expected<durable_store> open(std::unique_ptr<storage::directory> in,
                                                    const storage::file_owner& newcomer,
                                                    const storage::log_layout& layout = {}) {
    try {
      return open_anyhow(std::move(in), newcomer, layout);
    } catch (const std::bad_alloc&) {
      return fail(errc::storage_failed, "there is not enough memory to read the store");
    }
  }

  /// Takes `what` up; it is durable after the next `sync`.
  [[nodiscard]] expected<void> write(const store_write& what) {
    if (broken_)
      return tl::unexpected<failure>{*broken_};
    if (what.vote)
      vote_ = what.vote;
    if (!what.base && !what.keep && what.entries.empty())
      return {};
    if (replaces_log(what))
      waiting_.clear(); // what is left of them would go the next moment
    std::size_t steps = 0;
    if (waiting_.empty()) {
      auto done = take(what, steps);
      if (done)
        return {};
      if (done.error().code != errc::storage_full)
        return give_up(done);
    }
    waiting_.push_back({what, steps}); // until a sync finds room
    return {};
  }

  [[nodiscard]] expected<void> sync() {
    if (broken_)
      return tl::unexpected<failure>{*broken_};
    const auto drained = drain();
    if (!drained && drained.error().code != errc::storage_full)
      return give_up(drained);
    if (auto done = log_.sync(); !done)
      return done.error().code == errc::storage_full ? done : give_up(done);
    if (auto done = sync_ballot(); !done)
      return done;
    return drained;
  }

  /// Makes the newest ballot durable, whatever of the log waits for room: its own was made when its
  /// files were.
  [[nodiscard]] expected<void> sync_ballot() {
    if (broken_)
      return tl::unexpected<failure>{*broken_};
    if (vote_ && *vote_ != ballots_.content().vote)
      if (auto done = ballots_.write(*vote_); !done)
        return give_up(done);
    vote_.reset();
    return {};
  }

  /// The last snapshot, if the log stays in its place because there was no room.
  [[nodiscard]] log_index left_out() const { return left_out_; }

  /// What was found when the store was opened. Only the first call has it: it is handed over.
  [[nodiscard]] expected<recovered_state> recover() { return std::exchange(recovered_, {}); }

  /// Whose directory it is.
  [[nodiscard]] const storage::file_owner& owner() const { return ballots_.content().owner; }

  [[nodiscard]] node_identity identity() const { return {owner().node, owner().start}; }

  /// Writes snapshots while the store goes on. Holds the directory as the store does, and has to be
  /// let go of, too, before another store can be opened there.
  [[nodiscard]] snapshot_stager stager() const {
    return [staging = staging_](const snapshot& s) { return staging->stage(s); };
  }

  /// The end of the log.
  [[nodiscard]] log_position last() const { return log_.last(); }

  /// A clean stop: syncs, what the next start verifies the log against, too, and gives the
  /// directory up. The store is not to be used any more.
  [[nodiscard]] expected<void> close() {
    if (!in_)
      return {};
    auto done = sync();
    if (done)
      done = log_.close();
    broken_ = failure{errc::stopped, "the store is closed"};
    staging_.reset();
    in_.reset();
    return done;
  }

  /// Needs a store that is not closed.
  [[nodiscard]] expected<void> retire() {
    if (!in_)
      return tl::unexpected<failure>{*broken_};
    return storage::mark_retired(*in_);
  }

private:
  /// A write for which there was no room, and how many of its steps are done.
  struct held_up {
    store_write what;
    std::size_t steps = 0;
  };

  durable_store(std::shared_ptr<storage::directory> in, storage::restored_store parts)
      : in_{std::move(in)}, ballots_{std::move(parts.ballots)}, log_{std::move(parts.log)},
        base_{parts.recovered.base ? std::optional{parts.recovered.base->at} : std::nullopt},
        recovered_{std::move(parts.recovered)},
        staging_{std::make_shared<storage::snapshot_staging>(in_, owner())} {}

  static expected<durable_store> open_anyhow(std::unique_ptr<storage::directory> in,
                                             const storage::file_owner& newcomer,
                                             const storage::log_layout& layout) {
    if (auto done = storage::finish_aside(*in); !done)
      return tl::unexpected<failure>{done.error()};
    auto found = storage::recover_store(*in, newcomer);
    if (!found)
      return tl::unexpected<failure>{found.error()};
    const bool is_new = found->files.empty();
    auto parts = storage::restore_store(*in, std::move(*found), layout);
    if (!parts) {
      if (is_new)
        storage::undo_new(*in);
      return tl::unexpected<failure>{parts.error()};
    }
    return durable_store{std::move(in), std::move(*parts)};
  }

  /// Whether a snapshot takes the place of the whole log, with nothing behind it.
  [[nodiscard]] static bool replaces_log(const store_write& what) {
    return what.base && what.keep == what.base->at.index;
  }

  expected<void> give_up(const expected<void>& failed) {
    broken_ = failed.error();
    return failed;
  }

  /// Hands to the log what waits, in order, until there is no room.
  expected<void> drain() {
    for (; !waiting_.empty(); waiting_.pop_front()) {
      auto& [what, steps] = waiting_.front();
      auto done = take(what, steps);
      // A snapshot that was written aside must not hold the room that the log waits for.
      if (!done && done.error().code == errc::storage_full && staging_->drop())
        done = take(what, steps);
      if (!done)
        return done;
    }
    return {};
  }

  /// Carries out what `steps` says is left of `what`: snapshot, then the log before it, truncation,
  /// entry after entry.
  expected<void> take(const store_write& what, std::size_t& steps) {
    if (auto done = learn_cluster(what); !done)
      return done;
    const bool news = what.base && !(base_ && what.base->at.index <= base_->index);
    if (news && steps < 1)
      if (auto done = place(*what.base); !done)
        return done;
    steps = std::max<std::size_t>(steps, 1);
    if (news && placed_ == what.base->at && steps < 2)
      if (auto done = take_base(what.base->at); !done)
        return done;
    steps = std::max<std::size_t>(steps, 2);
    if (what.keep && steps < 3)
      if (auto done = log_.truncate(*what.keep); !done)
        return done;
    steps = std::max<std::size_t>(steps, 3);
    for (; steps - 3 < what.entries.size(); ++steps)
      if (auto done = log_.append(what.entries[steps - 3]); !done)
        return done;
    return {};
  }

  /// Puts `base` under its name: it may be on the disk already. Durable before anything that it
  /// replaces goes.
  expected<void> place(const snapshot& base) {
    if (auto done = log_.sync(); !done)
      return done;
    const bool of_own_log = log_.holds(base.at);
    const auto staged = of_own_log ? staging_->adopt(base) : expected<bool>{false};
    if (!staged)
      return tl::unexpected<failure>{staged.error()};
    auto done
        = *staged ? expected<void>{} : storage::write_snapshot(*in_, base, owner(), of_own_log);
    // The log has it all: without room for a shorter form the long one stays.
    if (!done && of_own_log && done.error().code == errc::storage_full) {
      left_out_ = base.at.index;
      return {};
    }
    if (done)
      left_out_ = {};
    if (done)
      if (const auto before = std::exchange(placed_, base.at); before && *before != base.at)
        return in_->remove(storage::snapshot_name(*before)); // overtaken before its turn came
    return done;
  }

  /// The log before the snapshot that has been placed goes, and the snapshot before it.
  expected<void> take_base(log_position at) {
    if (auto done = log_.holds(at) ? log_.drop_through(at.index) : log_.restart(at); !done)
      return done;
    placed_.reset();
    const auto before = std::exchange(base_, at);
    return before ? in_->remove(storage::snapshot_name(*before)) : expected<void>{};
  }

  /// The first configuration says which cluster this is; from then on every file does.
  expected<void> learn_cluster(const store_write& from) {
    if (owner().cluster)
      return {};
    const auto named = storage::cluster_in(from);
    if (!named)
      return {};
    log_.enter(named);
    staging_->enter(named);
    return ballots_.enter(named);
  }

  std::shared_ptr<storage::directory> in_;
  storage::ballot_pair ballots_;
  storage::segmented_log log_;
  std::optional<log_position> base_;
  log_index left_out_;
  std::optional<log_position> placed_; ///< a snapshot that has its name, and is not the base yet
  recovered_state recovered_;
  std::shared_ptr<storage::snapshot_staging> staging_;
  std::deque<held_up> waiting_;
  std::optional<ballot> vote_;
  std::optional<failure> broken_;
};

static_assert(node_store<durable_store> && ballot_keeper<durable_store>
              && snapshot_leaver<durable_store>);

} // namespace understudy
