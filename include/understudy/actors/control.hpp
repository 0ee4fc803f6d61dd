// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the actors of one node tell each other about the node itself, not about the data.

#include <understudy/actors/caf_version.hpp>
#include <understudy/actors/result_slot.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/time.hpp>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

class monitor;
class raft_core;
struct backstage;

/// Who takes which notices in a node, who they all are, and who watches over them. Made once, when
/// all its actors are there, and let go of by each actor when it ends.
struct call_sheet {
  std::array<std::vector<any_actor>, std::variant_size_v<sibling_message>> notices = {};
  std::vector<any_actor> actors = {};
  any_actor supervisor = nullptr;
  any_actor exchange = nullptr; ///< has the connections, and ends last: what the others say at
                                ///< their end goes over them
};

/// To each actor of a node: these are the others. Comes before anything else.
struct connect_siblings {
  std::shared_ptr<const call_sheet> sheet;
};

/// To each actor of a node, when all know each other: wake up.
struct begin_work {};

/// An actor to itself: all that was waiting when this was sent is done.
struct batch_over {};

/// An actor to itself: time is up, unless the timer was set anew meanwhile.
struct timer_due {
  generation armed = {};
};

/// To an actor of a node: end when all that came before is done.
struct finish_work {};

/// To an actor of a node: answer everybody who waits; from now on answer `stopped`.
struct close_front {};

/// To the supervisor: tell when these end.
struct watch_peers {
  std::vector<std::pair<member_id, any_actor>> who = {};
};

/// To the supervisor: these members' actors are gone.
struct peers_gone {
  std::vector<member_id> who = {};
};

/// To the supervisor: an actor of this node met a broken invariant, or threw.
struct component_broke {
  std::string why;
};

/// To the supervisor: an actor got something that it has no handler for.
struct message_unexpected {};

/// To the supervisor: stop the node; abruptly, without answering what is in its mailboxes.
struct stop_node {
  bool abrupt = false;
};

/// How a node's leaving ended, for who asked it to.
struct leave_result {
  leave_outcome how = leave_outcome::left;
  std::string detail = {}; ///< what was left undone when the time was up
};

/// To a node's back office: an operator's order.
struct order_from_outside {
  order what = {};
  instant deadline = {};
  std::shared_ptr<result_slot<log_index>> slot = nullptr;
};

/// To a node's back office: leave the cluster, and stop.
struct leave_from_outside {
  interval limit{0};
  std::shared_ptr<result_slot<leave_result>> slot = nullptr;
};

/// To the actor of a node's raft core: write down the state as it is.
struct snapshot_from_outside {
  std::shared_ptr<result_slot<log_index>> slot = nullptr;
};

/// To the actor of a node's raft core: let this look at the core.
struct core_look_from_outside {
  std::function<void(const raft_core&)> look = {};
};

/// To a node's back office: let this look at the membership monitor.
struct look_from_outside {
  std::function<void(const monitor&)> look = {};
};

/// To the actor with a node's connections: from now on, what arrives goes to these actors, of which
/// there is one for each `desk`.
struct open_doors {
  std::shared_ptr<backstage> stage = nullptr;
  std::vector<any_actor> desks = {};
};

/// To a node's front: send `to` each `node_event` from now on.
struct subscribe {
  caf::actor to = {};
};

} // namespace understudy
