// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A node's disk, which outlives the node: what was synced is there after a crash, and of the rest
/// whatever a disk may keep.

#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/storage/log_store.hpp>
#include <understudy/testing/observation.hpp>
#include <understudy/testing/random.hpp>

#include <memory>
#include <utility>

namespace understudy::testing {

/// What the last crash has left on a disk that a start has to mend.
struct crash_remains {
  bool torn = false;     ///< behind the log's last record there is a part of another one
  bool unmarked = false; ///< nothing says that the last segment was ever synced
};

/// What the simulator does to a disk, and asks of it.
class node_disk {
public:
  node_disk() = default;
  node_disk(const node_disk&) = default;
  node_disk& operator=(const node_disk&) = default;
  virtual ~node_disk() = default;

  /// A write that will come: nobody waits for it, and the disk may have done it by then.
  virtual void begin(const store_write& what) = 0;

  /// These are as in `log_store` and `ballot_keeper`.
  virtual expected<void> write(const store_write& what) = 0;
  virtual expected<void> sync() = 0;
  virtual expected<void> sync_ballot() = 0;

  /// Brings snapshots there beside the store; empty: the store does it.
  [[nodiscard]] virtual snapshot_stager stager() { return {}; }

  /// Whether it has no room, but for ballots.
  virtual void be_full(bool full) = 0;

  /// The process ends, and perhaps the power fails. Of what was not synced a part survives, and may
  /// still be lost the next time. Returns whether something may have been lost.
  virtual bool crash(random_stream& random) = 0;

  /// See there; nothing where there is nothing to mend.
  [[nodiscard]] virtual crash_remains remains() const { return {}; }

  /// What a process finds that starts now.
  [[nodiscard]] virtual recovered_state recover() const = 0;

  /// What a process is certain to find, whenever the power fails.
  [[nodiscard]] virtual recovered_state certain() const = 0;

  /// What is certain in short. A crash does not change it.
  [[nodiscard]] virtual const stored_state& stored() const = 0;
};

/// The log store of a node whose disk this is.
class disk_store {
public:
  explicit disk_store(std::shared_ptr<node_disk> disk) : disk_{std::move(disk)} {}

  expected<void> write(const store_write& what) { return disk_->write(what); }
  expected<void> sync() { return disk_->sync(); }
  expected<void> sync_ballot() { return disk_->sync_ballot(); }
  expected<recovered_state> recover() { return disk_->recover(); }

  [[nodiscard]] const stored_state& stored() const { return disk_->stored(); }

private:
  std::shared_ptr<node_disk> disk_;
};

static_assert(ballot_keeper<disk_store>);

} // namespace understudy::testing
