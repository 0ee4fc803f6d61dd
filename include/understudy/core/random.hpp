// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/time.hpp>

#include <cstdint>

namespace understudy {

/// A seeded source of random numbers (splitmix64), the same on every platform: a run of the
/// simulator must repeat bit for bit, and the standard library's distributions do not promise that.
/// Not for secrets.
class random_source {
public:
  explicit random_source(std::uint64_t seed) : state_{seed} {}

  /// 64 bits.
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    auto mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
  }

  /// A number from 0 up to, and without, `limit`; 0 for a limit of 0. The bias is below 2^-32 for
  /// limits below 2^32.
  std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : next() % limit; }

  /// A length of time from `least` to `most`, both included.
  interval between(interval least, interval most) {
    if (most <= least)
      return least;
    const auto width = static_cast<std::uint64_t>((most - least).count()) + 1;
    return least + interval{static_cast<std::int64_t>(below(width))};
  }

  /// `base`, off by at most a tenth in either direction.
  interval jittered(interval base) { return between(base - base / 10, base + base / 10); }

private:
  std::uint64_t state_;
};

} // namespace understudy
