// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What an application brings to the cluster: one deterministic type.
///
/// Every node keeps a copy of it, voters and listeners alike, and feeds it the same commands in the
/// same order. Nothing else is replicated.
///
/// \code
/// struct inventory {
///   struct restock { // a command and its reply
///     using reply = int;
///     std::string sku;
///     int by;
///     template <class Archive> void serialize(Archive& archive) { archive(sku, by); }
///   };
///   struct in_stock { // a query and its reply
///     using reply = int;
///     std::string sku;
///     template <class Archive> void serialize(Archive& archive) { archive(sku); }
///   };
///   using commands = understudy::commands<restock>;
///   using queries = understudy::queries<in_stock>;
///
///   int apply(const restock& c) { return stock[c.sku] += c.by; }
///   int query(const in_stock& q) const { return stock.contains(q.sku) ? stock.at(q.sku) : 0; }
///
///   std::map<std::string, int> stock;
///   template <class Archive> void serialize(Archive& archive) { archive(stock); } // snapshots
/// };
/// \endcode
///
/// The contract, which no compiler can check:
///
/// - `apply` depends on the machine, the command and `applied_at` alone: no clock, no random
/// source,
///   no address, no order of an unordered container. Two machines that have applied the same prefix
///   of the log are equal.
/// - A command that makes no sense is answered by a reply that says so. An exception out of `apply`
///   stops the machine on that node, before that command, for good.
/// - `serialize` covers all that `apply` and `query` look at. A snapshot is read into a copy of the
///   machine as it was handed to the node, so what `serialize` leaves out keeps its first value.
///   Ordered containers make equal machines equal bytes, and so comparable by digest.
/// - A command or query is known by its place in its list: append, and never reorder or remove.
/// - What a new build may do that an old one beside it can not: see core/machine_version.hpp.

#include <understudy/core/bytes.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/machine_version.hpp>
#include <understudy/core/time.hpp>
#include <understudy/wire/codec.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace understudy {

/// The commands of a machine, in the order in which they were invented.
template <class... Cs> struct commands {};

/// The queries of a machine, likewise.
template <class... Qs> struct queries {};

/// Where a command stands in the log, and when its leader took it: all that a machine may know of
/// the world.
struct applied_at {
  log_index index = {};
  term_number term = {};
  log_time stamp = {};
};

// -- what a machine must offer, piece by piece ---------------------------------------------------

/// Something that is asked and answered: both can be sent.
template <class R>
concept asked_and_answered
    = std::default_initializable<R> && wire::codable<R> && wire::codable<typename R::reply>
      && std::default_initializable<typename R::reply>;

/// `apply(c)` or `apply(c, applied_at)` gives the command's reply.
template <class M, class C>
concept applies_command = requires(M machine, const C& c, applied_at at) {
  { machine.apply(c, at) } -> std::convertible_to<typename C::reply>;
} || requires(M machine, const C& c) {
  { machine.apply(c) } -> std::convertible_to<typename C::reply>;
};

/// `query(q)` gives the query's reply, and changes nothing.
template <class M, class Q>
concept answers_query = requires(const M machine, const Q& q) {
  { machine.query(q) } -> std::convertible_to<typename Q::reply>;
};

/// There is no `check(c)`, or it is static and gives a reason to refuse the command, or none.
///
/// It sees the command alone, because it is called where the command enters the cluster, on
/// whichever node that is: for malformed input, not for what depends on the state.
template <class M, class C>
concept checks_command
    = !requires(M machine, const C& c) { machine.check(c); } || requires(const C& c) {
        { M::check(c) } -> std::convertible_to<std::optional<std::string>>;
      };

/// Whether commands may be taken while nobody leads, to be applied when somebody does.
///
/// A machine says so with `static constexpr bool accept_offline = true;`. It fits commands whose
/// meaning does not depend on when they are applied ("add three"), and none that were decided by
/// looking at data which may have changed since.
template <class M>
inline constexpr bool allows_offline = [] {
  if constexpr (requires { M::accept_offline; })
    return static_cast<bool>(M::accept_offline);
  else
    return false;
}();

