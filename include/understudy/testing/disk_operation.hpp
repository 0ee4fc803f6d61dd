// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a process does to a disk, one step at a time, and what a power failure leaves of a step.
///
/// Names and files are apart, as they are on a disk: what is written belongs to the file (its
/// inode), wherever its name is meanwhile, and is made durable by another call than the name.

#include <understudy/core/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// A file or directory, whatever it is called.
enum class inode_id : std::uint64_t {};

/// The kinds of steps.
enum class disk_change : std::uint8_t {
  write,
  allocate,
  truncate,
  create,
  make_directory,
  rename,
  remove,
  sync_file,
  sync_directory,
  lose_file,      ///< a sync failed: what was dirty counts as clean, and is never written (D4)
  lose_directory, ///< the same of names
};

[[nodiscard]] constexpr std::string_view to_string(disk_change what) {
  constexpr std::string_view names[]
      = {"write",  "allocate",  "truncate",       "create",    "make_directory", "rename",
         "remove", "sync_file", "sync_directory", "lose_file", "lose_directory"};
  return names[static_cast<std::size_t>(what)];
}

/// One step.
struct disk_operation {
  disk_change what;
  inode_id inode = {};
  std::uint64_t offset = 0; ///< where a write begins; the size that the file is to have
  bytes data = {};
  std::string name = {};
  std::string to = {};

  [[nodiscard]] bool is_write() const { return what == disk_change::write; }

  /// Of names, which `directory::sync` makes durable.
  [[nodiscard]] bool is_metadata() const {
    return what >= disk_change::create && what <= disk_change::remove;
  }

  /// "write segment-1 4096+512"
  friend std::ostream& operator<<(std::ostream& out, const disk_operation& o) {
    out << to_string(o.what) << ' ' << o.name;
    if (o.what == disk_change::rename)
      out << ' ' << o.to;
    if (o.what <= disk_change::truncate)
      out << ' ' << o.offset;
    return o.is_write() ? out << '+' << o.data.size() : out;
  }
};

/// What a disk writes whole or not at all. Sectors are aligned to the beginning of the file.
inline constexpr std::uint64_t sector_bytes = 512;

/// How many sectors the write touches.
[[nodiscard]] inline std::size_t sectors_of(const disk_operation& write) {
  if (write.data.empty())
    return 0;
  const auto last = (write.offset + write.data.size() - 1) / sector_bytes;
  return static_cast<std::size_t>(last - write.offset / sector_bytes + 1);
}

/// Where in the data of the write its `i`-th sector begins.
[[nodiscard]] inline std::uint64_t sector_begin(const disk_operation& write, std::size_t i) {
  const auto begin = (write.offset / sector_bytes + i) * sector_bytes;
  return std::min<std::uint64_t>(std::max(begin, write.offset) - write.offset, write.data.size());
}

/// What is left of one step after the power failed. Only a write can be left in part.
struct remnant {
  enum class extent : std::uint8_t { nothing, all, prefix, sectors };

  extent what = extent::nothing;
  std::uint64_t bytes = 0;        ///< of a prefix
  std::vector<bool> sectors = {}; ///< one for each that the write touches
  bool sized = false;             ///< the file grew as far as the write reached, by zeros

  [[nodiscard]] bool whole() const { return what == extent::all; }

  [[nodiscard]] static remnant nothing() { return {}; }
  [[nodiscard]] static remnant all() { return {.what = extent::all}; }
  [[nodiscard]] static remnant first(std::uint64_t bytes) {
    return {.what = extent::prefix, .bytes = bytes};
  }
  [[nodiscard]] static remnant some_sectors(std::vector<bool> which) {
    return {.what = extent::sectors, .sectors = std::move(which)};
  }

  /// The sectors whose bits are set, from the lowest bit on: for going through all subsets.
  [[nodiscard]] static remnant sector_mask(std::uint64_t mask) {
    std::vector<bool> which(64);
    for (std::size_t i = 0; i < which.size(); ++i)
      which[i] = (mask >> i & 1) != 0;
    return some_sectors(std::move(which));
  }

  /// The same, with the file grown as far as the write reached.
  [[nodiscard]] remnant grown() const {
    auto copy = *this;
    copy.sized = true;
    return copy;
  }
};

} // namespace understudy::testing
