// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// One member of a cluster, as an application embeds it.
///
/// \code
/// auto first = spawn_node<inventory>(system, {.name = "a", .found = true});
/// auto second = spawn_node<inventory>(system, {.name = "b", .seeds = {*first}});
/// auto left = second->submit(inventory::restock{"apple", 3}).get();
/// \endcode

#include <understudy/actors/back_office.hpp>
#include <understudy/actors/caller.hpp>
#include <understudy/actors/cast.hpp>
#include <understudy/actors/config.hpp>
#include <understudy/actors/core_office.hpp>
#include <understudy/actors/front_door.hpp>
#include <understudy/actors/machine_keeper.hpp>
#include <understudy/actors/node_options.hpp>
#include <understudy/actors/node_start.hpp>
#include <understudy/actors/scribe.hpp>
#include <understudy/actors/shell.hpp>
#include <understudy/actors/status.hpp>
#include <understudy/actors/storekeeper.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/random.hpp>
#include <understudy/forwarding/forwarder.hpp>
#include <understudy/listener/puller.hpp>
#include <understudy/machine.hpp>
#include <understudy/membership/journal.hpp>
#include <understudy/membership/monitor.hpp>
#include <understudy/membership/whatif.hpp>
#include <understudy/raft/core.hpp>
#include <understudy/recovery/remains.hpp>
#include <understudy/replica/replica.hpp>
#include <understudy/storage/any_store.hpp>
#include <understudy/storage/log_writer.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy {

