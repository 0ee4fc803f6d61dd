// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Whether a node that was told to found a cluster may (S8, B1, B3, B9, B13).
///
/// Seeing nobody is no reason to found; being told to is. But even then a cluster that answers
/// forbids it, and of two founders that see each other only one goes on: two clusters where one was
/// meant can never be merged again.

#include <understudy/core/backoff.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/random.hpp>
#include <understudy/membership/options.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy {

/// The census a founder takes among its seeds before it founds.
class founding {
public:
  explicit founding(std::shared_ptr<const monitor_options> options)
      : options_{std::move(options)}, backoff_{options_->retry, options_->retry_max} {
    for (auto id : options_->contacts)
      if (id != options_->self.id)
        silent_.push_back(id);
  }

  /// Whether to found now: every seed said that it knows no cluster, or had its time to say so.
  /// Until then, asks those that have not answered.
  [[nodiscard]] bool ready(instant now, random_source& random, outbox& out) {
    if (!deadline_)
      deadline_ = now + options_->founding_patience;
    if (silent_.empty() || now >= *deadline_)
      return true;
    if (now >= next_ask_) {
      for (auto id : silent_)
        out.send(id, census_request{.founding = true});
      next_ask_ = now + backoff_.next(random);
    }
    out.wake(std::min(next_ask_, *deadline_));
    return false;
  }

  /// The seed that was asked as `contact` has this id.
  void met_as(member_id contact, member_id who) {
    std::ranges::replace(silent_, contact, who);
    std::erase(silent_, options_->self.id);
  }

  /// A seed answered; the result forbids founding.
  [[nodiscard]] std::optional<failure> heard(member_id from, const census_reply& reply) {
    if (reply.cluster)
      return failure{errc::cluster_exists,
                     "member " + std::to_string(from.value) + " belongs to cluster "
                         + std::to_string(reply.cluster.value) + " with "
                         + std::to_string(reply.members) + " members",
                     reply.leader};
    std::erase(silent_, from);
    return reply.founding ? met(from) : std::nullopt;
  }

  /// Another node was told to found as well. Both know both ids, so one of them goes on.
  [[nodiscard]] std::optional<failure> met(member_id rival) const {
    if (options_->self.id < rival)
      return std::nullopt;
    return failure{errc::another_founder,
                   "member " + std::to_string(rival.value) + " was told to found too, and goes on"};
  }

private:
  std::shared_ptr<const monitor_options> options_;
  backoff backoff_;
  std::vector<member_id> silent_; ///< seeds that have not answered
  std::optional<instant> deadline_ = {};
  instant next_ask_ = {};
};

/// The first configuration of a new cluster: `self`, alone, as its first voter. All that its build
/// knows of the machine may be used at once.
[[nodiscard]] inline configuration first_configuration(const monitor_options& options,
                                                       random_source& random) {
  configuration first{.cluster = {}, .rules = options.rules, .members = {options.self}};
  while (!first.cluster)
    first.cluster = {random.next()};
  first.members.front().entered = log_index{1};
  first.members.front().status = standing::present;
  first.voters = {options.self.id};
  first.machine_version = options.self.machine_version;
  return first;
}

} // namespace understudy
