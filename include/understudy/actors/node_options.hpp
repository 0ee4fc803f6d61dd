// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/actors/cast.hpp>
#include <understudy/actors/config.hpp>
#include <understudy/actors/network.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/forwarding/options.hpp>
#include <understudy/listener/options.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/raft/options.hpp>
#include <understudy/recovery/remains.hpp>
#include <understudy/replica/replica.hpp>
#include <understudy/storage/any_store.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy {

/// How a node is started. Every field can stay as it is but one: a node either founds a cluster or
/// has a seed.
struct node_options {
  std::string name = {};           ///< for people; at most 255 bytes
  bool found = false;              ///< makes a new cluster, unless a seed belongs to one
  std::vector<contact> seeds = {}; ///< nodes to ask for the cluster
  settings rules = {}; ///< of the cluster that it founds; others are told of differences
  /// Makes a new cluster that begins with this data, of one that has lost its majority for good:
  /// see `inherit`. Neither `found` nor a seed goes with it; the settings are those of the old
  /// cluster. What is in `directory` is put aside.
  std::optional<remains> recover = {};

  /// Keeps the node's data here: it comes back under its id with all that it has confirmed. The
  /// directory has to be there, and is the node's alone. None: the data ends with the process.
  std::string directory = {};
  /// Another kind of store in the place of the one in `directory`.
  store_opener store = {};

  /// Connects it with nodes of other processes: see `over_tcp`. None: its cluster is within this
  /// actor system.
  network_opener network = {};

  core_options core = {}; ///< of these `volatile_log` is filled in from the rest
  puller_options puller = {};
  forwarder_options forwarder = {};
  /// Of these `self`, `found`, `rules` and `contacts` are filled in from the rest.
  monitor_options monitor = {};

  understudy::placement placement = placement::detached_core;
  /// Called for every command that changed the machine, in log order: see `applied_hook`.
  applied_hook on_applied = {};
  /// Called for every event of this node, one at a time: be brief, and do not throw.
  std::function<void(const node_event&)> on_event = {};
  log_sink log = log_to_stderr;  ///< takes warnings; may be empty
  std::uint64_t random_seed = 0; ///< for ids and jitter; 0: from the operating system
};

namespace detail {

/// What a node's monitor is told.
[[nodiscard]] inline monitor_options monitor_options_of(const node_options& o, member self,
                                                        std::optional<own_record> returning) {
  auto result = o.monitor;
  result.self = std::move(self);
  result.returning = std::move(returning);
  result.found = o.found;
  result.suspect_after = o.core.suspect_after;
  result.rules = o.rules;
  result.contacts.clear();
  for (const auto& seed : o.seeds)
    result.contacts.push_back(seed.id);
  return result;
}

/// Every complaint about the options of every part, in one failure.
[[nodiscard]] inline expected<void> validate(const node_options& o, const member& self,
                                             const std::optional<own_record>& returning) {
  std::string all;
  const auto add = [&](const char* part, const std::vector<std::string>& complaints) {
    for (const auto& complaint : complaints)
      all += (all.empty() ? "" : "; ") + std::string{part} + complaint;
  };
  add("core: ", complaints(o.core));
  add("", complaints(o.puller));
  add("forwarder: ", complaints(o.forwarder));
  add("", complaints(monitor_options_of(o, self, returning)));
  if (!o.directory.empty() && o.store)
    add("", {"directory and store exclude each other"});
  if (o.recover && (o.found || !o.seeds.empty()))
    add("", {"recover makes a new cluster: neither found nor seeds go with it"});
  if (all.empty())
    return {};
  return fail(errc::invalid_option, std::move(all));
}

} // namespace detail

} // namespace understudy