namespace detail {

template <class M> struct queries_of {
  using type = queries<>;
};
template <class M>
  requires requires { typename M::queries; }
struct queries_of<M> {
  using type = typename M::queries;
};

/// What is to be known of a list: whether its items can be sent and are all different, and whether
/// `M` handles each.
template <class... Rs> struct listed {
  /// How often `R` is listed.
  template <class R>
  static constexpr std::size_t count = (std::size_t{0} + ... + std::size_t{std::same_as<R, Rs>});

  /// The place of `R`; the size of the list if it is not there.
  template <class R>
  static constexpr std::size_t place = [] {
    std::size_t at = 0;
    static_cast<void>(((std::same_as<R, Rs> || (++at, false)) || ...));
    return at;
  }();

  static constexpr std::size_t size = sizeof...(Rs);
  static constexpr bool sendable = ((asked_and_answered<Rs> && count<Rs> == 1) && ...);
  template <class M> static constexpr bool applied_by = (applies_command<M, Rs> && ...);
  template <class M> static constexpr bool answered_by = (answers_query<M, Rs> && ...);
  template <class M> static constexpr bool checked_by = (checks_command<M, Rs> && ...);

  /// Whether the versions that brought them are from 1 to `newest`, and never go down.
  static constexpr bool grows_up_to(std::uint32_t newest) {
    std::uint32_t last = 1;
    return ((since_of<Rs> >= std::exchange(last, since_of<Rs>)) && ...) && last <= newest;
  }

  static constexpr std::array<std::uint32_t, size> versions() { return {since_of<Rs>...}; }
};

template <class List> struct list_traits;
template <class... Cs> struct list_traits<commands<Cs...>> : listed<Cs...> {};
template <class... Qs> struct list_traits<queries<Qs...>> : listed<Qs...> {};

template <class M> using commands_traits = list_traits<typename M::commands>;
template <class M> using queries_traits = list_traits<typename queries_of<M>::type>;

/// A tag takes one byte or two.
inline constexpr std::size_t tags_max = 1 << 14;

} // namespace detail

/// `M::commands` lists different types, each with a `reply`, that can be sent.
template <class M>
concept lists_commands
    = detail::commands_traits<M>::sendable && (detail::commands_traits<M>::size > 0)
      && (detail::commands_traits<M>::size <= detail::tags_max);

/// `apply` takes each command.
template <class M>
concept applies_commands = detail::commands_traits<M>::template applied_by<M>;

/// `check`, where it takes a command, is static and says why the command is refused.
template <class M>
concept checks_commands = detail::commands_traits<M>::template checked_by<M>;

/// `M::queries`, if there is such a thing, lists different types that can be sent.
template <class M>
concept lists_queries
    = detail::queries_traits<M>::sendable && (detail::queries_traits<M>::size <= detail::tags_max);

/// `query`, which is const, takes each query.
template <class M>
concept answers_queries = detail::queries_traits<M>::template answered_by<M>;

/// `machine_version` is at least 1, and no command is of a later version or stands behind a newer
/// one.
template <class M>
concept counts_versions
    = version_of<M> > 0 && detail::commands_traits<M>::grows_up_to(version_of<M>);

/// The machine can be copied, written down and read back.
template <class M>
concept writes_snapshots = std::copyable<M> && wire::codable<M>;

/// An application that a cluster can replicate.
template <class M>
concept state_machine
    = lists_commands<M> && applies_commands<M> && checks_commands<M> && counts_versions<M>
      && lists_queries<M> && answers_queries<M> && writes_snapshots<M>;

/// A machine that can be frozen: `freeze() const` gives, at little cost, what is written as the
/// same bytes as the machine is now, whatever becomes of the machine meanwhile. A snapshot is then
/// written down on another thread, while the machine goes on; one that can not be frozen stands
/// still for so long. For a machine of large persistent or shared parts, whose copy is cheap, it is
/// enough to return `*this`.
template <class M>
concept freezable = state_machine<M> && requires(const M& m) {
  m.freeze();
} && wire::codable<std::remove_cvref_t<decltype(std::declval<const M&>().freeze())>>;

/// A command of this machine.
template <class C, class M>
concept command_of = detail::commands_traits<M>::template count<C> == 1;

/// A query of this machine.
template <class Q, class M>
concept query_of = detail::queries_traits<M>::template count<Q> == 1;

// -- encoding ------------------------------------------------------------------------------------

/// What goes into the log: the command's place in the list, and its bytes.
template <state_machine M, command_of<M> C> [[nodiscard]] bytes encode_command(const C& what) {
  constexpr std::size_t tag = detail::commands_traits<M>::template place<C>;
  return wire::encode(cereal::make_size_tag(tag), what);
}

/// What a query is on its way.
template <state_machine M, query_of<M> Q> [[nodiscard]] bytes encode_query(const Q& what) {
  constexpr std::size_t tag = detail::queries_traits<M>::template place<Q>;
  return wire::encode(cereal::make_size_tag(tag), what);
}

/// The reply to a command or query `R`.
template <asked_and_answered R>
[[nodiscard]] expected<typename R::reply> decode_reply(const bytes& encoded) {
  return wire::decode<typename R::reply>(encoded.view(), "reply");
}

