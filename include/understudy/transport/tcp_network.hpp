// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Nodes of several processes, over TCP.
///
/// \code
/// understudy::networked_config config;
/// caf::actor_system system{config};
/// auto node = spawn_node<inventory>(system, {.name = "b",
///                                            .seeds = {*tcp_seed("10.0.0.7:7000")},
///                                            .network = over_tcp({.listen = "10.0.0.8:7000"})});
/// \endcode

#include <understudy/actors/config.hpp>
#include <understudy/actors/network.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/random.hpp>
#include <understudy/core/time.hpp>
#include <understudy/protocol/endpoint.hpp>
#include <understudy/protocol/hello.hpp>
#include <understudy/protocol/switchboard.hpp>
#include <understudy/protocol/switchboard_options.hpp>
#include <understudy/security/cluster_key.hpp>
#include <understudy/security/credentials.hpp>
#include <understudy/transport/exchange.hpp>
#include <understudy/transport/link.hpp>
#include <understudy/transport/tcp_seed.hpp>

#include <caf/io/all.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy {

/// A `config` with CAF's network layer, which `over_tcp` needs.
///
/// What comes over the network wakes one actor after the other, so its threads share their work
/// (CAF's `scheduler.policy` is `sharing`). An application whose own actors have more to say to
/// each other than to the network may set `stealing`, CAF's default, in a class derived from this
/// one.
class networked_config : public config {
public:
  networked_config() {
    load<caf::io::middleman>();
    share_work();
  }
};

/// How a node is reached over TCP.
struct tcp_options {
  /// HOST:PORT; at port 0, any that is free.
  std::string listen = "127.0.0.1:0";
  /// HOST:PORT by which others reach it, if that is another one: behind a translation of
  /// addresses, or where it listens on all of them. A port of 0 stands for the one listened on.
  std::string advertise = {};
  /// TLS: every connection shows and demands a certificate, and a node's has to bear its name.
  std::optional<security::credentials> certificates = {};
  /// A certificate with this name will do for any node; empty: none will.
  std::string cluster_name = {};
  /// For those without certificates: who connects proves that it has this key. What is said after
  /// that can be read, and changed, by whoever is on the way.
  std::optional<security::cluster_key> key = {};
  /// Listens beyond this machine with neither: everybody there may then pass for a member.
  bool insecure = false;
  interval connect_limit = std::chrono::seconds{1}; ///< to make a connection; > 0
  /// Speaks no newer version of the protocol than this: what an older release would do. From
  /// `protocol::version_min` to `protocol::version_max`.
  std::uint32_t protocol_max = protocol::version_max;
  /// What they say of trust is filled in from above. No more connections are kept than half of the
  /// files that the process may open.
  protocol::switchboard_options limits = {};
};

