// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a new node gets into the roster (S8): ask the seeds who leads, ask the leader to be taken
/// in, and keep asking. Every step can be repeated, so a lost answer costs a retry and nothing else
/// (B12). Nobody answering is never a reason to go on alone (B3).
///
/// A node that has pulled a roster asks the voters in it along with its seeds, which may all be
/// gone by the time it is to be taken in.
///
/// A member that has heard of no leader for a while asks in the same way: all whom it knows may
/// have been replaced while it was cut off. It is shown the roster of today, or told that it was
/// sent away.

#include <understudy/core/backoff.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/random.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/roster/roster.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace understudy {

/// The newcomer's side of entering.
class entering {
public:
  explicit entering(std::shared_ptr<const monitor_options> options)
      : options_{std::move(options)}, backoff_{options_->retry, options_->retry_max} {}

  /// Asks again when it is time to, and says so when it takes too long. `known` is the newest
  /// configuration that the node has pulled, or none: its voters may be there when no seed is.
  void pump(instant now, random_source& random, const configuration* known, outbox& out) {
    if (accepted_ && now < in_touch_ + options_->entering_patience)
      return out.wake(in_touch_ + options_->entering_patience);
    if (is_kept_out())
      complain(now, out);
    if (now >= next_try_)
      hops_ = 0;
    if (now >= next_try_ || follows_) {
      attempt(known, out);
      next_try_ = now + backoff_.next(random);
    }
    out.wake(next_try_);
  }

  /// The roster shows this node: as `self`, in a committed configuration of `cluster`.
  void arrived(const member& self, cluster_id cluster) {
    accepted_ = true;
    cluster_ = cluster;
    since_ = self.entered;
  }

  /// The log that came back with this node shows it: as `self`, in `cluster`. Whether it still is
  /// a member the cluster will say; every configuration from its own entry on can tell.
  void returned(const member& self, cluster_id cluster) {
    arrived(self, cluster);
    accepted_at_ = self.entered;
  }

  /// A leader was heard of, at `when`.
  void in_touch(instant when) {
    if (when <= in_touch_)
      return;
    in_touch_ = when;
    backoff_.reset();
    if (accepted_)
      obstacle_.reset();
  }

  /// A node answered what it knows of a cluster. A result ends all attempts.
  [[nodiscard]] std::optional<failure> heard(member_id from, const census_reply& reply) {
    if (!reply.cluster)
      return std::nullopt;
    if (meant() && meant() != reply.cluster) {
      failure why{errc::cluster_mismatch, "member " + std::to_string(from.value)
                                              + " belongs to cluster "
                                              + std::to_string(reply.cluster.value) + ", not "
                                              + std::to_string(meant().value)};
      if (!accepted_)
        return why;
      obstacle_ = std::move(why); // not for good: maybe a stranger has come to live at its address
      return std::nullopt;
    }
    cluster_ = reply.cluster;
    follow(reply.leader, learn_since(from, reply));
    return std::nullopt;
  }

  /// Somebody answered the request to be taken in. A result ends all attempts.
  [[nodiscard]] std::optional<failure> heard(member_id from, const enter_reply& reply, instant now,
                                             outbox& out) {
    switch (reply.code) {
    case errc::none:
      accept(reply.roster, now, out);
      return std::nullopt;
    case errc::removed:
      return failure{reply.code, reply.detail, reply.leader};
    case errc::cluster_mismatch:
    case errc::duplicate_id:
    case errc::invalid_option:
    case errc::not_admitted:
    case errc::version_unsupported:
      if (accepted_) // none of this can be meant for a member
        return std::nullopt;
      return failure{reply.code, reply.detail, reply.leader};
    case errc::not_leader:
      lost(from);
      follow(reply.leader, false);
      return std::nullopt;
    default:
      obstacle_ = failure{reply.code, reply.detail, reply.leader};
      return std::nullopt;
    }
  }

  /// The link to `who` broke: the next try asks the seeds again if it was the leader.
  void lost(member_id who) {
    if (leader_ == who)
      leader_ = {};
  }

  /// The cluster to enter, once a node of it has answered.
  [[nodiscard]] cluster_id cluster() const { return cluster_; }
  /// The node that is asked to take this one in.
  [[nodiscard]] member_id leader() const { return leader_; }
  /// Whether the leader has said yes: what is left is to catch up.
  [[nodiscard]] bool accepted() const { return accepted_; }
  /// The configuration that showed this node to the one that said so.
  [[nodiscard]] log_index accepted_at() const { return accepted_at_; }

