// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A whole run from one number: grow a cluster under faults and load, then let it rest, and see
/// that it comes to rest, that nothing acknowledged is missing and nothing happened twice.

#include <understudy/testing/random.hpp>
#include <understudy/testing/random_operator.hpp>
#include <understudy/testing/rest.hpp>
#include <understudy/testing/run_plan.hpp>
#include <understudy/testing/run_summary.hpp>
#include <understudy/testing/simulation.hpp>
#include <understudy/testing/workload.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing {

/// One run. A broken rule throws `run_failed`.
class random_run {
public:
  explicit random_run(run_plan plan)
      : plan_{std::move(plan)}, random_{random_stream{plan_.seed}.fork("faults")},
        work_{random_stream{plan_.seed}.fork("work")}, run_{plan_.options, plan_.seed},
        operator_{run_, random_stream{plan_.seed}.fork("operator")} {}

  run_summary execute() {
    begin();
    while (run_.now() < instant{} + plan_.trouble) {
      run_.run_for(random_.between(std::chrono::milliseconds{1}, plan_.pause_max));
      next_fault();
    }
    rest();
    check_end();
    return summary();
  }

  /// The run itself, to look at.
  [[nodiscard]] simulation<tally>& run() { return run_; }

private:
  struct caller {
    std::uint64_t who;
    std::size_t node; ///< calls this node of those that run; none: a client of its own
    member_id client;
    tally_ledger ledger;
  };

  // -- load -------------------------------------------------------------------------------------

  void begin() {
    run_.may_end = [this](member_id id) { return can_lose(id); };
    run_.found("n1");
    started_ = 1;
    callers_.reserve(plan_.callers); // callbacks keep their place
    for (std::size_t i = 0; i < plan_.callers; ++i) {
      const bool outside = work_.chance(0.5);
      const auto name = "c" + std::to_string(i + 1);
      callers_.push_back({i + 1,
                          static_cast<std::size_t>(work_.below(8)),
                          outside ? run_.add_client(name) : member_id{},
                          {}});
      think(callers_.back());
    }
  }

  void think(caller& c) {
    run_.schedule(work_.between(interval{0}, plan_.think_max), [this, &c] { act(c); });
  }

  void act(caller& c) {
    if (resting_)
      return;
    const auto at = door_of(c);
    if (!at || c.ledger.open() >= open_max)
      return think(c);
    if (work_.chance(0.2))
      count(c, at);
    else
      bump(c, at);
    think(c);
  }

  /// Whom a caller asks: its client, or one of the nodes.
  member_id door_of(const caller& c) {
    if (c.client)
      return c.client;
    const auto nodes = run_.nodes();
    return nodes.empty() ? member_id{} : nodes[c.node % nodes.size()];
  }

  void bump(caller& c, member_id at) {
    const auto floor = c.ledger.asked_to_bump();
    const tally::bump what{c.who, std::string(work_.below(plan_.ballast_max + 1), 'b')};
    run_.submit(at, what, [&c, floor](const expected<reply>& r) {
      auto count = r ? decode_reply<tally::bump>(r->body) : tl::unexpected<failure>{r.error()};
      if (const auto wrong = c.ledger.bumped(floor, count))
        throw invariant_violated{"I8", {}, "caller " + std::to_string(c.who) + ": " + *wrong};
    });
  }

  void count(caller& c, member_id at) {
    const auto floor = c.ledger.asked_to_count();
    run_.ask(
        at, tally::count{c.who}, consistency::linearizable,
        [this, &c, floor](const expected<reply>& r) {
          if (!r)
            return;
          ++reads_;
          const auto seen = decode_reply<tally::count>(r->body);
          if (const auto wrong = c.ledger.counted(floor, seen.value_or(0)))
            throw invariant_violated{"I7", {}, "caller " + std::to_string(c.who) + ": " + *wrong};
        });
  }

  // -- faults -----------------------------------------------------------------------------------

