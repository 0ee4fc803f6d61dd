// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Where an application meets a node or a client: its own commands and queries as messages.

#include <understudy/actors/caf_errors.hpp>
#include <understudy/actors/calls.hpp>
#include <understudy/actors/interface.hpp>
#include <understudy/actors/pending_calls.hpp>
#include <understudy/actors/shell.hpp>
#include <understudy/machine.hpp>

#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

namespace detail {

template <class... Cs>
auto command_signatures(commands<Cs...>) -> type_list<handles<typename Cs::reply, Cs>...>;
template <class... Qs>
auto query_signatures(queries<Qs...>) -> type_list<handles<typename Qs::reply, Qs>...>;
template <class... Qs>
auto fresh_query_signatures(queries<Qs...>)
    -> type_list<handles<typename Qs::reply, Qs, read_options>...>;

template <class M>
using machine_signatures
    = join_lists<decltype(command_signatures(typename M::commands{})),
                 decltype(query_signatures(typename queries_of<M>::type{})),
                 decltype(fresh_query_signatures(typename queries_of<M>::type{})),
                 type_list<handles<void, subscribe>>>;

/// The bytes of what an application handed over, whose own `serialize` may throw.
template <class Encode> [[nodiscard]] expected<bytes> encode_safely(Encode encode) {
  try {
    return encode();
  } catch (const std::exception& e) {
    return fail(errc::rejected, std::string{"can not be encoded: "} + e.what());
  } catch (...) {
    return fail(errc::rejected, "can not be encoded");
  }
}

/// A command as a request, if the machine's own `check` has nothing against it.
template <class M, class C> [[nodiscard]] expected<request_body> command_request(const C& what) {
  return encode_safely([&] { return encode_command<M>(what); })
      .and_then([](bytes body) -> expected<request_body> {
        if (auto good = check_command<M>(body); !good)
          return tl::unexpected<failure>{std::move(good.error())};
        return request_body{
            command{.session = {}, .number = {}, .answered_below = {}, .body = std::move(body)}};
      });
}

template <class M, class Q>
[[nodiscard]] expected<request_body> query_request(const Q& what, const read_options& how) {
  return encode_safely([&] { return encode_query<M>(what); }).map([&](bytes body) {
    return request_body{query{.body = std::move(body),
                              .consistency = how.consistency,
                              .at_least = how.at_least,
                              .age_max = how.age_max}};
  });
}

} // namespace detail

/// The actor of a node or of a client, as an application sees it.
///
/// It takes each command and query of `M` as a request, and answers with its reply or with an
/// error of `errc`. A query may come with `read_options`. `subscribe` asks for the node's events.
template <class M>
using machine_actor = decltype(detail::as_typed_actor(detail::machine_signatures<M>{}));

/// The shell around `Component`, which takes `local_call` and answers each with `local_answer`: the
/// request forwarder of a node, or the caller's side of a client.
template <state_machine M, component Component>
class front_door final : public basic_shell<front_door<M, Component>, Component> {
  using super = basic_shell<front_door<M, Component>, Component>;
  friend super;

public:
  using super::super;

  [[nodiscard]] const char* name() const override { return "understudy.front_door"; }

private:
  template <class... Cs> caf::message_handler command_handlers(commands<Cs...>) {
    return chain([this](const Cs& what) -> caf::result<typename Cs::reply> {
      return request<Cs>(detail::command_request<M>(what), true);
    }...);
  }

  template <class... Qs> caf::message_handler query_handlers(queries<Qs...>) {
    return chain([this](const Qs& what) -> caf::result<typename Qs::reply> {
      return request<Qs>(detail::query_request<M>(what, {}), false);
    }...);
  }

  template <class... Qs> caf::message_handler fresh_query_handlers(queries<Qs...>) {
    return chain(
        [this](const Qs& what, const read_options& how) -> caf::result<typename Qs::reply> {
          return request<Qs>(detail::query_request<M>(what, how), false);
        }...);
  }

  caf::message_handler extra_handlers() {
    const typename detail::queries_of<M>::type queries;
    return chain([this](call_from_outside& call) { take_call(call); })
        .or_else(command_handlers(typename M::commands{}))
        .or_else(query_handlers(queries))
        .or_else(fresh_query_handlers(queries))
        .or_else(chain([this](subscribe& who) {
          post(origin_of(*this), this->supervisor(), std::move(who));
        }));
  }

  template <class Asked>
  caf::response_promise request(expected<request_body> body, bool changes_data) {
    auto promise = this->make_response_promise();
    if (!body)
      promise.deliver(as_caf_error(body.error()));
    else if (closed_)
      promise.deliver(as_caf_error({errc::stopped, "the node is stopped"}));
    else
      this->tell(local_call{.id = waiting_.add<Asked>(promise, changes_data),
                            .body = std::move(*body),
                            .deadline = {}});
    return promise;
  }

  void take_call(call_from_outside& call) {
    if (closed_)
      return call.slot.reset();
    call.slot->in_flight();
    this->tell(local_call{.id = waiting_.add(std::move(call.slot)),
                          .body = std::move(call.body),
                          .deadline = call.deadline});
  }

  template <class Letter> void screen(member_id, Letter&) {}

  /// A command that can not be read would stop every machine once it is in the log. It can come
  /// from a node or a client of another version.
  void screen(member_id from, requests& what) {
    answers refused;
    std::erase_if(what.batch, [&](const understudy::request& r) {
      const auto* written = std::get_if<command>(&r.body);
      auto good = written ? check_command<M>(written->body) : expected<void>{};
      if (!good)
        refused.batch.push_back({r.id, tl::unexpected<failure>{std::move(good.error())}});
      return !good;
    });
    if (!refused.batch.empty())
      this->send(from, std::move(refused));
  }

  bool take(sibling_message& notice) {
    auto* answer = std::get_if<local_answer>(&notice);
    if (answer)
      waiting_.answer(answer->id, std::move(answer->result));
    return answer != nullptr;
  }

  /// The component knows best which calls have had no effect for certain.
  void closing() {
    closed_ = true;
    this->template use<Component>(
        [](Component& component, instant now, outbox& out) { component.stop(now, out); });
    waiting_.abandon_all();
  }

  void ending() {
    closed_ = true;
    waiting_.abandon_all();
  }

  pending_calls waiting_;
  bool closed_ = false;
};

} // namespace understudy
