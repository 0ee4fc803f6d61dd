// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Takes the raft core's writes to a log store, off the core's thread.

#include <understudy/core/outbox.hpp>
#include <understudy/storage/log_store.hpp>

#include <utility>

namespace understudy {

/// The component in front of a store. All writes that queued up while the last sync ran go with the
/// next one (group commit), and one answer confirms them all.
template <log_store Store> class log_writer {
public:
  using peer_messages = type_list<>;
  using notices = type_list<store_write>;

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

  void settle(instant, outbox& out) {
    if (broken_ || !unsynced_)
      return;
    unsynced_ = false;
    if (auto done = store_.sync(); !done)
      return give_up(done.error(), out);
    out.tell(store_written{newest_});
  }

  [[nodiscard]] Store& store() { return store_; }

private:
  /// After a failed write or sync nobody knows what the store holds: there is no second try (D4).
  void give_up(const failure& why, outbox& out) {
    broken_ = true;
    out.tell(store_failed{why.detail});
  }

  Store store_;
  generation newest_;
  bool unsynced_ = false;
  bool broken_ = false;
};

} // namespace understudy
