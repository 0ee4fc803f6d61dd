// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the components of one node tell each other.
///
/// Raft core, log writer, replica, listener puller, membership monitor and request forwarder share
/// nothing but these messages. Between two of them the order is kept; an own actor that speaks them
/// can stand in for any of ours.

#include <understudy/core/ballot.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/node_event.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace understudy {

// -- raft core <-> log writer --------------------------------------------------------------------

/// Everything to make durable, in this order: snapshot, truncation, entries, ballot.
struct store_write {
  generation write = {};
  std::shared_ptr<const snapshot> base = nullptr; ///< replaces all up to its index
  std::optional<log_index> keep = {};             ///< drop every entry above this index first
  std::vector<entry> entries = {};
  std::optional<ballot> vote = {};
};

/// All writes up to `write` are durable. The generation, not an index, is what is confirmed: after
/// a truncation the same index may hold something else (R3).
struct store_written {
  generation write = {};
  generation ballots = {}; ///< if further on: the disk is full, but ballots are durable up to here
  log_index left_out = {}; ///< a snapshot up to here had no room: the log that it covers stays
};

/// A write failed. The node stops at once: what a retry would report can not be trusted (D4).
struct store_failed {
  std::string why;
};

// -- raft core <-> replica -----------------------------------------------------------------------

/// Committed entries to apply, in order and without a gap.
struct apply_entries {
  std::vector<entry> entries = {};
  bool answer = false;      ///< this node leads: callers wait here for the outcomes
  std::uint32_t copies = 1; ///< on how many nodes the entries are stored
};

/// Put `image` in the place of all state.
struct restore_snapshot {
  std::shared_ptr<const snapshot> image;
};

/// Write down the state as it is after all that was handed over so far.
struct take_snapshot {};

/// Everything up to here is applied.
struct applied_through {
  log_index index = {};
};

/// The state at `at`, written down.
struct snapshot_taken {
  log_position at = {};
  log_time stamp = {};
  bytes image = {};
  std::uint64_t digest = 0; ///< of `image`
};

/// The machine threw, or met what it can not decode. It stays where it was, before `index`; the
/// node keeps log and vote, and gives up leadership.
struct machine_failed {
  log_index index = {};
  std::string why = {};
};

// -- snapshot writer <-> replica and raft core ---------------------------------------------------

/// The state at `at`, frozen: `image` writes it down, on whatever thread, and may throw.
struct write_down {
  log_position at = {};
  log_time stamp = {};
  std::function<bytes()> image = {};
};

/// Writing down threw.
struct not_written {
  std::string why = {};
};

/// Put a snapshot of this node's own log where the log writer will find it, while that goes on.
struct stage_snapshot {
  std::shared_ptr<const snapshot> what;
};

/// It is there, or `code` says why not.
struct snapshot_staged {
  snapshot_key what = {};
  errc code = errc::none;
};

// -- raft core -> everyone -----------------------------------------------------------------------

/// What this node's place in the cluster is.
enum class role : std::uint8_t {
  joining = 0,            ///< has not entered, or does not know yet that it has
  listener = 1,           ///< in the roster, without a vote
  temporary_listener = 2, ///< a listener that becomes a voter when the count is odd again
  follower = 3,
  candidate = 4,
  leader = 5,
};

/// What the leader knows of one peer.
struct peer_progress {
  member_id id = {};
  log_index match = {};    ///< stored there for certain
  bool caught_up = false;  ///< holds this term's entries, is close behind, fit, and answers
  bool in_contact = false; ///< answered within `suspect_after`
  bool unfit = false;      ///< its machine has stopped
};

