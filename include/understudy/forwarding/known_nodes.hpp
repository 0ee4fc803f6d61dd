// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Which nodes a client may call, and in which order.
///
/// Its application names some, the preferred one first; the nodes say who else is in the cluster.
/// So a client is not lost when every node that it was told of has been replaced.

#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

namespace understudy {

/// Not thread-safe: part of a client.
///
/// Those whom the application named come first, as far as they are known to be members; then the
/// other members, in join order; last the names at which no member has answered yet, or none any
/// more, for behind them there may be a node of the cluster again. As long as nobody has said who
/// the members are, all that were named count.
class known_nodes {
public:
  /// A roster with more members is none.
  static constexpr std::size_t members_max = 4'096;

  explicit known_nodes(std::vector<member_id> named) { name(std::move(named)); }

  /// Those whom the application names, from now on. What the nodes have said is forgotten.
  void name(std::vector<member_id> nodes) {
    named_ = std::move(nodes);
    members_.clear();
    former_.clear();
    cluster_ = {};
    index_ = {};
    put_in_order();
  }

  /// A node was called by `contact`, before its id was known. It has answered and is `who`, and
  /// from now on what comes from it comes from `contact`. Returns by what it was called before.
  member_id met(member_id contact, member_id who) {
    const auto before = called(who);
    if (const auto earlier = who_is(contact); earlier != who && called(earlier) == contact)
      called_.erase(earlier); // that one has ended, or has moved
    met_[contact] = who;
    called_[who] = contact;
    put_in_order();
    return before;
  }

  /// What a node has answered to `question()`. Returns whether it is news. The members of another
  /// cluster that were known before stay, behind all others: who has said so may be wrong.
  bool learn(const members_reply& what) {
    const bool same = what.cluster == cluster_;
    if (!what.cluster || !is_roster(what.members) || (same && what.index <= index_))
      return false;
    if (!same)
      former_ = std::move(members_);
    cluster_ = what.cluster;
    index_ = what.index;
    members_ = what.members;
    put_in_order();
    return true;
  }

  /// Where they are reached who were not named.
  [[nodiscard]] std::vector<member_place> places() const {
    auto all = members_;
    all.insert(all.end(), former_.begin(), former_.end());
    return all;
  }

  [[nodiscard]] members_request question() const { return {cluster_, index_}; }
  [[nodiscard]] cluster_id cluster() const { return cluster_; } ///< none: nobody has said

  [[nodiscard]] const std::vector<member_id>& in_order() const { return order_; }
  [[nodiscard]] std::size_t size() const { return order_.size(); }

  /// Whether it is one to call, and as far as is known a member.
  [[nodiscard]] bool counts(member_id node) const { return has(node) && is_member(who_is(node)); }

  /// Whom to call first; none: nobody is known.
  [[nodiscard]] member_id first() const { return order_.empty() ? member_id{} : order_.front(); }

  /// Whom to call when `node` has failed.
  [[nodiscard]] member_id after(member_id node) const {
    const auto place = std::ranges::find(order_, node);
    return place == order_.end() || place + 1 == order_.end() ? first() : *(place + 1);
  }

private:
  /// Who answers there, as far as that is known.
  [[nodiscard]] member_id who_is(member_id contact) const {
    const auto found = met_.find(contact);
    return found == met_.end() ? contact : found->second;
  }

  [[nodiscard]] bool has(member_id node) const {
    return std::ranges::find(order_, node) != order_.end();
  }

  [[nodiscard]] bool is_member(member_id who) const {
    return members_.empty()
           || std::ranges::find(members_, who, &member_place::id) != members_.end();
  }

  [[nodiscard]] static bool is_roster(const std::vector<member_place>& members) {
    return !members.empty() && members.size() <= members_max
           && std::ranges::all_of(members, [](const member_place& m) { return bool{m.id}; });
  }

  /// What the driver calls it.
  [[nodiscard]] member_id called(member_id who) const {
    const auto found = called_.find(who);
    return found == called_.end() ? who : found->second;
  }

  void put_in_order() {
    order_.clear();
    const auto add = [this](member_id who) {
      if (const auto name = called(who); !has(name))
        order_.push_back(name);
    };
    for (const auto n : named_)
      if (is_member(who_is(n)))
        add(who_is(n));
    for (const auto& m : members_)
      add(m.id);
    for (const auto n : named_)
      if (!has(n))
        order_.push_back(n);
    for (const auto& m : former_)
      add(m.id);
  }

  std::vector<member_id> named_;
  std::vector<member_place> members_; ///< empty: nobody has said who they are
  std::vector<member_place> former_;  ///< of the cluster that was known before
  cluster_id cluster_ = {};
  log_index index_ = {};                  ///< the configuration that they are of
  std::map<member_id, member_id> met_;    ///< by each contact ever named: who answered there last
  std::map<member_id, member_id> called_; ///< and the other way round
  std::vector<member_id> order_;
};

} // namespace understudy
