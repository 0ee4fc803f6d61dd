// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Which errors end a call, and which only end an attempt (C4, C6).
///
/// The rule has one purpose: no caller is told that its request was not applied unless that is
/// certain. An error says something about one attempt only; if an earlier attempt ended without an
/// answer the request may have been applied by that one.

#include <understudy/core/errors.hpp>
#include <understudy/forwarding/call.hpp>

#include <cstdint>
#include <variant>

namespace understudy {

/// What an answer says about the attempt that it answers.
enum class attempt_meaning : std::uint8_t {
  final_word,   ///< the log, the machine or the call's own terms have decided it
  refused,      ///< the request was refused before it was proposed, and would be again
  crowded,      ///< refused for lack of room, for now
  elsewhere,    ///< not done here, for reasons of this node: another can do it
  unknown,      ///< it may have been done
  session_gone, ///< the session is not open: not applied by this attempt
};

/// The table.
[[nodiscard]] constexpr attempt_meaning meaning_of(errc code) {
  switch (code) {
  case errc::overloaded:
  case errc::storage_full:
    return attempt_meaning::crowded;
  case errc::too_large:
  case errc::rejected:
  case errc::undecodable:
  case errc::version_not_in_use:
    return attempt_meaning::refused;
  case errc::removed:
  case errc::no_leader:
  case errc::not_leader:
  case errc::stopped:
  case errc::machine_stopped:
  case errc::busy:
  case errc::timed_out:
  case errc::version_unsupported:
  case errc::node_broken:
    return attempt_meaning::elsewhere;
  case errc::outcome_unknown:
    return attempt_meaning::unknown;
  case errc::session_unknown:
    return attempt_meaning::session_gone;
  case errc::none:
  case errc::invalid_option:
  case errc::cluster_exists:
  case errc::another_founder:
  case errc::cluster_mismatch:
  case errc::duplicate_id:
  case errc::no_seed_answers:
  case errc::not_admitted:
  case errc::too_many_sessions:
  case errc::sequence_reused:
  case errc::already_answered:
  case errc::not_applied:
  case errc::reply_too_large:
  case errc::stale:
  case errc::settings_differ:
  case errc::storage_missing:
  case errc::storage_in_use:
  case errc::storage_foreign:
  case errc::storage_damaged:
  case errc::storage_failed:
  case errc::format_unsupported:
  case errc::quorum_intact:
  case errc::not_trusted:
    return attempt_meaning::final_word;
  }
  return attempt_meaning::final_word;
}

/// What to do with a call after an attempt.
enum class next_step : std::uint8_t {
  answer,  ///< hand the result to the caller
  again,   ///< another attempt, soon
  later,   ///< another attempt, when there may be room
  renew,   ///< certainly not applied: a fresh number, in a fresh session if this one is gone
  settle,  ///< find out through the log what became of it
  give_up, ///< it can not be known here
};

/// What the failure `code` of its latest attempt means for `c`.
[[nodiscard]] inline next_step step_after(const call& c, errc code) {
  switch (meaning_of(code)) {
  case attempt_meaning::final_word:
    if (c.settling && code == errc::not_applied)
      return next_step::renew;
    return c.settling && code == errc::already_answered ? next_step::give_up : next_step::answer;
  case attempt_meaning::refused:
    if (!c.doubtful)
      return next_step::answer;
    return c.own && !c.settling ? next_step::settle : next_step::give_up;
  case attempt_meaning::crowded:
    return c.doubtful || c.internal ? next_step::later : next_step::answer;
  case attempt_meaning::elsewhere:
  case attempt_meaning::unknown:
    return next_step::again;
  case attempt_meaning::session_gone:
    if (c.settling)
      return next_step::give_up;
    if (!std::holds_alternative<command>(c.body))
      return next_step::answer;
    if (!c.doubtful)
      return c.own ? next_step::renew : next_step::answer;
    return c.own ? next_step::settle : next_step::give_up;
  }
  return next_step::give_up;
}

} // namespace understudy
