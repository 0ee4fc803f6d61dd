// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// All actors of one node together, from their first message to their last.

#include <understudy/actors/backstage.hpp>
#include <understudy/actors/control.hpp>
#include <understudy/actors/interface.hpp>
#include <understudy/actors/supervisor.hpp>
#include <understudy/core/random.hpp>

#include <cstdint>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace understudy {

/// A node that one can write to before the roster is known. Every node handle turns into one.
struct contact {
  member_id id = {};
  std::string address = {};
};

/// Where a node's actors run.
enum class placement : std::uint8_t {
  /// The raft core has a thread of its own: elections do not wait for busy user actors, and an idle
  /// node answers in a fraction of a millisecond.
  detached_core = 0,
  /// Everything shares the actor system's threads. For many nodes in a process, and for tests on
  /// CAF's deterministic scheduler.
  scheduled = 1,
};

namespace detail {

/// A seed from the operating system, unless one is given.
[[nodiscard]] inline std::uint64_t draw_seed(std::uint64_t wanted) {
  if (wanted != 0)
    return wanted;
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

[[nodiscard]] inline std::uint64_t draw_nonzero(random_source& random) {
  const auto drawn = random.next();
  return drawn != 0 ? drawn : 1;
}

} // namespace detail

/// Spawns an actor, with a thread of its own if `detached`.
template <class Actor, class... Args>
[[nodiscard]] any_actor spawn_actor(caf::actor_system& system, bool detached, Args&&... args) {
  if (detached)
    return forget_type(system.spawn<Actor, caf::detached>(std::forward<Args>(args)...));
  return forget_type(system.spawn<Actor>(std::forward<Args>(args)...));
}

/// The actors of one node, before they know each other.
class cast {
public:
  cast(caf::actor_system& system, std::shared_ptr<backstage> stage, node_hooks hooks)
      : stage_{std::move(stage)} {
    std::promise<void> over;
    over_ = over.get_future().share();
    sheet_->supervisor
        = spawn_actor<supervisor>(system, false, stage_, std::move(hooks), std::move(over));
    sheet_->notices[detail::place_of_notice<node_event>].push_back(sheet_->supervisor);
  }

  /// Adds an actor that takes what `Components` take: one of ours, or one that stands in for it.
  template <class... Components> void enlist(const any_actor& actor) {
    sheet_->actors.push_back(actor);
    (subscribe_to(actor, typename Components::notices{}), ...);
  }

  /// Adds the actor with the node's connections.
  void enlist_exchange(const any_actor& actor) {
    sheet_->actors.push_back(actor);
    sheet_->exchange = actor;
  }

  /// Introduces all to each other and to the seeds, and lets them begin. Nobody begins before all
  /// are introduced.
  void raise_curtain(const std::vector<contact>& seeds) {
    post_from_outside(sheet_->supervisor, connect_siblings{sheet_});
    for (const auto& actor : sheet_->actors)
      post_from_outside(actor, connect_siblings{sheet_});
    for (const auto& seed : seeds) {
      auto news = stage_->peers.add_seed(seed.id, seed.address);
      post_from_outside(sheet_->supervisor, watch_peers{std::move(news.to_watch)});
      post_from_outside(sheet_->supervisor, peers_gone{std::move(news.gone)});
    }
    for (const auto& actor : sheet_->actors)
      post_from_outside(actor, begin_work{});
  }

  [[nodiscard]] const any_actor& supervisor_actor() const { return sheet_->supervisor; }
  [[nodiscard]] const std::vector<any_actor>& actors() const { return sheet_->actors; }
  [[nodiscard]] const std::shared_future<void>& over() const { return over_; }

private:
  template <class... Ns> void subscribe_to(const any_actor& actor, type_list<Ns...>) {
    (sheet_->notices[detail::place_of_notice<Ns>].push_back(actor), ...);
  }

  std::shared_ptr<backstage> stage_;
  std::shared_ptr<call_sheet> sheet_ = std::make_shared<call_sheet>();
  std::shared_future<void> over_;
};

/// Whom a handle of a node turns to; a client has but a front.
struct node_doors {
  any_actor front = nullptr;  ///< takes calls
  any_actor back = nullptr;   ///< takes orders
  any_actor core = nullptr;   ///< has the log
  any_actor keeper = nullptr; ///< has the machine
};

/// What all handles of one node hold together. When the last goes, the node stops.
struct node_body {
  node_body(std::shared_ptr<backstage> backstage, const cast& cast, caf::actor_system& in,
            node_doors open)
      : stage{std::move(backstage)}, supervisor{cast.supervisor_actor()}, actors{cast.actors()},
        doors{std::move(open)}, over{cast.over()}, system{in} {}
  node_body(const node_body&) = delete;
  node_body& operator=(const node_body&) = delete;
  ~node_body() { stop(false); }

  /// Begins to stop; `over` tells when that is done.
  void stop(bool abrupt) const {
    stage->closed = true;
    post_from_outside(supervisor, stop_node{abrupt});
  }

  const std::shared_ptr<backstage> stage;
  const any_actor supervisor;
  const std::vector<any_actor> actors;
  const node_doors doors;
  const std::shared_future<void> over;
  caf::actor_system& system;
};

} // namespace understudy
