// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Which messages the actor around a component takes: derived from the component's own lists.
///
/// An actor of an application's own that has the interface `component_actor<listener_puller>` can
/// take our puller's place in a node. It needs no base class and no header but this one.

#include <understudy/actors/message_types.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/routing.hpp>

#include <cstddef>
#include <cstdint>

namespace understudy {

namespace detail {

template <class All, class... Lists> struct joined {
  using type = All;
};
template <class... Ts, class... Us, class... Lists>
struct joined<type_list<Ts...>, type_list<Us...>, Lists...>
    : joined<type_list<Ts..., Us...>, Lists...> {};

template <class... Ms>
auto as_peer_signatures(type_list<Ms...>) -> type_list<handles<void, member_id, Ms>...>;
template <class... Ns>
auto as_notice_signatures(type_list<Ns...>) -> type_list<handles<void, Ns>...>;
template <class... Signatures>
auto as_typed_actor(type_list<Signatures...>) -> caf::typed_actor<Signatures...>;

} // namespace detail

/// The elements of several type_lists, one list after the other.
template <class... Lists> using join_lists = typename detail::joined<type_list<>, Lists...>::type;

/// The lines of a component's interface: `(member_id from, M)` for each peer message, `(N)` for
/// each notice.
template <class Component>
using component_signatures
    = join_lists<decltype(detail::as_peer_signatures(typename Component::peer_messages{})),
                 decltype(detail::as_notice_signatures(typename Component::notices{}))>;

/// The handle of an actor with this component.
template <class Component>
using component_actor = decltype(detail::as_typed_actor(component_signatures<Component>{}));

/// Which of a node's actors takes letters of a kind, and which sends them. Clients have a front
/// only.
enum class desk : std::uint8_t { core = 0, puller = 1, monitor = 2, front = 3 };
inline constexpr std::size_t desk_count = 4;

/// The desk that a peer message is for.
template <class M> [[nodiscard]] constexpr desk receiving_desk() {
  if constexpr (is_listed<M, type_list<pull_reply>>)
    return desk::puller;
  else if constexpr (is_listed<M,
                               type_list<census_request, census_reply, enter_request, enter_reply,
                                         seat_request, presence, order_request, order_reply>>)
    return desk::monitor;
  else if constexpr (is_listed<M, type_list<requests, answers, members_request, members_reply>>)
    return desk::front;
  else
    return desk::core;
}

/// The desk that a peer message comes from: where an answer goes.
template <class M> [[nodiscard]] constexpr desk sending_desk() {
  if constexpr (is_listed<M, type_list<pull_request>>)
    return desk::puller;
  else if constexpr (is_listed<M, type_list<pull_reply>>)
    return desk::core;
  else
    return receiving_desk<M>();
}

} // namespace understudy