/// A running node: an application asks it (see `caller`), looks at it, and gives it orders.
///
/// Nothing blocks but `wait_until`, which therefore has no place in an actor: an actor sends to
/// `actor()` instead, and asks for events with `subscribe`. Nothing throws; what can fail says so
/// in its result. `leave()` says good-bye; a node that is just stopped does not, and its cluster
/// finds out. A handle must not outlive its actor system.
template <state_machine M> class node : public caller<M> {
public:
  /// Made by `spawn_node`.
  using caller<M>::caller;

  /// For the seeds of other nodes.
  [[nodiscard]] operator contact() const { return {this->id(), stage().address}; }

  /// The actor around the machine. It answers what an application's own keeper answers, and nothing
  /// if there is none: see `basic_machine_keeper`.
  [[nodiscard]] caf::actor keeper() const {
    return caf::actor_cast<caf::actor>(this->body().doors.keeper);
  }

  /// Sends `who` each `node_event` from now on, until it ends.
  void subscribe(caf::actor who) const {
    post_from_outside(this->body().supervisor, understudy::subscribe{std::move(who)});
  }

  [[nodiscard]] node_status status() const { return stage().board.read(); }

  /// Whether it can serve: has entered, knows a leader, and is not stopped.
  [[nodiscard]] bool ready() const { return status().ready; }

  // -- for operators: any node takes an order, the leader carries it out --------------------------

  /// Leaves the cluster, and stops. The successor is seated first; until then the node goes on
  /// serving, though `ready()` is false. Then new calls are answered `stopped`, open ones are
  /// answered, and the roster forgets the node. After `limit` (none given: `monitor.leave_limit`)
  /// it stops all the same and says what was left undone. Asking twice is asking once.
  std::future<expected<leave_result>> leave(interval limit = {}) const {
    auto slot = std::make_shared<result_slot<leave_result>>(
        failure{errc::stopped, "the node stopped before it had left"});
    auto result = slot->future();
    if (!stage().closed)
      post_from_outside(this->body().doors.back, leave_from_outside{limit, std::move(slot)});
    return result;
  }

  /// Sends a member away, for good: it loses its rank, and its seat to the next in line. Only a new
  /// start of it can come back.
  std::future<expected<log_index>> evict(member_id who) const {
    return order_leader(mark_member{who, standing::evicted});
  }

  /// Keeps a member a listener, whatever its place in line.
  std::future<expected<log_index>> pin(member_id who) const {
    return order_leader(pin_member{who, true});
  }
  std::future<expected<log_index>> unpin(member_id who) const {
    return order_leader(pin_member{who, false});
  }

  /// Hands leadership to another voter; to the one that has most if none is named.
  std::future<expected<log_index>> transfer_leadership(member_id to = {}) const {
    return order_leader(understudy::transfer_leadership{to});
  }

  /// Replaces the cluster's settings.
  std::future<expected<log_index>> change_settings(const settings& rules) const {
    return order_leader(set_rules{rules});
  }

  /// Has the cluster use the commands of a newer version of the machine (core/machine_version.hpp):
  /// the last step of an update. There is no way back from it. Fails with `version_unsupported` as
  /// long as a member knows less, and says which.
  std::future<expected<log_index>> use_machine_version(std::uint32_t version) const {
    return order_leader(understudy::use_machine_version{version});
  }

  /// What would become of the voters if all of `what` happened, as things stand. To be asked at the
  /// leader; fails with `not_leader` elsewhere, and names it.
  std::future<expected<forecast>> plan_if(std::vector<supposed> what = {}) const {
    return ask_monitor<forecast>(
        [what = std::move(what)](const monitor& m) { return m.what_if(what); });
  }

  /// Whether `who` can leave and the rest be no worse off than it must be: with a majority that
  /// answers, and every seat taken. To be asked at the leader.
  std::future<expected<bool>> safe_to_stop(member_id who) const {
    return ask_monitor<bool>([who](const monitor& m) { return m.safe_to_stop(who); });
  }

  /// Writes down the machine as this node has it now, and lets go of the log behind that, but for
  /// what is kept for those who are a little behind; done when it is stored. Nodes do this by
  /// themselves, by the log's size; so this is for before a backup, or before a node is stopped
  /// that is to start again quickly. The result is the index of the last entry in it. Fails with
  /// `machine_stopped` if the machine has broken, and with `storage_full` where there is no room.
  std::future<expected<log_index>> snapshot_now() const {
    auto slot = std::make_shared<result_slot<log_index>>(
        failure{errc::stopped, "the node stopped before the snapshot was stored"});
    auto result = slot->future();
    if (!stage().closed)
      post_from_outside(this->body().doors.core, snapshot_from_outside{std::move(slot)});
    return result;
  }

  /// What this node has of the cluster's data, to go on from when the others are lost.
  std::future<expected<remains>> look_at_remains() const {
    auto slot
        = std::make_shared<result_slot<remains>>(failure{errc::stopped, "the node is stopped"});
    auto result = slot->future();
    if (!stage().closed)
      post_from_outside(this->body().doors.core,
                        core_look_from_outside{
                            [slot = std::move(slot), self = this->id()](const raft_core& core) {
                              slot->answer(remains_of(core, self));
                            }});
    return result;
  }

  /// The newest decisions about seats that this node made, with their reasons, oldest first.
  std::future<expected<std::vector<journal_line>>> journal() const {
    using lines = std::vector<journal_line>;
    return ask_monitor<lines>([](const monitor& m) -> expected<lines> {
      const auto& all = m.journal().lines();
      return lines{all.begin(), all.end()};
    });
  }

  /// The member of that name, as far as this node knows: the youngest, if a node was started anew
  /// under it. Fails with `removed` if there is none.
  [[nodiscard]] expected<member_id> member_named(std::string_view name) const {
    const auto now = status();
    for (auto m = now.members.rbegin(); m != now.members.rend(); ++m)
      if (m->name == name)
        return m->id;
    return fail(errc::removed, std::string{name} + " is not in the roster");
  }

  // -- looking ------------------------------------------------------------------------------------

  /// Waits until `condition(const node_status&)` holds. Fails with `timed_out` after `limit`, and
  /// with `stopped` as soon as the node stops; the text is the last status.
  template <std::predicate<const node_status&> Condition>
  [[nodiscard]] expected<node_status> wait_until(Condition condition, interval limit) const {
    return stage().board.wait_until(std::move(condition), limit);
  }

private:
  template <class Result, class Look> std::future<expected<Result>> ask_monitor(Look look) const {
    auto slot
        = std::make_shared<result_slot<Result>>(failure{errc::stopped, "the node is stopped"});
    auto result = slot->future();
    if (!stage().closed)
      post_from_outside(this->body().doors.back,
                        look_from_outside{[slot = std::move(slot), look = std::move(look)](
                                              const monitor& m) { slot->answer(look(m)); }});
    return result;
  }

  [[nodiscard]] const backstage& stage() const { return *this->body().stage; }

  std::future<expected<log_index>> order_leader(order what) const {
    auto slot = std::make_shared<result_slot<log_index>>(
        failure{errc::outcome_unknown, "the node stopped with the order on its way"});
    auto result = slot->future();
    if (stage().closed)
      slot->answer(fail(errc::stopped, "the node is stopped"));
    else
      post_from_outside(this->body().doors.back,
                        order_from_outside{std::move(what), {}, std::move(slot)});
    return result;
  }
};

