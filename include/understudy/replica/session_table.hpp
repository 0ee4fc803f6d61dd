// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Which requests were applied, and what they answered: why a retry is applied once (C6).
///
/// The table is replicated. It changes only when entries are applied, by the entries' own stamps,
/// so it is the same on every node at the same index (C9), and it is part of every snapshot.
///
/// A session's id is the index of the entry that opened it. A node's own session is opened by the
/// configuration that takes the node in, and closed by the one that drops it. A portable session is
/// opened by a client, and closed by it or, after it has been idle for too long, by an
/// `expire_sessions` entry. A closed session applies nothing any more, but for a while it can still
/// be asked what became of a request.

#include <understudy/core/assert.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/digest.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/replica/reply_window.hpp>
#include <understudy/wire/codec.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace understudy {

/// One session, as all nodes remember it.
struct session_record {
  enum class kind : std::uint8_t { portable = 0, node = 1 };
  kind what = kind::portable;
  bool open = true;
  log_time touched = {}; ///< open: the latest request; closed: when it was closed
  reply_window replies = {};

  template <class Archive> void serialize(Archive& archive) {
    archive(what, open, touched, replies);
  }
};

/// All sessions of the cluster.
class session_table {
public:
  /// What is to be done with a command: `answer` it, or else apply it and `record` the reply.
  struct decision {
    session_record* of = nullptr;
    std::uint64_t digest = 0;
    std::optional<expected<bytes>> answer = {};
  };

  /// Looks a command up and changes nothing, so that a machine that fails to apply it leaves the
  /// table as it was before that entry.
  [[nodiscard]] decision decide(const command& c) {
    const auto found = sessions_.find(c.session);
    if (found == sessions_.end() || !found->second.open)
      return {.answer = fail(errc::session_unknown)};
    auto& s = found->second;
    const auto below = std::max(s.replies.below(), c.answered_below);
    if (c.number < below)
      return {.of = &s, .answer = fail(errc::already_answered)};
    if (!in_window(c.number, below))
      return {.of = &s, .answer = fail(errc::overloaded, "beyond the session's window")};
    const auto digest = digest_of(c.body.view());
    const auto* stored = s.replies.find(c.number);
    if (!stored)
      return {.of = &s, .digest = digest};
    if (stored->what != stored_reply::kind::burnt && stored->command != digest)
      return {.of = &s, .answer = fail(errc::sequence_reused)};
    return {.of = &s, .answer = answer_of(*stored)};
  }

  /// Ends a command that is answered without being applied.
  [[nodiscard]] expected<bytes> conclude(decision d, const command& c, log_time stamp) {
    UNDERSTUDY_ASSERT(d.answer, "a command that is not applied has an answer");
    if (d.of)
      touch(*d.of, c, stamp);
    return std::move(*d.answer);
  }

  /// Ends a command that was applied: stores its reply, and gives what is to be answered.
  [[nodiscard]] expected<bytes> record(const decision& d, const command& c, log_time stamp,
                                       bytes reply) {
    UNDERSTUDY_ASSERT(d.of && !d.answer, "only a command that was to be applied has a reply");
    touch(*d.of, c, stamp);
    auto& replies = d.of->replies;
    stored_reply stored{.what = stored_reply::kind::applied, .command = d.digest};
    if (replies.stored_bytes() + reply.size() > rules_.session_bytes_max)
      stored.what = stored_reply::kind::too_large;
    else
      stored.reply = std::move(reply);
    auto answer = answer_of(stored);
    replies.store(c.number, std::move(stored));
    return answer;
  }

  /// Says what became of a request; if nothing did, sees to it that nothing will.
  [[nodiscard]] expected<bytes> settle(const understudy::settle& asked, log_time stamp) {
    const auto found = sessions_.find(asked.session);
    if (found == sessions_.end())
      return fail(errc::session_unknown);
    auto& s = found->second;
    if (s.open)
      s.touched = std::max(s.touched, stamp);
    if (asked.number < s.replies.below())
      return fail(errc::already_answered);
    if (const auto* stored = s.replies.find(asked.number))
      return answer_of(*stored);
    if (!s.open)
      return fail(errc::not_applied);
    if (!in_window(asked.number, s.replies.below()))
      return fail(errc::overloaded, "beyond the session's window");
    s.replies.store(asked.number, {.what = stored_reply::kind::burnt});
    return fail(errc::not_applied);
  }

  /// Opens the portable session `id`.
  [[nodiscard]] expected<bytes> open(session_id id, log_time stamp) {
    if (open_count() >= rules_.sessions_max)
      return fail(errc::too_many_sessions);
    insert(id, session_record::kind::portable, stamp);
    return wire::encode(id);
  }

