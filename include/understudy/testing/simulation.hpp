// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A cluster in one thread, under virtual time, on a hostile network; with every rule checked after
/// every event.
///
/// \code
/// simulation<inventory> run{{}, 42};                 // 42: the seed that decides everything
/// const auto a = run.found("a");
/// const auto b = run.enter("b");
/// const auto c = run.enter("c");
/// run.run_until([&] { return run.settled(); }, 10s);
/// const auto sold = run.submit(b, inventory::restock{"apple", -1});
/// run.crash(run.leader());
/// run.run_for(2s);
/// CHECK(run.result<inventory::restock>(sold).value() == 6);
/// \endcode
///
/// A broken rule ends the run: every call that lets time pass may throw `run_failed`, which says
/// what was seen, what led to it, and how each node stands.

#include <understudy/core/assert.hpp>
#include <understudy/observe/events.hpp>
#include <understudy/testing/asking.hpp>
#include <understudy/testing/event_notes.hpp>
#include <understudy/testing/incarnation.hpp>
#include <understudy/testing/invariants.hpp>
#include <understudy/testing/name_book.hpp>
#include <understudy/testing/node_counters.hpp>
#include <understudy/testing/ordering.hpp>
#include <understudy/testing/overview.hpp>
#include <understudy/testing/run_failed.hpp>
#include <understudy/testing/simulated_node.hpp>
#include <understudy/testing/simulation_hooks.hpp>
#include <understudy/testing/simulation_options.hpp>
#include <understudy/testing/world.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace understudy::testing {

