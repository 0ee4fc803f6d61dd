// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a node sees itself and its cluster, for people and for programs that wait for something.

#include <understudy/core/configuration.hpp>
#include <understudy/core/connection_counters.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/time.hpp>
#include <understudy/forwarding/reconciling.hpp>
#include <understudy/listener/puller.hpp>
#include <understudy/membership/claimants.hpp>
#include <understudy/membership/plan.hpp>
#include <understudy/membership/state.hpp>
#include <understudy/roster/roster.hpp>
#include <understudy/roster/seats.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy {

[[nodiscard]] constexpr std::string_view to_string(role r) {
  switch (r) {
  case role::joining:
    return "joining";
  case role::listener:
    return "listener";
  case role::temporary_listener:
    return "temporary_listener";
  case role::follower:
    return "follower";
  case role::candidate:
    return "candidate";
  case role::leader:
    return "leader";
  }
  return "unlisted";
}

inline std::ostream& operator<<(std::ostream& out, role r) {
  return out << to_string(r);
}

/// One row of the roster.
struct member_status {
  member_id id = {};
  std::string name = {};
  std::string address = {};        ///< where other nodes look for it
  std::size_t rank = 0;            ///< from 1 on; 0: not in line
  enum role role = role::listener; ///< by the newest configuration; nobody's candidacy is known
  standing status = standing::present;
  bool pinned = false;
  std::uint32_t protocol_version = 1; ///< the newest that it speaks over a network
  std::uint32_t machine_version = 1;  ///< the newest version of the machine that its build knows
  log_index match = {};               ///< seen from the leader: stored there for certain
  bool in_contact = false;            ///< seen from the leader: answered lately
};

/// Everything about one node at one moment.
struct node_status {
  member_id id = {};
  std::string name = {};
  cluster_id cluster = {}; ///< none: has not entered one
  enum role role = role::joining;
  std::size_t rank = 0;           ///< in the committed roster; 0: none
  std::string why_not_voter = {}; ///< one line for people; empty for a voter
  failure obstacle = {}; ///< what kept it out when it last said so, or that it was sent away
  term_number term = {};
  member_id leader = {}; ///< none: nobody is known to lead
  log_index last = {};   ///< the end of the log
  log_index commit = {};
  log_index applied = {};
  std::uint64_t lag = 0;    ///< entries known to be committed somewhere and not applied here
  std::uint32_t copies = 0; ///< leading: on how many nodes a write is when it is answered
  std::vector<member_status> members = {}; ///< in join order
  std::vector<member_id> voters = {};      ///< by the newest configuration
  std::uint32_t machine_version = 1;       ///< whose commands the cluster uses
  std::size_t sessions = 0;                ///< open in the whole cluster, as applied here
  member_id source = {};                   ///< whom this node pulls from, or did last
  puller_counters pulls = {};
  std::size_t open_calls = 0;         ///< requests at this node's front that are not answered yet
  std::uint64_t retries = 0;          ///< how often one of them had to be sent again
  reconcile_counters reconciled = {}; ///< what became of calls that were open when it took a seat
  bool changing = false;              ///< the newest configuration is joint, or not committed yet
  std::string plan = {};     ///< leading: what the voters should be, and what that waits for
  bool plan_settled = false; ///< leading: the plan has nothing left to do
  std::uint64_t unexpected_messages = 0; ///< arrived at an actor that has no use for them
  connection_counters connections = {};  ///< to other processes, where the network has any
  leave_step leaving = {};               ///< how far it is on its way out
  bool ready
      = false; ///< can serve: has entered and stays, knows a leader, has applied its own entry
  bool stopped = false; ///< takes no calls any more
  failure trouble = {}; ///< why the node or its machine has stopped; `none` if all is well

  [[nodiscard]] const member_status* member(member_id who) const {
    const auto found = std::ranges::find(members, who, &member_status::id);
    return found == members.end() ? nullptr : &*found;
  }
};

/// One line: `beta listener, rank 4 of 4, term 2, leader alpha, log 17/17/17, lag 0, 3 voters: ...`
inline std::ostream& operator<<(std::ostream& out, const node_status& s) {
  const auto name_of = [&](member_id id) {
    const auto* m = s.member(id);
    return m && !m->name.empty() ? m->name : std::to_string(id.value);
  };
  out << (s.name.empty() ? std::to_string(s.id.value) : s.name) << ' ' << s.role << ", rank "
      << s.rank << " of " << s.members.size() << ", term " << s.term << ", leader "
      << (s.leader ? name_of(s.leader) : "none") << ", log " << s.last << '/' << s.commit << '/'
      << s.applied << ", lag " << s.lag << ", voters";
  for (const auto v : s.voters)
    out << ' ' << name_of(v);
  if (s.copies != 0)
    out << ", copies " << s.copies;
  if (!s.why_not_voter.empty())
    out << ", no voter: " << s.why_not_voter;
  if (s.stopped)
    out << ", stopped";
  if (s.trouble.code != errc::none)
    out << ", trouble: " << s.trouble;
  return out;
}

/// What the actors of a node note down, each its own part.
struct status_notes {
  std::string name = {};
  core_view core = {};
  log_index last = {};
  log_index commit = {};
  log_index applied = {};
  std::size_t sessions = 0;
  member_id source = {};
  std::uint64_t pull_lag = 0;
  puller_counters pulls = {};
  std::size_t open_calls = 0;
  std::uint64_t retries = 0;
  reconcile_counters reconciled = {};
  std::optional<plan_result> plan = {};
  leave_step leaving = {};
  std::uint64_t unexpected_messages = 0;
  connection_counters connections = {};
  bool stopped = false;
  failure obstacle = {};
  failure trouble = {};
};

