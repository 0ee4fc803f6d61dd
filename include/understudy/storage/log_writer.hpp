// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Takes the raft core's writes to a log store, off the core's thread.

#include <understudy/core/outbox.hpp>
#include <understudy/storage/log_store.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace understudy {

/// The component in front of a store. All writes that queued up while the last sync ran go with the
/// next one (group commit), and one answer confirms them all.
///
/// While the disk is full no log is confirmed, so nothing that depends on it leaves the node; the
/// store is asked again from time to time, and all goes on as soon as there is room. Ballots are
/// confirmed ahead of it, where the store can keep them apart (D5).
template <log_store Store> class log_writer {
public:
  using peer_messages = type_list<>;
  using notices = type_list<store_write>;

  /// Between two tries while the disk is full.
  static constexpr interval retry_after = std::chrono::milliseconds{200};

  explicit log_writer(Store store) : store_{std::move(store)} {}

  void on(store_write& what, instant, outbox& out) {
    if (broken_)
      return;
    if (auto done = store_.write(what); !done)
      return give_up(done.error(), out);
    newest_ = what.write;
    unsynced_ = true;
  }

  void wake(instant, outbox&) {}

  void settle(instant now, outbox& out) {
    if (broken_ || !unsynced_)
      return;
    if (full_ && now < try_at_) {
      out.wake(try_at_);
      return keep_ballots(out);
    }
    if (auto done = store_.sync(); !done) {
      if (done.error().code != errc::storage_full)
        return give_up(done.error(), out);
      try_at_ = now + retry_after;
      out.wake(try_at_);
      say_full(true, done.error().detail, out);
      return keep_ballots(out);
    }
    unsynced_ = false;
    written_ = ballots_ = newest_;
    say_full(false, {}, out);
    confirm(out);
  }

  [[nodiscard]] Store& store() { return store_; }

private:
  /// No election waits until somebody makes room.
  void keep_ballots(outbox& out) {
    if constexpr (ballot_keeper<Store>) {
      if (ballots_ == newest_)
        return;
      if (auto done = store_.sync_ballot(); !done) {
        if (done.error().code != errc::storage_full)
          give_up(done.error(), out);
        return;
      }
      ballots_ = newest_;
      confirm(out);
    }
  }

  void confirm(outbox& out) const {
    store_written done{.write = written_, .ballots = ballots_};
    if constexpr (snapshot_leaver<Store>)
      done.left_out = store_.left_out();
    out.tell(done);
  }

  void say_full(bool full, std::string why, outbox& out) {
    if (std::exchange(full_, full) != full)
      out.tell(node_event{.what
                          = full ? node_event::kind::storage_full : node_event::kind::storage_ready,
                          .code = full ? errc::storage_full : errc::none,
                          .detail = std::move(why)});
  }

  /// After a failed write or sync nobody knows what the store holds: there is no second try (D4).
  void give_up(const failure& why, outbox& out) {
    broken_ = true;
    out.tell(store_failed{why.detail});
  }

  Store store_;
  generation newest_;  ///< that the store was handed
  generation written_; ///< that is durable
  generation ballots_; ///< whose ballot is
  instant try_at_ = {};
  bool unsynced_ = false;
  bool full_ = false;
  bool broken_ = false;
};

} // namespace understudy
