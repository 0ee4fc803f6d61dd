// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Monitors on a bench: real membership monitors, with letters carried by hand between them and a
/// stand-in for the raft core that commits what it is told to. Time moves only when a test says so.

#include <understudy/core/random.hpp>
#include <understudy/core/routing.hpp>
#include <understudy/membership/monitor.hpp>
#include <understudy/roster/roster.hpp>

#include <doctest/doctest.h>

#include "toy_log.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace membership_test {

using namespace std::chrono_literals;

class bench : public bench_switches {
public:
  explicit bench(std::uint64_t seed = 1) : random_{seed} {}

  std::vector<letter> sent = {}; ///< everything, lost or not

  /// Options of node `id`, which knows `seeds`.
  [[nodiscard]] static monitor_options options(std::uint64_t id,
                                               std::initializer_list<std::uint64_t> seeds = {}) {
    monitor_options o;
    o.self = {.id = {id}, .address = "host" + std::to_string(id), .start = 100 + id};
    o.contacts = ids(seeds);
    return o;
  }

  [[nodiscard]] static monitor_options founder(std::uint64_t id, std::uint32_t max_voters = 5) {
    auto o = options(id);
    o.found = true;
    o.rules = {.max_voters = max_voters, .min_voters = std::min(3u, max_voters)};
    return o;
  }

  void start(const monitor_options& o) {
    auto& node = nodes_[o.self.id];
    node = {};
    node.it = std::make_unique<monitor>(o, random_source{random_.next()});
    node.wake_at = now_;
    calm();
  }

  /// The node is out of reach from now on; the others' cores notice.
  void stop(std::uint64_t id) {
    nodes_.erase({id});
    show_all();
  }

  /// The node's process ends, and the others know it.
  void crash(std::uint64_t id) {
    nodes_.erase({id});
    for (auto& [other, n] : nodes_)
      n.inbox.push_back(peer_lost{{id}, true});
    show_all();
  }

  /// Tells a node's monitor something as its driver would.
  void ask(std::uint64_t id, sibling_message what) {
    node(id).inbox.push_back(std::move(what));
    calm();
  }

  /// Lets `time` pass.
  void run(interval time) {
    const auto end = now_ + time;
    for (;;) {
      calm();
      const auto next = next_event();
      if (!next || *next > end)
        break;
      now_ = std::max(now_, *next);
      deliver_due();
      wake_due();
    }
    now_ = end;
  }

  [[nodiscard]] instant now() const { return now_; }
  [[nodiscard]] seat_on_bench& node(std::uint64_t id) { return nodes_.at({id}); }
  [[nodiscard]] membership state(std::uint64_t id) { return node(id).it->status().state; }
  [[nodiscard]] failure obstacle(std::uint64_t id) { return node(id).it->status().obstacle; }
  [[nodiscard]] plan_result plan_of(std::uint64_t id) {
    return node(id).it->status().plan.value_or(plan_result{});
  }
  [[nodiscard]] std::size_t clusters() const { return logs_.size(); }
  [[nodiscard]] toy_log& log(std::size_t which = 0) { return *logs_.at(which); }
  /// The newest committed configuration.
  [[nodiscard]] const configuration& content(std::size_t which = 0) {
    last_ = log(which).committed().content;
    return *last_;
  }

  [[nodiscard]] int events(std::uint64_t id, node_event::kind what, errc code = errc::none) {
    const auto& all = node(id).events;
    return static_cast<int>(std::ranges::count_if(
        all, [&](const node_event& e) { return e.what == what && e.code == code; }));
  }

  template <class Message> [[nodiscard]] int count_sent(std::uint64_t from) const {
    return static_cast<int>(
        std::ranges::count_if(sent_by_, [&](const std::pair<member_id, std::size_t>& s) {
          return s.first == member_id{from} && std::holds_alternative<Message>(sent[s.second].what);
        }));
  }

  /// Hands `what` to a node as if it had come from `from`.
  template <class Message> void tell(std::uint64_t from, std::uint64_t to, Message what) {
    with(node(to), [&](monitor& m, outbox& out) { m.on(member_id{from}, what, now_, out); });
    calm();
  }

  /// Tells a node that its link to `who` broke.
  void lose_link(std::uint64_t at, std::uint64_t who) {
    node(at).inbox.push_back(peer_lost{{who}});
    calm();
  }

  /// Appends a roster change as the leader would on an operator's word.
  void change(const roster_change& what, std::size_t which = 0) {
    append(log(which), apply(*log(which).newest().content, what, next_index(log(which))).value());
    calm();
  }

