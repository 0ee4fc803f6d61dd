// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The node behind the HTTP API.
///
/// Writes that name themselves do not go by `submit`, which names them itself: they are handed to
/// the node's front under the name that their caller chose, so that they are the same writes
/// whichever node they are sent to.

#include <understudy/node.hpp>

#include "key_value_messages.hpp"
#include "service.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace node_program {

namespace detail {

/// What `open_session` and `close_session` are answered with.
struct session_opened {
  using reply = understudy::session_id;
};
struct session_closed {
  struct reply {};
};

} // namespace detail

class node_service final : public service {
public:
  using node = understudy::node<key_value>;

  explicit node_service(node of) : node_{std::move(of)} {}

  answer_of<key_value::written> submit(const table_write& what,
                                       const std::optional<write_name>& name,
                                       understudy::interval limit) override {
    return std::visit([&](const auto& command) { return submit_one(command, name, limit); }, what);
  }

  answer_of<key_value::lookup> get(const key_value::get& what, const understudy::read_options& how,
                                   understudy::interval limit) override {
    return node_.query_with_receipt(what, how, limit).get();
  }

  answer_of<key_value::totals> size(const understudy::read_options& how,
                                    understudy::interval limit) override {
    return node_.query_with_receipt(key_value::size{}, how, limit).get();
  }

  answer_of<understudy::session_id> open_session(understudy::interval limit) override {
    return ask<detail::session_opened>(understudy::open_session{}, limit);
  }

  understudy::expected<void> close_session(understudy::session_id which,
                                           understudy::interval limit) override {
    return ask<detail::session_closed>(understudy::close_session{which}, limit)
        .map([](const auto&) {});
  }

  understudy::node_status status() const override { return node_.status(); }

private:
  template <class C>
  answer_of<key_value::written> submit_one(const C& what, const std::optional<write_name>& name,
                                           understudy::interval limit) {
    if constexpr (!understudy::command_of<C, key_value>)
      return understudy::fail(understudy::errc::version_not_in_use,
                              "this build does not know the command");
    else
      return name ? submit_as(what, *name, limit) : node_.submit_with_receipt(what, limit).get();
  }

  template <class C>
  answer_of<key_value::written> submit_as(const C& what, const write_name& name,
                                          understudy::interval limit) {
    auto body = understudy::encode_command<key_value>(what);
    if (auto good = understudy::check_command<key_value>(body); !good)
      return tl::unexpected{std::move(good.error())};
    return ask<C>(understudy::command{.session = name.session,
                                      .number = name.number,
                                      .answered_below = name.answered_below,
                                      .body = std::move(body)},
                  limit);
  }

  /// Hands a request to the node's front as it is, and waits for the reply to `Asked`.
  template <class Asked>
  answer_of<typename Asked::reply> ask(understudy::request_body what, understudy::interval limit) {
    using result = understudy::answered<typename Asked::reply>;
    const auto& body = node_.body();
    if (body.stage->closed)
      return understudy::fail(understudy::errc::stopped, "the node is stopped");
    auto slot = std::make_shared<understudy::promised_reply<Asked, result>>(true);
    auto future = slot->future();
    const auto until = body.system.clock().now() + limit;
    understudy::post_from_outside(
        body.doors.front, understudy::call_from_outside{std::move(what), until, std::move(slot)});
    return future.get();
  }

  node node_;
};

} // namespace node_program
