// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The steps of the demo, one after the other, and what each must show.

#include "options.hpp"
#include "reckoning.hpp"
#include "report.hpp"
#include "screen.hpp"
#include "stage.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace demo {

using namespace std::chrono_literals;

/// The longest a caller may wait, beyond what the machine itself stalls.
constexpr auto graceful_pause_max = 100ms;
constexpr auto crash_pause_max = 1s;
constexpr auto loss_pause_max = 5s; ///< all data is read again

/// Between two steps, so that what is in flight when one ends is not caught in the next one's
/// crash: its wait would count for both.
constexpr auto breath = 50ms;

/// A member that falls silent is waited for by `evict_after`, 10 s.
constexpr auto heal_limit = 30s;

class play {
public:
  play(caf::actor_system& system, const demo_options& options,
       std::shared_ptr<load_control> control)
      : options_{options}, screen_{options.plain}, control_{std::move(control)},
        stage_{system, control_, stage_of(options, "nodes", options.seed)}, system_{system} {}

  demo_report perform() {
    report_.max_voters = options_.max_voters;
    rate_ = options_.rate > 0 ? options_.rate : rehearse() / 4;
    screen_.say("load: " + std::to_string(static_cast<std::uint64_t>(rate_))
                + " requests/s in all");
    grow();
    pull_sources();
    leave();
    crash();
    elect_listener();
    if (stage_.is_durable())
      lose_all();
    replace_everybody();
    finish();
    return std::move(report_);
  }

private:
  // -- the steps ----------------------------------------------------------------------------

