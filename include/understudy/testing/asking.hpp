// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/assert.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/machine.hpp>
#include <understudy/testing/call_book.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace understudy::testing {

/// The calls of a run, typed by its machine; `Run` has a `tell(member_id, sibling_message)`.
template <class Run, state_machine M> class asking {
public:
  /// What becomes of a call: its answer, or `outcome_unknown` where the node that took it crashed.
  using then = call_book::then;

  /// Asks a node or a client for something.
  ticket call(member_id at, request_body what, then next = {}) {
    const auto id = calls_.open(at, std::move(next));
    static_cast<Run*>(this)->tell(at, local_call{.id = id, .body = std::move(what)});
    return id;
  }

  template <command_of<M> C> ticket submit(member_id at, const C& what, then next = {}) {
    return call(at, command{.body = encode_command<M>(what)}, std::move(next));
  }

  template <query_of<M> Q>
  ticket ask(member_id at, const Q& what, consistency how = consistency::linearizable,
             then next = {}) {
    return call(at, query{.body = encode_query<M>(what), .consistency = how}, std::move(next));
  }

  /// What became of a call; nothing: not answered yet.
  [[nodiscard]] std::optional<expected<reply>> answer(ticket id) const {
    const auto* known = calls_.answer(id);
    return known ? std::optional{*known} : std::nullopt;
  }

  /// The reply to `C`, which must have been answered.
  template <asked_and_answered C>
  [[nodiscard]] expected<typename C::reply> result(ticket id) const {
    const auto* known = calls_.answer(id);
    UNDERSTUDY_ASSERT(known, "the call has been answered");
    if (!*known)
      return tl::unexpected{known->error()};
    return decode_reply<C>((*known)->body);
  }

  [[nodiscard]] std::size_t open_calls() const { return calls_.open_count(); }

protected:
  call_book calls_;
};

} // namespace understudy::testing
