// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a node begins: as a newcomer, where an earlier process ended, or as the heir of a cluster
/// that is lost.

#include <understudy/actors/cast.hpp>
#include <understudy/actors/directory.hpp>
#include <understudy/actors/network.hpp>
#include <understudy/actors/node_options.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/random.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/machine.hpp>
#include <understudy/recovery/refounding.hpp>
#include <understudy/recovery/remains.hpp>
#include <understudy/roster/roster.hpp>
#include <understudy/storage/any_store.hpp>
#include <understudy/storage/earlier_life.hpp>
#include <understudy/storage/store_in.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace understudy::detail {

/// Who a node is, and what it has.
struct node_start {
  member self = {};
  std::optional<any_store> store = {};      ///< none: its log ends with the process
  recovered_state found = {};               ///< what was kept of an earlier life
  std::optional<own_record> returning = {}; ///< the roster has it already
  opened_network network = {};
};

/// A node that has nothing yet but a name and new ids.
[[nodiscard]] inline member draw_member(const node_options& o, random_source& random,
                                        std::uint32_t machine_version) {
  return {.id = {draw_nonzero(random)},
          .name = o.name,
          .start = random.next(),
          .durable = o.store || !o.directory.empty(),
          .machine_version = machine_version};
}

/// Fails with `version_unsupported` if the node's own log shows that its cluster has gone on to
/// what this build does not know.
[[nodiscard]] inline expected<void> check_version(const recovered_state& found,
                                                  const member& self) {
  const auto known = newest_configuration(found).content;
  auto good = known ? knows_enough(*known, self.id, self.machine_version) : expected<void>{};
  if (!good)
    good.error().detail = "its own log shows that " + good.error().detail;
  return good;
}

/// Opens the node's way to others, and has its address said of it. A node that returns is looked
/// for where the roster says that it is.
[[nodiscard]] inline expected<void> connect(const node_options& o, random_source& random,
                                            caf::actor_system& system, node_start& start) {
  auto opened = (o.network ? o.network : open_local_network)(
      system, {.id = start.self.id,
               .start = start.self.start,
               .name = o.name,
               .machine_version = start.self.machine_version,
               .seed = random.next(),
               .log = o.log});
  if (!opened)
    return tl::unexpected<failure>{std::move(opened.error())};
  start.network = std::move(*opened);
  start.self.address = start.network.address;
  start.self.protocol_version = start.network.protocol_version;
  if (!start.returning)
    return {};
  const auto& known = start.returning->self.address;
  if (!o.network)
    start.self.address = known;
  else if (known != start.self.address)
    return fail(errc::invalid_option, "network: the cluster looks for this node at " + known
                                          + ", and it would be at " + start.self.address);
  return {};
}

[[nodiscard]] inline store_opener opener_of(const node_options& o) {
  return o.directory.empty() ? o.store : store_in(o.directory);
}

/// Finds out who the node is. Nothing is looked for on a disk before the options make sense.
[[nodiscard]] inline expected<node_start> begin_node(const node_options& o, random_source& random,
                                                     caf::actor_system& system,
                                                     std::uint32_t machine_version) {
  node_start start{.self = draw_member(o, random, machine_version)};
  const bool may_return = start.self.durable && !o.found && o.seeds.empty();
  const auto supposed = may_return ? std::optional{own_record{.self = start.self}} : std::nullopt;
  if (auto good = validate(o, start.self, supposed); !good)
    return tl::unexpected<failure>{std::move(good.error())};
  if (!start.self.durable) {
    if (auto done = connect(o, random, system, start); !done)
      return tl::unexpected<failure>{std::move(done.error())};
    return start;
  }
  auto before = open_life(opener_of(o),
                          {.newcomer = {start.self.id, start.self.start}, .seed = random.next()});
  if (!before)
    return tl::unexpected<failure>{std::move(before.error())};
  start.self.id = before->self.id;
  start.self.start = before->self.start;
  start.store = std::move(before->store);
  start.found = std::move(before->found);
  start.returning = std::move(before->returning);
  auto good = validate(o, start.self, start.returning);
  if (good)
    good = check_version(start.found, start.self);
  if (good)
    good = connect(o, random, system, start);
  if (!good)
    return tl::unexpected<failure>{std::move(good.error())};
  return start;
}

