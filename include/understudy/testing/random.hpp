// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Randomness that a test can repeat.
///
/// Everything that is drawn in a run comes from its one seed. Parts of a run draw from forks with
/// names, so that a draw more in one part does not change what all the others see: a failing seed
/// stays close to what it was while the cause is being looked for.

#include <understudy/core/assert.hpp>
#include <understudy/core/random.hpp>

#include <concepts>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <string_view>

namespace understudy::testing {

/// Joins two numbers into one that looks like neither.
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  auto z = (a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2))) * 0xff51afd7ed558ccdu;
  z = (z ^ (z >> 33)) * 0xc4ceb9fe1a85ec53u;
  return z ^ (z >> 29);
}

/// A stream of draws; the same on every platform.
class random_stream {
public:
  explicit random_stream(std::uint64_t seed) : seed_{seed}, source_{seed} {}

  /// 64 bits.
  std::uint64_t next() { return source_.next(); }

  /// From 0 up to, and without, `limit`; 0 for a limit of 0.
  std::uint64_t below(std::uint64_t limit) { return source_.below(limit); }

  /// True with this probability: never at 0, always at 1.
  bool chance(double probability) {
    return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability;
  }

  /// From `least` to `most`, both included.
  template <std::integral T> T between(T least, T most) {
    UNDERSTUDY_ASSERT(least <= most, "a range has its smaller end first");
    const auto width = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least) + 1;
    return static_cast<T>(static_cast<std::uint64_t>(least) + below(width));
  }

  /// A length of time from `least` to `most`, both included.
  interval between(interval least, interval most) { return source_.between(least, most); }

  /// One of the elements, each as likely as any other.
  template <std::ranges::random_access_range R>
    requires std::ranges::borrowed_range<R>
  decltype(auto) pick(R&& from) {
    const auto size = static_cast<std::uint64_t>(std::ranges::size(from));
    UNDERSTUDY_ASSERT(size != 0, "nothing can be picked from nothing");
    return *std::next(std::ranges::begin(from), static_cast<std::ptrdiff_t>(below(size)));
  }

  /// A stream of its own for the part called `name`. It depends on the seed and the name alone, not
  /// on what was drawn here before.
  [[nodiscard]] random_stream fork(std::string_view name, std::uint64_t number = 0) const {
    auto hash = mixed(seed_, number);
    for (const char c : name)
      hash = mixed(hash, static_cast<unsigned char>(c));
    return random_stream{hash};
  }

private:
  std::uint64_t seed_;
  random_source source_;
};

} // namespace understudy::testing
