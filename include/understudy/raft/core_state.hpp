// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a raft core has in every role: ballot, log, commit index, and what is durable of them.

#include <understudy/core/assert.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/random.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/raft/abstention.hpp>
#include <understudy/raft/durability.hpp>
#include <understudy/raft/log.hpp>
#include <understudy/raft/options.hpp>
#include <understudy/raft/quorum.hpp>
#include <understudy/raft/schedule.hpp>
#include <understudy/roster/roster.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace understudy {

/// Go on as a follower; of `leader`, if one is known.
struct become_follower {
  member_id leader = {};
  std::optional<instant> stood_since = {}; ///< and was outvoted
};

/// Stand for election.
struct become_candidate {
  enum round round = round::pre_vote;
  bool by_transfer = false;
  bool lost_answers = false; ///< the leader that was lost has answered the pre-vote
};

/// The election is won.
struct become_leader {};

/// The role a handler asks for; taken when it returns.
using next_role = std::variant<become_follower, become_candidate, become_leader>;

/// What a core has been through.
struct core_counts {
  std::uint64_t truncations = 0; ///< how often an uncommitted tail was dropped
  std::uint64_t installs = 0;    ///< how many snapshots were put in force
  std::uint64_t lease_reads = 0; ///< how often questions were answered without a round
};

/// State and steps that all roles share. Roles change it only through these functions, so each rule
/// about ballot, log and commit index stands in one place.
class core_state {
public:
  core_state(member_id id, const core_options& limits, std::uint64_t seed)
      : self{id}, options{limits}, random{seed}, durable{limits.volatile_log},
        silence{limits.heartbeat} {}

  const member_id self;
  const core_options options;
  random_source random;
  raft_log log;
  durability durable;
  abstention silence;                    ///< since the last sign of any leader
  std::shared_ptr<const snapshot> image; ///< the newest snapshot of this node's state
  log_index entered;                     ///< this node's enter entry, once the leader has named it
  log_index applied;                     ///< what the replica has confirmed
  member_id lost_leader;                 ///< whose loss this node noticed last
  std::uint32_t defeats = 0;             ///< votes lost in a row, since there was a leader
  log_position refused_with;             ///< the log by which it refused a candidate last
  term_number led;                       ///< the term in which this node led last
  bool half_installed = false;           ///< a snapshot has arrived in part
  bool machine_failed = false;           ///< it can not apply, so it should not lead
  bool removed = false;          ///< a committed configuration has left this node out for good
  std::optional<next_role> next; ///< asked for by the handler that runs now
  generation streams;            ///< numbers every life of a peer's stream, in every leadership
  generation rounds;             ///< numbers every round of reads, in every leadership
  core_counts counts;

  /// Takes up what the store kept of an earlier life under the same id. All that this life ever
  /// asserted is in it; of what it did not assert, entries may be there without their ballot.
  void recover(const recovered_state& found) {
    UNDERSTUDY_ASSERT(log.last() == log_position{} && term() == term_number{},
                      "a node comes back before it does anything");
    if (found.base) {
      image = found.base;
      log.restart_from(*image);
      commit_ = handed_ = image->at.index;
    }
    for (const auto& e : found.entries)
      log.append(e);
    ballot_ = found.vote;
    if (ballot_ != ballot{} || log.last() != log_position{})
      durable.recovered(log.last().index);
    raise_term(log.last().term);
    if (const auto own = find_own_record(found, self))
      entered = own->self.entered;
    // Who last voted for itself may have led, and made the end of its log. If it did not, it asks
    // for votes in vain.
    if (ballot_.vote == self)
      led = log.last().term;
  }

  /// A voter has said so: there is nothing to stand for any more.
  void was_removed(member_id says, outbox& out) {
    if (!std::exchange(removed, true))
      out.tell(node_event{.what = node_event::kind::enter_failed,
                          .who = says,
                          .code = errc::removed,
                          .detail = "this node has left the roster"});
    next = become_follower{};
  }

  /// The machine can not apply any more.
  void machine_stopped(const understudy::machine_failed& m, outbox& out) {
    machine_failed = true;
    out.tell(node_event{.what = node_event::kind::machine_failed,
                        .who = self,
                        .index = m.index,
                        .code = errc::machine_stopped,
                        .detail = m.why});
  }

  [[nodiscard]] term_number term() const { return ballot_.term; }
  [[nodiscard]] const ballot& vote() const { return ballot_; }
  [[nodiscard]] log_index commit() const { return commit_; }
  [[nodiscard]] log_index handed() const { return handed_; }

  /// The configuration in force: the newest in the log, committed or not (thesis §4.1).
  [[nodiscard]] const placed_configuration& newest() const { return log.newest_configuration(); }

  /// The newest committed configuration: ranks and claims.
  [[nodiscard]] const placed_configuration& committed() const {
    return log.configuration_at(commit_);
  }

  /// Whether this node votes in the configuration in force.
  [[nodiscard]] bool is_voter() const {
    return newest().content && has_vote(*newest().content, self);
  }

  /// Whether this node is the listener who asks for votes when the leader is lost (S5): by the
  /// committed roster, which must show this node's own entry, with nothing half done, and room on
  /// the disk.
  [[nodiscard]] bool is_understudy() const {
    const auto& ranks = committed();
    return lost_leader && ranks.content && !half_installed && !machine_failed && !durable.is_full()
           && understudy_of(*ranks.content, *newest().content, lost_leader) == self;
  }

  /// Whether this node led, maybe without a vote, and its log ends with what nobody else need have:
  /// a change of the voters that it took back may be what all others wait for.
  [[nodiscard]] bool has_unfinished() const {
    return led != term_number{} && log.last().term == led && log.last().index > commit();
  }

