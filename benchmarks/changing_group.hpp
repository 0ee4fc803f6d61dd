// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Nodes that come and go: three vote, and whoever else is there listens.

#include <understudy/actors/node_faults.hpp>
#include <understudy/understudy.hpp>

#include "parcel_store.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace benchmarks {

using store_node = understudy::node<parcel_store>;
using moment = std::chrono::steady_clock::time_point;

/// When a node told of what. Safe from any thread.
class event_times {
public:
  using kind = understudy::node_event::kind;

  void note(kind what) {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock{mutex_};
    all_.emplace_back(what, now);
  }

  /// The first event of a kind since `from`, if there was one.
  [[nodiscard]] std::optional<moment> first(kind what, moment from) const {
    const std::lock_guard lock{mutex_};
    const auto found = std::ranges::find_if(
        all_, [&](const auto& e) { return e.first == what && e.second >= from; });
    return found == all_.end() ? std::nullopt : std::optional{found->second};
  }

  /// The last event of a kind, if it was not before `from`.
  [[nodiscard]] std::optional<moment> last(kind what, moment from) const {
    const std::lock_guard lock{mutex_};
    const auto found
        = std::find_if(all_.rbegin(), all_.rend(), [&](const auto& e) { return e.first == what; });
    return found == all_.rend() || found->second < from ? std::nullopt
                                                        : std::optional{found->second};
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::pair<kind, moment>> all_;
};

/// A node, and what it told.
struct performer {
  store_node node;
  std::shared_ptr<const event_times> events;
};

/// Its nodes have all settings as they are by default, but for the number of voters.
class changing_group {
public:
  static constexpr std::size_t seats = 3;
  static constexpr std::chrono::seconds patience{30};

  changing_group(caf::actor_system& system, std::size_t nodes) : system_{system} {
    for (std::size_t i = 0; i < nodes; ++i)
      add();
    settle();
  }
  changing_group(const changing_group&) = delete;
  changing_group& operator=(const changing_group&) = delete;

  /// With a crash, since that ends a frozen node as well.
  ~changing_group() {
    for (const auto& p : all_)
      end(p);
  }

  /// Starts one more node, and does not wait for it.
  performer add() {
    understudy::node_options options{.name = "node " + std::to_string(++started_),
                                     .found = all_.empty()};
    options.rules.max_voters = seats;
    options.log = {}; // that nodes are lost is what is measured here
    for (const auto& p : all_)
      options.seeds.push_back(p.node);
    const auto events = std::make_shared<event_times>();
    options.on_event = [events](const understudy::node_event& e) { events->note(e.what); };
    all_.push_back({checked(understudy::spawn_node<parcel_store>(system_, options)), events});
    return all_.back();
  }

  /// Counts a node as one of them no more: it has left, or is to be lost.
  void strike(const performer& who) {
    std::erase_if(all_, [&](const performer& p) { return p.node.id() == who.node.id(); });
  }

  /// Ends a node, whatever its state, and waits until it has let go of what it held.
  static void end(const performer& who) {
    understudy::testing::crash(who.node);
    who.node.body().over.wait_for(patience);
  }

  /// Everybody, in the order in which they were started.
  [[nodiscard]] const std::vector<performer>& all() const { return all_; }

  [[nodiscard]] performer leader() const {
    for (const auto& p : all_)
      if (p.node.status().role == understudy::role::leader)
        return p;
    throw std::runtime_error{"nobody leads: " + text()};
  }

  /// The voters that do not lead, in join order.
  [[nodiscard]] std::vector<performer> followers() const {
    return in_role(understudy::role::follower, seats - 1);
  }

  /// The node that does not vote.
  [[nodiscard]] performer listener() const {
    return in_role(understudy::role::listener, 1).front();
  }

  /// All of them, `first` before the others.
  [[nodiscard]] std::vector<understudy::contact> contacts(const performer& first) const {
    std::vector<understudy::contact> result{first.node};
    for (const auto& p : all_)
      if (p.node.id() != first.node.id())
        result.push_back(p.node);
    return result;
  }

  /// Waits until three vote, there is nothing left to change, and all have applied the same.
  void settle() const {
    await("the group does not come to rest", [this] { return at_rest(); });
  }

  /// Waits until three vote again, and `without` is none of them; writes may go on meanwhile.
  void heal(const performer& without) const {
    await("the group does not heal", [&] {
      return std::ranges::all_of(all_, [&](const performer& p) {
        if (p.node.id() == without.node.id())
          return true;
        const auto now = p.node.status();
        return now.leader && now.leader != without.node.id() && now.voters.size() == seats
               && !now.changing && !is_among(now.voters, without.node.id());
      });
    });
  }

  /// Waits for something; throws `otherwise`, and how the nodes are, if it does not come.
  template <class Condition>
  void await(const std::string& otherwise, const Condition& condition) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until)
        throw std::runtime_error{otherwise + ": " + text()};
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
  }

private:
  [[nodiscard]] static bool is_among(const std::vector<understudy::member_id>& all,
                                     understudy::member_id one) {
    return std::ranges::find(all, one) != all.end();
  }

  [[nodiscard]] std::vector<performer> in_role(understudy::role wanted, std::size_t count) const {
    std::vector<performer> found;
    for (const auto& p : all_)
      if (p.node.status().role == wanted)
        found.push_back(p);
    if (found.size() != count)
      throw std::runtime_error{"others than expected vote: " + text()};
    return found;
  }

  [[nodiscard]] bool at_rest() const {
    const auto leads = std::ranges::find_if(
        all_, [](const performer& p) { return p.node.status().role == understudy::role::leader; });
    if (leads == all_.end())
      return false;
    const auto top = leads->node.status();
    if (!top.plan_settled || top.members.size() != all_.size()
        || top.voters.size() != std::min(seats, all_.size()))
      return false;
    return std::ranges::all_of(all_, [&](const performer& p) {
      const auto now = p.node.status();
      return now.ready && now.leader == top.id && now.voters == top.voters && !now.changing
             && now.applied == top.commit;
    });
  }

  [[nodiscard]] std::string text() const {
    std::ostringstream all;
    for (const auto& p : all_)
      all << '[' << p.node.status() << "] ";
    return all.str();
  }

  caf::actor_system& system_;
  std::vector<performer> all_;
  std::size_t started_ = 0;
};

} // namespace benchmarks
