// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/assert.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

namespace understudy {

/// Where an open call is.
enum class call_stage : std::uint8_t {
  held = 0,     ///< here, to be sent as soon as there is somebody to send it to
  paused = 1,   ///< here, until `due`
  sent = 2,     ///< at another node: `at`
  proposed = 3, ///< with this node's raft core, to be replicated or already in the log
  reading = 4,  ///< waits for this leader's proof that it leads
  asking = 5,   ///< a query, with this node's replica
};

/// A request that somebody waits for.
struct call {
  member_id origin = {}; ///< the peer that asked; none: this process
  ticket caller = {};    ///< how the origin names it
  request_body body = {};
  instant deadline = {};
  instant due = {};             ///< when to look at it again: the deadline, or sooner
  member_id at = {};            ///< to whom it was sent last
  std::size_t weight_bytes = 0; ///< what it counts towards the limit
  std::uint32_t attempts = 0;   ///< in a row at the same node
  call_stage stage = call_stage::held;
  bool last_hop = false; ///< another node passed it on: it is not passed on again (C5)
  bool own = false;      ///< a command whose session and number are kept here
  bool internal = false; ///< asked for by this component itself: nobody is answered
  bool doubtful = false; ///< an earlier attempt ended without an answer: it may have been applied
  bool settling = false; ///< what is sent is not the command but the question what became of it
  bool offline = false;  ///< taken while nobody was known to lead, to be kept until somebody does
  bool reconciling = false; ///< one of those that a node settles when it takes its seat (S6)
};

/// A call that is closed, and not yet told to who made it.
struct ended_call {
  member_id origin = {}; ///< none: this process
  ticket caller = {};
  expected<reply> result = {};
  interval retry_after{0};
  bool reconciling = false; ///< as the call was when it ended
  bool settling = false;    ///< likewise: the result is of an earlier attempt
};

/// Whether a request goes into the log.
[[nodiscard]] inline bool is_write(const request_body& body) {
  return !std::holds_alternative<query>(body);
}

/// Whether a call may have been applied, or may still be.
[[nodiscard]] inline bool in_doubt(const call& c) {
  const bool out = c.stage == call_stage::sent || c.stage == call_stage::proposed;
  return is_write(c.body) && (c.doubtful || out);
}

/// What a request counts towards limits in bytes: its data and a flat share for the rest.
[[nodiscard]] inline std::size_t weight_of(const request_body& body) {
  constexpr std::size_t overhead = 64;
  if (const auto* c = std::get_if<command>(&body))
    return overhead + c->body.size();
  if (const auto* q = std::get_if<query>(&body))
    return overhead + q->body.size();
  return overhead;
}

/// A request as the log carries it; a query has no such form.
[[nodiscard]] inline std::shared_ptr<const payload> payload_of(request_body body) {
  return std::visit(
      []<class T>(T& what) -> std::shared_ptr<const payload> {
        if constexpr (std::is_same_v<T, query>) {
          UNDERSTUDY_ASSERT(false, "a query does not go into the log");
          return nullptr;
        } else {
          return share(std::move(what));
        }
      },
      body);
}

} // namespace understudy
