// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a node and a client have in common for an application: one can ask them.

#include <understudy/actors/calls.hpp>
#include <understudy/actors/cast.hpp>
#include <understudy/actors/front_door.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/machine.hpp>

#include <future>
#include <memory>
#include <utility>

namespace understudy {

/// Commands and queries of `M`, as futures and as messages. Copies are handles of the same thing;
/// when the last one goes, it stops.
///
/// Every call is safe from any thread, and none blocks. A future is always set: at the deadline
/// (none given: the one of the options) at the latest, and when the node or client stops.
template <state_machine M> class caller {
public:
  explicit caller(std::shared_ptr<const node_body> body) : body_{std::move(body)} {}

  [[nodiscard]] member_id id() const { return body_->stage->self; }

  /// The same as an actor: takes the commands and queries of `M` as requests, and `subscribe`.
  [[nodiscard]] machine_actor<M> actor() const {
    return caf::actor_cast<machine_actor<M>>(body_->doors.front);
  }

  /// Replicates `what` and gives the machine's reply. It is applied once, or certainly not at all;
  /// which of the two is unknown after `outcome_unknown` alone.
  template <command_of<M> C>
  [[nodiscard]] std::future<expected<typename C::reply>> submit(const C& what,
                                                                interval deadline = {}) const {
    return call<C, typename C::reply>(detail::command_request<M>(what), true, deadline);
  }

  /// The same, and the reply comes with the commit token and the number of copies.
  template <command_of<M> C>
  [[nodiscard]] std::future<expected<answered<typename C::reply>>>
  submit_with_receipt(const C& what, interval deadline = {}) const {
    return call<C, answered<typename C::reply>>(detail::command_request<M>(what), true, deadline);
  }

  /// Asks the machine, as fresh as `how` says: linearizable unless told otherwise.
  template <query_of<M> Q>
  [[nodiscard]] std::future<expected<typename Q::reply>>
  query(const Q& what, const read_options& how = {}, interval deadline = {}) const {
    return call<Q, typename Q::reply>(detail::query_request<M>(what, how), false, deadline);
  }

  /// The same, and the reply comes with the index that it reflects and the age of the data.
  template <query_of<M> Q>
  [[nodiscard]] std::future<expected<answered<typename Q::reply>>>
  query_with_receipt(const Q& what, const read_options& how = {}, interval deadline = {}) const {
    return call<Q, answered<typename Q::reply>>(detail::query_request<M>(what, how), false,
                                                deadline);
  }

  /// Begins to stop: whoever waits for an answer gets one, and from now on every call is answered
  /// with `stopped`. The future is set when the last actor behind this has ended; it need not be
  /// waited for.
  std::shared_future<void> stop() const {
    body_->stop(false);
    return body_->over;
  }

  /// For those who know what it is made of.
  [[nodiscard]] const node_body& body() const { return *body_; }

private:
  template <class Asked, class Result>
  [[nodiscard]] std::future<expected<Result>> call(expected<request_body> what, bool changes_data,
                                                   interval deadline) const {
    if (!what)
      return answered_at_once<Result>(std::move(what.error()));
    if (body_->stage->closed)
      return answered_at_once<Result>({errc::stopped, "it is stopped"});
    auto slot = std::make_shared<promised_reply<Asked, Result>>(changes_data);
    auto result = slot->future();
    const auto until = deadline > interval{0} ? body_->system.clock().now() + deadline : instant{};
    post_from_outside(body_->doors.front,
                      call_from_outside{std::move(*what), until, std::move(slot)});
    return result;
  }

  std::shared_ptr<const node_body> body_;
};

} // namespace understudy
