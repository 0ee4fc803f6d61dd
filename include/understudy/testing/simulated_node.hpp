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
#include <understudy/storage/memory_store.hpp>
#include <understudy/testing/host.hpp>
#include <understudy/testing/observation.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/simulation_options.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iterator>
#include <string_view>
#include <utility>

namespace understudy::testing {

/// A memory store that says what it has made durable, for the checker to compare with what the raft
/// core believes.
class watched_store {
public:
  expected<void> write(const store_write& what) {
    if (what.base)
      restart_from(what.base->at);
    while (what.keep && !written_.empty() && written_.back().index > *what.keep)
      written_.pop_back();
    for (const auto& e : what.entries)
      written_.push_back(e.position());
    if (what.vote)
      vote_ = *what.vote;
    return store_.write(what);
  }

  expected<void> sync() {
    stored_ = {vote_, written_.empty() ? base_ : written_.back()};
    return store_.sync();
  }

  expected<recovered_state> recover() { return store_.recover(); }

  [[nodiscard]] const stored_state& stored() const { return stored_; }

private:
  /// A snapshot replaces the log up to its index; what follows stays where it follows on.
  void restart_from(log_position base) {
    const auto covered = std::ranges::find(written_, base);
    if (covered == written_.end())
      written_.clear();
    else
      written_.erase(written_.begin(), std::next(covered));
    base_ = base;
  }

  memory_store store_;
  log_position base_;
  std::deque<log_position> written_;
  ballot vote_;
  stored_state stored_;
};

/// All components of a node, the raft core first.
template <state_machine M>
using node_host
    = host<raft_core, log_writer<watched_store>, replica<M>, puller, monitor, forwarder>;

/// A node that has just been started.
template <state_machine M>
[[nodiscard]] node_host<M> make_node(member_id id, const simulation_options& options,
                                     monitor_options membership, const M& machine,
                                     random_stream& random) {
  return node_host<M>{raft_core{id, options.core, random.next()},
                      log_writer<watched_store>{watched_store{}},
                      replica<M>{machine},
                      puller{id, options.puller},
                      monitor{std::move(membership), random_source{random.next()}},
                      forwarder{id, options.forwarder, random_source{random.next()}}};
}

/// A caller outside the cluster.
using client_host = host<client>;

/// Places of components in a `node_host`, for `pace_options::mailboxes`.
enum class place_of : std::uint8_t { core, writer, replica, puller, monitor, forwarder };

/// What the checker may see of a node. The state's digest costs a look at all of it, so it is only
/// taken where it is wanted.
template <state_machine M>
[[nodiscard]] observation observe(node_host<M>& node, member_id id, std::string_view name,
                                  bool with_digest) {
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
                .leads = core.leads(),
                .campaigning = core.campaigning_now(),
                .newest = seen(core.newest()),
                .committed = seen(core.committed()),
                .image = core.image().get()};
  if (!core.options().volatile_log)
    o.stored = node.template get<log_writer<watched_store>>().store().stored();
  if (with_digest)
    o.applied_digest = state.digest();
  return o;
}

} // namespace understudy::testing
