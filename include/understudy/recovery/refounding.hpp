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
/// arrives here, and whoever asks by way of a seed is told that the cluster is another. A session
/// is known by the index at which it was opened. So the new log leaves out so many indexes that no
/// session of the old history is taken for one of this; nor, but for one chance in 65,536, of
/// another history that was begun with the same data.

#include <understudy/core/configuration.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/machine.hpp>
#include <understudy/recovery/remains.hpp>
#include <understudy/replica/replica.hpp>
#include <understudy/roster/roster.hpp>
#include <understudy/storage/snapshot_writer.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

namespace detail {

/// The state of a replica, written down.
template <state_machine M> [[nodiscard]] expected<snapshot_taken> written_down(replica<M>& state) {
  outbox out;
  take_snapshot order;
  state.on(order, {}, out);
  if (const auto& failed = state.stopped())
    return fail(errc::machine_stopped, failed->why);
  if (auto* frozen = std::get_if<write_down>(&out.notices.back())) {
    auto what = std::move(*frozen);
    snapshot_writer{}.on(what, {}, out);
  }
  if (const auto* failed = std::get_if<not_written>(&out.notices.back()))
    return fail(errc::machine_stopped, "writing a snapshot threw: " + failed->why);
  return std::get<snapshot_taken>(std::move(out.notices.back()));
}

} // namespace detail

/// The index at which the history of `cluster` begins that goes on from `last`: at one of 65,536
/// places between 2^40 and 2^56 further on.
[[nodiscard]] inline log_index begin_of_history(log_index last, cluster_id cluster) {
  constexpr int least = 40;
  constexpr std::uint64_t choices = 1 << 16;
  return last + ((1 + cluster.value % choices) << least);
}

/// What the founder of the new cluster starts with, as if it came back from a crash. `machine` is
/// how the machine began. The settings are those of the old cluster, and so is the version of the
/// machine. `cluster` is drawn at random.
///
/// Fails with `machine_stopped` if the machine can not apply the log, with `version_unsupported` if
/// it is of an older version than the cluster used, and with `invalid_option` if `from` knows of no
/// cluster.
template <state_machine M>
[[nodiscard]] expected<recovered_state> refound(const remains& from, member founder,
                                                cluster_id cluster, M machine = {}) {
  const auto old = from.members().content;
  if (!old)
    return fail(errc::invalid_option, "the survivor knows of no cluster");
  if (auto good = detail::knows_enough(*old, founder.id, version_of<M>); !good)
    return tl::unexpected<failure>{std::move(good.error())};
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
  auto at = begin_of_history(from.last().index, cluster);
  if (!state.stopped())
    state.skip_to({at, from.last().term});
  apply_entries end;
  const auto add = [&](auto what) {
    at = at.next();
    end.entries.push_back({at, term, stamp, share(std::move(what))});
  };
  for (const auto id : state.sessions().open_portable())
    add(close_session{id});
  founder.entered = at.next();
  founder.status = standing::present;
  const auto first = std::make_shared<const configuration>(
      configuration{.cluster = cluster,
                    .rules = old->rules,
                    .members = {founder},
                    .voters = {founder.id},
                    .machine_version = old->machine_version});
  add(configuration_ptr{first});
  state.on(end, {}, out);

  auto taken = detail::written_down(state);
  if (!taken)
    return tl::unexpected<failure>{std::move(taken.error())};
  return recovered_state{
      .vote = {term, {}},
      .base = std::make_shared<const snapshot>(snapshot{.at = {at, term},
                                                        .stamp = stamp,
                                                        .members = {at, first},
                                                        .image = std::move(taken->image),
                                                        .digest = taken->digest})};
}

} // namespace understudy
