// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Which component gets which message.
///
/// A component lists what it handles in its `peer_messages` and `notices`; the lists are the whole
/// routing table. Every driver reads it here, at compile time, so that the actor shell and the
/// simulator can not deliver differently, and a type that a component lists but has no `on` for
/// does not compile.

#include <understudy/core/outbox.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <variant>

namespace understudy {

namespace detail {

template <class T, class List> struct is_listed : std::false_type {};

template <class T, class... Ts>
struct is_listed<T, type_list<Ts...>> : std::bool_constant<(std::is_same_v<T, Ts> || ...)> {};

} // namespace detail

/// Whether `T` stands in the type_list `List`.
template <class T, class List> inline constexpr bool is_listed = detail::is_listed<T, List>::value;

/// Whether component `C` takes the notice `N` from its siblings or its driver.
template <class C, class N>
inline constexpr bool handles_notice = is_listed<N, typename C::notices>;

/// Whether component `C` takes the message `M` from other nodes.
template <class C, class M>
inline constexpr bool handles_peer = is_listed<M, typename C::peer_messages>;

/// How many of the components `Cs` take the notice `N`.
template <class N, class... Cs>
inline constexpr std::size_t notice_receivers = (std::size_t{0} + ... + handles_notice<Cs, N>);

namespace detail {

template <class... Cs, class... Ns> constexpr auto notice_table(const std::variant<Ns...>*) {
  static_assert(sizeof...(Cs) <= 32, "a bit for each component");
  const auto row = []<class N>(type_list<N>) {
    std::uint32_t mask = 0;
    std::uint32_t bit = 1;
    ((mask |= handles_notice<Cs, N> ? bit : 0U, bit <<= 1), ...);
    return mask;
  };
  return std::array<std::uint32_t, sizeof...(Ns)>{row(type_list<Ns>{})...};
}

template <class... Cs, class... Ms> constexpr auto peer_table(const std::variant<Ms...>*) {
  static_assert(sizeof...(Cs) <= 32, "a bit for each component");
  const auto row = []<class M>(type_list<M>) {
    std::uint32_t mask = 0;
    std::uint32_t bit = 1;
    ((mask |= handles_peer<Cs, M> ? bit : 0U, bit <<= 1), ...);
    return mask;
  };
  return std::array<std::uint32_t, sizeof...(Ms)>{row(type_list<Ms>{})...};
}

} // namespace detail

/// For a node of the components `Cs`: at `sibling_message::index()` a mask of those that take that
/// notice; bit k is the k-th component. A row of zeros is for the driver (`node_event`, say).
template <class... Cs>
inline constexpr auto notice_routes
    = detail::notice_table<Cs...>(static_cast<const sibling_message*>(nullptr));

/// The same for `peer_message::index()`. A row of zeros is not understood by this node.
template <class... Cs>
inline constexpr auto peer_routes
    = detail::peer_table<Cs...>(static_cast<const peer_message*>(nullptr));

namespace detail {

// Only what is listed is looked for: a visit of all alternatives would be built for each component.

template <class C, class... Ms>
bool deliver_listed(type_list<Ms...>, C& c, member_id from, peer_message& what, instant now,
                    outbox& out) {
  [[maybe_unused]] const auto attempt = [&]<class M>(type_list<M>) {
    auto* m = std::get_if<M>(&what);
    if (m)
      c.on(from, *m, now, out);
    return m != nullptr;
  };
  return (attempt(type_list<Ms>{}) || ...);
}

template <class C, class... Ns>
bool deliver_listed(type_list<Ns...>, C& c, sibling_message& what, instant now, outbox& out) {
  [[maybe_unused]] const auto attempt = [&]<class N>(type_list<N>) {
    auto* n = std::get_if<N>(&what);
    if (n)
      c.on(*n, now, out);
    return n != nullptr;
  };
  return (attempt(type_list<Ns>{}) || ...);
}

} // namespace detail

/// Hands a message from another node to `c` if it takes that kind. Returns whether it did.
///
/// `what` may have been moved from afterwards: who delivers to several hands each its own copy.
template <class C>
bool deliver(C& c, member_id from, peer_message& what, instant now, outbox& out) {
  return detail::deliver_listed(typename C::peer_messages{}, c, from, what, now, out);
}

/// Hands a notice to `c` if it takes that kind. Returns whether it did. See above about moving.
template <class C> bool deliver(C& c, sibling_message& what, instant now, outbox& out) {
  return detail::deliver_listed(typename C::notices{}, c, what, now, out);
}

} // namespace understudy
