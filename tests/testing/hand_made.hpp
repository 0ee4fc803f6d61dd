// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Nodes made by hand, to be shown to the checker: as they should be, and as they must never be.

#include <understudy/core/configuration.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/testing/invariants.hpp>
#include <understudy/testing/observation.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace test_support {

using namespace understudy;
using namespace understudy::testing;

inline constexpr member_id a{1};
inline constexpr member_id b{2};
inline constexpr member_id c{3};
inline constexpr member_id d{4};

/// A configuration with these members, of which `voters` vote.
inline configuration_ptr members(std::vector<member_id> all, std::vector<member_id> voters,
                                 std::vector<member_id> outgoing = {}) {
  configuration made{
      .cluster = cluster_id{77}, .voters = std::move(voters), .outgoing = std::move(outgoing)};
  for (const auto id : all)
    made.members.push_back({.id = id, .start = id.value});
  return std::make_shared<configuration>(std::move(made));
}

/// A log that lets itself be written as one likes.
struct hand_log {
  [[nodiscard]] log_position base() const { return start; }
  [[nodiscard]] log_position last() const {
    return entries.empty() ? start : entries.back().position();
  }
  [[nodiscard]] const entry& at(log_index i) const { return entries.at(i - start.index.next()); }

  void add(std::uint64_t term, std::shared_ptr<const payload> what) {
    entries.push_back({.index = last().index.next(), .term = {term}, .what = std::move(what)});
  }

  void keep(std::uint64_t through) { entries.resize(through - start.index.value); }

  log_position start;
  std::vector<entry> entries;
};

/// A node as the checker is to see it. All is stored and nothing is applied unless said otherwise.
struct hand_node {
  member_id id;
  hand_log log = {};
  ballot vote = {};
  std::uint64_t commit = 0;
  std::uint64_t applied = 0;
  bool leads = false;
  bool leased = false;
  std::uint64_t lease_reads = 0;
  std::optional<std::uint64_t> digest = {};
  std::optional<std::uint64_t> durable = {};
  std::optional<stored_state> stored = {};
  std::optional<snapshot> image = {};
  std::map<member_id, progress> peers = {}; ///< shown while it leads
  const core_options* limits = nullptr;
  std::array<holding, 4> holdings = {};

  [[nodiscard]] placed_configuration in_force(log_index through) const {
    placed_configuration found;
    for (const auto& e : log.entries)
      if (const auto* content = e.as<configuration_ptr>(); content && e.index <= through)
        found = {e.index, *content};
    return found.content ? found : known;
  }

  [[nodiscard]] observation seen() const {
    const auto newest = in_force(log.last().index);
    const auto committed = in_force(log_index{commit});
    return {.id = id,
            .vote = vote,
            .log = log_view{log},
            .durable = {durable.value_or(log.last().index.value)},
            .commit = {commit},
            .handed = {commit},
            .applied = {applied},
            .leads = leads,
            .leased = leased,
            .lease_reads = lease_reads,
            .newest = {newest.index, newest.content.get()},
            .committed = {committed.index, committed.content.get()},
            .stored = stored,
            .applied_digest = digest,
            .image = image ? &*image : nullptr,
            .peers = leads ? &peers : nullptr,
            .limits = limits,
            .holdings = holdings};
  }

  placed_configuration known = {}; ///< what a snapshot at the base says
};

/// Checks one observation, and says which rule it breaks.
inline std::string broken(invariants& rules, const observation& o,
                          const std::vector<letter>& sent = {}) {
  try {
    rules.check(o, sent);
  } catch (const invariant_violated& violated) {
    return violated.id();
  }
  return "none";
}

/// Three voters. `a` was elected in term 1, and has committed the configuration and a no-op.
struct hand_cluster {
  hand_cluster() {
    const auto first = share(members({a, b, c}, {a, b, c}));
    const auto no = share(no_op{});
    for (auto* node : {&na, &nb, &nc}) {
      node->vote = {term_number{1}, a};
      node->log.add(1, first);
    }
    // Each of them joined with the configuration in its log, and then voted.
    for (auto* node : {&nb, &nc})
      look(*node, {letter{a, vote_reply{.term = {1}, .asked = {1}, .verdict = verdict::granted}}});
    na.leads = true;
    na.log.add(1, no);
    look(na);
    nb.log.add(1, no);
    look(nb);
    na.commit = 2;
    look(na);
    nb.commit = 2;
    look(nb);
  }

  void look(hand_node& node, const std::vector<letter>& sent = {}) {
    REQUIRE(broken(rules, node.seen(), sent) == "none");
  }

  std::string broken_by(const hand_node& node, const std::vector<letter>& sent = {}) {
    return broken(rules, node.seen(), sent);
  }

  /// Another node that has the log of `node`.
  hand_node copy(const hand_node& node, member_id id) {
    const hand_node other{.id = id, .log = node.log, .vote = {node.vote.term, {}}};
    REQUIRE(broken(rules, other.seen()) == "none");
    return other;
  }

  /// `node` is elected for `term` by itself and `voter`.
  void elect(hand_node& node, hand_node& voter, std::uint64_t term) {
    voter.vote = {term_number{term}, node.id};
    voter.leads = false;
    look(voter, {letter{node.id,
                        vote_reply{.term = {term}, .asked = {term}, .verdict = verdict::granted}}});
    node.vote = {term_number{term}, node.id};
    node.leads = true;
    look(node);
  }

  invariants rules;
  hand_node na{a};
  hand_node nb{b};
  hand_node nc{c};
};

} // namespace test_support