  /// Whether this node's log has kept another one from being elected, is what it was then, and is
  /// not known to be committed. Who is in the way may have to lead, vote or no vote: where a change
  /// of the voters failed, its entries may lie only with those who were to have a vote, or lost it
  /// (E12). Whoever is asked is a voter in the eyes of the one who asks, so nobody who was removed
  /// comes back this way.
  [[nodiscard]] bool is_in_the_way() const {
    return refused_with == log.last() && log.last().index > commit();
  }

  /// Whether this node may stand for election. A change that takes its vote away may yet be undone
  /// as long as it is not known to be committed, and until then only this node may have the log
  /// that wins (§4.2.2 of the thesis, E12). For the same reason a node whose machine has failed may
  /// stand, though only to hand on. Configurations from before its own entry are history, and it
  /// acts on none of them (B5).
  [[nodiscard]] bool may_campaign() const {
    return (holds_seat() || is_understudy() || has_unfinished() || is_in_the_way())
           && log.last().index >= entered && !removed;
  }

  /// How long this node still votes for nobody, itself included, for the sake of a leader that may
  /// be reading under a lease: for all it has said to any leader, and maybe in an earlier life.
  [[nodiscard]] interval abstains_for(instant now) const {
    const auto whole = abstention_for(lease_of(newest()), options);
    return std::max(interval{0}, whole - silence.passed(now));
  }

  /// Whether this node's disk hangs or is full, so that whatever it is sent waits (D14).
  [[nodiscard]] bool disk_stalls(instant now) const {
    return durable.stalls(now, options.election_timeout_max);
  }

  /// Whether this node has a vote, or is not known to have lost it for good.
  [[nodiscard]] bool holds_seat() const {
    return is_voter() || (committed().content && has_vote(*committed().content, self));
  }

  /// A term above the own one was seen: the vote of the old one is void (§5.1). The vote is reset
  /// only here, when the term grows, never within one (E1).
  void raise_term(term_number to) {
    if (to <= ballot_.term)
      return;
    ballot_ = {to, {}};
    durable.forget_held();
    durable.ballot_changed(ballot_);
  }

  /// Gives this term's vote, to another node or to this one.
  void give_vote(member_id to) {
    UNDERSTUDY_ASSERT(!ballot_.vote || ballot_.vote == to, "one vote in each term (§5.2)");
    if (ballot_.vote == to)
      return;
    ballot_.vote = to;
    durable.ballot_changed(ballot_);
  }

  /// Appends what is not in the log yet. Storing an entry of a term raises the own term to it,
  /// whichever way the entry came: otherwise a node could hold a newer leader's entry and still
  /// vote in an older term.
  void append(entry what) {
    raise_term(what.term);
    durable.appended(what);
    log.append(std::move(what));
  }

  /// Stores `entries`, which follow `previous` in some leader's log, or that another node has
  /// committed. What stands there already is kept; only a conflicting tail is dropped, and nothing
  /// committed ever is (§5.3, R2). Returns the last index on which both logs agree.
  log_index merge(log_position previous, std::vector<entry>& entries) {
    auto agreed = previous.index;
    for (auto& e : entries) {
      if (e.index <= log.base().index) { // covered by a snapshot, so committed and equal (R13)
        agreed = e.index;
        continue;
      }
      if (const auto own = log.term_at(e.index); own && *own == e.term) {
        agreed = e.index;
        continue;
      }
      if (log.holds(e.index))
        truncate_above(e.index.previous());
      append(std::move(e));
      agreed = log.last().index;
    }
    return std::max(agreed, previous.index);
  }

  /// Whether the log holds the entry at `place`, or a snapshot covers it.
  [[nodiscard]] bool agrees_at(log_position place) const {
    if (place.index < log.base().index)
      return true;
    const auto own = log.term_at(place.index);
    return own && *own == place.term;
  }

  /// Everything up to `index` is committed. Never goes back.
  void advance_commit(log_index index) {
    UNDERSTUDY_ASSERT(index <= log.last().index, "what is committed is in the log");
    commit_ = std::max(commit_, index);
  }

  /// Puts a snapshot in the place of the log, if it is ahead of what is committed here; an older
  /// one is history (N10). A log that holds the snapshot's last entry keeps it and what follows
  /// (§7).
  void install(std::shared_ptr<const snapshot> what, outbox& out) {
    raise_term(what->at.term);
    if (what->at.index <= commit_)
      return;
    if (log.holds(what->at.index) && agrees_at(what->at)) {
      advance_commit(what->at.index);
      return;
    }
    log.restart_from(*what);
    durable.restarted(what);
    commit_ = handed_ = what->at.index;
    image = what;
    ++counts.installs;
    out.tell(restore_snapshot{std::move(what)});
  }

  /// Hands committed entries up to `through` to the replica, as many as may be under way.
  void hand_over(log_index through, bool answer, std::uint32_t copies, outbox& out) {
    const auto limit = std::min({through, commit_, applied + options.apply_window});
    if (machine_failed || limit <= handed_)
      return;
    auto part = log.slice(handed_.next(), limit, options.apply_window, SIZE_MAX);
    handed_ = part.back().index;
    out.tell(apply_entries{std::move(part), answer, copies});
  }

private:
  void truncate_above(log_index keep) {
    UNDERSTUDY_ASSERT(keep >= commit_, "committed entries are never truncated");
    log.truncate_above(keep);
    durable.truncated(keep);
    ++counts.truncations;
  }

  ballot ballot_;
  log_index commit_;
  log_index handed_;
};

} // namespace understudy
