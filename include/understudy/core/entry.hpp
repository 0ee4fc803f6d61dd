// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What stands in the log.

#include <understudy/core/bytes.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/time.hpp>

#include <cstddef>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

/// The end of a log, or a place in it.
///
/// Ordered as votes compare logs: by term first, then by index (§5.4.1). Comparing both at once, as
/// a vector, lets an old long log win (E3).
struct log_position {
  log_index index = {};
  term_number term = {};

  friend constexpr bool operator==(log_position, log_position) = default;
  friend constexpr std::strong_ordering operator<=>(log_position a, log_position b) {
    const auto by_term = a.term <=> b.term;
    return by_term == 0 ? a.index <=> b.index : by_term;
  }

  template <class Archive> void serialize(Archive& archive) { archive(index, term); }
};

/// What a new leader writes first, to commit what earlier terms left behind (§5.4.2, §8).
struct no_op {
  friend bool operator==(no_op, no_op) = default;
};

/// A business request: applied exactly once, named by session and number.
struct command {
  session_id session = {};
  request_number number = {};
  request_number answered_below = {}; ///< replies below this were received: they may be forgotten
  bytes body = {};

  friend bool operator==(const command&, const command&) = default;
};

/// Opens a session; the entry's index becomes its id.
struct open_session {
  friend bool operator==(open_session, open_session) = default;
};

/// Closes a session; its table can be read for a while still.
struct close_session {
  session_id session = {};
  friend bool operator==(close_session, close_session) = default;
};

/// Asks what became of a request, and makes sure that it is not applied later: the stored reply, or
/// the number is used up and the answer is `not_applied`.
struct settle {
  session_id session = {};
  request_number number = {};
  friend bool operator==(settle, settle) = default;
};

/// Closes every portable session that has been idle for too long by log time.
struct expire_sessions {
  friend bool operator==(expire_sessions, expire_sessions) = default;
};

/// All that an entry can carry. The order is part of the wire format: append only.
using payload = std::variant<no_op, command, configuration_ptr, open_session, close_session, settle,
                             expire_sessions>;

/// One entry. Cheap to copy: log, messages and machine share the payload.
struct entry {
  log_index index = {};
  term_number term = {};
  log_time stamp = {}; ///< when its leader took it; never less than the entry before
  std::shared_ptr<const payload> what = nullptr;

  [[nodiscard]] log_position position() const { return {index, term}; }

  /// The payload as a `T`, or null.
  template <class T> [[nodiscard]] const T* as() const {
    return what ? std::get_if<T>(what.get()) : nullptr;
  }

  /// What the entry counts towards limits in bytes: its data and a flat share for the rest.
  [[nodiscard]] std::size_t weight_bytes() const {
    constexpr std::size_t overhead = 64;
    if (const auto* c = as<command>())
      return overhead + c->body.size();
    if (const auto* c = as<configuration_ptr>())
      return overhead + (*c)->members.size() * 96 + (*c)->departed.size() * 16;
    return overhead;
  }
};

/// Makes a payload that entries can share.
template <class T> [[nodiscard]] std::shared_ptr<const payload> share(T what) {
  return std::make_shared<const payload>(std::move(what));
}

/// Whether two entries say the same, wherever their payloads are.
[[nodiscard]] inline bool same_content(const entry& a, const entry& b) {
  if (a.index != b.index || a.term != b.term || a.stamp != b.stamp || !a.what || !b.what)
    return false;
  const auto* left = a.as<configuration_ptr>();
  const auto* right = b.as<configuration_ptr>();
  return left && right ? **left == **right : *a.what == *b.what;
}

} // namespace understudy