  /// Another member leads, in a new term; what was not committed is gone.
  void lead(std::uint64_t id, std::size_t which = 0) {
    auto& l = log(which);
    std::erase_if(l.entries, [&](const placed_configuration& e) { return e.index > l.commit; });
    l.leader = {id};
    ++l.term;
    show(l);
    calm();
  }

  /// Nobody leads for now.
  void leaderless(std::size_t which = 0) {
    log(which).leader = {};
    show_all();
  }

  /// A configuration that no change leads to.
  void put(configuration content, std::size_t which = 0) {
    append(log(which), std::move(content));
    calm();
  }

  /// Commits what stands in the log.
  void commit(std::size_t which = 0) {
    commit_all(log(which));
    calm();
  }

  /// Shows everybody the state of things, as a heartbeat would.
  void show_all() {
    for (auto& l : logs_)
      show(*l);
    calm();
  }

private:
  static log_index next_index(const toy_log& l) { return l.newest().index.next(); }

  void append(toy_log& l, configuration content) {
    l.entries.push_back({l.entries.empty() ? log_index{1} : next_index(l),
                         std::make_shared<const configuration>(std::move(content))});
    REQUIRE(complaints(*l.newest().content).empty());
    if (commits)
      commit_all(l);
    show(l);
  }

  void commit_all(toy_log& l) {
    l.commit = l.newest().index;
    if (l.newest().content->joint()) {
      const auto done = finish_joint(*l.newest().content);
      l.entries.push_back({next_index(l), std::make_shared<const configuration>(done)});
      l.commit = l.newest().index;
      if (has_vote(*l.entries[l.entries.size() - 2].content, l.leader) && !has_vote(done, l.leader))
        dismiss(l);
    }
    show(l);
  }

  /// The leader led the change to its end, and is no voter any more: another one leads.
  void dismiss(toy_log& l) {
    for (auto id : l.newest().content->voters)
      if (nodes_.contains(id) && !silent.contains(id)) {
        l.leader = id;
        ++l.term;
        return;
      }
    l.leader = {};
  }

  void show(toy_log& l) {
    for (auto& [id, n] : nodes_)
      if (n.log == &l && !blind.contains(id))
        n.inbox.push_back(view_of(id, l));
  }

  [[nodiscard]] core_view view_of(member_id id, const toy_log& l) const {
    auto view = l.view_of(id, !unled.contains(id));
    view.unfit = unfit.contains(id);
    if (!view.leads)
      return view;
    for (const auto& m : view.newest.content->members) {
      const bool peer = has_vote(*view.newest.content, m.id)
                        || std::ranges::find(l.tracked, m.id) != l.tracked.end();
      if (peer && m.id != id)
        view.peers.push_back(progress_of(m.id, nodes_.contains(m.id)));
    }
    return view;
  }

  template <class Action> void with(seat_on_bench& n, Action action) {
    outbox out;
    action(*n.it, out);
    n.it->settle(now_, out);
    carry_out(n, out);
  }

  void carry_out(seat_on_bench& n, outbox& out) {
    const auto self = id_of(n);
    for (auto& l : out.letters) {
      n.seat_requests += std::holds_alternative<seat_request>(l.what) ? 1 : 0;
      sent.push_back(l);
      sent_by_.push_back({self, sent.size() - 1});
      const bool lost = silent.contains(self) || silent.contains(l.to) || (loses && loses(l));
      if (!lost)
        mail_.emplace(std::pair{now_ + random_.between(interval{0}, delay_max), ++posted_},
                      std::pair{self, std::move(l)});
    }
    for (auto& notice : out.notices)
      std::visit([&](auto& what) { heed(n, what); }, notice);
    if (out.wake_at && (!n.wake_at || *out.wake_at < *n.wake_at))
      n.wake_at = std::max(*out.wake_at, now_);
  }

  [[nodiscard]] member_id id_of(const seat_on_bench& n) const {
    for (const auto& [id, other] : nodes_)
      if (&other == &n)
        return id;
    return {};
  }

  void heed(seat_on_bench& n, found_cluster& what) {
    logs_.push_back(std::make_unique<toy_log>());
    n.log = logs_.back().get();
    n.log->leader = id_of(n);
    append(*n.log, std::move(what.first));
  }

  void heed(seat_on_bench& n, entered_cluster& what) {
    for (auto& l : logs_)
      if (l->newest().content->cluster == what.cluster)
        n.log = l.get();
    n.entered.push_back(what);
    REQUIRE(n.log != nullptr);
    if (!blind.contains(id_of(n)))
      n.inbox.push_back(view_of(id_of(n), *n.log));
  }

