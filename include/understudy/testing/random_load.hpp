// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The callers of a random run: each counts up a counter of its own, looks at it in every way there
/// is, and keeps book of what it was told. All of them count up one counter together; what they
/// were told of that must be linearizable.

#include <understudy/testing/linearizability.hpp>
#include <understudy/testing/machine_model.hpp>
#include <understudy/testing/operation_history.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/run_plan.hpp>
#include <understudy/testing/run_summary.hpp>
#include <understudy/testing/simulation.hpp>
#include <understudy/testing/workload.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing {

/// Keeps asking until it is stopped. What it is told wrongly throws `invariant_violated`.
class random_load {
public:
  random_load(const run_plan& plan, simulation<tally>& run, random_stream random)
      : plan_{plan}, run_{run}, random_{random} {}

  random_load(const random_load&) = delete;
  random_load& operator=(const random_load&) = delete;

  void begin() {
    for (std::size_t i = 0; i < plan_.callers; ++i) {
      const bool outside = random_.chance(0.5);
      auto& c = add_caller();
      c.node = random_.below(8);
      c.client = outside ? run_.add_client("c" + std::to_string(c.who)) : member_id{};
      think(c);
    }
  }

  /// Asks nothing more on its own account.
  void stop() { stopped_ = true; }

  /// Each of these nodes is asked for a command and a query.
  void ask(const std::vector<member_id>& nodes) {
    for (const auto id : nodes) {
      auto& c = add_caller();
      c.persists = true;
      bump(c, id);
      count(c, id, consistency::linearizable);
    }
  }

  /// Every command and query of `ask` was answered in the end; else whose was not.
  [[nodiscard]] std::string unserved() const {
    for (const auto& c : callers_)
      if (c.persists && (c.ledger.acknowledged() == 0 || !c.looked))
        return "caller " + std::to_string(c.who) + " was not served: " + c.refusal;
    return {};
  }

  /// What is wrong with what a machine holds in the end; nothing if all is right.
  [[nodiscard]] std::string wrong_in(const tally& machine) const {
    for (const auto& c : callers_)
      if (const auto wrong = c.ledger.wrong_in_the_end(machine.query(tally::count{c.who})))
        return "caller " + std::to_string(c.who) + ": " + *wrong;
    return {};
  }

  /// Whether what all were told of the counter that they share can be explained (I7); else what
  /// not.
  [[nodiscard]] std::string unexplained() {
    const auto judged = check_linearizable(machine_model<tally>{}, shared_.history(), limits);
    too_large_ = judged.found == linearity::unknown;
    judged_ = too_large_ ? 0 : shared_.history().size();
    if (judged.found != linearity::not_linearizable)
      return {};
    const auto place = judged.culprit.value_or(0);
    return "what caller " + std::to_string(shared_.history().at(place).process)
           + " was told of the counter that all share, by operation " + std::to_string(place)
           + ", fits nothing that may have happened";
  }

  void add_to(run_summary& s) const {
    s.judged = judged_;
    s.not_judged = too_large_ ? 1 : 0;
    s.reads = reads_;
    s.local_reads = local_reads_;
    s.session_reads = session_reads_;
    s.overloaded = overloaded_;
    for (const auto& c : callers_) {
      s.acknowledged += c.ledger.acknowledged();
      s.uncertain += c.ledger.uncertain();
      s.refused += c.ledger.refused();
    }
  }

private:
  /// Up to where a node's data had come at the last local read there.
  struct local_view {
    std::uint64_t crashes = 0; ///< of all nodes by then: with another process it begins anew
    log_index index = {};
  };

  struct caller {
    std::uint64_t who = 0;
    std::size_t node = 0; ///< calls this node of those that run; none: a client of its own
    member_id client = {};
    bool persists = false; ///< asks again when a node is overloaded
    tally_ledger ledger = {};
    log_index newest = {};     ///< of its own commands
    std::uint64_t counted = 0; ///< by the command at `newest`
    bool looked = false;       ///< a query of its own was answered
    std::string refusal = {};  ///< what the newest call that failed was told
    std::map<member_id, local_view> seen = {};
  };

  /// What a check of a history may cost; it is hardly ever met.
  static constexpr search_limits limits{.configurations_max = 300'000,
                                        .memory_max = std::size_t{256} << 20};

  /// Whose counter is everybody's.
  static constexpr std::uint64_t everybody = 0;

  /// Calls that one caller has open at a time.
  static constexpr std::uint64_t open_max = 16;

  caller& add_caller() { return callers_.emplace_back(caller{.who = callers_.size() + 1}); }

  void think(caller& c) {
    run_.schedule(random_.between(interval{0}, plan_.think_max), [this, &c] { act(c); });
  }

  void act(caller& c) {
    if (stopped_)
      return;
    const auto at = door_of(c);
    if (at && random_.chance(0.3))
      share(c, at);
    else if (at && c.ledger.open() < open_max)
      random_.chance(0.2) ? count(c, at, some_consistency()) : bump(c, at);
    think(c);
  }

