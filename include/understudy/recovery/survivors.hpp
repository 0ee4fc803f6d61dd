// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// With whose data a cluster goes on that has lost its majority for good, and what is lost.
///
/// The log whose end is newest, by term and then by index, has every committed entry that any of
/// the survivors has: an entry of its last term was sent by that term's leader, who had all that
/// was committed before (§5.4.3). It makes no difference whether its owner votes or listens. What
/// only the missing had is gone, and nobody who is left can tell how much that was.

#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/raft/quorum.hpp>
#include <understudy/recovery/remains.hpp>
#include <understudy/roster/roster.hpp>

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace understudy {

/// Which of the survivors to go on from.
struct inheritance {
  std::size_t from = 0;                 ///< its place among the survivors
  std::vector<member_id> missing = {};  ///< voters that are none of them
  std::vector<std::string> losses = {}; ///< what may be lost, and what is, in sentences
};

inline std::ostream& operator<<(std::ostream& out, const inheritance& what) {
  for (const auto& line : what.losses)
    out << line << '\n';
  return out;
}

namespace detail {

[[nodiscard]] inline std::string name_in(const configuration& all, member_id id) {
  const auto* who = find(all, id);
  return label_of(id) + (who && !who->name.empty() ? " (" + who->name + ")" : "");
}

[[nodiscard]] inline std::vector<std::string> losses_of(std::span<const remains> survivors,
                                                        const inheritance& so_far) {
  const auto& heir = survivors[so_far.from];
  const auto last = heir.last();
  const auto& members = *heir.members().content;
  std::string missing;
  for (const auto id : so_far.missing)
    missing += (missing.empty() ? "" : ", ") + name_in(members, id);
  std::vector<std::string> lines;
  lines.push_back(name_in(members, heir.node) + " has most: its log ends with entry "
                  + std::to_string(last.index.value) + " of term " + std::to_string(last.term.value)
                  + ".");
  lines.push_back("Of " + std::to_string(members.voters.size()) + " voters these are missing: "
                  + missing + ". What only they had is lost, and may have been acknowledged.");
  const auto known = std::ranges::max(survivors, {}, &remains::committed).committed;
  if (known > last.index)
    lines.push_back("Entries were committed up to " + std::to_string(known.value) + ": "
                    + std::to_string(known - last.index) + " of them are lost.");
  if (heir.committed < last.index)
    lines.push_back("Those behind entry " + std::to_string(heir.committed.value)
                    + " need not have been acknowledged; they are kept.");
  lines.push_back("All sessions end, and every other node enters anew.");
  return lines;
}

/// Whether those of the survivors that can go on could elect `leader` and commit what it has: then
/// the old cluster is not lost.
[[nodiscard]] inline bool could_lead(const remains& leader, std::span<const remains> survivors) {
  const auto in_force = leader.members().content;
  return in_force && leader.can_go_on() && quorum_of(*in_force, [&](member_id id) {
           return std::ranges::any_of(survivors, [&](const remains& one) {
             return one.node == id && one.can_go_on() && one.last() <= leader.last();
           });
         });
}

} // namespace detail

/// Finds the survivor whose data is newest. The others that are left should all be among them.
///
/// | error | when |
/// | --- | --- |
/// | `invalid_option` | there is nobody, or nobody who knows of a cluster |
/// | `cluster_mismatch` | they are not all of one cluster |
/// | `quorum_intact` | one of them could be elected: they can go on, and must not be passed by |
[[nodiscard]] inline expected<inheritance> inherit(std::span<const remains> survivors) {
  const auto cluster_of = [](const remains& r) {
    const auto in = r.members().content;
    return in ? in->cluster : cluster_id{};
  };
  inheritance found;
  cluster_id cluster;
  std::set<member_id> here;
  for (std::size_t i = 0; i < survivors.size(); ++i) {
    const auto& one = survivors[i];
    const auto of = cluster_of(one);
    if (!of)
      continue;
    here.insert(one.node);
    if (cluster && of != cluster)
      return fail(errc::cluster_mismatch, detail::label_of(survivors[found.from].node)
                                              + " is of cluster " + std::to_string(cluster.value)
                                              + ", and " + detail::label_of(one.node) + " of "
                                              + std::to_string(of.value));
    if (!cluster || one.last() > survivors[found.from].last())
      found.from = i;
    cluster = of;
  }
  if (!cluster)
    return fail(errc::invalid_option, "none of the survivors knows of a cluster");
  for (const auto& one : survivors)
    if (detail::could_lead(one, survivors))
      return fail(errc::quorum_intact,
                  "the voters that are there could elect " + detail::label_of(one.node));
  const auto in_force = survivors[found.from].members().content;
  for (const auto* half : {&in_force->voters, &in_force->outgoing})
    for (const auto id : *half)
      if (!here.contains(id) && std::ranges::find(found.missing, id) == found.missing.end())
        found.missing.push_back(id);
  found.losses = detail::losses_of(survivors, found);
  return found;
}

} // namespace understudy
