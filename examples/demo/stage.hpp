// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The demo's cluster: nodes that come and go, and clients beside each of them.

#include <understudy/actors/node_faults.hpp>
#include <understudy/understudy.hpp>

#include "load.hpp"
#include "web_tier.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace demo {

using understudy::node_status;
using understudy::role;

/// A node, and what is attached to it.
struct player {
  std::string name;
  understudy::node<web_tier> node;
  std::vector<understudy::cluster_client<web_tier>> clients;
  std::shared_ptr<std::atomic<std::uint64_t>> answered; ///< requests that its clients got done
  bool alive = true;
  std::uint64_t reconciled = 0; ///< in its earlier lives
};

/// Who has which part.
struct casting {
  std::string leader;
  std::vector<std::string> voters;
  std::vector<std::string> temporary_listeners;
  std::vector<std::string> listeners;
};

/// What a cluster is made of.
struct stage_options {
  understudy::settings rules = {};
  std::size_t clients_per_node = 2;
  std::uint64_t seed = 1;
  std::filesystem::path directory = {}; ///< nodes keep their data below it; none: in memory
};

class stage {
public:
  stage(caf::actor_system& system, std::shared_ptr<load_control> control, stage_options options)
      : system_{system}, control_{std::move(control)}, options_{std::move(options)},
        seeds_{options_.seed} {}

  /// Starts another node; the first one founds the cluster.
  understudy::expected<void> add_node() {
    auto options = options_of("node" + std::to_string(players_.size() + 1));
    options.found = players_.empty();
    for (const auto& p : players_)
      if (p.alive)
        options.seeds.push_back(p.node);
    auto started = understudy::spawn_node<web_tier>(system_, options);
    if (!started)
      return tl::unexpected{started.error()};
    players_.push_back({.name = options.name,
                        .node = *started,
                        .clients = {},
                        .answered = std::make_shared<std::atomic<std::uint64_t>>(0)});
    return {};
  }

  /// Starts a node again whose process has ended. It finds its data, and with it the others.
  understudy::expected<void> restart(player& who) {
    who.reconciled += who.node.status().reconciled.taken;
    who.node.stop().wait();
    auto started = understudy::spawn_node<web_tier>(system_, options_of(who.name));
    if (!started)
      return tl::unexpected{started.error()};
    who.node = *started;
    who.alive = true;
    tell_clients();
    return {};
  }

  [[nodiscard]] bool is_durable() const { return !options_.directory.empty(); }

  /// Puts clients beside a node, and tells all others who there is now. Those whose node is gone
  /// stay with the one that they went to.
  understudy::expected<void> add_clients(std::size_t beside) {
    auto& host = players_[beside];
    for (std::size_t i = 0; i < options_.clients_per_node; ++i) {
      auto client
          = understudy::spawn_client<web_tier>(system_, contacts_from(beside), {}, seeds_.next());
      if (!client)
        return tl::unexpected{client.error()};
      system_.spawn<load_actor>(control_, client->actor(), host.answered);
      host.clients.push_back(*client);
    }
    tell_clients();
    return {};
  }

  /// Tells all clients which nodes there are.
  void tell_clients() {
    for (std::size_t i = 0; i < players_.size(); ++i)
      for (const auto& client : players_[i].clients)
        client.update_nodes(contacts_from(i));
  }

  [[nodiscard]] std::vector<player>& players() { return players_; }
  [[nodiscard]] const std::vector<player>& players() const { return players_; }

  [[nodiscard]] std::size_t alive() const {
    return static_cast<std::size_t>(std::ranges::count_if(players_, &player::alive));
  }

  /// The living node that leads, if one does.
  [[nodiscard]] player* leader() {
    const auto found = std::ranges::find_if(
        players_, [](const player& p) { return p.alive && p.node.status().role == role::leader; });
    return found == players_.end() ? nullptr : &*found;
  }

  /// A living voter that does not lead; the newest of them.
  [[nodiscard]] player* follower() {
    const auto found = std::find_if(players_.rbegin(), players_.rend(), [](const player& p) {
      return p.alive && p.node.status().role == role::follower;
    });
    return found == players_.rend() ? nullptr : &*found;
  }

  [[nodiscard]] player* named(const std::string& name) {
    const auto found = std::ranges::find(players_, name, &player::name);
    return found == players_.end() ? nullptr : &*found;
  }

  /// Whether the cluster could do without `who`: a majority of the voters is left.
  [[nodiscard]] bool can_lose(const player& who) {
    const auto* leads = leader();
    if (!leads)
      return false;
    const auto voters = leads->node.status().voters;
    const auto left = std::ranges::count_if(voters, [&](understudy::member_id id) {
      const auto* p = find(id);
      return p && p->alive && p != &who;
    });
    return static_cast<std::size_t>(left) > voters.size() / 2;
  }

  void crash(player& who) {
    who.alive = false;
    understudy::testing::crash(who.node);
  }

