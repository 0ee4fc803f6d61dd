// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The only header that knows that there is more than one CAF.
///
/// Debian and Ubuntu ship CAF 0.17; upstream is at 1.x. Everything whose spelling differs between
/// them, and that this project needs, has one name here. No message is ever serialized by CAF:
/// within a process they are passed by reference, and links between processes carry bytes of our
/// own format. So every message type is declared unsafe to serialize, on both versions.

#include <understudy/core/time.hpp>

#include <caf/actor_registry.hpp>
#include <caf/all.hpp>

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

/// Whether this is CAF 1.x rather than 0.17. CAF_VERSION does not tell: 1.1.0 says 0100, in octal.
#ifdef CAF_VERSION_MAJOR
#define UNDERSTUDY_CAF_1 (CAF_VERSION_MAJOR >= 1)
#else
#define UNDERSTUDY_CAF_1 0
#endif

// -- declaring message types ----------------------------------------------------------------------

/// Declares types that actors send each other: the commands, queries and replies of a machine.
///
/// \code
/// UNDERSTUDY_MESSAGES(inventory, inventory::restock, inventory::in_stock)
/// \endcode
///
/// Stands once in a program's headers, in the global namespace, after the types and before the
/// first use of them in an actor. `name` is an identifier of its own. Types that CAF knows (int,
/// std::string) are left out. At most 64 types; a second machine has a second line.
///
/// On CAF 1.x this is a type-id block at a place computed from `name`; if two names of a program
/// meet in one place, CAF says so at the start, and one of them has to change.
#if UNDERSTUDY_CAF_1
#define UNDERSTUDY_MESSAGES(name, ...)                                                             \
  UNDERSTUDY_MESSAGES_FROM(name, ::understudy::detail::first_message_id(#name), __VA_ARGS__)
#define UNDERSTUDY_MESSAGES_FROM(name, first_id, ...)                                              \
  CAF_BEGIN_TYPE_ID_BLOCK(name, first_id)                                                          \
  UNDERSTUDY_FOR_EACH(UNDERSTUDY_ADD_MESSAGE, name, __VA_ARGS__)                                   \
  CAF_END_TYPE_ID_BLOCK(name)                                                                      \
  namespace understudy::detail {                                                                   \
  inline const bool name##_messages_known                                                          \
      = (caf::init_global_meta_objects<caf::id_block::name>(), true);                              \
  }
#define UNDERSTUDY_ADD_MESSAGE(name, type)                                                         \
  CAF_ADD_TYPE_ID(name, (type))                                                                    \
  CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
#else
#define UNDERSTUDY_MESSAGES(name, ...) UNDERSTUDY_MESSAGES_FROM(name, 0, __VA_ARGS__)
#define UNDERSTUDY_MESSAGES_FROM(name, first_id, ...)                                              \
  UNDERSTUDY_FOR_EACH(UNDERSTUDY_ADD_MESSAGE, name, __VA_ARGS__)
#define UNDERSTUDY_ADD_MESSAGE(name, type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
#endif

// macro(fixed, x) for each x. A macro does not expand itself, so the rest of the list is put off
// by a pair of parentheses, and the whole is scanned 4^4 times.
#define UNDERSTUDY_FOR_EACH(macro, fixed, ...)                                                     \
  __VA_OPT__(UNDERSTUDY_SCAN(UNDERSTUDY_FOR_EACH_STEP(macro, fixed, __VA_ARGS__)))
#define UNDERSTUDY_FOR_EACH_STEP(macro, fixed, first, ...)                                         \
  macro(fixed, first)                                                                              \
      __VA_OPT__(UNDERSTUDY_FOR_EACH_AGAIN UNDERSTUDY_PUT_OFF(macro, fixed, __VA_ARGS__))
#define UNDERSTUDY_FOR_EACH_AGAIN() UNDERSTUDY_FOR_EACH_STEP
#define UNDERSTUDY_PUT_OFF ()
#define UNDERSTUDY_SCAN(...) UNDERSTUDY_SCAN3(UNDERSTUDY_SCAN3(UNDERSTUDY_SCAN3(__VA_ARGS__)))
#define UNDERSTUDY_SCAN3(...) UNDERSTUDY_SCAN2(UNDERSTUDY_SCAN2(UNDERSTUDY_SCAN2(__VA_ARGS__)))
#define UNDERSTUDY_SCAN2(...) UNDERSTUDY_SCAN1(UNDERSTUDY_SCAN1(UNDERSTUDY_SCAN1(__VA_ARGS__)))
#define UNDERSTUDY_SCAN1(...) UNDERSTUDY_SCAN0(UNDERSTUDY_SCAN0(UNDERSTUDY_SCAN0(__VA_ARGS__)))
#define UNDERSTUDY_SCAN0(...) __VA_ARGS__

namespace understudy {

namespace detail {

/// Where the type ids of the block `name` begin on CAF 1.x: one of 512 places, above those that an
/// application hands out by hand and above our own.
constexpr std::uint16_t first_message_id(std::string_view name) {
  std::uint32_t mixed = 2166136261u;
  for (const char c : name)
    mixed = (mixed ^ static_cast<unsigned char>(c)) * 16777619u;
  return static_cast<std::uint16_t>(20'000 + (mixed >> 16) % 512 * 64);
}

#if UNDERSTUDY_CAF_1
template <class Out, class... In> struct signature {
  using type = caf::result<Out>(In...);
};
#else
template <class Out, class... In> struct signature {
  using type = typename caf::replies_to<In...>::template with<Out>;
};
template <class... In> struct signature<void, In...> {
  using type = caf::reacts_to<In...>;
};
#endif

} // namespace detail

/// One line of a typed actor's interface: takes `In...`, answers with `Out`, or never if void.
template <class Out, class... In> using handles = typename detail::signature<Out, In...>::type;

// -- sending --------------------------------------------------------------------------------------

/// Any actor's handle, with its type forgotten; what is sent through it is not checked.
using any_actor = caf::strong_actor_ptr;

/// Forgets an actor's type.
template <class Handle> [[nodiscard]] any_actor forget_type(const Handle& handle) {
  return caf::actor_cast<any_actor>(handle);
}

namespace detail {

/// Wraps a message that exists already, so that only its content is compiled for each type.
inline caf::mailbox_element_ptr envelope(any_actor sender, caf::message what) {
#if UNDERSTUDY_CAF_1
  return caf::make_mailbox_element(std::move(sender), caf::make_message_id(), std::move(what));
#else
  return caf::make_mailbox_element(std::move(sender), caf::make_message_id(), {}, std::move(what));
#endif
}

} // namespace detail

/// In whose name, and where, an actor sends. Not a template, so that sending is compiled once for
/// all actors.
struct origin {
  any_actor sender = nullptr;
#if UNDERSTUDY_CAF_1
  caf::scheduler* context = nullptr;
#else
  caf::execution_unit* context = nullptr;
#endif
};

/// The actor `self` as an origin, for the message that it handles now.
template <class Self> [[nodiscard]] origin origin_of(Self& self) {
  return {any_actor{self.ctrl()}, self.context()};
}

namespace detail {

inline void post_message(const origin& from, const any_actor& to, caf::message what) {
  to->enqueue(envelope(from.sender, std::move(what)), from.context);
}

} // namespace detail

/// Sends a one-way message. Sending to nobody does nothing.
template <class... Ts> void post(const origin& from, const any_actor& to, Ts&&... what) {
  if (to)
    detail::post_message(from, to, caf::make_message(std::forward<Ts>(what)...));
}

/// Sends a one-way message from outside of any actor.
template <class... Ts> void post_from_outside(const any_actor& to, Ts&&... what) {
  post(origin{}, to, std::forward<Ts>(what)...);
}

/// Sends a request from `self`, an actor; `.then(...)` or `.receive(...)` take the answer. For
/// programs that are to compile on both versions: each has a spelling of its own.
template <class Self, class Handle, class Timeout, class... Ts>
[[nodiscard]] auto ask(const Self& self, const Handle& to, Timeout limit, Ts&&... what) {
#if UNDERSTUDY_CAF_1
  return self->mail(std::forward<Ts>(what)...).request(to, limit);
#else
  return self->request(to, limit, std::forward<Ts>(what)...);
#endif
}

/// The handlers of an actor, one after the other. CAF compiles a long list in one piece at a cost
/// that grows with its square; this chain does the same, message by message.
template <class... Handlers> [[nodiscard]] caf::message_handler chain(Handlers... handlers) {
  caf::message_handler all;
  ((all = all.or_else(caf::message_handler{std::move(handlers)})), ...);
  return all;
}

/// Sends `self` a message at `when`. It can not be taken back, and keeps the actor's memory until
/// then, though it does not keep the actor running. It names no sender: CAF 0.17 leaves the mailbox
/// of a broker open when that has ended, and a message in it by the broker would keep it for ever.
template <class Self, class... Ts> void post_to_self_at(Self& self, instant when, Ts&&... what) {
  self.clock().schedule_message(
      when, any_actor{self.ctrl()},
      detail::envelope(nullptr, caf::make_message(std::forward<Ts>(what)...)));
}

// -- life and death -------------------------------------------------------------------------------

/// Calls `on_down(caf::actor_id)` in `self` when `whom` has ended, at once if it has already. An
/// actor gives the same `on_down` each time: on CAF 0.17 there is one for all.
template <class Self, class OnDown>
void watch_actor(Self& self, const any_actor& whom, OnDown on_down) {
#if UNDERSTUDY_CAF_1
  self.monitor(whom, [id = whom->id(), on_down](const caf::error&) { on_down(id); });
#else
  self.set_down_handler([on_down](caf::down_msg& down) { on_down(down.source.id()); });
  self.monitor(whom);
#endif
}

/// Ends an actor at once, whatever is still in its mailbox.
inline void kill(const any_actor& whom) {
  if (whom)
    caf::anon_send_exit(caf::actor_cast<caf::actor>(whom), caf::exit_reason::kill);
}

/// Calls `what` for each message that `self` has no handler for, in place of CAF's own complaint
/// on the console. The sender of a request is told that nobody knows it.
template <class Self, class What> void on_unexpected(Self& self, What what) {
#if UNDERSTUDY_CAF_1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  self.set_default_handler([what](caf::scheduled_actor*, caf::message&) -> caf::skippable_result {
    what();
    return caf::make_error(caf::sec::unexpected_message);
  });
#pragma GCC diagnostic pop
#else
  self.set_default_handler(
      [what](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
        what();
        return caf::sec::unexpected_message;
      });
#endif
}

} // namespace understudy
