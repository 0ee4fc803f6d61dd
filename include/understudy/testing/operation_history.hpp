// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What clients asked, what they were told and when: what a linearizability checker judges.
///
/// Every operation is a span between two events, its call and its return. One operation comes
/// before another if it returned before the other was called; all others overlap, and may have
/// taken effect in either order.
///
/// How it ended decides what it says. One that succeeded took effect once, between its two events,
/// and its reply must be explained. One that failed had no effect at all. One whose outcome is
/// unknown took effect at any time after its call, or never: it stays open to the end.

#include <understudy/core/assert.hpp>
#include <understudy/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing {

/// How an operation ended, as far as its caller knows.
enum class operation_end : std::uint8_t {
  unknown,   ///< it may have taken effect, or will, or not (Jepsen's `:info`, `outcome_unknown`)
  succeeded, ///< it took effect (`:ok`)
  failed,    ///< it had no effect (`:fail`, or any error that is certain)
};

/// The return of an operation that never returned.
inline constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

/// One operation of a client, on a model with these calls and replies.
template <class Call, class Reply> struct operation {
  std::uint64_t process = 0; ///< who asked; for people, the checker does not look at it
  std::string key = {};      ///< which object it was for; objects do not know of each other
  Call call = {};
  /// What a successful operation was told; nothing if that is not known, which any state explains.
  std::optional<Reply> reply = std::nullopt;
  operation_end ended = operation_end::unknown;
  std::uint64_t called = 0;       ///< the place of the call in the order of events
  std::uint64_t returned = never; ///< the place of the return; `never` if the outcome is unknown
  instant called_at = {};
  instant returned_at = {};
};

/// The operations of a run, in any order. Events at the same place count as concurrent.
template <class Call, class Reply> using operation_history = std::vector<operation<Call, Reply>>;

/// The history of a model.
template <class Model>
using history_of = operation_history<typename Model::call, typename Model::reply>;

/// Writes down a run while it happens.
///
/// The order of the calls of `invoke` and of the functions that end an operation is the order of
/// events; instants are kept for people. A client that asks from several threads must see to it
/// that an operation is invoked here before it is sent, and ended here after its answer came.
///
/// \code
/// operation_recorder<cas_register> recorder;
/// const auto id = recorder.invoke(client, cas_register::write("4"), now);
/// ...                                              // the answer comes
/// recorder.complete(id, {}, now);                  // or fail(id, now), or nothing
/// const auto judged = check_linearizable(cas_register{}, recorder.history());
/// \endcode
template <class Model> class operation_recorder {
public:
  using call = typename Model::call;
  using reply = typename Model::reply;
  using ticket = std::size_t; ///< the place of the operation in the history

  /// A client asks. Until it is ended, the outcome of the operation is unknown.
  ticket invoke(std::uint64_t process, call what, instant now = {}, std::string key = {}) {
    operation<call, reply> asked;
    asked.process = process;
    asked.key = std::move(key);
    asked.call = std::move(what);
    asked.called = next_++;
    asked.called_at = now;
    history_.push_back(std::move(asked));
    return history_.size() - 1;
  }

  /// It took effect, and this is the answer.
  void complete(ticket id, reply answer, instant now = {}) {
    end(id, operation_end::succeeded, now).reply = std::move(answer);
  }

  /// It took effect, and what it was answered is not known.
  void complete_unseen(ticket id, instant now = {}) { end(id, operation_end::succeeded, now); }

  /// It certainly had no effect, and never will.
  void fail(ticket id, instant now = {}) { end(id, operation_end::failed, now); }

  [[nodiscard]] const operation_history<call, reply>& history() const { return history_; }

private:
  operation<call, reply>& end(ticket id, operation_end how, instant now) {
    auto& ended = history_.at(id);
    UNDERSTUDY_ASSERT(ended.ended == operation_end::unknown, "an operation ends once");
    ended.ended = how;
    ended.returned = next_++;
    ended.returned_at = now;
    return ended;
  }

  std::uint64_t next_ = 0;
  operation_history<call, reply> history_;
};

} // namespace understudy::testing
