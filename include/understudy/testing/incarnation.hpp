// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/configuration.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/testing/file_disk.hpp>
#include <understudy/testing/node_counters.hpp>
#include <understudy/testing/node_disk.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/simulated_disk.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace understudy::testing {

/// What outlives the process of a node: who it is, and its disk. Several processes may come and go
/// under one id, one after the other, as long as the disk is there.
struct incarnation {
  member self = {};
  std::shared_ptr<node_disk> disk = std::make_shared<simulated_disk>();
  std::optional<own_record> returns_as = {}; ///< once its process has ended

  bool on_files = false; ///< it keeps its log in a durable store

  /// Before the first start. A durable node gets the durable store, with segments of that size.
  void use_files(std::uint64_t segment_bytes) {
    on_files = self.durable && segment_bytes > 0;
    if (on_files)
      disk = std::make_shared<file_disk>(
          storage::file_owner{.node = self.id, .start = self.start},
          storage::log_layout{.segment_bytes = segment_bytes, .seed = self.start});
  }

  /// Whether another process could take up where this one is, if it ended now.
  [[nodiscard]] bool keeps_log() const {
    return self.durable && find_own_record(disk->certain(), self.id);
  }

  /// The process ended.
  void crash(random_stream& random, node_counters& counters) {
    counters.writes_lost += disk->crash(random) ? 1 : 0;
    counters.reopened += on_files ? 1 : 0;
    const auto left = disk->remains();
    counters.torn += left.torn ? 1 : 0;
    counters.unmarked += left.unmarked ? 1 : 0;
    if (self.durable)
      returns_as = find_own_record(disk->recover(), self.id);
  }

  /// The disk is gone: nobody can take up where this node ended.
  void wipe() {
    disk = std::make_shared<simulated_disk>();
    on_files = false;
    returns_as.reset();
  }
};

} // namespace understudy::testing
