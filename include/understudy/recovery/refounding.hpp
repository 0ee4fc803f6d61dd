// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A new cluster that begins with the data of one that is lost.
///
/// Everything the survivor's log has is applied, also what it did not know to be committed: it may
/// have been acknowledged. Then the sessions end, so that nobody takes the new history for the old
/// one, and the founder is alone in the roster. The outcome is one snapshot, and the new log starts
/// behind it.
///
/// Cluster and founder have ids of their own. That is what fences the old cluster, if something of
/// it should still run: nobody of it knows the founder's id, so no vote, entry or pull of it
/// arrives here, and whoever asks by way of a seed is told that the cluster is another.

#include <understudy/core/bytes.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/digest.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/machine.hpp>
#include <understudy/recovery/remains.hpp>
#include <understudy/replica/replica.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

/// What the founder of the new cluster starts with, as if it came back from a crash. `machine` is
/// how the machine began. The settings are those of the old cluster.
///
/// Fails with `machine_stopped` if the machine can not apply the log, and with `invalid_option` if
/// `from` knows of no cluster.
template <state_machine M>
[[nodiscard]] expected<recovered_state> refound(const remains& from, member founder,
                                                cluster_id cluster, M machine = {}) {
  const auto old = from.members().content;
  if (!old)
    return fail(errc::invalid_option, "the survivor knows of no cluster");
  replica<M> state{std::move(machine)};
  outbox out;
  if (from.kept.base) {
    restore_snapshot all{from.kept.base};
    state.on(all, {}, out);
  }
  apply_entries log{.entries = from.kept.entries};
  state.on(log, {}, out);

  const auto term = std::max(from.kept.vote.term, from.last().term).next();
  const auto stamp = log.entries.empty() ? from.kept.base->stamp : from.kept.entries.back().stamp;
  auto at = from.last().index;
  apply_entries end;
  const auto add = [&](auto what) {
    at = at.next();
    end.entries.push_back({at, term, stamp, share(std::move(what))});
  };
  for (const auto id : state.sessions().open_portable())
    add(close_session{id});
  founder.entered = at.next();
  founder.status = standing::present;
  const auto first = std::make_shared<const configuration>(configuration{
      .cluster = cluster, .rules = old->rules, .members = {founder}, .voters = {founder.id}});
  add(configuration_ptr{first});
  state.on(end, {}, out);

  take_snapshot order;
  out = {};
  state.on(order, {}, out);
  if (const auto& failed = state.stopped())
    return fail(errc::machine_stopped, failed->why);
  auto& image = std::get<snapshot_taken>(out.notices.back()).image;
  const auto digest = digest_of(image.view());
  return recovered_state{.vote = {term, {}},
                         .base
                         = std::make_shared<const snapshot>(snapshot{.at = {at, term},
                                                                     .stamp = stamp,
                                                                     .members = {at, first},
                                                                     .image = std::move(image),
                                                                     .digest = digest})};
}

} // namespace understudy