/// The raft core's state as the other components may know it. Sent when something in it that they
/// act on changed; indexes may trail by a heartbeat.
struct core_view {
  term_number term = {};
  member_id leader = {};     ///< none: not known
  instant leader_heard = {}; ///< when the leader last gave a sign to this node itself
  instant leader_known = {}; ///< or to a node that told this one
  instant fresh_at = {}; ///< all that a leader had committed then, as far as it said, is applied
  bool leads = false;
  bool campaigning = false;
  bool term_committed = false; ///< leading, and an entry of the own term is committed
  bool unfit = false;          ///< this node's machine has stopped
  log_position last = {};
  log_index commit = {};
  log_index applied = {};
  log_index leader_commit = {};          ///< what a leader has said itself to be committed
  placed_configuration committed = {};   ///< the newest committed one: ranks and claims
  placed_configuration newest = {};      ///< the newest in the log: quorums
  std::vector<peer_progress> peers = {}; ///< leading: voters and tracked claimants
  std::uint32_t copies = 1;              ///< on how many nodes a write is when it is answered
};

// -- listener puller <-> raft core ---------------------------------------------------------------

/// Entries that a source sent: committed there, a gapless chain behind `previous`.
struct pulled_entries {
  log_position previous = {};
  std::vector<entry> entries = {};
  log_index commit = {};
  term_number term = {}; ///< the source's: they were committed in this term or before
};

/// A piece of a snapshot that a source sent.
struct pulled_chunk {
  snapshot_chunk chunk = {};
  term_number term = {}; ///< the source's: likewise
};

/// A source showed that this log's end is not what was committed: go back to what is certain.
struct pulled_divergence {};

/// Where the log stands after what was pulled: the next question starts here.
struct stored_through {
  log_position last = {}; ///< stored and durable
  log_index commit = {};
  snapshot_key resume = {}; ///< a snapshot half received
  std::uint64_t received = 0;
};

/// Who leads, as a source has told; a hint.
struct leader_hint {
  member_id leader = {};
  term_number term = {};
  instant heard = {};    ///< when the source heard that leader
  log_index commit = {}; ///< what the source knows to be committed
};

// -- membership monitor <-> raft core ------------------------------------------------------------

/// Start a cluster of one: this node.
struct found_cluster {
  configuration first = {};
};

/// This node's own enter entry, as the leader said: no campaign before it is in the log.
struct entered_cluster {
  cluster_id cluster = {};
  log_index entered = {};
  placed_configuration roster = {}; ///< as the answering node knew it: whom to pull from first
};

/// Replicate to these members too, though they do not vote: they asked for a seat.
struct track_members {
  std::vector<member_id> claimants = {};
};

/// Append a configuration that differs in the roster or the settings; the voters are copied.
struct change_roster {
  roster_change what = {};
  ticket id = {};
  member_id heir = {}; ///< only if this one could take a seat at once; none: whatever
};

/// Make `voters` the raft group by joint consensus; only if `base` is still the newest
/// configuration, is committed, and an entry of the leader's term is committed (M1).
struct change_voters {
  log_index base = {};
  std::vector<member_id> voters = {};
  ticket id = {};
};

/// What became of a change: refused at once, or standing in the log at `index`.
struct change_taken {
  ticket id = {};
  expected<log_index> index = {};
};

// -- request forwarder <-> raft core -------------------------------------------------------------

/// Payloads to append, in order.
struct propose {
  generation batch = {};
  std::vector<std::shared_ptr<const payload>> what = {};
};

/// The first `count` of a batch stand in the log from `first` on; the rest was refused with `why`.
struct proposed {
  generation batch = {};
  log_index first = {};
  std::size_t count = 0;
  failure why = {};
};

/// Up to which index must a linearizable read wait? Answered once this node has shown that it
/// leads.
struct read_request {
  generation ask = {};
};

/// Every question up to `ask` may be answered from a state that has applied `index`, if `code` is
/// none.
struct read_ready {
  generation ask = {};
  log_index index = {};
  errc code = errc::none;
};

// -- request forwarder <-> replica ---------------------------------------------------------------

