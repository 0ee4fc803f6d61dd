// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a component says what it wants done.
///
/// Components do no I/O: they are handed a message and the time, and write into an outbox. Whoever
/// drives them (an actor, the simulator, a test) carries it out. So one and the same core runs in
/// all three.

#include <understudy/core/messages.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/time.hpp>

#include <concepts>
#include <optional>
#include <utility>
#include <vector>

namespace understudy {

/// A message for another node.
struct letter {
  member_id to = {};
  peer_message what = {};
};

/// What a component wants done, in the order in which it said so.
class outbox {
public:
  /// Sends to another node. May be lost, doubled, delayed or overtaken on the way; even by the end
  /// of the other process, so that another one under its id gets it. That must not be for
  /// `requests`, since the first process may have said that it did nothing (C4): they are for the
  /// process that ran when they were sent, as with any link between processes.
  void send(member_id to, peer_message what) { letters.push_back({to, std::move(what)}); }

  /// Tells whichever component of this node handles that kind of message. Arrives once, in order.
  void tell(sibling_message what) { notices.push_back(std::move(what)); }

  /// Asks to be called at `when` or soon after; the earliest wish counts, and one call answers it.
  void wake(instant when) {
    if (!wake_at || when < *wake_at)
      wake_at = when;
  }

  [[nodiscard]] bool empty() const { return letters.empty() && notices.empty() && !wake_at; }

  void clear() {
    letters.clear();
    notices.clear();
    wake_at.reset();
  }

  std::vector<letter> letters;
  std::vector<sibling_message> notices;
  std::optional<instant> wake_at;
};

/// A list of message types.
template <class... Ts> struct type_list {};

/// What every driver needs of a component.
///
/// - `peer_messages` and `notices` list what it handles: `on(member_id from, M&, instant,
///   outbox&)` for messages from other nodes, `on(N&, instant, outbox&)` for those of its siblings.
///   Messages are handed over as lvalues, to be moved from.
/// - `wake(now, out)` is called at or after the time asked for, and once at the start.
/// - `settle(now, out)` is called after one or more of the above, when nothing else is waiting: the
///   place to send one message for all that has queued up.
template <class C>
concept component = requires(C c, instant now, outbox& out) {
  typename C::peer_messages;
  typename C::notices;
  c.wake(now, out);
  c.settle(now, out);
};

} // namespace understudy
