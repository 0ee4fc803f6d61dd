// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>

#include <cstdint>
#include <string>

namespace understudy {

/// Something happened that an operator or an application may want to know.
struct node_event {
  enum class kind : std::uint8_t {
    founded,            ///< this node founded the cluster
    entered,            ///< this node stands in the committed roster
    role_changed,       ///< this node's role; `detail` names it
    leader_changed,     ///< `who` leads now; none: nobody known
    roster_changed,     ///< the committed roster is another
    voters_changed,     ///< the committed voters are others
    settings_differ,    ///< the cluster runs with other settings than given here
    source_changed,     ///< the puller pulls from `who` now
    copies_changed,     ///< writes are stored on another number of nodes when answered
    machine_failed,     ///< the machine stopped applying
    enter_failed,       ///< the node can not enter; `detail` says why
    node_stopped,       ///< an invariant broke, or storage failed: the node is down
    protocol_violation, ///< a peer sent what no correct peer sends
    decided,            ///< a decision about seats was made here; `detail` has reason and inputs
    evicted,            ///< this node was sent away; it takes part no more
    leaving,            ///< this node is on its way out; `detail` names the step
    left,               ///< this node has left, or given up leaving; `detail` says how
    reconciled,    ///< calls taken before a seat or a leader were settled; `detail` counts them
    storage_full,  ///< nothing more can be stored until there is room; nothing is lost
    storage_ready, ///< there is room again, and all that waited is stored
  };
  kind what = kind::founded;
  member_id who = {};
  log_index index = {};
  errc code = errc::none;
  std::string detail = {};
};

} // namespace understudy
