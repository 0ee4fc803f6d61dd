// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A caller that is no node: it asks some nodes in turn, and carries its session from one to the
/// next. It begins with the nodes that it is given, and learns from them who else there is.
///
/// \code
/// auto shop = spawn_client<inventory>(system, {a, b, c});
/// auto left = shop->submit(inventory::restock{"apple", 3}).get();
/// \endcode

#include <understudy/actors/backstage.hpp>
#include <understudy/actors/caller.hpp>
#include <understudy/actors/cast.hpp>
#include <understudy/actors/config.hpp>
#include <understudy/actors/front_door.hpp>
#include <understudy/actors/network.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/random.hpp>
#include <understudy/forwarding/client.hpp>
#include <understudy/machine.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace understudy {

/// What a client has done so far.
struct client_status {
  member_id node = {};        ///< whom it asks now
  std::size_t open_calls = 0; ///< not answered yet
  std::uint64_t retries = 0;  ///< how often a request had to be sent again
  bool stopped = false;
};

/// Commands and queries for a cluster (see `caller`), exactly once whichever node takes them.
template <state_machine M> class cluster_client : public caller<M> {
public:
  /// Made by `spawn_client`.
  using caller<M>::caller;

  /// The nodes to call from now on, the preferred one first. The one called now stays if it is
  /// among them; sessions and open calls are kept. They are of the same cluster, or of the one that
  /// goes on with its data (`node_options::recover`): for any other make another client. There is
  /// no need to tell of nodes that have entered or left, as from its first call on the client
  /// learns of them (`client_options::follow_members`).
  void update_nodes(const std::vector<contact>& nodes) const {
    const auto& body = this->body();
    nodes_known known;
    for (const auto& n : nodes) {
      auto news = body.stage->peers.add_seed(n.id, n.address);
      post_from_outside(body.supervisor, watch_peers{std::move(news.to_watch)});
      post_from_outside(body.supervisor, peers_gone{std::move(news.gone)});
      known.nodes.push_back(n.id);
    }
    post_from_outside(body.doors.front, std::move(known));
  }

  [[nodiscard]] client_status status() const {
    const auto all = this->body().stage->board.read();
    return {.node = all.source,
            .open_calls = all.open_calls,
            .retries = all.retries,
            .stopped = all.stopped};
  }
};

/// Starts a client of `nodes`, which it prefers in this order; those of other processes are reached
/// over `network`. Fails with `invalid_option` and all that is wrong with the options.
template <state_machine M>
[[nodiscard]] expected<cluster_client<M>>
spawn_client(caf::actor_system& system, std::vector<contact> nodes,
             const client_options& options = {}, std::uint64_t random_seed = 0,
             const network_opener& network = open_local_network) {
  if (auto good = validate(options); !good)
    return tl::unexpected<failure>{std::move(good.error())};
  if (nodes.empty())
    return fail(errc::invalid_option, "nodes must name at least one node");
  random_source random{detail::draw_seed(random_seed)};
  const member_id self{detail::draw_nonzero(random)};
  auto opened = network(system, {.id = self,
                                 .start = random.next(),
                                 .machine_version = version_of<M>,
                                 .is_client = true,
                                 .seed = random.next(),
                                 .log = log_to_stderr});
  if (!opened)
    return tl::unexpected<failure>{std::move(opened.error())};
  auto stage = std::make_shared<backstage>(self, std::string{}, std::move(opened->links));
  cast all{system, stage, {}};
  std::vector<member_id> ids;
  for (const auto& n : nodes)
    ids.push_back(n.id);
  auto front = spawn_actor<front_door<M, client>>(
      system, false, stage, client{options, std::move(ids), random_source{random.next()}});
  all.enlist<client>(front);
  if (opened->exchange) {
    all.enlist_exchange(opened->exchange);
    std::vector<any_actor> desks(desk_count);
    desks[static_cast<std::size_t>(desk::front)] = front;
    post_from_outside(opened->exchange, open_doors{stage, std::move(desks)});
  }
  all.raise_curtain(nodes);
  return cluster_client<M>{
      std::make_shared<const node_body>(stage, all, system, node_doors{front})};
}

} // namespace understudy
