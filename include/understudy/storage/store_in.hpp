// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/errors.hpp>
#include <understudy/storage/any_store.hpp>
#include <understudy/storage/aside.hpp>
#include <understudy/storage/durable_store.hpp>
#include <understudy/storage/posix_directory.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace understudy {

/// Opens the durable store in the directory `path`, which has to be there and belongs to this node
/// alone. Errors: those of `posix_directory::open` and of `durable_store::open`.
[[nodiscard]] inline store_opener
store_in(std::string path, std::uint64_t segment_bytes = storage::log_layout{}.segment_bytes) {
  return [path = std::move(path), segment_bytes](const store_wish& wish) -> expected<any_store> {
    auto held = storage::posix_directory::open(path, storage::access::hold);
    if (!held)
      return tl::unexpected<failure>{std::move(held.error())};
    if (wish.anew)
      if (auto done = storage::set_aside(**held); !done)
        return tl::unexpected<failure>{std::move(done.error())};
    return open_any(durable_store::open(std::move(*held),
                                        {.node = wish.newcomer.id, .start = wish.newcomer.start},
                                        {.segment_bytes = segment_bytes, .seed = wish.seed}));
  };
}

} // namespace understudy