  void next_fault() {
    if (ended())
      return;
    if (started_ < plan_.nodes && random_.chance(0.4)) {
      auto contacts = run_.nodes();
      const auto id = run_.enter("n" + std::to_string(++started_));
      contacts_[id] = std::move(contacts);
      return;
    }
    switch (random_.below(14)) {
    case 0:
      return crash_one();
    case 1:
      return pause_one();
    case 2:
      return cut_one_way();
    case 3:
      return split();
    case 4:
      return isolate_leader();
    case 5:
      return swizzle();
    case 6:
      return weather(true);
    case 7:
      return weather(false);
    case 8:
      return run_.heal();
    case 9:
    case 10:
      return operator_.leave_one(somebody());
    case 11:
      return operator_.give_order(somebody());
    default:
      return;
    }
  }

  /// A node that runs; the leader more often than others, since there is most to lose.
  member_id somebody() {
    const auto nodes = run_.nodes();
    const auto any = random_.pick(nodes);
    const auto leader = run_.leader();
    return leader && random_.chance(0.3) ? leader : any;
  }

  /// Ends a process, if those left could still decide without it: memory nodes take their part of
  /// the data along.
  void crash_one() {
    const auto victim = somebody();
    if (!can_lose(victim))
      return;
    run_.crash(victim);
    if (random_.chance(0.7))
      run_.schedule(some_time(), [this, victim] {
        if (!resting_)
          start_again(victim);
      });
  }

  void start_again(member_id node) {
    if (ended())
      return;
    const auto id = run_.restart(node);
    contacts_[id] = run_.nodes();
  }

  bool can_lose(member_id victim) { return can_do_without(run_, victim); }

  void pause_one() {
    const auto who = somebody();
    if (run_.paused(who))
      return;
    run_.pause(who);
    run_.schedule(some_time(), [this, who] { wake_up(who); });
  }

  void wake_up(member_id who) {
    if (run_.runs(who) && run_.paused(who))
      run_.resume(who);
  }

  void cut_one_way() {
    const auto a = somebody();
    const auto b = somebody();
    ++one_way_cuts_;
    run_.net().cut(a, b);
    run_.schedule(some_time(), [this, a, b] { run_.net().mend(a, b); });
  }

  void split() {
    std::vector<std::vector<member_id>> sides(2);
    for (const auto id : run_.nodes())
      sides[random_.below(2)].push_back(id);
    separate(sides);
  }

  void isolate_leader() {
    const auto leader = run_.leader();
    if (!leader)
      return;
    std::vector<member_id> others;
    for (const auto id : run_.nodes())
      if (id != leader)
        others.push_back(id);
    separate({{leader}, others});
  }

  void separate(const std::vector<std::vector<member_id>>& sides) {
    ++partitions_;
    run_.partition(sides);
    run_.schedule(some_time(), [this] { run_.partition({}); });
  }

  /// Cuts nodes off one by one, and lets them back in another order.
  void swizzle() {
    for (const auto id : run_.nodes()) {
      if (random_.chance(0.5))
        continue;
      const auto off = some_time();
      const auto back = off + some_time();
      for (const auto other : run_.nodes()) {
        run_.schedule(off, [this, id, other] { run_.cut(id, other); });
        run_.schedule(back, [this, id, other] {
          run_.net().mend(id, other);
          run_.net().mend(other, id);
        });
      }
    }
  }

  void weather(bool bad) {
    auto links = plan_.options.links;
    if (bad) {
      links.drop = plan_.drop;
      links.duplicate = plan_.duplicate;
      links.straggle = plan_.straggle;
    }
    run_.net().set(links);
  }

  interval some_time() {
    const auto patience = plan_.options.core.election_timeout_max;
    return random_.between(std::chrono::milliseconds{1}, patience * (random_.chance(0.2) ? 8 : 2));
  }

  // -- rest -------------------------------------------------------------------------------------

