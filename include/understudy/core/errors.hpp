// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Everything that can go wrong, as one closed list.
///
/// Three kinds, told apart by `certainty()`: what certainly did not happen, what may have happened
/// (`outcome_unknown` and its like), and what is wrong with the call itself. Nothing here is ever
/// thrown over the API; calls return `expected<T>`.

#include <understudy/core/ids.hpp>

#include <tl/expected.hpp>

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace understudy {

/// Why a call did not do what was asked. The numbers are part of the wire format: never reused.
enum class errc : std::uint8_t {
  none = 0,
  // The request was certainly not applied.
  invalid_option = 1,       ///< an option, or two together, make no sense; the text names them
  cluster_exists = 2,       ///< told to found, but a seed answers for a cluster
  another_founder = 3,      ///< two nodes were told to found, and see each other
  cluster_mismatch = 4,     ///< the other side belongs to another cluster
  duplicate_id = 5,         ///< a member with this id, from another start, is in the roster
  no_seed_answers = 6,      ///< none of the seeds answered in time
  removed = 7,              ///< this incarnation has left the roster and can not come back
  too_large = 8,            ///< the command, or what it would store, is over its limit
  overloaded = 9,           ///< a bounded queue is full; try again after `retry_after`
  no_leader = 10,           ///< nobody leads at the moment
  not_leader = 11,          ///< the node asked does not lead; `leader` may say who does
  stopped = 12,             ///< the node is stopped
  rejected = 13,            ///< the machine's own `check` refused the command
  machine_stopped = 14,     ///< this node's machine has stopped applying; the text says why
  undecodable = 15,         ///< bytes that are no such command, query or snapshot
  session_unknown = 16,     ///< no such session: expired, closed, or never opened
  too_many_sessions = 17,   ///< the cluster's session limit is reached
  sequence_reused = 18,     ///< a request number came back with another command
  already_answered = 19,    ///< a request number below `answered_below`: its reply is gone
  not_applied = 20,         ///< the number was settled as never to be applied
  reply_too_large = 21,     ///< applied, but the reply is larger than the session may store
  stale = 22,               ///< a local read is older than the caller allowed
  settings_differ = 23,     ///< the cluster runs with other settings than this node was given
  busy = 24,                ///< a change of the same kind is under way
  timed_out = 25,           ///< a wait reached its limit; nothing was asked for
  version_unsupported = 26, ///< the other side speaks no common protocol version
  node_broken = 27,         ///< an invariant broke and this node stopped itself
  not_admitted = 28, ///< the leader's admission policy refused the newcomer; the text says why
  // The request may have been applied.
  outcome_unknown = 64, ///< the deadline passed, or the node stopped, with the request in flight
};

/// The name of the error, as written in this header.
[[nodiscard]] constexpr std::string_view to_string(errc code) {
  switch (code) {
  case errc::none:
    return "none";
  case errc::invalid_option:
    return "invalid_option";
  case errc::cluster_exists:
    return "cluster_exists";
  case errc::another_founder:
    return "another_founder";
  case errc::cluster_mismatch:
    return "cluster_mismatch";
  case errc::duplicate_id:
    return "duplicate_id";
  case errc::no_seed_answers:
    return "no_seed_answers";
  case errc::removed:
    return "removed";
  case errc::too_large:
    return "too_large";
  case errc::overloaded:
    return "overloaded";
  case errc::no_leader:
    return "no_leader";
  case errc::not_leader:
    return "not_leader";
  case errc::stopped:
    return "stopped";
  case errc::rejected:
    return "rejected";
  case errc::machine_stopped:
    return "machine_stopped";
  case errc::undecodable:
    return "undecodable";
  case errc::session_unknown:
    return "session_unknown";
  case errc::too_many_sessions:
    return "too_many_sessions";
  case errc::sequence_reused:
    return "sequence_reused";
  case errc::already_answered:
    return "already_answered";
  case errc::not_applied:
    return "not_applied";
  case errc::reply_too_large:
    return "reply_too_large";
  case errc::stale:
    return "stale";
  case errc::settings_differ:
    return "settings_differ";
  case errc::busy:
    return "busy";
  case errc::timed_out:
    return "timed_out";
  case errc::version_unsupported:
    return "version_unsupported";
  case errc::node_broken:
    return "node_broken";
  case errc::not_admitted:
    return "not_admitted";
  case errc::outcome_unknown:
    return "outcome_unknown";
  }
  return "unlisted";
}

/// Whether the request behind an error may have been applied all the same.
[[nodiscard]] constexpr bool is_uncertain(errc code) {
  return code == errc::outcome_unknown;
}

inline std::ostream& operator<<(std::ostream& out, errc code) {
  return out << to_string(code);
}

/// An error with what a caller needs to act on it.
struct failure {
  errc code = errc::none;
  std::string detail = {}; ///< names the offending thing; for people, not for programs
  member_id leader = {};   ///< who is believed to lead; none if nobody is known to

  friend bool operator==(const failure&, const failure&) = default;
  friend std::ostream& operator<<(std::ostream& out, const failure& f) {
    out << f.code;
    return f.detail.empty() ? out : out << ": " << f.detail;
  }

  template <class Archive> void serialize(Archive& archive) { archive(code, detail, leader); }
};

/// A value, or the reason why there is none (std::expected, once compilers here have it).
template <class T> using expected = tl::expected<T, failure>;

/// The failing half of an `expected`.
[[nodiscard]] inline tl::unexpected<failure> fail(errc code, std::string detail = {},
                                                  member_id leader = {}) {
  return tl::unexpected<failure>{failure{code, std::move(detail), leader}};
}

} // namespace understudy
