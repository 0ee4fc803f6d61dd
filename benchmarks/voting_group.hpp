// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Nodes that all vote, and stay.

#include <understudy/understudy.hpp>

#include "checked.hpp"
#include "parcel.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

namespace benchmarks {

/// Whom the caller asks.
enum class place { leader, follower };

class voting_group {
public:
  /// What is set for a node beyond its name and its seeds.
  using adjustment = std::function<void(understudy::node_options&)>;

  voting_group(caf::actor_system& system, std::size_t size, const adjustment& adjust = {}) {
    for (std::size_t i = 0; i < size; ++i) {
      understudy::node_options options{.name = "node " + std::to_string(i + 1), .found = i == 0};
      options.seeds.assign(nodes_.begin(), nodes_.end());
      if (adjust)
        adjust(options);
      nodes_.push_back(checked(understudy::spawn_node<parcel_counter>(system, options)));
    }
    for (const auto& n : nodes_)
      static_cast<void>(checked(n.wait_until(
          [&](const understudy::node_status& now) {
            const bool settled = now.role != understudy::role::leader || now.plan_settled;
            return now.voters.size() == size && !now.changing && now.ready && settled;
          },
          std::chrono::seconds{30})));
  }
  voting_group(const voting_group&) = delete;
  voting_group& operator=(const voting_group&) = delete;

  ~voting_group() {
    std::vector<std::shared_future<void>> over;
    for (const auto& n : nodes_)
      over.push_back(n.stop());
    for (const auto& o : over)
      o.wait();
  }

  [[nodiscard]] parcel_actor actor_at(place where) const {
    const auto wanted
        = where == place::leader ? understudy::role::leader : understudy::role::follower;
    for (const auto& n : nodes_)
      if (n.status().role == wanted)
        return n.actor();
    throw std::runtime_error{"nobody leads"};
  }

private:
  std::vector<understudy::node<parcel_counter>> nodes_;
};

} // namespace benchmarks