  void freeze(player& who) {
    who.alive = false;
    understudy::testing::freeze(who.node);
  }

  /// Has a node leave; the result comes when it has.
  [[nodiscard]] std::future<understudy::expected<understudy::leave_result>> leave(player& who) {
    auto result = who.node.leave();
    who.alive = false;
    tell_clients();
    return result;
  }

  /// Waits until a leader's plan has nothing left to do, nobody that is gone has a part in it,
  /// everyone alive follows that leader, and all logs are within the bound. `meanwhile` is called
  /// all the time.
  bool heal(std::chrono::milliseconds limit, const std::function<void()>& meanwhile) {
    return wait([this] { return is_whole(); }, limit, meanwhile);
  }

  template <class Condition>
  bool wait(Condition condition, std::chrono::milliseconds limit,
            const std::function<void()>& meanwhile) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until)
        return false;
      meanwhile();
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
  }

  [[nodiscard]] casting roles() {
    casting result;
    const auto* leads = leader();
    if (!leads)
      return result;
    result.leader = leads->name;
    const auto status = leads->node.status();
    for (const auto& m : status.members) {
      if (std::ranges::find(status.voters, m.id) != status.voters.end())
        result.voters.push_back(m.name);
      else if (m.role == role::temporary_listener)
        result.temporary_listeners.push_back(m.name);
      else
        result.listeners.push_back(m.name);
    }
    return result;
  }

  /// How often clients had to send a request again.
  [[nodiscard]] std::uint64_t retries() const {
    std::uint64_t sum = 0;
    for (const auto& p : players_)
      for (const auto& client : p.clients)
        sum += client.status().retries;
    return sum;
  }

  /// How many calls were open at nodes that took a seat, and were settled then (S6).
  [[nodiscard]] std::uint64_t reconciled() const {
    std::uint64_t sum = 0;
    for (const auto& p : players_)
      sum += p.reconciled + p.node.status().reconciled.taken;
    return sum;
  }

  /// How many elections a listener has won.
  [[nodiscard]] std::uint64_t won_from_outside() const { return *won_from_outside_; }

  /// Ends all nodes and clients; those that are frozen need force.
  void strike() {
    for (auto& p : players_) {
      for (const auto& client : p.clients)
        client.stop();
      if (p.alive)
        p.node.stop();
      else
        understudy::testing::crash(p.node);
    }
  }

private:
  static constexpr std::uint64_t lag_bound = 1'024;

  understudy::node_options options_of(const std::string& name) {
    understudy::node_options options{.name = name};
    options.rules = options_.rules;
    options.random_seed = seeds_.next();
    if (is_durable()) {
      const auto own = options_.directory / name;
      std::error_code failed; // spawn_node says so better
      std::filesystem::create_directories(own, failed);
      options.directory = own.string();
      options.core.campaign_step = std::chrono::milliseconds{50}; // a vote waits for the disk
    }
    options.on_event = [won = won_from_outside_](const understudy::node_event& e) {
      if (e.what == understudy::node_event::kind::role_changed
          && e.detail == "leader without a vote")
        ++*won;
    };
    // That nodes are sent away after a crash is what this demo is about.
    options.log = {};
    return options;
  }

  [[nodiscard]] player* find(understudy::member_id id) {
    const auto found
        = std::ranges::find_if(players_, [&](const player& p) { return p.node.id() == id; });
    return found == players_.end() ? nullptr : &*found;
  }

  [[nodiscard]] bool is_whole() {
    const auto* leads = leader();
    if (!leads)
      return false;
    const auto status = leads->node.status();
    if (!status.plan_settled || status.members.size() != alive())
      return false;
    const auto claims = std::min<std::size_t>(alive(), options_.rules.max_voters);
    const auto seats = claims - (claims % 2 == 0 ? 1 : 0);
    return std::ranges::all_of(players_, [&](const player& p) {
      if (!p.alive)
        return true;
      const auto own = p.node.status();
      const bool seated = std::ranges::find(status.voters, own.id) != status.voters.end();
      return own.leader == leads->node.id() && own.ready && (seated || own.rank > seats)
             && own.applied + lag_bound >= status.commit;
    });
  }

  /// The living nodes, beginning with player `first` and going round.
  [[nodiscard]] std::vector<understudy::contact> contacts_from(std::size_t first) const {
    std::vector<understudy::contact> contacts;
    for (std::size_t i = 0; i < players_.size(); ++i)
      if (const auto& p = players_[(first + i) % players_.size()]; p.alive)
        contacts.push_back(p.node);
    return contacts;
  }

  caf::actor_system& system_;
  std::shared_ptr<load_control> control_;
  stage_options options_;
  understudy::random_source seeds_;
  std::shared_ptr<std::atomic<std::uint64_t>> won_from_outside_
      = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::vector<player> players_;
};

} // namespace demo