/// A store for the heir. What is there of the cluster that it inherits is put aside; what is there
/// of another one is left alone, as it may be what an earlier recovery has led to.
[[nodiscard]] inline expected<any_store> open_for_heir(const node_options& o, store_wish wish) {
  const auto opener = opener_of(o);
  auto store = opener(wish);
  if (!store || store->identity() == wish.newcomer)
    return store;
  auto there = store->recover();
  if (!there)
    return tl::unexpected<failure>{std::move(there.error())};
  const auto of = remains{.kept = std::move(*there)}.members().content;
  if (auto done = store->close(); !done)
    return tl::unexpected<failure>{std::move(done.error())};
  if (of && of->cluster != o.recover->members().content->cluster)
    return fail(errc::cluster_mismatch,
                "the store belongs to cluster " + std::to_string(of->cluster.value)
                    + " already; if that is one that was recovered, start it without `recover`");
  wish.anew = true;
  return opener(wish);
}

/// A new store with what the heir begins with, durable when this returns. If it can not be, the
/// next start finds no node there that could go on.
[[nodiscard]] inline expected<any_store> found_store(const node_options& o, const node_start& heir,
                                                     std::uint64_t seed) {
  auto store = open_for_heir(o, {.newcomer = {heir.self.id, heir.self.start}, .seed = seed});
  if (!store)
    return store;
  auto done
      = store->write({.write = {1}, .base = heir.found.base, .keep = {}, .vote = heir.found.vote});
  if (done)
    done = store->sync();
  if (!done) {
    static_cast<void>(store->retire());
    return fail(done.error().code,
                done.error().detail + "; nothing was recovered, and what was there is put aside");
  }
  return store;
}

/// What a machine throws, or data that does not fit together, must not leave the API.
template <state_machine M>
[[nodiscard]] expected<recovered_state> refound_guarded(const remains& from, const member& founder,
                                                        cluster_id cluster, const M& machine) {
  std::string why;
  try {
    return refound<M>(from, founder, cluster, machine);
  } catch (const std::exception& e) {
    why = e.what();
  } catch (...) {
    why = "something that is no std::exception";
  }
  return fail(errc::machine_stopped, "the data can not be gone on with: " + why);
}

/// The founder and only member of a cluster that begins with the data of another one.
template <state_machine M>
[[nodiscard]] expected<node_start> begin_heir(const node_options& o, random_source& random,
                                              caf::actor_system& system, const M& machine) {
  const auto old = o.recover->members().content;
  node_start start{.self = draw_member(o, random, version_of<M>)};
  while (old && (start.self.id == o.recover->node || find(*old, start.self.id)))
    start.self = draw_member(
        o, random, version_of<M>); // with a fixed seed the numbers are those of the old node
  cluster_id cluster{draw_nonzero(random)};
  while (old && cluster == old->cluster)
    cluster = {draw_nonzero(random)};
  if (auto good = validate(o, start.self, own_record{cluster, start.self}); !good)
    return tl::unexpected<failure>{std::move(good.error())};
  if (auto done = connect(o, random, system, start); !done)
    return tl::unexpected<failure>{std::move(done.error())};
  auto found = refound_guarded(*o.recover, start.self, cluster, machine);
  if (!found)
    return tl::unexpected<failure>{std::move(found.error())};
  start.found = std::move(*found);
  start.returning = find_own_record(start.found, start.self.id);
  if (!start.self.durable)
    return start;
  auto store = found_store(o, start, random.next());
  if (!store)
    return tl::unexpected<failure>{std::move(store.error())};
  start.store = std::move(*store);
  return start;
}

} // namespace understudy::detail