/// Starts a node, and lets it found or enter its cluster; `wait_until` tells when it has.
///
/// Fails with `invalid_option` and all that is wrong with the options, with what
/// `durable_store::open` says of a `directory`, whose whole log is read here, and with
/// `version_unsupported` where that shows a newer version of the machine in use than `M` is of.
/// `machine` is how the machine begins; every node of a cluster begins with an equal one. `Keeper`
/// is the actor around it: an application's own, or the one that does no more than it must.
template <state_machine M, class Keeper = machine_keeper<M>>
[[nodiscard]] expected<node<M>> spawn_node(caf::actor_system& system, node_options options,
                                           M machine = {}) {
  random_source random{detail::draw_seed(options.random_seed)};
  auto start = options.recover ? detail::begin_heir(options, random, system, machine)
                               : detail::begin_node(options, random, system, version_of<M>);
  if (!start)
    return tl::unexpected<failure>{std::move(start.error())};
  const auto& self = start->self;
  options.core.volatile_log = !self.durable;

  options.forwarder.accept_offline = options.forwarder.accept_offline || allows_offline<M>;
  options.forwarder.since_of = since_in<M>;
  auto stage = std::make_shared<backstage>(self.id, self.address, std::move(start->network.links));
  stage->board.update([&](status_notes& notes) { notes.name = options.name; });
  cast all{system, stage, {.on_event = options.on_event, .log = options.log}};

  const bool detached = options.placement == placement::detached_core;
  member_desks desks;
  const auto join = [&]<class... Cs>(type_list<Cs...>, any_actor actor) {
    all.enlist<Cs...>(actor);
    return actor;
  };
  desks[0] = join(type_list<raft_core>{},
                  spawn_actor<core_office>(system, detached, stage,
                                           raft_core{self.id, options.core, random.next(),
                                                     std::exchange(start->found, {})}));
  desks[1] = join(type_list<puller>{},
                  spawn_actor<shell<puller>>(system, false, stage,
                                             puller{self.id, options.puller, random.next() >> 1}));
  desks[2] = join(
      type_list<monitor>{},
      spawn_actor<back_office>(system, false, stage,
                               monitor{detail::monitor_options_of(options, self, start->returning),
                                       random_source{random.next()}}));
  desks[3] = join(type_list<forwarder>{},
                  spawn_actor<front_door<M, forwarder>>(
                      system, false, stage,
                      forwarder{self.id, options.forwarder, random_source{random.next()},
                                start->returning ? node_life::resumed : node_life::first}));
  const auto keeper
      = join(type_list<replica<M>>{},
             spawn_actor<Keeper>(system, false, stage,
                                 replica<M>{std::move(machine), std::move(options.on_applied)}));
  if (start->store || freezable<M>)
    join(type_list<snapshot_writer>{},
         spawn_actor<scribe>(
             system, detached, stage,
             snapshot_writer{start->store ? start->store->stager() : snapshot_stager{}}));
  if (start->store)
    join(type_list<log_writer<any_store>, storekeeper::farewells>{},
         spawn_actor<storekeeper>(system, detached, stage,
                                  log_writer<any_store>{std::move(*start->store)}));

  if (start->network.exchange) {
    all.enlist_exchange(start->network.exchange);
    post_from_outside(start->network.exchange, open_doors{stage, {desks.begin(), desks.end()}});
  }
  local_links::publish(system, self.address, desks);
  all.raise_curtain(options.seeds);
  return node<M>{std::make_shared<const node_body>(
      stage, all, system, node_doors{desks[3], desks[2], desks[0], keeper})};
}

} // namespace understudy
