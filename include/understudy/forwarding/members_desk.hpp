// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Tells clients who is in the cluster.
///
/// A client asks the node that it calls, and says what it knows. Where that is all there is, its
/// question waits: so it learns of a change as soon as its node does, and a new configuration costs
/// an answer or two for each client, while nothing changes next to nothing.

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/outbox.hpp>

#include <cstddef>
#include <map>
#include <utility>

namespace understudy {

/// Not thread-safe: part of a node's request forwarder.
class members_desk {
public:
  /// No more questions wait. Who asks beyond that hears of a change when it asks again.
  static constexpr std::size_t askers_max = 4'096;

  /// A client has asked.
  void ask(member_id who, const members_request& what) {
    if (waiting_.size() < askers_max || waiting_.contains(who) || is_news(what))
      waiting_[who] = what;
    has_news_ = has_news_ || is_news(what);
  }

  /// The newest configuration that is known to be committed.
  void update(const placed_configuration& committed) {
    if (committed.index == newest_.index && committed.content == newest_.content)
      return;
    newest_ = committed;
    has_news_ = true;
  }

  /// It does not wait any more.
  void forget(member_id who) { waiting_.erase(who); }

  /// Answers those who do not know the newest configuration.
  void flush(outbox& out) {
    if (!std::exchange(has_news_, false))
      return;
    std::erase_if(waiting_, [&](const auto& asked) {
      const bool news = is_news(asked.second);
      if (news)
        out.send(asked.first, reply());
      return news;
    });
  }

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

private:
  [[nodiscard]] bool is_news(const members_request& what) const {
    return newest_.content
           && (what.cluster != newest_.content->cluster || what.known < newest_.index);
  }

  [[nodiscard]] members_reply reply() const {
    members_reply all{.cluster = newest_.content->cluster, .index = newest_.index};
    for (const auto& m : newest_.content->members)
      all.members.push_back({m.id, m.address});
    return all;
  }

  placed_configuration newest_;
  std::map<member_id, members_request> waiting_; ///< one question of each asker
  bool has_news_ = false;                        ///< for one of them, perhaps
};

} // namespace understudy