  /// Closes a portable session; doing so twice is the same as once.
  [[nodiscard]] expected<bytes> close(session_id id, log_time stamp) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end())
      return fail(errc::session_unknown);
    if (found->second.what == session_record::kind::node)
      return fail(errc::rejected, "a node's own session ends when the node leaves the roster");
    if (found->second.open)
      shut(found->first, found->second, stamp);
    return bytes{};
  }

  /// Closes every portable session without a request for `session_expiry_ms`, and forgets those
  /// that were closed that long ago.
  void expire(log_time now) {
    std::vector<session_id> idle;
    for (const auto& [id, s] : sessions_)
      if (s.open && s.what == session_record::kind::portable && now - s.touched >= expiry())
        idle.push_back(id);
    // The order of closing is part of the state; that of a hash table is nobody's business.
    std::sort(idle.begin(), idle.end());
    for (const auto id : idle)
      shut(id, sessions_.at(id), now);
    while (!closed_.empty() && now - sessions_.at(closed_.front()).touched >= expiry())
      forget_oldest_closed();
  }

  /// Follows a configuration: opens the sessions of nodes that are new in it, closes those of nodes
  /// that are gone, and goes by its settings from here on.
  void follow(const configuration& next, log_time stamp) {
    rules_ = next.rules;
    std::set<session_id> present;
    for (const auto& m : next.members) {
      const session_id own{m.entered.value};
      if (!own)
        continue;
      UNDERSTUDY_ASSERT(present.insert(own).second, "each member has an enter entry of its own");
      if (!members_.contains(own))
        insert(own, session_record::kind::node, stamp);
    }
    for (const auto own : members_)
      if (!present.contains(own))
        shut(own, sessions_.at(own), stamp);
    members_ = std::move(present);
  }

  /// The session, or null: for looking at it.
  [[nodiscard]] const session_record* find(session_id id) const {
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : &found->second;
  }

  /// The portable sessions that are open, in the order in which they were opened.
  [[nodiscard]] std::vector<session_id> open_portable() const {
    std::vector<session_id> ids;
    for (const auto& [id, s] : sessions_)
      if (s.open && s.what == session_record::kind::portable)
        ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  [[nodiscard]] std::size_t open_count() const { return sessions_.size() - closed_.size(); }
  [[nodiscard]] std::size_t closed_count() const { return closed_.size(); }

  /// The settings of the newest configuration that was applied.
  [[nodiscard]] const settings& rules() const { return rules_; }

  template <class Archive> void save(Archive& archive) const {
    std::vector<session_id> ids;
    ids.reserve(sessions_.size());
    for (const auto& [id, s] : sessions_)
      ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    archive(rules_, closed_, ids);
    for (const auto id : ids)
      archive(sessions_.at(id));
  }

  template <class Archive> void load(Archive& archive) {
    *this = {};
    std::vector<session_id> ids;
    archive(rules_, closed_, ids);
    for (const auto id : ids) {
      auto& s = sessions_[id];
      archive(s);
      if (s.open && s.what == session_record::kind::node)
        members_.insert(id);
    }
    if (!consistent(ids.size()))
      throw wire::malformed{"sessions that do not fit together"};
  }

private:
  static expected<bytes> answer_of(const stored_reply& stored) {
    switch (stored.what) {
    case stored_reply::kind::applied:
      return stored.reply;
    case stored_reply::kind::too_large:
      return fail(errc::reply_too_large);
    case stored_reply::kind::burnt:
      return fail(errc::not_applied);
    case stored_reply::kind::none:
      break;
    }
    UNDERSTUDY_ASSERT(false, "nothing is stored, so nothing can be answered");
    return fail(errc::node_broken);
  }

  static void touch(session_record& s, const command& c, log_time stamp) {
    s.touched = std::max(s.touched, stamp);
    s.replies.forget_below(c.answered_below);
  }

  /// Whether `number` is near enough to `below`. The greatest number of all never is: nothing lies
  /// above it, and ranges end above their last.
  [[nodiscard]] bool in_window(request_number number, request_number below) const {
    const auto width = std::min<std::uint64_t>(rules_.session_window, reply_window::span_max);
    return number - below < width && number < number.next();
  }

  [[nodiscard]] interval expiry() const {
    constexpr std::int64_t thirty_years_ms = 1'000'000'000'000; // in nanoseconds: well below 2^63
    return std::chrono::milliseconds{std::min(rules_.session_expiry_ms, thirty_years_ms)};
  }

  void insert(session_id id, session_record::kind what, log_time stamp) {
    const bool fresh
        = sessions_.try_emplace(id, session_record{.what = what, .touched = stamp}).second;
    UNDERSTUDY_ASSERT(fresh, "an entry opens one session");
  }

  void shut(session_id id, session_record& s, log_time stamp) {
    s.open = false;
    s.touched = stamp;
    closed_.push_back(id);
    // Clients that come and go quickly must not fill the memory with what they left.
    while (closed_.size() > rules_.sessions_max)
      forget_oldest_closed();
  }

  void forget_oldest_closed() {
    sessions_.erase(closed_.front());
    closed_.pop_front();
  }

  /// Whether the closed sessions are exactly those that are listed as closed, each once.
  [[nodiscard]] bool consistent(std::size_t listed) const {
    const std::set<session_id> closed{closed_.begin(), closed_.end()};
    const auto is_closed = [&](const auto& s) { return !s.second.open; };
    const auto shut_count = std::count_if(sessions_.begin(), sessions_.end(), is_closed);
    return sessions_.size() == listed && closed.size() == closed_.size()
           && static_cast<std::size_t>(shut_count) == closed.size()
           && std::all_of(closed.begin(), closed.end(), [&](session_id id) {
                const auto found = sessions_.find(id);
                return found != sessions_.end() && !found->second.open;
              });
  }

  settings rules_;
  std::unordered_map<session_id, session_record> sessions_;
  std::set<session_id> members_;  ///< open sessions of nodes; follows from the sessions
  std::deque<session_id> closed_; ///< in the order in which they were closed
};

} // namespace understudy
