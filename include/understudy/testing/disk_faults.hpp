// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Which calls to a disk are going to fail.

#include <understudy/core/assert.hpp>
#include <understudy/core/errors.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// The calls of `storage::file` and `storage::directory`.
enum class disk_call : std::uint8_t {
  write,
  allocate,
  truncate,
  sync,
  create,
  make_subdirectory,
  rename,
  remove,
  sync_directory,
  // These change nothing, and are not among "any call".
  read,
  size,
  open,
  list,
};

inline constexpr std::size_t disk_call_count = static_cast<std::size_t>(disk_call::list) + 1;

/// Whether it is meant to change the disk. A sync is.
[[nodiscard]] constexpr bool is_change(disk_call call) {
  return call <= disk_call::sync_directory;
}

/// As errors name it: "write to".
[[nodiscard]] constexpr std::string_view to_string(disk_call call) {
  constexpr std::string_view names[disk_call_count] = {"write to",
                                                       "allocate room for",
                                                       "truncate",
                                                       "sync",
                                                       "create",
                                                       "make directory",
                                                       "rename",
                                                       "remove",
                                                       "sync directory",
                                                       "read from",
                                                       "size of",
                                                       "open",
                                                       "list"};
  return names[static_cast<std::size_t>(call)];
}

/// A call that will fail.
struct call_fault {
  std::uint64_t nth = 1;              ///< the first to come is number 1
  std::optional<disk_call> call = {}; ///< none: any that is a change
  std::string name = {};              ///< only calls about this file; empty: about any
  errc code = errc::storage_failed;   ///< or `storage_full`
  std::uint64_t written = 0;          ///< a write that fails first has written so much of its data
  bool lasts = false;                 ///< all that come after it fail as well
  bool is_kill = false;               ///< the process ended in it: the disk has not failed
};

/// The faults to come, and how many calls there were.
class disk_faults {
public:
  void add(call_fault fault) {
    UNDERSTUDY_ASSERT(fault.nth != 0, "the first call is number 1");
    UNDERSTUDY_ASSERT(fault.code == errc::storage_failed || fault.code == errc::storage_full,
                      "a file system has no other errors");
    faults_.push_back(std::move(fault));
  }

  void clear() { faults_.clear(); }

  /// Counts the call. Returns the fault that it meets, if there is one.
  std::optional<call_fault> meet(disk_call call, std::string_view name) {
    ++calls_[static_cast<std::size_t>(call)];
    std::optional<call_fault> met;
    std::erase_if(faults_, [&](call_fault& f) {
      const bool is_meant = f.call ? *f.call == call : is_change(call);
      if (!is_meant || (!f.name.empty() && f.name != name))
        return false;
      if (f.nth > 1) {
        --f.nth;
        return false;
      }
      met = f;
      f.written = 0; // of the call that fails first
      return !f.lasts;
    });
    return met;
  }

  /// How many calls of this kind there were so far; of all that are changes, if none is given.
  [[nodiscard]] std::uint64_t calls(std::optional<disk_call> call) const {
    if (call)
      return calls_[static_cast<std::size_t>(*call)];
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < disk_call_count; ++i)
      sum += is_change(static_cast<disk_call>(i)) ? calls_[i] : 0;
    return sum;
  }

private:
  std::vector<call_fault> faults_;
  std::array<std::uint64_t, disk_call_count> calls_{};
};

} // namespace understudy::testing