namespace detail {

[[nodiscard]] inline role role_of(const core_view& core, member_id id, bool is_self) {
  if (is_self ? core.leads : core.leader == id)
    return role::leader;
  if (is_self && core.campaigning)
    return role::candidate;
  if (core.newest.content && has_vote(*core.newest.content, id))
    return role::follower;
  if (!core.committed.content || !find(*core.committed.content, id))
    return role::joining;
  return seats(*core.committed.content).claim_of(id) == claim::temporary_listener
             ? role::temporary_listener
             : role::listener;
}

inline void add_members(node_status& s, const core_view& core) {
  const auto& roster = *core.committed.content;
  const auto seating = seats(roster);
  for (const auto& m : roster.members) {
    member_status row{.id = m.id,
                      .name = m.name,
                      .address = m.address,
                      .rank = seating.rank_of(m.id),
                      .role = role_of(core, m.id, m.id == s.id),
                      .status = m.status,
                      .pinned = m.pinned,
                      .protocol_version = m.protocol_version,
                      .machine_version = m.machine_version};
    if (const auto peer = std::ranges::find(core.peers, m.id, &peer_progress::id);
        peer != core.peers.end()) {
      row.match = peer->match;
      row.in_contact = peer->in_contact;
    }
    s.members.push_back(std::move(row));
  }
}

/// Notes read as a status: all that follows from the roster is worked out here, not kept.
[[nodiscard]] inline node_status as_status(member_id self, const status_notes& notes) {
  const auto& core = notes.core;
  node_status s{.id = self, .name = notes.name};
  s.role = role_of(core, self, true);
  s.term = core.term;
  s.leader = core.leads ? self : core.leader;
  s.last = notes.last;
  s.commit = notes.commit;
  s.applied = notes.applied;
  s.lag = std::max(notes.pull_lag, s.commit - s.applied);
  s.copies = core.leads ? core.copies : 0;
  s.sessions = notes.sessions;
  s.source = notes.source;
  s.pulls = notes.pulls;
  s.open_calls = notes.open_calls;
  s.retries = notes.retries;
  s.reconciled = notes.reconciled;
  s.leaving = notes.leaving;
  s.unexpected_messages = notes.unexpected_messages;
  s.connections = notes.connections;
  if (core.newest.content)
    s.changing = core.newest.content->joint() || core.newest.index != core.committed.index;
  if (notes.plan && core.leads) {
    s.plan = notes.plan->detail;
    s.plan_settled = !s.changing && is_at_rest(notes.plan->reason);
  }
  s.stopped = notes.stopped;
  s.trouble = notes.trouble;
  if (core.newest.content)
    s.voters = core.newest.content->voters;
  if (!core.committed.content) {
    s.obstacle = notes.obstacle;
    s.why_not_voter = "has not entered a cluster";
    if (s.obstacle.code != errc::none)
      s.why_not_voter += ": " + s.obstacle.detail;
    return s;
  }
  const auto& roster = *core.committed.content;
  if (notes.obstacle.code == errc::removed || notes.obstacle.code == errc::cluster_mismatch)
    s.obstacle = notes.obstacle;
  s.cluster = roster.cluster;
  s.machine_version = roster.machine_version;
  s.rank = seats(roster).rank_of(self);
  if (!has_vote(core.newest.content ? *core.newest.content : roster, self))
    s.why_not_voter = why_not_voter(roster, self);
  add_members(s, core);
  const auto* own = find(roster, self);
  s.ready = own && own->status == standing::present && s.leader && s.applied >= own->entered
            && s.obstacle.code != errc::removed && s.leaving == leave_step{} && !s.stopped
            && s.trouble.code == errc::none;
  return s;
}

} // namespace detail

/// Where a node's actors write and everybody reads. Safe from any thread.
class status_board {
public:
  explicit status_board(member_id self) : self_{self} {}

  /// Lets `change(status_notes&)` write, and wakes whoever waits for something.
  template <std::invocable<status_notes&> Change> void update(Change change) {
    {
      const std::lock_guard lock{mutex_};
      change(notes_);
      ++version_;
      if (waiting_ == 0)
        return;
    }
    changed_.notify_all();
  }

  [[nodiscard]] node_status read() const {
    std::uint64_t version = 0;
    return detail::as_status(self_, copy(version));
  }

  /// Waits until `condition` holds, at most `limit` of real time. Fails with `timed_out` and the
  /// last status in the text, or with `stopped` when the node stopped and it does not hold.
  template <std::predicate<const node_status&> Condition>
  [[nodiscard]] expected<node_status> wait_until(Condition condition, interval limit) const {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (true) {
      std::uint64_t seen = 0;
      auto now = detail::as_status(self_, copy(seen));
      if (condition(std::as_const(now)))
        return now;
      if (!now.stopped && news_after(seen, end))
        continue;
      std::ostringstream text;
      text << now;
      return fail(now.stopped ? errc::stopped : errc::timed_out, text.str());
    }
  }

private:
  [[nodiscard]] status_notes copy(std::uint64_t& version) const {
    const std::lock_guard lock{mutex_};
    version = version_;
    return notes_;
  }

  /// Waits for a version other than `seen`. Returns whether there is one before `end`.
  [[nodiscard]] bool news_after(std::uint64_t seen, instant end) const {
    std::unique_lock lock{mutex_};
    ++waiting_;
    const bool news = changed_.wait_until(lock, end, [&] { return version_ != seen; });
    --waiting_;
    return news;
  }

  member_id self_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable std::size_t waiting_ = 0;
  std::uint64_t version_ = 0;
  status_notes notes_;
};

} // namespace understudy
