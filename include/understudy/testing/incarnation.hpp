// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/configuration.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/simulated_disk.hpp>

#include <memory>
#include <optional>

namespace understudy::testing {

/// What outlives the process of a node: who it is, and its disk. Several processes may come and go
/// under one id, one after the other, as long as the disk is there.
struct incarnation {
  member self = {};
  std::shared_ptr<simulated_disk> disk = std::make_shared<simulated_disk>();
  std::optional<own_record> returns_as = {}; ///< once its process has ended

  /// Whether another process could take up where this one is, if it ended now.
  [[nodiscard]] bool keeps_log() const {
    return self.durable && find_own_record(disk->certain(), self.id);
  }

  /// The process ended. Returns whether the disk lost something by it.
  bool crash(random_stream& random) {
    const bool lost = disk->crash(random);
    if (self.durable)
      returns_as = find_own_record(disk->recover(), self.id);
    return lost;
  }

  /// The disk is gone: nobody can take up where this node ended.
  void wipe() {
    disk = std::make_shared<simulated_disk>();
    returns_as.reset();
  }
};

} // namespace understudy::testing