  /// Counts up the counter that all share, or looks at it.
  void share(caller& c, member_id at) {
    using model = machine_model<tally>;
    if (shared_open_ >= open_max)
      return;
    ++shared_open_;
    const bool looks = random_.chance(0.3);
    const auto id = shared_.invoke(c.who,
                                   looks ? model::query(tally::count{everybody})
                                         : model::command(tally::bump{everybody, {}}),
                                   run_.now());
    const auto then = [this, id](const expected<reply>& r) {
      --shared_open_;
      if (r)
        shared_.complete(id, r->body, run_.now());
      else if (!is_uncertain(r.error().code))
        shared_.fail(id, run_.now());
    };
    looks ? run_.ask(at, tally::count{everybody}, consistency::linearizable, then)
          : run_.submit(at, tally::bump{everybody, {}}, then);
  }

  consistency some_consistency() {
    return random_.chance(0.6)   ? consistency::linearizable
           : random_.chance(0.5) ? consistency::local
                                 : consistency::session;
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
    const tally::bump what{c.who, std::string(random_.below(plan_.ballast_max + 1), 'b')};
    run_.submit(at, what, [this, &c, floor, at](const expected<reply>& r) {
      auto count = r ? decode_reply<tally::bump>(r->body) : tl::unexpected<failure>{r.error()};
      if (const auto wrong = c.ledger.bumped(floor, count))
        throw invariant_violated{"I8", {}, "caller " + std::to_string(c.who) + ": " + *wrong};
      if (!r && c.persists && r.error().code == errc::overloaded)
        run_.schedule(std::chrono::milliseconds{50}, [this, &c, at] { bump(c, at); });
      if (!r)
        refused(c, r.error());
      else if (r->index > c.newest) {
        c.newest = r->index;
        c.counted = *count;
      }
    });
  }

  void refused(caller& c, const failure& why) {
    overloaded_ += why.code == errc::overloaded ? 1 : 0;
    c.refusal = std::string{to_string(why.code)} + " " + why.detail;
  }

  /// What a caller has seen by local reads at `at`, the last that it saw there (I11).
  local_view& seen_at(caller& c, member_id at) {
    auto& view = c.seen[at];
    if (view.crashes != run_.counters().crashes)
      view = {run_.counters().crashes, {}};
    return view;
  }

  /// A linearizable read sees all that was known before it was sent (I7), one of the session all
  /// that the caller's own commands have done by then, and a local one nothing that never was, nor
  /// less than the one before it at the same node (I11).
  void count(caller& c, member_id at, consistency how) {
    const auto floor = how == consistency::linearizable ? c.ledger.asked_to_count()
                       : how == consistency::session    ? c.counted
                                                        : std::uint64_t{0};
    const query what{.body = encode_query<tally>(tally::count{c.who}),
                     .consistency = how,
                     .at_least = how == consistency::session ? c.newest : log_index{}};
    const bool local = how == consistency::local && !c.client;
    const auto before = local ? seen_at(c, at) : local_view{};
    run_.call(at, what, [this, &c, floor, how, at, local, before](const expected<reply>& r) {
      if (!r) {
        refused(c, r.error());
        if (c.persists && r.error().code == errc::overloaded)
          run_.schedule(std::chrono::milliseconds{50}, [this, &c, at, how] { count(c, at, how); });
        return;
      }
      c.looked = true;
      ++(how == consistency::linearizable ? reads_
         : how == consistency::session    ? session_reads_
                                          : local_reads_);
      if (local)
        look_back(c, at, before, r->index);
      const auto seen = decode_reply<tally::count>(r->body).value_or(0);
      if (const auto wrong = c.ledger.counted(floor, seen))
        throw invariant_violated{"I7", {}, "caller " + std::to_string(c.who) + ": " + *wrong};
    });
  }

  /// A local read at `at` that was asked for when the last one had shown `before`.
  void look_back(caller& c, member_id at, const local_view& before, log_index now) {
    auto& last = seen_at(c, at);
    if (before.crashes == last.crashes && now < before.index)
      throw invariant_violated{"I11", at,
                               "a local read shows entry " + std::to_string(now.value)
                                   + ", and one before it showed "
                                   + std::to_string(before.index.value)};
    last.index = std::max(last.index, now);
  }

  const run_plan& plan_;
  simulation<tally>& run_;
  random_stream random_;
  std::deque<caller> callers_; ///< callbacks keep their place
  operation_recorder<machine_model<tally>> shared_;
  std::uint64_t shared_open_ = 0;
  std::uint64_t judged_ = 0;
  bool too_large_ = false; ///< the history, to be judged
  bool stopped_ = false;
  std::uint64_t reads_ = 0;
  std::uint64_t local_reads_ = 0;
  std::uint64_t session_reads_ = 0;
  std::uint64_t overloaded_ = 0;
};

} // namespace understudy::testing