  void heed(seat_on_bench& n, transfer_leadership& what) {
    n.transfers.push_back(what);
    auto& l = *n.log;
    const bool votes = std::ranges::count(l.newest().content->voters, what.to) > 0;
    if (!transfers || l.leader != id_of(n) || !votes || !nodes_.contains(what.to)
        || silent.contains(what.to) || lagging.contains(what.to))
      return;
    l.leader = what.to;
    ++l.term;
    show(l);
  }

  void heed(seat_on_bench& n, drain_calls&) {
    ++n.drains;
    if (drains)
      n.inbox.push_back(calls_drained{});
  }

  void heed(seat_on_bench& n, order_done& what) { n.orders_done.push_back(what); }
  void heed(seat_on_bench& n, leave_ended& what) { n.ends.push_back(what); }
  void heed(seat_on_bench& n, node_event& what) { n.events.push_back(what); }
  void heed(seat_on_bench&, sent_away&) {} // for the forwarder

  void heed(seat_on_bench& n, change_roster& what) {
    n.roster_changes.push_back(what);
    if (refuses_roster) {
      n.inbox.push_back(change_taken{what.id, fail(errc::busy)});
      return;
    }
    if (n.log->leader != id_of(n)) {
      n.inbox.push_back(change_taken{what.id, fail(errc::not_leader)});
      return;
    }
    auto next = apply(*n.log->newest().content, what.what, next_index(*n.log));
    if (!next) {
      n.inbox.push_back(change_taken{what.id, tl::unexpected{next.error()}});
      return;
    }
    const bool there = *next == *n.log->newest().content;
    n.inbox.push_back(change_taken{what.id, there ? n.log->newest().index : next_index(*n.log)});
    if (!there)
      append(*n.log, std::move(*next));
  }

  void heed(seat_on_bench& n, change_voters& what) {
    n.asked_changes.push_back(what);
    auto& l = *n.log;
    if (refuses_changes || l.leader != id_of(n) || what.base != l.newest().index
        || l.commit != what.base) {
      n.inbox.push_back(change_taken{what.id, fail(errc::busy)});
      return;
    }
    n.inbox.push_back(change_taken{what.id, next_index(l)});
    append(l, begin_joint(*l.newest().content, what.voters).value());
  }

  void heed(seat_on_bench& n, track_members& what) {
    n.log->tracked = what.claimants;
    n.inbox.push_back(view_of(id_of(n), *n.log));
  }

  template <class Other> void heed(seat_on_bench&, Other&) {
    FAIL("the monitor told what no sibling of it handles");
  }

  /// Until no node has anything left to read.
  void calm() {
    for (int rounds = 0; rounds < 10'000; ++rounds) {
      bool busy = false;
      for (auto& [id, n] : nodes_)
        if (!n.inbox.empty()) {
          busy = true;
          auto what = std::move(n.inbox.front());
          n.inbox.pop_front();
          with(n, [&](monitor& m, outbox& out) { deliver(m, what, now_, out); });
        }
      if (!busy)
        return;
    }
    FAIL("the monitors and their cores never come to rest");
  }

  [[nodiscard]] std::optional<instant> next_event() const {
    std::optional<instant> next;
    if (!mail_.empty())
      next = mail_.begin()->first.first;
    for (const auto& [id, n] : nodes_)
      if (n.wake_at && (!next || *n.wake_at < *next))
        next = n.wake_at;
    return next;
  }

  void deliver_due() {
    while (!mail_.empty() && mail_.begin()->first.first <= now_) {
      auto [from, what] = std::move(mail_.extract(mail_.begin()).mapped());
      const auto to = nodes_.find(what.to);
      if (to != nodes_.end())
        with(to->second, [&](monitor& m, outbox& out) { deliver(m, from, what.what, now_, out); });
      calm();
    }
  }

  void wake_due() {
    for (auto& [id, n] : nodes_)
      if (n.wake_at && *n.wake_at <= now_) {
        n.wake_at.reset();
        with(n, [&](monitor& m, outbox& out) { m.wake(now_, out); });
      }
  }

  random_source random_;
  instant now_{1h};
  std::map<member_id, seat_on_bench> nodes_;
  std::vector<std::unique_ptr<toy_log>> logs_;
  std::map<std::pair<instant, std::uint64_t>, std::pair<member_id, letter>> mail_;
  std::vector<std::pair<member_id, std::size_t>> sent_by_;
  std::uint64_t posted_ = 0;
  configuration_ptr last_;
};

} // namespace membership_test