namespace detail {

/// A tag, and what follows it.
struct tagged {
  std::size_t tag = 0;
  std::span<const std::byte> body = {};
};

[[nodiscard]] inline std::optional<tagged> split_tag(std::span<const std::byte> encoded) {
  const auto digit = [&](std::size_t i) { return std::to_integer<std::size_t>(encoded[i]); };
  if (encoded.empty())
    return std::nullopt;
  if (digit(0) < 0x80)
    return tagged{digit(0), encoded.subspan(1)};
  if (encoded.size() < 2 || digit(1) == 0 || digit(1) >= 0x80)
    return std::nullopt;
  return tagged{(digit(0) & 0x7f) | digit(1) << 7, encoded.subspan(2)};
}

/// Reads whichever of `Rs` is in `encoded`, and hands it to `use`, which gives the result.
template <class Result, template <class...> class List, class... Rs, class Use>
[[nodiscard]] expected<Result> dispatch(List<Rs...>, std::span<const std::byte> encoded,
                                        std::string_view what, Use use) {
  const auto parts = split_tag(encoded);
  if (!parts)
    return fail(errc::undecodable, std::string{what} + ": has no tag");
  std::optional<expected<Result>> result;
  [[maybe_unused]] const auto attempt = [&]<class R>(std::type_identity<R>) {
    R asked{};
    if (auto read = wire::decode_into(parts->body, what, asked); read)
      result.emplace(use(std::as_const(asked)));
    else
      result.emplace(tl::unexpected<failure>{std::move(read.error())});
    return true;
  };
  std::size_t place = 0;
  static_cast<void>(((place++ == parts->tag && attempt(std::type_identity<Rs>{})) || ...));
  if (result)
    return std::move(*result);
  return fail(errc::undecodable, std::string{what} + ": tag " + std::to_string(parts->tag)
                                     + ", and this version knows " + std::to_string(sizeof...(Rs)));
}

template <class M, class C>
[[nodiscard]] typename C::reply apply_to(M& machine, const C& what, const applied_at& at) {
  if constexpr (requires { machine.apply(what, at); })
    return machine.apply(what, at);
  else
    return machine.apply(what);
}

template <class M, class Q>
[[nodiscard]] typename Q::reply ask_of(const M& machine, const Q& what) {
  return machine.query(what);
}

} // namespace detail

/// The version of the machine that brought an encoded command; beyond all versions if this build
/// knows no such command.
template <state_machine M> [[nodiscard]] std::uint32_t since_in(const bytes& encoded) {
  constexpr auto all = detail::commands_traits<M>::versions();
  const auto parts = detail::split_tag(encoded.view());
  if (!parts)
    return 1; // and no command
  return parts->tag < all.size() ? all[parts->tag] : std::numeric_limits<std::uint32_t>::max();
}

/// Whether a command may be proposed as far as this build can tell: it can be read, and the
/// machine's `check` has nothing against it. Asked before the command enters the log, where an
/// unreadable one would stop every machine. One of a kind that only newer builds know is
/// `version_not_in_use`.
template <state_machine M> [[nodiscard]] expected<void> check_command(const bytes& encoded) {
  if (since_in<M>(encoded) > version_of<M>)
    return fail(errc::version_not_in_use, "the command is of a newer build than the one asked");
  const auto check = []<class C>(const C& what) -> expected<bool> {
    if constexpr (requires { M::check(what); }) {
      try {
        if (std::optional<std::string> why = M::check(what))
          return fail(errc::rejected, std::move(*why));
      } catch (const std::exception& e) {
        return fail(errc::rejected, std::string{"check threw: "} + e.what());
      } catch (...) {
        return fail(errc::rejected, "check threw");
      }
    }
    return true;
  };
  const typename M::commands list{};
  if (auto checked = detail::dispatch<bool>(list, encoded.view(), "command", check); !checked)
    return tl::unexpected<failure>{std::move(checked.error())};
  return {};
}

/// Applies an encoded command and gives its encoded reply. Throws what the machine throws; a
/// command that cannot be read leaves the machine as it is.
template <state_machine M>
[[nodiscard]] expected<bytes> apply_command(M& machine, const bytes& encoded,
                                            const applied_at& at) {
  const auto apply = [&](const auto& what) -> expected<bytes> {
    return wire::encode(detail::apply_to(machine, what, at));
  };
  const typename M::commands list{};
  return detail::dispatch<bytes>(list, encoded.view(), "command", apply);
}

/// Answers an encoded query. Throws what the machine throws.
template <state_machine M>
[[nodiscard]] expected<bytes> answer_query(const M& machine, const bytes& encoded) {
  const auto answer = [&](const auto& what) -> expected<bytes> {
    return wire::encode(detail::ask_of(machine, what));
  };
  const typename detail::queries_of<M>::type list{};
  return detail::dispatch<bytes>(list, encoded.view(), "query", answer);
}

} // namespace understudy
