// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Every message between nodes, by the component that sends it.
///
/// A message says nothing of its sender: the driver hands over the identity of the connection it
/// came by, whatever the message might claim (T6). Nothing here holds a clock reading of the
/// sender; a deadline travels as the time that is left.

#include <understudy/core/configuration.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/roster_change.hpp>
#include <understudy/core/snapshot.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace understudy {

// -- raft core to raft core ---------------------------------------------------------------------

/// Which of the two rounds a vote is for. A pre-vote asks without raising anybody's term (§9.6 of
/// the thesis), so a node that was cut off does not disturb a healthy group when it returns.
enum class round : std::uint8_t { pre_vote = 0, vote = 1 };

/// RequestVote (§5.2).
struct request_vote {
  term_number term; ///< the term the candidate has, or in a pre-vote would have
  enum round round = round::vote;
  log_position last = {};   ///< the end of the candidate's log
  log_index entered = {};   ///< the candidate's own enter entry: tells removed from unheard-of
  bool by_transfer = false; ///< the leader itself asked the candidate to stand
};

/// Why a vote was given or not.
enum class verdict : std::uint8_t {
  granted = 0,
  refused = 1,      ///< the vote of this term went to another, or the request is out of date
  newer_log = 2,    ///< the voter's own log is newer
  hears_leader = 3, ///< the voter still hears a leader (§4.2.3 of the thesis)
  removed = 4,      ///< a committed configuration shows that the candidate was removed
};

/// The answer to `request_vote`; counts only for the same term and round (E15).
struct vote_reply {
  term_number term; ///< the voter's own term, also in a pre-vote (E7, E9)
  enum round round = round::vote;
  term_number asked = {}; ///< the term that was asked for
  enum verdict verdict = verdict::refused;
};

/// AppendEntries (§5.3); heartbeat and commit notice when it is empty.
struct append_entries {
  term_number term;
  log_position previous = {};
  std::vector<entry> entries = {};
  log_index commit = {};
  generation stream = {};     ///< one life of the leader's view of this peer; replies echo it (R4)
  generation attempt = {};    ///< echoed: which attempt to find out where the logs agree it is of
  generation read_round = {}; ///< echoed: proves that the leader led when the round was sent
};

/// The answer to `append_entries`. Leaves only when what it asserts is durable.
struct append_reply {
  term_number term;
  bool accepted = false;
  log_index match = {}; ///< accepted: the log equals the leader's up to here, durably
  /// Refused: where the leader may find agreement. Accepted: up to where the logs are equal, if
  /// they are further than is stored, since the disk is full.
  log_position hint = {};
  generation stream = {};
  generation attempt = {};
  generation read_round = {};
  bool unfit = false; ///< the sender's machine has stopped: it should neither lead nor get a seat
};

/// InstallSnapshot (§7), a chunk at a time.
struct install_snapshot {
  term_number term;
  snapshot_chunk chunk = {};
  generation stream = {};
};

/// How much of a snapshot the receiver has; `done` once it is durable and in force.
struct snapshot_reply {
  term_number term;
  snapshot_key key = {};
  std::uint64_t received = 0;
  bool done = false;
  generation stream = {};
};

/// "Stand for election now" (thesis §3.10): the leader hands over.
struct timeout_now {
  term_number term;
};

// -- listener puller to any raft core, and back --------------------------------------------------

/// "What is committed behind this place?" Waits at the source until there is something to send.
struct pull_request {
  cluster_id cluster;
  generation ask = {};    ///< echoed: late answers of an earlier question are dropped
  log_position from = {}; ///< all up to here is stored at the puller
  interval wait{0};       ///< how long the source may hold the question
  std::uint32_t bytes_max = 1 << 20;
  snapshot_key resume = {}; ///< a snapshot that is half received
  std::uint64_t received = 0;
};

/// What a source can say to a puller.
enum class pull_verdict : std::uint8_t {
  entries = 0,  ///< entries, perhaps none, that follow `from`
  snapshot = 1, ///< `from` lies before what the source keeps: a chunk instead
  behind = 2,   ///< the source has not committed up to `from` itself
  diverged = 3, ///< the place `from` has another term here: back up to `commit`
  refused = 4,  ///< not of this cluster, no voter, or too many wait here: ask elsewhere
};

/// Committed entries, as a gapless chain behind `from`; never anything uncommitted (M19).
struct pull_reply {
  generation ask = {};
  pull_verdict verdict = pull_verdict::entries;
  log_position previous = {};
  std::vector<entry> entries = {};
  log_index commit = {};
  std::optional<snapshot_chunk> chunk = {};
  term_number term = {};     ///< the source's term; a hint, with no authority
  member_id leader = {};     ///< who leads, as the source knows
  interval leader_silent{0}; ///< for how long the source has not heard that leader
};

