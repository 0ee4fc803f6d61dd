// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Runs of the durable store on a disk that fails.

#include <understudy/core/digest.hpp>
#include <understudy/storage/durable_store.hpp>
#include <understudy/testing/faulty_directory.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/store_model.hpp>
#include <understudy/testing/store_workload.hpp>

#include "raft/support/entries.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace support {

using namespace understudy::testing;

inline constexpr storage::file_owner store_owner{.node = {7}, .start = 99};

/// Small, so that a short run begins many segments.
inline constexpr storage::log_layout small_segments{.segment_bytes = 4096, .seed = 1};

inline expected<durable_store> open_store(const std::shared_ptr<faulty_disk>& disk,
                                          const storage::log_layout& layout = small_segments) {
  return durable_store::open(std::make_unique<faulty_directory>(disk), store_owner, layout);
}

/// A point of a recorded run: what is certain then, and what may be.
struct run_point {
  store_extent certain = {};
  store_extent told = {};
};

/// A run of a store on a recorded disk: after each operation on the disk, what may be found on it.
struct recorded_run {
  explicit recorded_run(std::uint64_t seed, int rounds, std::size_t body_bytes_max = 300)
      : work{seed, store_owner.node, body_bytes_max} {
    disk->record();
    auto store = open_store(disk);
    REQUIRE(store);
    random_stream random{seed + 1};
    std::shared_ptr<const snapshot> overtaken;
    run_point now;
    for (int i = 0; i < rounds; ++i) {
      for (auto left = random.between(1, 4); left > 0; --left) {
        const auto what = work.next();
        now.told = work.model().told();
        if (what.base && random.chance(0.6)) {
          REQUIRE(store->stager()(*what.base));
          reach(now);
        }
        if (overtaken && random.chance(0.1)) { // perhaps in place of the one that is meant
          REQUIRE(store->stager()(*overtaken));
          reach(now);
        }
        if (what.base)
          overtaken = what.base;
        REQUIRE(store->write(what));
        reach(now);
      }
      REQUIRE(store->sync());
      reach(now);
      now.certain = now.told;
    }
    REQUIRE(store->close());
    reach(now);
  }

  /// Every operation up to now happened with no more than this being certain.
  void reach(const run_point& now) { points.resize(disk->recording().size() + 1, now); }

  store_workload work;
  std::shared_ptr<faulty_disk> disk = std::make_shared<faulty_disk>();
  std::vector<run_point> points; ///< by the number of operations done
};

} // namespace support