  void rest() {
    resting_ = true;
    weather(false);
    run_.heal();
    for (const auto id : run_.nodes())
      wake_up(id);
    run_.run_for(plan_.options.core.election_timeout_max * 16); // what was planned before ends
    run_.heal();
    for (const auto id : run_.nodes())
      wake_up(id);
    if (ended())
      return;
    operator_.unpin_all(somebody());
    const auto over = [this] { return ended() || finished(); };
    // With the smallest limits a newcomer pulls one entry a round trip: thousands take minutes.
    for (int rounds = 0; !run_.run_until(over, std::chrono::minutes{4}); ++rounds) {
      if (rounds == rounds_max)
        run_.fail_run("L2", unfinished());
      for (const auto id : run_.nodes()) {
        if (stranded(id))
          start_again(id);
        else
          operator_.see_to_end_of(id);
      }
      // Somebody who was sent away, or is dead, may be needed until there is another to take over.
      contacts_[run_.enter("h" + std::to_string(rounds + 1))] = run_.nodes();
      operator_.unpin_all(somebody());
    }
    if (ended())
      return;
    const auto leader = run_.leader();
    const auto term = run_.look(leader).vote.term;
    run_.run_for(plan_.options.core.election_timeout_max * 20);
    if (run_.leader() != leader || run_.look(leader).vote.term != term)
      run_.fail_run("L5", "the leader changed, and nothing had happened");
  }

  /// The last member has left: there is no cluster any more.
  [[nodiscard]] bool ended() const { return run_.counters().last_members > 0; }

  /// A node that is not needed, and of all whom it was told to ask or has heard of nobody is there
  /// any more: nobody can help it but who starts it again, with other contacts.
  bool stranded(member_id id) {
    const auto own = run_.part<monitor>(id).status();
    if (own.state == membership::failed)
      return can_lose(id);
    const auto& clusters = run_.rules().clusters();
    const auto& now = *run_.rules().past(clusters.front()).configurations().back().content;
    auto known = contacts_[id];
    if (const auto* in = run_.look(id).newest.content) {
      if (detail::votes_in(*in, id) && detail::look_up(now, id))
        return false;
      for (const auto& m : in->members)
        known.push_back(m.id);
    }
    return std::ranges::none_of(
        known, [&](member_id k) { return k != id && run_.runs(k) && detail::look_up(now, k); });
  }

  bool finished() { return unfinished().empty(); }

  /// What keeps the run from its end; nothing if it is there.
  std::string unfinished() {
    if (run_.open_calls() > 0)
      return std::to_string(run_.open_calls()) + " calls are open";
    return unrest(run_);
  }

  void check_end() {
    run_.check_all();
    if (ended())
      return;
    for (const auto id : run_.nodes())
      for (const auto& c : callers_) {
        const auto held = run_.machine(id).query(tally::count{c.who});
        if (const auto wrong = c.ledger.wrong_in_the_end(held))
          run_.fail_run("I8",
                        run_.name_of(id) + ", caller " + std::to_string(c.who) + ": " + *wrong);
      }
  }

  run_summary summary() {
    run_summary s{.seed = plan_.seed,
                  .hash = run_.trace().hash(),
                  .events = run_.trace().count(),
                  .simulated = run_.now() - instant{},
                  .reads = reads_,
                  .partitions = partitions_,
                  .one_way_cuts = one_way_cuts_,
                  .seen = run_.rules().counters(),
                  .nodes = run_.counters(),
                  .network = run_.net().counters()};
    for (const auto& c : callers_) {
      s.acknowledged += c.ledger.acknowledged();
      s.uncertain += c.ledger.uncertain();
      s.refused += c.ledger.refused();
    }
    return s;
  }

  /// How often all nodes that nobody can help are started again, before the run has failed.
  static constexpr int rounds_max = 6;

  /// Calls that one caller has open at a time.
  static constexpr std::uint64_t open_max = 16;

  run_plan plan_;
  random_stream random_;
  random_stream work_;
  simulation<tally> run_;
  random_operator operator_;
  std::vector<caller> callers_;
  std::map<member_id, std::vector<member_id>> contacts_; ///< whom a node was told to ask
  std::size_t started_ = 0;
  bool resting_ = false;
  std::uint64_t reads_ = 0;
  std::uint64_t partitions_ = 0;
  std::uint64_t one_way_cuts_ = 0;
};

} // namespace understudy::testing