// -- membership monitor to membership monitor ----------------------------------------------------

/// "How many nodes are there?" (S8): asked of seeds, before founding and before entering.
struct census_request {
  bool founding = false;
};

/// The answer to `census_request`; no cluster: the node asked has none itself.
struct census_reply {
  cluster_id cluster = {};
  std::uint32_t members = 0;
  member_id leader = {};
  std::string leader_address = {};
  bool founding = false;    ///< the node asked was told to found, and has not yet
  log_index committed = {}; ///< the configuration that the node asked goes by; 0: not in one yet
};

/// "Take me in": a new incarnation asks to be appended to the roster. Idempotent (B12).
struct enter_request {
  cluster_id cluster = {}; ///< set when the node means one cluster only
  member newcomer = {};
  /// A committed configuration from before the newcomer first asked. A cluster that has forgotten
  /// who left after it can not tell a newcomer from one whose request is very late.
  log_index since = {};
};

/// The answer to `enter_request`. On success the roster shows the count and the own rank.
struct enter_reply {
  errc code = errc::none;
  std::string detail = {};
  placed_configuration roster = {}; ///< committed, with the newcomer in it
  member_id leader = {};
  std::string leader_address = {};
};

/// "My claim is voter, and I hold the data: seat me" (S4, S9).
struct seat_request {
  log_position last = {};
};

/// "I am here": from every member to the leader, so that it can tell silence from idleness.
struct presence {};

/// An order for the leader, from a member's monitor.
struct order_request {
  ticket id = {};
  order what = {};
};

/// What became of it; sent when it is committed, or at once if it can not be.
struct order_reply {
  ticket id = {};
  expected<log_index> result = {};
};

// -- clients and request forwarders --------------------------------------------------------------

/// How fresh a query's answer must be.
enum class consistency : std::uint8_t {
  linearizable = 0, ///< reflects every write that was acknowledged before the query began
  local = 1,        ///< whatever the node asked has applied, with its age
  session = 2,      ///< at least everything up to the given commit index (read your writes)
};

/// A question to the machine.
struct query {
  bytes body = {};
  enum consistency consistency = consistency::linearizable;
  log_index at_least = {}; ///< for `session`: the commit token of the caller's newest write
  interval age_max{0};     ///< for `local`: refuse older data with `stale`; 0: any age will do

  friend bool operator==(const query&, const query&) = default;
};

/// What a caller can ask of a node.
using request_body = std::variant<command, query, open_session, close_session, settle>;

/// One request on its way. `id` is the sender's and comes back with the answer.
struct request {
  ticket id = {};
  request_body body = {};
  interval time_left{0}; ///< until the caller stops waiting
};

/// Requests to a node; from another node (`forwarded`) they are not passed on again (C5).
struct requests {
  bool forwarded = false;
  std::vector<request> batch = {};
};

/// A successful answer.
struct reply {
  bytes body = {};
  log_index index = {};     ///< of the entry applied, or what the query saw: the commit token
  std::uint32_t copies = 0; ///< on how many nodes a write was stored when it was acknowledged
  interval age{0};          ///< of a local query's data

  friend bool operator==(const reply&, const reply&) = default;
};

/// What became of one request.
struct answer {
  ticket id = {};
  expected<reply> result = {};
  interval retry_after{0}; ///< with `overloaded`: when to come back
};

/// Answers to `requests`, in any order.
struct answers {
  std::vector<answer> batch = {};
};

/// "Who belongs to the cluster?" Waits at the node asked until that is more than the asker knows.
struct members_request {
  cluster_id cluster = {}; ///< which the asker knows; none: none yet
  log_index known = {};    ///< its newest configuration that the asker knows
};

/// Where a member is reached.
struct member_place {
  member_id id = {};
  std::string address = {};

  friend bool operator==(const member_place&, const member_place&) = default;
};

/// All members of a committed configuration, in join order.
struct members_reply {
  cluster_id cluster = {};
  log_index index = {}; ///< of that configuration
  std::vector<member_place> members = {};
};

/// All of the above.
using peer_message
    = std::variant<request_vote, vote_reply, append_entries, append_reply, install_snapshot,
                   snapshot_reply, timeout_now, pull_request, pull_reply, census_request,
                   census_reply, enter_request, enter_reply, seat_request, presence, order_request,
                   order_reply, requests, answers, members_request, members_reply>;

} // namespace understudy
