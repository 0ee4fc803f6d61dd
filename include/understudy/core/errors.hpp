// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Everything that can go wrong, as one closed list.
///
/// Three kinds, told apart by `is_uncertain()`: what certainly did not happen, what may have
/// happened (`outcome_unknown` and its like), and what is wrong with the call itself. Nothing here
/// is ever thrown over the API; calls return `expected<T>`.

#include <understudy/core/ids.hpp>

#include <tl/expected.hpp>

#include <array>
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
  cluster_mismatch = 4,     ///< the other side, or the directory, belongs to another cluster
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
  version_unsupported = 26, ///< a build knows too little of the protocol or of the machine
  node_broken = 27,         ///< an invariant broke and this node stopped itself
  not_admitted = 28,    ///< the leader's admission policy refused the newcomer; the text says why
  storage_missing = 29, ///< there is no such directory
  storage_in_use = 30,  ///< a living process holds the directory
  storage_foreign = 31, ///< the directory holds what this node did not put there
  storage_damaged = 32, ///< a file does not hold what was stored; the text says where
  storage_full = 33,    ///< no room is left on the disk
  storage_failed = 34,  ///< the file system failed or refused a call; the text says which
  format_unsupported = 35, ///< the files were written by a newer release
  quorum_intact = 36,      ///< a majority of the voters is there: the cluster can go on by itself
  not_trusted = 37,        ///< who the other side is was not proved; the text says what is wrong
  version_not_in_use = 38, ///< a command of a newer version of the machine than the cluster uses
  // The request may have been applied.
  outcome_unknown = 64, ///< the deadline passed, or the node stopped, with the request in flight
};

namespace detail {

inline constexpr std::array<std::pair<errc, std::string_view>, 40> errc_names{{
    {errc::none, "none"},
    {errc::invalid_option, "invalid_option"},
    {errc::cluster_exists, "cluster_exists"},
    {errc::another_founder, "another_founder"},
    {errc::cluster_mismatch, "cluster_mismatch"},
    {errc::duplicate_id, "duplicate_id"},
    {errc::no_seed_answers, "no_seed_answers"},
    {errc::removed, "removed"},
    {errc::too_large, "too_large"},
    {errc::overloaded, "overloaded"},
    {errc::no_leader, "no_leader"},
    {errc::not_leader, "not_leader"},
    {errc::stopped, "stopped"},
    {errc::rejected, "rejected"},
    {errc::machine_stopped, "machine_stopped"},
    {errc::undecodable, "undecodable"},
    {errc::session_unknown, "session_unknown"},
    {errc::too_many_sessions, "too_many_sessions"},
    {errc::sequence_reused, "sequence_reused"},
    {errc::already_answered, "already_answered"},
    {errc::not_applied, "not_applied"},
    {errc::reply_too_large, "reply_too_large"},
    {errc::stale, "stale"},
    {errc::settings_differ, "settings_differ"},
    {errc::busy, "busy"},
    {errc::timed_out, "timed_out"},
    {errc::version_unsupported, "version_unsupported"},
    {errc::node_broken, "node_broken"},
    {errc::not_admitted, "not_admitted"},
    {errc::storage_missing, "storage_missing"},
    {errc::storage_in_use, "storage_in_use"},
    {errc::storage_foreign, "storage_foreign"},
    {errc::storage_damaged, "storage_damaged"},
    {errc::storage_full, "storage_full"},
    {errc::storage_failed, "storage_failed"},
    {errc::format_unsupported, "format_unsupported"},
    {errc::quorum_intact, "quorum_intact"},
    {errc::not_trusted, "not_trusted"},
    {errc::version_not_in_use, "version_not_in_use"},
    {errc::outcome_unknown, "outcome_unknown"},
}};

} // namespace detail

/// The name of the error, as written in this header.
[[nodiscard]] constexpr std::string_view to_string(errc code) {
  for (const auto& [known, name] : detail::errc_names)
    if (known == code)
      return name;
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
