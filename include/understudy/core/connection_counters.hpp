// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace understudy {

/// What a node's connections to other processes have come to since it began.
struct connection_counters {
  std::size_t open = 0;             ///< there are now, whoever has made them
  std::uint64_t accepted = 0;       ///< made by others
  std::uint64_t dialed = 0;         ///< made by this node
  std::uint64_t refused = 0;        ///< closed at once: there were too many
  std::uint64_t faulty = 0;         ///< ended since the other end did something wrong, or nothing
  std::uint64_t dropped = 0;        ///< messages for which there was no connection, or no room
  std::uint64_t sent_bytes = 0;     ///< as they go over the wire, given to the system
  std::uint64_t received_bytes = 0; ///< likewise

  friend bool operator==(const connection_counters&, const connection_counters&) = default;
};

} // namespace understudy
