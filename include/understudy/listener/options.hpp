// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/time.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace understudy {

/// How far a member is from this node, in any measure: of the sources that answer, those with the
/// least distance take turns. Asked when the roster changes. Must not throw; a member at which it
/// does counts as the farthest.
using source_distance = std::function<std::uint32_t(const member&)>;

/// The least that a source is asked for.
inline constexpr std::uint32_t answer_bytes_least = 4'096;

/// How a node pulls. The defaults suit nodes in one data centre.
struct puller_options {
  /// How long a source may hold a question while it has nothing new. The lag of a listener does not
  /// depend on it: a source answers as soon as it has something.
  interval wait = std::chrono::milliseconds{50};
  /// The most bytes of entries, or of a snapshot, in one answer. Where none comes in time, less is
  /// asked for, see answer_size.hpp.
  std::uint32_t bytes_max = 1 << 20;
  /// A source that has not answered for this long is slow, and another is asked. The line has to
  /// carry the largest command in that time: an answer holds one entry at least.
  interval source_timeout = std::chrono::milliseconds{500};
  /// How long one source is asked before it is the next one's turn.
  interval turn = std::chrono::seconds{5};
  /// How long a source that failed is left alone; doubles with each failure in a row.
  interval backoff_min = std::chrono::milliseconds{50};
  interval backoff_max = std::chrono::seconds{2};
  /// A node that has not heard a leader for this long pulls, whatever it believes to be.
  interval leaderless_after = std::chrono::milliseconds{300};
  /// Which sources to prefer; none: all are alike.
  source_distance distance = {};
};

/// What is wrong with the options, each with the names of the offending ones; empty if they can be
/// used.
[[nodiscard]] inline std::vector<std::string> complaints(const puller_options& o) {
  std::vector<std::string> found;
  const auto require = [&](bool holds, const char* complaint) {
    if (!holds)
      found.emplace_back(complaint);
  };
  require(o.wait > interval{0}, "wait must be positive");
  require(o.bytes_max >= answer_bytes_least, "bytes_max must be at least 4096");
  require(o.source_timeout >= o.wait + std::chrono::milliseconds{100},
          "source_timeout must be at least wait plus 100 ms");
  require(o.turn > interval{0}, "turn must be positive");
  require(o.backoff_min > interval{0}, "backoff_min must be positive");
  require(o.backoff_max >= o.backoff_min, "backoff_max must not be less than backoff_min");
  require(o.leaderless_after > interval{0}, "leaderless_after must be positive");
  return found;
}

/// All complaints in one failure, or nothing.
[[nodiscard]] inline expected<void> validate(const puller_options& o) {
  std::string all;
  for (const auto& complaint : complaints(o))
    all += (all.empty() ? "" : "; ") + complaint;
  if (all.empty())
    return {};
  return fail(errc::invalid_option, std::move(all));
}

} // namespace understudy
