// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a node that starts finds of its earlier life.

#include <understudy/core/ballot.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/snapshot.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace understudy {

/// Under which name a node is known: a store keeps it, too, for the next start.
struct node_identity {
  member_id id = {};
  std::uint64_t start = 0; ///< as in `member`

  friend bool operator==(const node_identity&, const node_identity&) = default;
};

/// Ballot, snapshot and entries, as a log store kept them; nothing at all for a new incarnation.
struct recovered_state {
  ballot vote = {};
  std::shared_ptr<const snapshot> base = nullptr;
  std::vector<entry> entries = {}; ///< follow `base`, or start at index 1
};

/// A node as the log shows it that came back with the node.
struct own_record {
  cluster_id cluster = {};
  member self = {};
};

/// The configuration that was in force at the end of the log; none if the log is of no cluster.
[[nodiscard]] inline placed_configuration newest_configuration(const recovered_state& found) {
  auto newest = found.base ? found.base->members : placed_configuration{};
  for (const auto& e : found.entries)
    if (const auto* c = e.as<configuration_ptr>())
      newest = {e.index, *c};
  return newest;
}

/// The newest configuration in the log that lists `id`. A node whose log does not show it has
/// nothing to come back to, and starts as a new incarnation: nobody can tell any more whether the
/// roster had it and dropped it (B4).
[[nodiscard]] inline std::optional<own_record> find_own_record(const recovered_state& found,
                                                               member_id id) {
  std::optional<own_record> newest;
  const auto look_into = [&](const configuration_ptr& in) {
    const auto own = std::ranges::find(in->members, id, &member::id);
    if (own != in->members.end())
      newest = own_record{in->cluster, *own};
  };
  if (found.base && found.base->members.content)
    look_into(found.base->members.content);
  for (const auto& e : found.entries)
    if (const auto* in = e.as<configuration_ptr>())
      look_into(*in);
  return newest;
}

} // namespace understudy
