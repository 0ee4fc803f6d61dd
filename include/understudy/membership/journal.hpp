// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a node decided about seats, and why: the first thing to read after a night in which the
/// voters changed.

#include <understudy/core/ids.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace understudy {

/// What kind of decision a line of the journal is about.
enum class decision : std::uint8_t {
  plan = 0,        ///< plan() came to another result
  eviction = 1,    ///< a member is marked evicted
  drop = 2,        ///< a member that has gone is taken from the roster
  passed_over = 3, ///< a claimant did not catch up: the next in line may ask
  hand_back = 4,   ///< leadership goes to a voter
  instruction = 5, ///< an operator, or a node on its way out, asked for something
  leave = 6,       ///< a step of this node's own leave
};

[[nodiscard]] constexpr std::string_view to_string(decision what) {
  switch (what) {
  case decision::plan:
    return "plan";
  case decision::eviction:
    return "eviction";
  case decision::drop:
    return "drop";
  case decision::passed_over:
    return "passed_over";
  case decision::hand_back:
    return "hand_back";
  case decision::instruction:
    return "instruction";
  case decision::leave:
    return "leave";
  }
  return "unlisted";
}

inline std::ostream& operator<<(std::ostream& out, decision d) {
  return out << to_string(d);
}

/// One decision.
struct journal_line {
  instant when = {};
  term_number term = {};
  log_index base = {}; ///< the newest configuration that it was made on
  decision what = decision::plan;
  member_id who = {};    ///< the member it is about; none: the voters as a whole
  std::string text = {}; ///< the reason, with what went into it
};

/// The newest decisions, oldest first. Each is told as an event too, when it is made.
class journal {
public:
  static constexpr std::size_t lines_max = 256;

  void note(journal_line line, outbox& out) {
    out.tell(node_event{.what = node_event::kind::decided,
                        .who = line.who,
                        .index = line.base,
                        .detail = std::string{to_string(line.what)} + ": " + line.text});
    if (lines_.size() == lines_max)
      lines_.pop_front();
    lines_.push_back(std::move(line));
  }

  [[nodiscard]] const std::deque<journal_line>& lines() const { return lines_; }

private:
  std::deque<journal_line> lines_ = {};
};

} // namespace understudy