  /// Whether something is in the way: a member that has lost sight of its cluster goes on asking,
  /// and only says that it meets another one.
  [[nodiscard]] bool is_kept_out() const {
    return !accepted_ || (obstacle_ && obstacle_->code == errc::cluster_mismatch);
  }

  /// What is in the way, for status.
  [[nodiscard]] failure obstacle() const {
    if (obstacle_)
      return *obstacle_;
    return {errc::no_seed_answers, "none of " + std::to_string(options_->contacts.size())
                                       + " seeds answers for a cluster"};
  }

private:
  static constexpr int hops_max = 3;  ///< hints that are followed without waiting
  static constexpr int tries_max = 2; ///< at one leader, before the seeds are asked again

  /// The cluster that the node was told to enter, or has begun to enter.
  [[nodiscard]] cluster_id meant() const { return cluster_ ? cluster_ : options_->cluster; }

  /// Says what is in the way, each time it has been there for long.
  void complain(instant now, outbox& out) {
    if (!complain_at_)
      complain_at_ = now + options_->entering_patience;
    if (now >= *complain_at_) {
      const auto why = obstacle();
      out.tell(node_event{.what = node_event::kind::enter_failed,
                          .who = options_->self.id,
                          .code = why.code,
                          .detail = why.detail + "; goes on asking"});
      complain_at_ = now + options_->entering_patience;
      if (!accepted_)
        obstacle_.reset();
    }
    out.wake(*complain_at_);
  }

  /// Only the leader's word counts for `since_`: what others have seen may be long forgotten, and a
  /// leader that is dead would never take a request that fixes it. Returns whether it is news.
  bool learn_since(member_id from, const census_reply& reply) {
    if (accepted_ || asked_ || reply.leader != from || reply.committed <= since_)
      return false;
    since_ = reply.committed;
    return true;
  }

  void attempt(const configuration* known, outbox& out) {
    follows_ = false;
    if (leader_ && tries_ < tries_max) {
      ++tries_;
      if (since_ == log_index{})
        return out.send(leader_, census_request{});
      asked_ = true;
      return out.send(
          leader_, enter_request{.cluster = meant(), .newcomer = options_->self, .since = since_});
    }
    leader_ = {};
    auto all = options_->contacts;
    if (known)
      for (const auto& m : known->members)
        if (has_vote(*known, m.id) && std::ranges::find(all, m.id) == all.end())
          all.push_back(m.id);
    for (auto id : all)
      if (id != options_->self.id)
        out.send(id, census_request{});
  }

  /// Asks `leader` next, and at once unless nodes send us round in circles. There may be `news` of
  /// one that is being asked already.
  void follow(member_id leader, bool news) {
    if (!leader || leader == options_->self.id) {
      obstacle_ = failure{errc::no_leader, "the cluster has no leader at the moment"};
      return;
    }
    if (leader == leader_ && !news)
      return;
    leader_ = leader;
    tries_ = 0;
    obstacle_
        = failure{errc::timed_out,
                  "member " + std::to_string(leader.value) + ", said to lead, is silent", leader};
    follows_ = ++hops_ <= hops_max;
  }

  void accept(const placed_configuration& roster, instant now, outbox& out) {
    const auto* self = roster.content ? find(*roster.content, options_->self.id) : nullptr;
    if (!self || self->start != options_->self.start
        || (meant() && meant() != roster.content->cluster)) {
      obstacle_ = failure{errc::undecodable, "the answer shows a roster without this node"};
      return;
    }
    const bool news = !accepted_ || roster.index > accepted_at_;
    in_touch(now);
    if (!news)
      return;
    arrived(*self, roster.content->cluster);
    accepted_at_ = roster.index;
    out.tell(entered_cluster{.cluster = cluster_, .entered = self->entered, .roster = roster});
  }

  std::shared_ptr<const monitor_options> options_;
  backoff backoff_;
  cluster_id cluster_ = {};
  log_index since_ = {}; ///< see `enter_request`; for a member its own entry will do
  bool asked_ = false;   ///< to be taken in: `since_` stays
  member_id leader_ = {};
  int tries_ = 0;        ///< at this leader
  int hops_ = 0;         ///< since the last try that time called for
  bool follows_ = false; ///< a hint that is to be followed without waiting
  bool accepted_ = false;
  log_index accepted_at_ = {};
  instant in_touch_ = {};
  instant next_try_ = {};
  std::optional<instant> complain_at_ = {};
  std::optional<failure> obstacle_ = {};
};

} // namespace understudy
