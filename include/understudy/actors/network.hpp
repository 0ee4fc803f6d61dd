// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a node gets beyond its process: what `node_options::network` has to provide.

#include <understudy/actors/caf_version.hpp>
#include <understudy/actors/directory.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/random.hpp>
#include <understudy/observe/events.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace understudy {

/// For whom a network is opened.
struct network_wish {
  member_id id = {};
  std::uint64_t start = 0;
  std::string name = {};
  std::uint32_t machine_version = 1;
  bool is_client = false; ///< it calls, and is never called
  std::uint64_t seed = 0; ///< for jitter
  log_sink log = {};      ///< takes what has to be told to people
};

/// What a node is reached by, and reaches others by.
struct opened_network {
  std::string address = {}; ///< its own, for the roster
  std::unique_ptr<understudy::links> links = nullptr;
  any_actor exchange = nullptr; ///< lives as long as the node, and is told to `open_doors`; none:
                                ///< nothing needs to run
  std::uint32_t protocol_version = 1; ///< the newest that it speaks
};

/// Opens a network for one node: another process, or the same. Fails where it can not listen.
using network_opener = std::function<expected<opened_network>(caf::actor_system&, network_wish)>;

/// For nodes of one process: all that `local_links` finds.
[[nodiscard]] inline expected<opened_network> open_local_network(caf::actor_system& system,
                                                                 const network_wish& wish) {
  return opened_network{.address = local_links::new_address(random_source{wish.seed}.next()),
                        .links = std::make_unique<local_links>(system)};
}

} // namespace understudy