  /// How many requests a second a cluster of this size gets done when it is given all it can take;
  /// with a load and nodes of its own, which are gone afterwards.
  double rehearse() {
    if (control_->feed.size() == 0)
      return 0;
    screen_.say("rehearsal: one second at full speed, to choose the pace");
    auto control = std::make_shared<load_control>(built_in_requests(10'000), 1);
    stage rehearsal{system_, control, stage_of(options_, "rehearsal", options_.seed + 1)};
    for (std::size_t i = 0; i < options_.nodes; ++i) {
      if (!must(rehearsal.add_node()) || !rehearsal.heal(10s, [] {}))
        return 0;
    }
    for (std::size_t i = 0; i < options_.nodes; ++i)
      must(rehearsal.add_clients(i));
    std::this_thread::sleep_for(1s);
    const auto reached = control->scores.all().applied;
    control->feed.finish();
    rehearsal.wait([&] { return control->feed.over() && control->open == 0; }, 10s, [] {});
    rehearsal.strike();
    return static_cast<double>(reached);
  }

  void grow() {
    while (stage_.alive() < options_.nodes) {
      const auto count = stage_.alive() + 1;
      auto step = count == 1 ? begin("found", {"S1", "S8", "S13"})
                             : begin("grow to " + std::to_string(count), {"S8", "S9", "S10"});
      enter();
      check_seats(step);
      end(step, graceful_pause_max);
    }
  }

  void pull_sources() {
    auto step = begin("pull sources", {"S2", "S7", "S11", "S12"});
    const auto voters = stage_.roles().voters.size();
    const auto listens = [](const player& p) {
      const auto role = p.node.status().role;
      return p.alive && (role == role::listener || role == role::temporary_listener);
    };
    if (std::ranges::none_of(stage_.players(), listens))
      return skip(step, "there is no listener");
    const auto spread = stage_.wait(
        [&] {
          return std::ranges::all_of(stage_.players(), [&](const player& p) {
            const auto pulls = p.node.status().pulls;
            return !listens(p) || voters == 1 || pulls.from_followers > 0;
          });
        },
        10s, drawing(step.name));
    if (!spread)
      step.complaints.push_back("a listener has pulled from no follower");
    end(step, graceful_pause_max);
  }

  void leave() {
    for (const bool leads : {false, true}) {
      auto step = begin(leads ? "leader leaves" : "follower leaves", {"S3", "S4", "S10"});
      auto* who = leads ? stage_.leader() : stage_.follower();
      if (!who || stage_.alive() < 2) {
        skip(step, "there is nobody to take over");
        continue;
      }
      see_off(who->name, step);
      enter();
      end(step, graceful_pause_max);
    }
  }

  void crash() {
    lose("follower crashes", {"S3", "S4", "S10"}, stage_.follower(),
         [this](player& who) { stage_.crash(who); });
    lose("leader crashes", {"S5", "S6"}, stage_.leader(),
         [this](player& who) { stage_.crash(who); });
    // Its links do not break: only time can tell.
    lose("leader freezes", {"S5", "S3"}, stage_.leader(),
         [this](player& who) { stage_.freeze(who); });
  }

  template <class Blow>
  void lose(const std::string& name, std::vector<std::string> rows, player* who, Blow blow) {
    auto step = begin(name, std::move(rows));
    if (!who || !stage_.can_lose(*who))
      return skip(step, "without another voter no majority would be left");
    screen_.say(who->name + (name.ends_with("freezes") ? " freezes" : " is killed"));
    const auto lost = who->name;
    blow(*who);
    await_leader(step);
    make_good(lost);
    end(step, crash_pause_max);
  }

  /// In the place of a node that was lost there comes another one; or itself, if it has its data.
  void make_good(const std::string& lost) {
    if (!stage_.is_durable())
      return enter();
    auto& who = *stage_.named(lost);
    stage_.crash(who); // where it only stood still
    must(stage_.restart(who));
    heal(lost + " comes back");
  }

  /// All nodes are lost at once, and come back with what they had confirmed.
  void lose_all() {
    auto step = begin("all are killed", {"S13"});
    std::vector<std::string> names;
    for (auto& p : stage_.players())
      if (p.alive)
        names.push_back(p.name);
    screen_.say("all nodes are killed at once");
    for (const auto& name : names)
      stage_.crash(*stage_.named(name));
    for (const auto& name : names)
      must(stage_.restart(*stage_.named(name)));
    await_leader(step);
    heal("all nodes come back");
    end(step, loss_pause_max);
  }

  /// While nothing is in flight and all logs are equal the leader is lost: by the schedule the
  /// listener asks first, and nothing speaks against it. Should a voter be quicker, once more.
  void elect_listener() {
    auto step = begin("listener elected", {"S5", "S3"});
    for (step.tries = 1; step.tries <= tries_max; ++step.tries) {
      auto* leads = stage_.leader();
      const auto before = stage_.roles();
      if (!leads || !stage_.can_lose(*leads) || !has_understudy(before))
        return skip(step, "no listener would have the leader's seat");
      control_->feed.hold(true);
      stage_.wait([this] { return control_->open == 0 && all_have_applied_the_same(stage_); }, 10s,
                  drawing("the load is held"));
      screen_.say("the load is held, all logs are equal, " + leads->name + " is killed");
      stage_.crash(*leads);
      control_->feed.hold(false);
      await_leader(step);
      const auto* now = stage_.leader();
      const bool listened
          = now && std::ranges::find(before.voters, now->name) == before.voters.end();
      make_good(before.leader);
      if (listened)
        return end(step, crash_pause_max);
      screen_.say("a voter was quicker");
    }
    step.complaints.push_back("no listener was elected");
    end(step, crash_pause_max);
  }

  /// A rolling update: a new node enters, then an old one leaves; the oldest last.
  void replace_everybody() {
    std::vector<std::string> names;
    for (auto p = stage_.players().rbegin(); p != stage_.players().rend(); ++p)
      if (p->alive)
        names.push_back(p->name);
    for (const auto& name : names) {
      auto step = begin("replace " + name, {"S3", "S4", "S8", "S10"});
      enter();
      see_off(name, step);
      heal(name + " has left");
      end(step, graceful_pause_max);
    }
  }

  /// The load stops, everyone catches up, and all is compared.
  void finish() {
    control_->feed.finish();
    if (!stage_.wait([this] { return control_->feed.over() && control_->open == 0; }, 60s,
                     drawing("the last pass")))
      report_.complaints.push_back("the load did not come to its end");
    if (!stage_.wait([this] { return all_have_applied_the_same(stage_); }, 10s,
                     drawing("catching up")))
      report_.complaints.push_back("the nodes did not apply the same index");
    note_steps(control_->scores.steps(), report_);
    compare_counts(stage_, *control_, report_);
    compare_states(stage_, report_);
    stage_.strike();
  }

  // -- what steps are made of ---------------------------------------------------------------

  step_report begin(std::string name, std::vector<std::string> rows) {
    stalls_.take();
    retries_ = stage_.retries();
    reconciled_ = stage_.reconciled();
    copies_min_ = 0;
    began_ = std::chrono::steady_clock::now();
    control_->scores.begin_step(began_);
    return {.name = std::move(name), .rows = std::move(rows)};
  }

  /// Starts a node, waits until the cluster is whole again, and puts clients beside the node.
  void enter() {
    if (!must(stage_.add_node()))
      return;
    const auto newest = stage_.players().size() - 1;
    heal(stage_.players()[newest].name + " enters");
    must(stage_.add_clients(newest));
    std::size_t clients = 0;
    for (const auto& p : stage_.players())
      clients += p.clients.size();
    control_->rate_per_second = rate_ / static_cast<double>(std::max<std::size_t>(clients, 1));
  }

  void heal(const std::string& what) {
    if (!stage_.heal(heal_limit, drawing(what)))
      report_.complaints.push_back(what + ": the cluster did not get whole in time");
  }

  void see_off(const std::string& name, step_report& step) {
    auto leaving = stage_.leave(*stage_.named(name));
    const bool over = stage_.wait([&] { return leaving.wait_for(0s) == std::future_status::ready; },
                                  15s, drawing(name + " leaves"));
    const auto how = over ? leaving.get() : understudy::fail(understudy::errc::timed_out);
    if (!how)
      step.complaints.push_back(name
                                + " did not leave: " + std::string{to_string(how.error().code)});
    else if (how->how != understudy::leave_outcome::left)
      step.complaints.push_back(name + " could not leave properly: " + how->detail);
  }

  /// Waits until a node leads that is there.
  void await_leader(step_report& step) {
    if (!stage_.wait([this] { return stage_.leader() != nullptr; }, 10s, drawing(step.name)))
      step.complaints.push_back("nobody leads");
  }

  void end(step_report& step, std::chrono::milliseconds pause_max) {
    const milliseconds healed = std::chrono::steady_clock::now() - began_;
    step.healed_ms = healed.count();
    let_pass(300ms, step.name); // the new clients' load belongs to the step as well
    step.nodes = stage_.alive();
    step.roles = stage_.roles();
    step.retries = stage_.retries() - retries_;
    step.reconciled = stage_.reconciled() - reconciled_;
    step.copies_min = copies_min_;
    step.machine_stall_ms = stalls_.take().count();
    step.pause_max_ms = milliseconds{pause_max}.count() + step.machine_stall_ms;
    control_->scores.end_step(std::chrono::steady_clock::now());
    let_pass(breath, step.name);
    screen_.say(step.name + ": leader " + step.roles.leader + ", voters "
                + joined(step.roles.voters) + ", temporary "
                + joined(step.roles.temporary_listeners) + ", listeners "
                + joined(step.roles.listeners));
    report_.steps.push_back(std::move(step));
  }

  void skip(step_report& step, std::string why) {
    control_->scores.end_step(std::chrono::steady_clock::now());
    screen_.say(step.name + ": skipped, " + why);
    step.skipped = std::move(why);
    report_.steps.push_back(std::move(step));
  }

  void let_pass(std::chrono::milliseconds length, const std::string& step) {
    const auto until = std::chrono::steady_clock::now() + length;
    stage_.wait([&] { return std::chrono::steady_clock::now() >= until; }, 2 * length,
                drawing(step));
  }

  /// The roles while growing are exactly those of the seats table.
  void check_seats(step_report& step) {
    const auto roles = stage_.roles();
    const auto n = stage_.alive();
    const auto claims = std::min<std::size_t>(n, options_.max_voters);
    if (roles.voters.size() != seats_of(n)
        || roles.temporary_listeners.size() != claims - seats_of(n)
        || roles.listeners.size() != n - claims)
      step.complaints.push_back("the roles are not those of the seats table");
  }

  [[nodiscard]] std::size_t seats_of(std::size_t nodes) const {
    const auto claims = std::min<std::size_t>(nodes, options_.max_voters);
    return claims - (claims % 2 == 0 && claims > 0 ? 1 : 0);
  }

  [[nodiscard]] bool has_understudy(const casting& roles) const {
    return seats_of(stage_.alive() - 1) > roles.voters.size() - 1;
  }

  std::function<void()> drawing(std::string what) {
    return [this, what = std::move(what)] {
      screen_.draw(what, stage_, control_->feed);
      const auto* leads = stage_.leader();
      const auto copies = leads ? leads->node.status().copies : 0;
      if (copies > 0 && (copies_min_ == 0 || copies < copies_min_))
        copies_min_ = copies;
    };
  }

  bool must(const understudy::expected<void>& done) {
    if (!done)
      report_.complaints.push_back(std::string{to_string(done.error().code)} + ": "
                                   + done.error().detail);
    return done.has_value();
  }

  static constexpr int tries_max = 5;

  const demo_options& options_;
  screen screen_;
  stall_meter stalls_;
  std::shared_ptr<load_control> control_;
  stage stage_;
  caf::actor_system& system_;
  demo_report report_;
  double rate_ = 0;
  std::uint64_t retries_ = 0;    ///< when the step began
  std::uint64_t reconciled_ = 0; ///< likewise
  std::uint32_t copies_min_ = 0; ///< in this step; 0: nobody led
  moment began_ = {};
};

} // namespace demo