namespace detail {

/// How many files the process may have open at a time.
[[nodiscard]] inline std::size_t files_max() {
  rlimit found{};
  return ::getrlimit(RLIMIT_NOFILE, &found) == 0 ? static_cast<std::size_t>(found.rlim_cur)
                                                 : std::numeric_limits<std::size_t>::max();
}

/// No more connections than half of the files that the process may open: a node that can not open
/// its log's next one has to stop, and nobody should bring that about by connecting. Those that
/// have not said who they are get half of these at most, so that they keep nobody out.
inline void leave_room_for_files(protocol::switchboard_options& limits, std::size_t files) {
  limits.connections_max = std::min(limits.connections_max, std::max<std::size_t>(files / 2, 1));
  limits.strangers_max
      = std::min(limits.strangers_max, std::max<std::size_t>(limits.connections_max / 2, 1));
}

/// The limits, and what everybody has to prove.
[[nodiscard]] inline protocol::switchboard_options limits_of(const tcp_options& o) {
  auto limits = o.limits;
  limits.certificates = o.certificates;
  limits.connection.trust = {.key = o.key,
                             .require_certificate = o.certificates.has_value(),
                             .cluster_name = o.cluster_name};
  return limits;
}

/// Where to listen and where to be called, or all that is wrong with the options.
struct tcp_places {
  protocol::endpoint listen;
  protocol::endpoint advertise;
};

[[nodiscard]] inline expected<tcp_places> places_of(const tcp_options& o) {
  auto listen = protocol::parse_host_and_port(o.listen);
  if (!listen)
    return fail(errc::invalid_option, "listen: " + listen.error().detail);
  auto advertise = *listen;
  if (!o.advertise.empty()) {
    auto said = protocol::parse_host_and_port(o.advertise);
    if (!said)
      return fail(errc::invalid_option, "advertise: " + said.error().detail);
    advertise = std::move(*said);
  }
  if (protocol::is_any_address(advertise.host))
    return fail(errc::invalid_option,
                "advertise must say by which address others reach " + o.listen);
  if (!protocol::is_loopback(listen->host) && !o.certificates && !o.key && !o.insecure)
    return fail(errc::invalid_option, "listen: " + o.listen
                                          + " can be reached from other machines: give "
                                            "certificates or a key, or set insecure if everybody "
                                            "there may pass for a member");
  std::string wrong;
  for (const auto& text : complaints(limits_of(o)))
    wrong += "; " + text;
  if (o.connect_limit <= interval{0})
    wrong += "; connect_limit must be positive";
  if (o.protocol_max < protocol::version_min || o.protocol_max > protocol::version_max)
    wrong += "; protocol_max must be " + std::to_string(protocol::version_min) + " to "
             + std::to_string(protocol::version_max);
  if (!wrong.empty())
    return fail(errc::invalid_option, "network: " + wrong.substr(2));
  return tcp_places{std::move(*listen), std::move(advertise)};
}

[[nodiscard]] inline expected<caf::io::doorman_ptr> listen_at(caf::actor_system& system,
                                                              const protocol::endpoint& where) {
  auto made = system.middleman().backend().new_tcp_doorman(where.port, where.host.c_str(), true);
  if (!made)
    return fail(errc::invalid_option,
                "listen: " + protocol::host_and_port(where)
                    + " can not be listened on: " + caf::to_string(made.error()));
  return std::move(*made);
}

[[nodiscard]] inline protocol::hello hello_of(const tcp_options& o, const network_wish& wish) {
  return {.protocol_max = o.protocol_max,
          .machine_version = wish.machine_version,
          .role = wish.is_client ? protocol::peer_role::client : protocol::peer_role::node,
          .id = wish.id,
          .start = wish.start,
          .name = wish.name};
}

[[nodiscard]] inline expected<opened_network>
open_tcp(const tcp_options& o, caf::actor_system& system, network_wish wish) {
  if (!system.has_middleman())
    return fail(errc::invalid_option,
                "network: the actor system has no network layer; see networked_config");
  auto places = places_of(o);
  if (!places)
    return tl::unexpected<failure>{std::move(places.error())};
  auto limits = limits_of(o);
  leave_room_for_files(limits, files_max());
  auto parts = std::make_shared<exchange_parts>(
      exchange_parts{.board = {hello_of(o, wish), std::move(limits), random_source{wish.seed}},
                     .dial_limit = o.connect_limit,
                     .knows_by_seed = wish.is_client,
                     .log = wish.log});
  if (!wish.is_client) {
    auto doorman = listen_at(system, places->listen);
    if (!doorman)
      return tl::unexpected<failure>{std::move(doorman.error())};
    if (places->advertise.port == 0)
      places->advertise.port = (*doorman)->port();
    parts->doorman = std::move(*doorman);
  }
  places->advertise.who = wish.id;
  const auto exchange = forget_type(system.middleman().spawn_broker(run_exchange, parts));
  return opened_network{.address
                        = wish.is_client ? std::string{} : protocol::to_address(places->advertise),
                        .links = std::make_unique<tcp_links>(system, exchange),
                        .exchange = exchange,
                        .protocol_version = o.protocol_max};
}

} // namespace detail

/// For `node_options::network`, and for clients, of which only the limits count. Fails with
/// `invalid_option` and what is wrong: an option, or a place that can not be listened on.
[[nodiscard]] inline network_opener over_tcp(tcp_options options) {
  return [options = std::move(options)](caf::actor_system& system, network_wish wish) {
    return detail::open_tcp(options, system, std::move(wish));
  };
}

} // namespace understudy
