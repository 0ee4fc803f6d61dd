// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a node begins: as a newcomer, where an earlier process ended, or as the heir of a cluster
/// that is lost.

#include <understudy/actors/cast.hpp>
#include <understudy/actors/directory.hpp>
#include <understudy/actors/node_options.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/random.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/machine.hpp>
#include <understudy/recovery/refounding.hpp>
#include <understudy/storage/any_store.hpp>
#include <understudy/storage/earlier_life.hpp>
#include <understudy/storage/store_in.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace understudy::detail {

/// Who a node is, and what it has.
struct node_start {
  member self = {};
  std::optional<any_store> store = {};      ///< none: its log ends with the process
  recovered_state found = {};               ///< what was kept of an earlier life
  std::optional<own_record> returning = {}; ///< the roster has it already
};

/// A node that has nothing yet but a name and new ids.
[[nodiscard]] inline member draw_member(const node_options& o, random_source& random) {
  return {.id = {draw_nonzero(random)},
          .name = o.name,
          .address = local_links::new_address(random.next()),
          .start = random.next(),
          .durable = o.store || !o.directory.empty()};
}

[[nodiscard]] inline store_opener opener_of(const node_options& o) {
  return o.directory.empty() ? o.store : store_in(o.directory);
}

/// Finds out who the node is. Nothing is looked for on a disk before the options make sense.
[[nodiscard]] inline expected<node_start> begin_node(const node_options& o, random_source& random) {
  node_start start{.self = draw_member(o, random)};
  const bool may_return = start.self.durable && !o.found && o.seeds.empty();
  const auto supposed = may_return ? std::optional{own_record{.self = start.self}} : std::nullopt;
  if (auto good = validate(o, start.self, supposed); !good)
    return tl::unexpected<failure>{std::move(good.error())};
  if (!start.self.durable)
    return start;
  auto before = open_life(opener_of(o),
                          {.newcomer = {start.self.id, start.self.start}, .seed = random.next()});
  if (!before)
    return tl::unexpected<failure>{std::move(before.error())};
  start.self.id = before->self.id;
  start.self.start = before->self.start;
  if (before->returning)
    start.self.address = before->returning->self.address;
  start.store = std::move(before->store);
  start.found = std::move(before->found);
  start.returning = std::move(before->returning);
  if (auto good = validate(o, start.self, start.returning); !good)
    return tl::unexpected<failure>{std::move(good.error())};
  return start;
}

/// A new store with what the heir begins with, durable when this returns.
[[nodiscard]] inline expected<any_store> found_store(const node_options& o, const node_start& heir,
                                                     std::uint64_t seed) {
  auto store
      = opener_of(o)({.newcomer = {heir.self.id, heir.self.start}, .anew = true, .seed = seed});
  if (!store)
    return store;
  auto done
      = store->write({.write = {1}, .base = heir.found.base, .keep = {}, .vote = heir.found.vote});
  if (done)
    done = store->sync();
  if (!done)
    return tl::unexpected<failure>{std::move(done.error())};
  return store;
}

/// The founder and only member of a cluster that begins with the data of another one.
template <state_machine M>
[[nodiscard]] expected<node_start> begin_heir(const node_options& o, random_source& random,
                                              const M& machine) {
  node_start start{.self = draw_member(o, random)};
  const cluster_id cluster{draw_nonzero(random)};
  if (auto good = validate(o, start.self, own_record{cluster, start.self}); !good)
    return tl::unexpected<failure>{std::move(good.error())};
  auto found = refound<M>(*o.recover, start.self, cluster, machine);
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
