// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/raft/durability.hpp>

#include <deque>
#include <utility>
#include <vector>

namespace understudy {

/// Operators' orders for a snapshot, on their way from being given to being stored.
class snapshot_orders {
public:
  void give(ticket id) { given_.push_back(id); }

  /// Whether there are any for which no snapshot was asked yet.
  [[nodiscard]] bool wait() const { return !given_.empty(); }

  /// The replica is asked for one: it will show all that was applied when these were given.
  void asked() { asked_.swap(given_); }

  /// There is a snapshot of all up to `covers`. It will be stored with the next write.
  void taken(log_index covers, const durability& store) { leave(asked_, covers, store); }

  /// The last snapshot has all there is.
  void nothing_new(log_index covers, const durability& store) { leave(given_, covers, store); }

  /// There will be no snapshot for any of them.
  void refuse(errc why, outbox& out) {
    for (auto* all : {&asked_, &given_})
      for (const auto id : std::exchange(*all, {}))
        out.tell(order_done{id, fail(why)});
  }

  /// Answers those whose snapshot is stored by now, or for whose there was no room after all.
  void answer(const durability& store, outbox& out) {
    for (; !in_store_.empty() && store.is_durable(in_store_.front().by); in_store_.pop_front()) {
      const auto& [id, covers, by] = in_store_.front();
      expected<log_index> stored{covers};
      if (store.lacks_snapshot(covers))
        stored = fail(errc::storage_full, "there was no room for the snapshot");
      out.tell(order_done{id, std::move(stored)});
    }
  }

private:
  struct order_in_store {
    ticket id;
    log_index covers;
    generation by; ///< the write that stores it
  };

  void leave(std::vector<ticket>& from, log_index covers, const durability& store) {
    for (const auto id : std::exchange(from, {}))
      in_store_.push_back({id, covers, store.covering()});
  }

  std::vector<ticket> given_;
  std::vector<ticket> asked_;
  std::deque<order_in_store> in_store_;
};

} // namespace understudy