/// What the entry at `index` did.
struct outcome {
  log_index index = {};
  expected<bytes> result = {};
};

/// The outcomes of applied entries, in index order, sent where the entries were to be answered.
struct applied_outcomes {
  std::vector<outcome> batch = {};
  std::uint32_t copies = 1;
};

/// A query for the replica, to be answered once it has applied `at_least`.
struct ask_replica {
  ticket id = {};
  bytes body = {};
  log_index at_least = {};
  instant until = {};
};

/// The answer, and up to where the replica had applied.
struct replica_answer {
  ticket id = {};
  expected<bytes> result = {};
  log_index applied = {};
};

// -- driver -> components ------------------------------------------------------------------------

/// The link to a peer broke, or its actors ended: it is not heard for now.
struct peer_lost {
  member_id who = {};
  bool gone = false; ///< its process is known to have ended, not only out of reach
};

/// A call from inside this process; answered with a `local_answer` for the same ticket.
struct local_call {
  ticket id = {};
  request_body body = {}; ///< a command with no session is given the node's own
  instant deadline = {};
};

/// What became of a local call.
struct local_answer {
  ticket id = {};
  expected<reply> result = {};
  interval retry_after{0};
};

/// The nodes that a client may call from now on, the preferred one first.
struct nodes_known {
  std::vector<member_id> nodes = {};
};

/// Under `contact` a node was sent to whose id was not known: it is `who`.
struct seed_met {
  member_id contact = {};
  member_id who = {};
};

/// An operator's order, given at this node; answered with an `order_done` for the same ticket once
/// it is committed, or refused.
struct local_order {
  ticket id = {};
  order what = {};
  instant deadline = {}; ///< then the answer is `outcome_unknown`; none given: the monitor's own
};

/// Have a snapshot written of all that is applied by now; answered with an `order_done` for the
/// same ticket once it is stored.
struct order_snapshot {
  ticket id = {};
};

/// What became of an order: the index of the configuration that shows it, or of the last entry that
/// the snapshot covers.
struct order_done {
  ticket id = {};
  expected<log_index> result = {};
};

/// Leave the cluster, within `limit`; ends with a `leave_ended`.
struct leave_cluster {
  interval limit{0}; ///< none given: the monitor's own
};

/// How a node left.
enum class leave_outcome : std::uint8_t {
  left = 0,        ///< its seat is passed on, its calls are answered, the roster is without it
  last_member = 1, ///< nobody was left to take over: the cluster ended with it
  timed_out = 2,   ///< the limit passed first; `detail` says what was left undone
};

/// The node has left as far as it could: what remains is to stop it.
struct leave_ended {
  leave_outcome how = leave_outcome::left;
  std::string detail = {};
};

/// This node is no member any more. The roster as it has it need not show that.
struct sent_away {
  member_id leader = {}; ///< of the cluster that this node belonged to
};

/// Take no more calls, and say so when the open ones are answered.
struct drain_calls {};

/// No call is open any more.
struct calls_drained {};

/// Who else can be reached, and where, as a client has heard from the node that it calls.
struct members_heard {
  std::vector<member_place> members = {};
};

/// All of the above.
using sibling_message = std::variant<
    store_write, store_written, store_failed, apply_entries, restore_snapshot, take_snapshot,
    applied_through, snapshot_taken, write_down, not_written, stage_snapshot, snapshot_staged,
    machine_failed, core_view, pulled_entries, pulled_chunk, pulled_divergence, stored_through,
    leader_hint, found_cluster, entered_cluster, track_members, change_roster, change_voters,
    change_taken, transfer_leadership, propose, proposed, read_request, read_ready,
    applied_outcomes, ask_replica, replica_answer, peer_lost, local_call, local_answer, node_event,
    nodes_known, seed_met, local_order, order_snapshot, order_done, leave_cluster, leave_ended,
    sent_away, drain_calls, calls_drained, members_heard>;

} // namespace understudy
