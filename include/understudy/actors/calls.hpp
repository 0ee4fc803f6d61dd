// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Calls into a node from outside of any actor, and where their answers go.
///
/// A call is answered exactly once, whatever happens to the node: a slot that is let go of without
/// an answer answers by itself. So no future is ever left broken or waiting.

#include <understudy/core/errors.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/time.hpp>
#include <understudy/machine.hpp>

#include <cstdint>
#include <future>
#include <memory>
#include <utility>

namespace understudy {

/// How fresh a query's answer has to be.
struct read_options {
  enum consistency consistency = consistency::linearizable;
  log_index at_least
      = {};            ///< for `consistency::session`: the newest `receipt::index` of the caller
  interval age_max{0}; ///< for `consistency::local`: refuse older data; 0: any age will do
};

/// What an answer says beside its value.
struct receipt {
  log_index index = {};     ///< of the entry applied, or what the query saw: the commit token
  std::uint32_t copies = 0; ///< on how many nodes a write was when it was acknowledged
  interval age{0};          ///< of a local query's data
};

/// A reply and its receipt.
template <class Reply> struct answered {
  Reply value = {};
  understudy::receipt receipt = {};
};

/// Where the answer to one call goes.
class call_slot {
public:
  explicit call_slot(bool changes_data) : changes_data_{changes_data} {}
  call_slot(const call_slot&) = delete;
  call_slot& operator=(const call_slot&) = delete;
  virtual ~call_slot() = default;

  /// From here on the request may have an effect, even if its answer is lost.
  void in_flight() { in_flight_ = true; }

  void answer(expected<reply> result) {
    if (!std::exchange(done_, true))
      deliver(std::move(result));
  }

protected:
  /// The last word of a call that nobody has answered; every derived class's destructor says it.
  void abandon() {
    if (in_flight_ && changes_data_)
      answer(fail(errc::outcome_unknown, "the node stopped with the request in flight"));
    else
      answer(fail(errc::stopped, "the node is stopped"));
  }

private:
  virtual void deliver(expected<reply> result) = 0;

  bool changes_data_;
  bool in_flight_ = false;
  bool done_ = false;
};

/// A slot with a future at its other end, for the reply to `Asked`: plain, or with its receipt.
template <class Asked, class Result> class promised_reply final : public call_slot {
public:
  explicit promised_reply(bool changes_data) : call_slot{changes_data} {}
  ~promised_reply() override { abandon(); }

  [[nodiscard]] std::future<expected<Result>> future() { return promise_.get_future(); }

private:
  void deliver(expected<reply> result) override {
    if (!result)
      return promise_.set_value(tl::unexpected<failure>{std::move(result.error())});
    auto value = decode_reply<Asked>(result->body);
    if (!value)
      return promise_.set_value(tl::unexpected<failure>{std::move(value.error())});
    if constexpr (std::is_same_v<Result, typename Asked::reply>)
      promise_.set_value(std::move(*value));
    else
      promise_.set_value(
          Result{std::move(*value), receipt{result->index, result->copies, result->age}});
  }

  std::promise<expected<Result>> promise_;
};

/// A call on its way to a front.
struct call_from_outside {
  request_body body = {};
  instant deadline = {};
  std::shared_ptr<call_slot> slot = nullptr;
};

/// A future that has its result already.
template <class Result> [[nodiscard]] std::future<expected<Result>> answered_at_once(failure why) {
  std::promise<expected<Result>> promise;
  promise.set_value(tl::unexpected<failure>{std::move(why)});
  return promise.get_future();
}

} // namespace understudy
