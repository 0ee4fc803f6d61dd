// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Whole nodes in one actor system, for tests.

#include <understudy/understudy.hpp>

#include <doctest/doctest.h>

#include <support/inventory.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test_support {

using inventory_node = understudy::node<inventory>;

/// Far longer than anything takes; only a failing test waits for it.
inline constexpr understudy::interval patience = std::chrono::seconds{30};

/// An actor system and the nodes of one cluster in it.
struct node_fixture {
  understudy::config prepared;
  caf::actor_system system{prepared};
  std::vector<inventory_node> nodes;
  std::shared_ptr<std::atomic<int>> warnings = std::make_shared<std::atomic<int>>(0);

  understudy::node_options options(std::string name) const {
    return {.name = std::move(name), .log = [w = warnings](std::string_view) { ++*w; }};
  }

  inventory_node& add(understudy::node_options o) {
    auto started = understudy::spawn_node<inventory>(system, std::move(o));
    REQUIRE(started);
    return nodes.emplace_back(std::move(*started));
  }

  inventory_node& found() {
    auto o = options("a");
    o.found = true;
    return add(std::move(o));
  }

  inventory_node& join(std::string name) {
    auto o = options(std::move(name));
    o.seeds = {nodes.front()};
    return add(std::move(o));
  }

  /// The first nodes of the alphabet, entered in that order, once all know of all and `voters` of
  /// them vote.
  void grow_to(std::size_t count, std::size_t voters) {
    nodes.reserve(count + 8);
    found();
    for (std::size_t i = 1; i < count; ++i) {
      wait(nodes.back(), [](const understudy::node_status& s) { return s.ready; });
      join(std::string(1, static_cast<char>('a' + i)));
    }
    for (const auto& n : nodes)
      wait(n, [&](const understudy::node_status& s) {
        return s.ready && s.members.size() == count && s.voters.size() == voters && !s.changing;
      });
  }

  template <class Condition>
  understudy::node_status wait(const inventory_node& n, Condition condition) const {
    auto seen = n.wait_until(condition, patience);
    REQUIRE_MESSAGE(seen, seen.error().detail);
    return *seen;
  }

  inventory_node& leader() {
    const auto who = wait(nodes.back(), [](const understudy::node_status& s) {
                       return bool{s.leader};
                     }).leader;
    return *std::ranges::find(nodes, who, &inventory_node::id);
  }

  /// Any that does not lead.
  inventory_node& follower() {
    const auto who = leader().id();
    return *std::ranges::find_if(nodes, [&](const inventory_node& n) { return n.id() != who; });
  }
};

inline int value(std::future<understudy::expected<int>> result) {
  auto got = result.get();
  REQUIRE_MESSAGE(got, got.error());
  return *got;
}

inline understudy::errc code(std::future<understudy::expected<int>> result) {
  auto got = result.get();
  return got ? understudy::errc::none : got.error().code;
}

inline bool is_over(const std::shared_future<void>& over) {
  return over.wait_for(patience) == std::future_status::ready;
}

} // namespace test_support
