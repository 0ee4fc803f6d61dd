// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A node and a client as the simulator hosts them: the very components that run in actors.

#include <understudy/forwarding/client.hpp>
#include <understudy/forwarding/forwarder.hpp>
#include <understudy/listener/puller.hpp>
#include <understudy/machine.hpp>
#include <understudy/membership/monitor.hpp>
#include <understudy/raft/core.hpp>
#include <understudy/replica/replica.hpp>
#include <understudy/storage/log_writer.hpp>
#include <understudy/storage/snapshot_writer.hpp>
#include <understudy/testing/host.hpp>
#include <understudy/testing/incarnation.hpp>
#include <understudy/testing/node_disk.hpp>
#include <understudy/testing/observation.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/simulation_options.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// All components of a node, the raft core first.
template <state_machine M>
using node_host = host<raft_core, log_writer<disk_store>, replica<M>, puller, monitor, forwarder,
                       snapshot_writer>;

/// What one start of a node is told, beyond what all are.
struct start_order {
  bool found = false;
  std::optional<own_record> returning = {};
  std::vector<member_id> contacts = {};
};

/// A node that has just been started, for the first time or again.
template <state_machine M>
[[nodiscard]] node_host<M> make_node(simulation_options options, const incarnation& own,
                                     start_order how, const M& machine, random_stream& random) {
  const auto id = own.self.id;
  const auto life = how.returning ? node_life::resumed : node_life::first;
  options.core.volatile_log = options.core.volatile_log && !own.self.durable;
  auto& membership = options.membership;
  membership.self = own.self;
  membership.rules = options.rules;
  membership.found = how.found;
  membership.returning = std::move(how.returning);
  membership.contacts = std::move(how.contacts);
  return node_host<M>{raft_core{id, options.core, random.next(), own.disk->recover()},
                      log_writer<disk_store>{disk_store{own.disk}},
                      replica<M>{machine, {}, own.self.machine_version},
                      puller{id, options.puller, random.next() >> 1},
                      monitor{std::move(membership), random_source{random.next()}},
                      forwarder{id, options.forwarder, random_source{random.next()}, life},
                      snapshot_writer{own.disk->stager()}};
}

/// A caller outside the cluster.
using client_host = host<client>;

/// Places of components in a `node_host`, for `pace_options::mailboxes`.
enum class place_of : std::uint8_t { core, writer, replica, puller, monitor, forwarder, snapshots };

/// What of a node has a limit that no message shows.
template <state_machine M> [[nodiscard]] std::array<holding, 4> holdings_of(node_host<M>& node) {
  const auto& core = node.template get<raft_core>();
  const auto pullers_max = core.state().options.pullers_max;
  const auto& door = node.template get<forwarder>();
  return {
      {{"questions of pullers", core.desk().waiting(), pullers_max},
       {"pullers remembered", core.desk().remembered(), pullers_max},
       {"queries that wait", node.template get<replica<M>>().waiting(), replica<M>::waiting_max},
       {"open calls", door.waited_for(), door.options().calls.calls_max}}};
}

/// What the checker may see of a node. The state's digest costs a look at all of it, so it is only
/// taken where it is wanted. `at`: the time on the node's clock, to see whether it holds a lease.
template <state_machine M>
[[nodiscard]] observation observe(node_host<M>& node, member_id id, std::string_view name,
                                  bool with_digest, instant at = {}) {
  const auto& core = node.template get<raft_core>();
  const auto& state = node.template get<replica<M>>();
  const auto seen = [](const placed_configuration& c) {
    return seen_configuration{c.index, c.content.get()};
  };
  observation o{.id = id,
                .name = name,
                .vote = core.vote(),
                .log = log_view{core.log()},
                .durable = core.durable(),
                .commit = core.commit(),
                .handed = core.handed(),
                .applied = state.applied(),
                .machine_version = state.knows(),
                .leads = core.leads(),
                .campaigning = core.campaigning_now(),
                .leased = at != instant{} && core.leadership()
                          && core.leadership()->leased(core.state(), at),
                .lease_reads = core.state().counts.lease_reads,
                .newest = seen(core.newest()),
                .committed = seen(core.committed()),
                .image = core.image().get(),
                .peers = core.leads() ? &core.leadership()->peers() : nullptr,
                .limits = &core.state().options,
                .holdings = holdings_of(node)};
  if (!core.state().options.volatile_log)
    o.stored = node.template get<log_writer<disk_store>>().store().stored();
  if (with_digest)
    o.applied_digest = state.digest();
  return o;
}

} // namespace understudy::testing