/// A run with machine `M`.
template <state_machine M>
class simulation : private world<simulation<M>, node_host<M>, client_host>,
                   public asking<simulation<M>, M>,
                   public ordering<simulation<M>>,
                   public overview<simulation<M>>,
                   public simulation_hooks<M> {
  using base = world<simulation<M>, node_host<M>, client_host>;
  using party = typename base::party;
  friend base;

public:
  /// Each node starts with a copy of `machine`.
  simulation(simulation_options options, std::uint64_t seed, M machine = {})
      : base{options.links, seed, options.events_kept}, options_{std::move(options)},
        machine_{std::move(machine)}, seed_{seed}, random_{random_stream{seed}.fork("simulation")} {
  }

  using base::forge;
  using base::net;
  using base::now;
  using base::release;
  using base::schedule;
  using base::trace;

  // -- nodes and clients -----------------------------------------------------------------------

  /// Starts a node that founds a cluster.
  member_id found(const std::string& name, std::vector<member_id> contacts = {}) {
    return start(name, true, std::move(contacts));
  }

  /// Starts a node that enters the cluster of `contacts`; of all nodes that run if none are given.
  member_id enter(const std::string& name, std::vector<member_id> contacts = {}) {
    return start(name, false, contacts.empty() ? nodes() : std::move(contacts));
  }

  /// Starts a caller outside the cluster. It is told of every node that starts later, unless it
  /// learns of them itself.
  member_id add_client(const std::string& name) {
    const auto id = names_.add(name, random_);
    guarded([&] {
      client_host host{client{options_.client, nodes(), random_source{random_.next()}}};
      base::add(id, name, std::move(host), draw_pace(options_, random_));
    });
    return id;
  }

  /// Ends a node's process. Its memory is lost, and of what its disk has not synced some part.
  void crash(member_id node) {
    ++counters_.crashes;
    const bool silent = !random_.chance(options_.crash_noticed);
    counters_.crashes_unnoticed += silent ? 1 : 0;
    end_process(node, silent ? 0.0 : 1.0);
    guarded([&] { lives_.at(node).crash(random_, counters_); });
  }

  /// Ends a node's process, if it still runs, and starts it again: a durable node under its id,
  /// with its log; others as a new incarnation with the old name.
  member_id restart(member_id node) {
    if (party_of(node).alive)
      crash(node);
    auto& own = lives_.at(node);
    const auto before = std::exchange(own.returns_as, std::nullopt);
    if (!before)
      return enter(names_.plain(node));
    ++counters_.returns;
    rules_.returned(node);
    return launch(own, {.returning = before, .contacts = nodes()});
  }

  /// A node that does not run loses its disk: it comes back as a new incarnation.
  void wipe(member_id node) {
    UNDERSTUDY_ASSERT(!runs(node), "nobody pulls out the disk of a node that runs");
    counters_.wipes += sleeps(node) ? 1 : 0;
    lives_.at(node).wipe();
  }

  void pause(member_id node) {
    ++counters_.pauses;
    base::pause(party_of(node));
  }
  void resume(member_id node) { base::resume(party_of(node)); }

  /// A part of a node takes nothing for so long: a disk that hangs, a machine that computes.
  void stall(member_id node, place_of part, interval how_long) {
    base::stall(party_of(node), static_cast<std::size_t>(part), how_long);
  }

  /// A node's disk has no room for its log any more, or has room again.
  void fill_disk(member_id node, bool full) { lives_.at(node).disk->be_full(full); }

  /// A node's clock goes so fast from now on; 1,000: as it should.
  void set_clock(member_id node, std::int64_t permille) {
    base::change_clock(party_of(node), [&](pace& p) { p.go_at(permille, now()); });
  }
  void reset_clock(member_id node) {
    base::change_clock(party_of(node), [&](pace& p) { p.go_as_before(now()); });
  }
  void jump_clock(member_id node, interval ahead) {
    base::change_clock(party_of(node), [&](pace& p) { p.jump(ahead, now()); });
  }

  /// Tells a node or client something, as its driver would.
  void tell(member_id to, sibling_message what) {
    guarded([&] { base::tell(party_of(to), std::move(what)); });
  }

  /// For `ordering`.
  void sends_away(member_id whom) { rules_.evictions().ordered(whom); }

  // -- the network ------------------------------------------------------------------------------

  void cut(member_id a, member_id b) { net().cut(a, b), net().cut(b, a); }
  void partition(const std::vector<std::vector<member_id>>& sets) { net().partition(sets); }
  void heal() { net().heal(); }

  // -- time -------------------------------------------------------------------------------------

  void run_for(interval time) {
    guarded([&] { base::advance_until(now() + time); });
  }

  /// Lets time pass until `done`, for at most `limit`. Returns whether it was done.
  template <class Predicate> bool run_until(Predicate done, interval limit) {
    bool result = false;
    guarded([&] { result = base::advance_until(done, limit); });
    return result;
  }

  // -- looking ----------------------------------------------------------------------------------

  /// The nodes that run, in the order in which they were started.
  [[nodiscard]] std::vector<member_id> nodes() const {
    std::vector<member_id> running;
    for (const auto& p : base::parties())
      if (p->template as<node_host<M>>())
        running.push_back(p->id);
    return running;
  }

  /// Whether a node that does not run would be itself again if it were started.
  [[nodiscard]] bool sleeps(member_id node) const { return lives_.at(node).returns_as.has_value(); }

  /// Whether a node that runs would be itself again if it crashed now and were started.
  [[nodiscard]] bool keeps_log(member_id node) {
    bool keeps = false;
    guarded([&] { keeps = lives_.at(node).keeps_log(); });
    return keeps;
  }

  /// The nodes that sleep.
  [[nodiscard]] std::vector<member_id> sleepers() const {
    std::vector<member_id> found;
    for (const auto& [id, own] : lives_)
      if (own.returns_as)
        found.push_back(id);
    return found;
  }

  [[nodiscard]] bool runs(member_id node) { return base::find(node) && base::find(node)->alive; }
  [[nodiscard]] bool paused(member_id node) { return party_of(node).paused; }

  [[nodiscard]] observation look(member_id node) {
    auto& p = party_of(node);
    return observe<M>(*p.template as<node_host<M>>(), node, p.name, false);
  }

  /// A component of a node that runs.
  template <class C> [[nodiscard]] const C& part(member_id node) {
    return party_of(node).template as<node_host<M>>()->template get<C>();
  }

  [[nodiscard]] const M& machine(member_id node) { return part<replica<M>>(node).machine(); }

  /// Compares everything with everything: logs, states and configurations of all nodes. To be
  /// called when the nodes have settled.
  void check_all() {
    guarded([&] {
      for (const auto id : nodes()) {
        auto& p = party_of(id);
        const auto o = observe<M>(*p.template as<node_host<M>>(), id, p.name, true);
        rules_.verify(o);
        rules_.compare_states(o);
      }
    });
  }

  /// One row for each node, see `status_line`.
  [[nodiscard]] std::vector<std::string> status() {
    const auto name = [this](member_id id) { return name_of(id); };
    std::vector<std::string> rows;
    for (const auto& p : base::parties()) {
      if (std::holds_alternative<std::unique_ptr<client_host>>(p->parts))
        continue;
      auto* host = p->template as<node_host<M>>();
      if (base::find(p->id) != p.get())
        continue; // an earlier life
      if (!host) {
        rows.push_back("x " + p->name);
        continue;
      }
      const auto o = observe<M>(*host, p->id, p->name, false);
      rows.push_back(status_line(o, p->paused ? 'z' : glyph_of(o), name));
    }
    return rows;
  }

  [[nodiscard]] const invariants& rules() const { return rules_; }
  [[nodiscard]] const node_counters& counters() const { return counters_; }
  [[nodiscard]] const simulation_options& options() const { return options_; }

  /// What a node said last when it could not enter.
  [[nodiscard]] errc obstacle(member_id node) const { return notes_.obstacle(node); }

  [[nodiscard]] std::string name_of(member_id id) const { return names_.of(id); }

  /// Ends the run with a report.
  [[noreturn]] void fail_run(const std::string& rule, const std::string& seen) {
    auto report = "seed " + std::to_string(seed_) + ": " + seen + "\n";
    report += "last events:\n";
    for (const auto& line : trace().last([this](member_id id) { return name_of(id); }))
      report += "  " + line + "\n";
    report += "nodes:\n";
    for (const auto& line : status())
      report += "  " + line + "\n";
    throw run_failed{rule, report};
  }

private:
  // -- called by the world ----------------------------------------------------------------------

  /// What the rules are about lies in the core, its store and the replica.
  void stepped(party& p, std::size_t component, std::span<const letter> sent) {
    auto* node = p.template as<node_host<M>>();
    if (!node || (component > static_cast<std::size_t>(place_of::replica) && sent.empty()))
      return;
    const bool look_inside
        = component == static_cast<std::size_t>(place_of::replica) && is_due(p.id, *node);
    rules_.check(observe<M>(*node, p.id, p.name, look_inside, p.pace.local(base::now())), sent);
  }

  /// A writer that is busy takes a write later; the disk may have begun with it even so.
  void postponed(party& p, const sibling_message& what) {
    if (const auto* write = std::get_if<store_write>(&what))
      lives_.at(p.id).disk->begin(*write);
  }

  void observed(party& p, sibling_message&& what) {
    if (auto* a = std::get_if<local_answer>(&what))
      this->calls_.close(a->id, std::move(a->result));
    else if (auto* e = std::get_if<node_event>(&what))
      note(p, *e);
    else if (auto* done = std::get_if<order_done>(&what))
      ++(done->result ? counters_.orders : counters_.orders_refused);
    else if (auto* ended = std::get_if<leave_ended>(&what))
      base::schedule(interval{0}, [this, &p, how = ended->how] { see_off(p, how); });
  }

  /// A node that has left stops, and all see that it is gone.
  void see_off(party& p, leave_outcome how) {
    if (!p.alive)
      return; // another process may live under its id by now
    if (how == leave_outcome::timed_out && this->may_end && !this->may_end(p.id))
      return base::schedule(std::chrono::milliseconds{100}, [=, &p, this] { see_off(p, how); });
    counters_.count(how);
    end_process(p.id, 1);
    lives_.at(p.id).wipe();
  }

  /// `noticed`: the probability that another node is told.
  void end_process(member_id node, double noticed) {
    guarded([&] { base::kill(party_of(node), noticed); });
    notes_.ended(node);
    this->calls_.lose(node);
  }

  void note(party& p, const node_event& e) {
    base::note(p.id, to_string(e.what), e.detail);
    if (notes_.note(p.id, e, counters_))
      rules_.evictions().decided(e.who, runs(e.who));
  }

  /// Whether the state of a node is to be compared with that of others.
  bool is_due(member_id id, node_host<M>& node) {
    const auto applied = node.template get<replica<M>>().applied();
    return applied.value % options_.digest_every == 0
           && std::exchange(digested_[id], applied) != applied;
  }

  // -- the rest ---------------------------------------------------------------------------------

  /// Runs `f`; whatever breaks a rule in it becomes the report of the run.
  template <class F> void guarded(F&& f) {
    try {
      f();
    } catch (const invariant_violated& broken) {
      fail_run(broken.id(), std::string{broken.what()} + " (" + name_of(broken.who()) + ")");
    } catch (const invariant_broken& broken) {
      fail_run("assertion", broken.what());
    }
  }

  party& party_of(member_id id) {
    auto* p = base::find(id);
    UNDERSTUDY_ASSERT(p, "the simulator knows the node");
    return *p;
  }

  member_id start(const std::string& name, bool founds, std::vector<member_id> contacts) {
    const auto id = names_.add(name, random_);
    auto& own = lives_[id];
    own.self = {.id = id, .name = name, .address = name, .start = random_.next()};
    own.self.durable = random_.chance(options_.durable);
    guarded([&] { own.use_files(options_.segment_bytes); });
    return launch(own, {.found = founds, .contacts = std::move(contacts)});
  }

  member_id launch(incarnation& own, start_order how) {
    const auto id = own.self.id;
    auto machine = machine_;
    if (this->prepare)
      this->prepare(id, machine);
    if (this->build)
      own.self.machine_version = this->build(id, own.disk->recover());
    guarded([&] { // in this order, whatever the compiler: both draw
      auto host = make_node(options_, own, std::move(how), machine, random_);
      base::add(id, name_of(id), std::move(host), draw_pace(options_, random_));
    });
    for (const auto& p : base::parties())
      if (auto* c = p->template as<client_host>(); c && !options_.client.follow_members)
        c->template get<client>().update_nodes(nodes());
    return id;
  }

  simulation_options options_;
  M machine_;
  std::uint64_t seed_;
  random_stream random_;
  invariants rules_;
  node_counters counters_;
  name_book names_;
  std::map<member_id, incarnation> lives_;
  event_notes notes_;
  std::unordered_map<member_id, log_index> digested_; ///< whose state was compared last at which
};

} // namespace understudy::testing
