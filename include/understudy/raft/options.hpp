// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/time.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace understudy {

/// Times and limits of one node's raft core. Times may differ from node to node without harm to
/// safety; for a group that heals quickly they should not.
struct core_options {
  interval heartbeat = std::chrono::milliseconds{50}; ///< > 0, less than `suspect_after`
  /// Silence of a leader after which the campaign schedule starts, and for which a voter that heard
  /// it refuses to vote for anyone else; at most `election_timeout_min`. Longer where leaders read
  /// under a lease, see abstention.hpp.
  interval suspect_after = std::chrono::milliseconds{300};
  interval election_timeout_min = std::chrono::milliseconds{300}; ///< the fallback, drawn anew each
  interval election_timeout_max = std::chrono::milliseconds{600}; ///< time between these two
  interval campaign_step
      = std::chrono::milliseconds{5}; ///< between two places of the schedule; > 0
  interval transfer_limit = std::chrono::milliseconds{50}; ///< proposals wait at most this; > 0

  std::size_t append_entries_max = 1'024;       ///< in one message; > 0
  std::size_t append_bytes_max = 1 << 20;       ///< in one message, but always one entry; > 0
  std::size_t window_entries = 16'384;          ///< sent to a peer and unanswered; > 0
  std::size_t window_bytes = 16 << 20;          ///< likewise; > 0
  std::size_t uncommitted_bytes_max = 64 << 20; ///< beyond it proposals are `overloaded`; > 0
  std::size_t apply_window = 16'384;            ///< handed to the replica and not yet applied; > 0
  std::size_t catch_up_gap = 1'024; ///< how far behind still counts as caught up, in entries
  std::size_t pullers_max = 1'024;  ///< questions of pullers that wait at a time; > 0

  /// Of log since the last one, but not before that has outgrown the last one; > 0.
  std::size_t snapshot_after_bytes = 4 << 20;
  std::size_t snapshot_chunk_bytes = 1 << 20;            ///< > 0
  std::size_t snapshot_bytes_max = std::size_t{4} << 30; ///< a larger one is refused; > 0
  std::size_t retain_entries = 4'096;                    ///< kept behind a snapshot for laggards
  std::size_t retain_bytes_max = 32 << 20; ///< most that is kept for slow pullers and peers

  /// The log ends with the process: what is written counts as stored at once, and nothing is told
  /// to a log writer.
  bool volatile_log = true;
};

/// What is wrong with the options, each with the names and values of the offending ones; empty if
/// they can be used.
[[nodiscard]] inline std::vector<std::string> complaints(const core_options& o) {
  std::vector<std::string> found;
  const auto ms = [](interval t) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(t).count()) + " ms";
  };
  const auto positive_time = [&](const char* name, interval value) {
    if (value <= interval{0})
      found.push_back(std::string{name} + " must be positive, and is " + ms(value));
  };
  const auto positive_size = [&](const char* name, std::size_t value) {
    if (value == 0)
      found.push_back(std::string{name} + " must not be 0");
  };
  const auto ordered = [&](const char* less, interval a, const char* more, interval b) {
    if (a > b)
      found.push_back(std::string{less} + " (" + ms(a) + ") must not exceed " + more + " (" + ms(b)
                      + ")");
  };
  positive_time("heartbeat", o.heartbeat);
  positive_time("suspect_after", o.suspect_after);
  positive_time("election_timeout_min", o.election_timeout_min);
  positive_time("campaign_step", o.campaign_step);
  positive_time("transfer_limit", o.transfer_limit);
  if (o.heartbeat >= o.suspect_after)
    found.push_back("heartbeat (" + ms(o.heartbeat) + ") must be less than suspect_after ("
                    + ms(o.suspect_after) + ")");
  if (o.heartbeat >= o.election_timeout_min)
    found.push_back("heartbeat (" + ms(o.heartbeat) + ") must be less than election_timeout_min ("
                    + ms(o.election_timeout_min) + ")");
  ordered("suspect_after", o.suspect_after, "election_timeout_min", o.election_timeout_min);
  ordered("election_timeout_min", o.election_timeout_min, "election_timeout_max",
          o.election_timeout_max);
  positive_size("append_entries_max", o.append_entries_max);
  positive_size("append_bytes_max", o.append_bytes_max);
  positive_size("window_entries", o.window_entries);
  positive_size("window_bytes", o.window_bytes);
  positive_size("uncommitted_bytes_max", o.uncommitted_bytes_max);
  positive_size("apply_window", o.apply_window);
  positive_size("pullers_max", o.pullers_max);
  positive_size("snapshot_after_bytes", o.snapshot_after_bytes);
  positive_size("snapshot_chunk_bytes", o.snapshot_chunk_bytes);
  positive_size("snapshot_bytes_max", o.snapshot_bytes_max);
  return found;
}

} // namespace understudy
