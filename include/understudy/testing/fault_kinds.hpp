// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a random run does to its cluster, and how often.
///
/// Each run leaves some kinds out and does others all the time: what hides behind one fault is
/// found where that fault is missing.

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string_view>

namespace understudy::testing {

/// Something that happens to a cluster. Leaves and orders are no faults, but the worst of times.
enum class fault : std::uint8_t {
  crash = 0,           ///< a process ends; mostly another one is started in its place
  pause = 1,           ///< a process stands still for a while
  one_way_cut = 2,     ///< nothing gets from one node to another
  split = 3,           ///< the network falls into two parts
  bridge = 4,          ///< into two parts, and one node sees both
  mesh = 5,            ///< some links are left, drawn one by one
  isolate_leader = 6,  ///< the leader sees nobody
  swizzle = 7,         ///< nodes are cut off one by one, and let in again in another order
  flap = 8,            ///< a link comes and goes
  slow_link = 9,       ///< a link takes its time
  bad_weather = 10,    ///< messages are lost, doubled and late, until the weather is fair again
  clock_rate = 11,     ///< a clock goes at half to double speed for a while
  clock_jump = 12,     ///< a clock jumps ahead
  stall = 13,          ///< a part of a node does nothing for a while: its disk, its machine
  broken_machine = 14, ///< a machine throws from now on; its node is started anew later
  leave = 15,          ///< a node is told to leave
  order = 16,          ///< an operator gives an order
  fair_weather = 17,
  heal = 18,        ///< all links are whole again
  power_cut = 19,   ///< all nodes that keep their log end at once, or some; they come back later
  broken_link = 20, ///< two lose sight of each other for a moment
  full_disk = 21,   ///< a disk has no room any more, or all of them, until somebody makes some
  update = 22,      ///< a node is started as another build, or a newer version is to be used
};

inline constexpr std::size_t fault_count = 23;

[[nodiscard]] constexpr std::string_view to_string(fault what) {
  constexpr std::array<std::string_view, fault_count> names{
      "crash",          "pause",     "one_way_cut",    "split",     "bridge",      "mesh",
      "isolate_leader", "swizzle",   "flap",           "slow_link", "bad_weather", "clock_rate",
      "clock_jump",     "stall",     "broken_machine", "leave",     "order",       "fair_weather",
      "heal",           "power_cut", "broken_link",    "full_disk", "update"};
  return names[static_cast<std::size_t>(what)];
}

/// The fault of that name, if there is one.
[[nodiscard]] constexpr std::optional<fault> fault_named(std::string_view name) {
  for (std::size_t i = 0; i < fault_count; ++i)
    if (to_string(static_cast<fault>(i)) == name)
      return static_cast<fault>(i);
  return std::nullopt;
}

/// A number for each kind.
class fault_table {
public:
  [[nodiscard]] std::uint64_t& operator[](fault what) {
    return values_[static_cast<std::size_t>(what)];
  }
  [[nodiscard]] std::uint64_t operator[](fault what) const {
    return values_[static_cast<std::size_t>(what)];
  }

  [[nodiscard]] std::uint64_t sum() const {
    return std::accumulate(values_.begin(), values_.end(), std::uint64_t{0});
  }

  /// The kind on which the `ticket`-th of `sum()` tickets falls, if a kind has as many as its
  /// number says.
  [[nodiscard]] fault drawn(std::uint64_t ticket) const {
    std::size_t i = 0;
    while (i + 1 < fault_count && ticket >= values_[i])
      ticket -= values_[i++];
    return static_cast<fault>(i);
  }

  fault_table& operator+=(const fault_table& other) {
    for (std::size_t i = 0; i < fault_count; ++i)
      values_[i] += other.values_[i];
    return *this;
  }

  friend bool operator==(const fault_table&, const fault_table&) = default;

private:
  std::array<std::uint64_t, fault_count> values_{};
};

} // namespace understudy::testing
