// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What can become of the roster without touching the voters, and what an operator can order.

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>

#include <cstdint>
#include <variant>

namespace understudy {

/// Appends a newcomer at the end of the roster.
struct enter_member {
  member newcomer = {};
  log_index since = {}; ///< see `enter_request`
};

/// Takes a member's rank away, for good.
struct mark_member {
  member_id who = {};
  standing status = standing::leaving;
};

/// Keeps a member a listener, or lets it have a rank again.
struct pin_member {
  member_id who = {};
  bool pinned = true;
};

/// Removes a member that does not vote from the roster.
struct drop_member {
  member_id who = {};
};

/// Replaces the replicated settings.
struct set_rules {
  settings rules = {};
};

/// Says what the build knows with which a member has come back.
struct declare_versions {
  member_id who = {};
  std::uint32_t protocol_version = 1;
  std::uint32_t machine_version = 1;
};

/// Lets the commands of a newer version of the machine be used, for good.
struct use_machine_version {
  std::uint32_t version = 1;
};

/// What can change without touching the voters.
using roster_change = std::variant<enter_member, mark_member, pin_member, drop_member, set_rules,
                                   declare_versions, use_machine_version>;

/// Hand leadership to `to`, if it is caught up (thesis §3.10); to whoever has most if it is none.
struct transfer_leadership {
  member_id to = {};
};

/// What the leader can be asked to do by an operator at any node, or by a node on its way out.
/// A kind's place here is part of the wire format: it is only ever added to.
using order = std::variant<mark_member, pin_member, drop_member, set_rules, transfer_leadership,
                           declare_versions, use_machine_version>;

} // namespace understudy
