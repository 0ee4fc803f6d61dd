// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// All connections of one node, as a pure component: what its driver's sockets do and the time in,
/// what they shall do and the messages of others out.
///
/// Between two processes one connection lives at a time, whoever has made it, and messages go both
/// ways. What arrives comes from whom its connection belongs to, whatever it says (T6).

#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/random.hpp>
#include <understudy/core/time.hpp>
#include <understudy/protocol/connection.hpp>
#include <understudy/protocol/endpoint.hpp>
#include <understudy/protocol/frame.hpp>
#include <understudy/protocol/hello.hpp>
#include <understudy/protocol/route.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace understudy::protocol {

/// Limits of a node's connections.
struct switchboard_options {
  connection_options connection = {};
  dialing_options dialing = {};
  std::size_t connections_max = 4'096; ///< more are refused; > 0
  std::size_t strangers_max = 128; ///< connections whose other end has not said who it is; where
                                   ///< there are more, the oldest goes (T4); > 0
  /// Where a process had answered and connecting is refused, that process has ended. Not so behind
  /// something that refuses in the place of others; then a node without a directory counts as gone
  /// only when it has been silent for long.
  bool refused_means_ended = true;
};

/// A connection, by the number that its driver gave it; never used again.
using line_id = std::uint64_t;

/// What has come about since the switchboard was last asked.
struct switchboard_counters {
  std::uint64_t accepted = 0; ///< connections made by others
  std::uint64_t dialed = 0;   ///< made by this node
  std::uint64_t refused = 0;  ///< closed at once: there were too many
  std::uint64_t faulty = 0;   ///< ended since the other end did something wrong, or nothing
  std::uint64_t dropped = 0;  ///< messages for which there was no connection, or no room

  friend bool operator==(const switchboard_counters&, const switchboard_counters&) = default;
};

/// What a switchboard wants done, kind by kind in this order.
struct switchboard_outbox {
  struct arrival {
    member_id from;
    peer_message what;
  };
  struct writing {
    line_id to;
    std::vector<frame> what; ///< in one go; `written` tells when that is done
  };
  struct attention {
    line_id to;
    bool on;
  };

  std::vector<std::pair<endpoint, member_id>> met = {}; ///< who answers at a seed
  std::vector<member_id> introduced = {};               ///< there is a connection to these now
  std::vector<arrival> messages = {};
  std::vector<peer_lost> lost = {};
  std::vector<endpoint> dial = {}; ///< then `dialed` or `unreachable`
  std::vector<writing> write = {};
  std::vector<attention> listen = {}; ///< whether to read from it
  std::vector<line_id> close = {};    ///< when all of it is written; not spoken of any more
  std::vector<std::string> complaints = {};
  std::optional<instant> wake_at = {};
};

/// Not thread-safe: one driver. After one or more calls comes `settle`.
class switchboard {
public:
  switchboard(hello own, switchboard_options options, random_source random)
      : own_{std::move(own)}, options_{options}, random_{random} {}

  /// The node belongs to this cluster now; none: to none yet.
  void enter(cluster_id cluster) { own_.cluster = cluster; }

  /// Sends to whoever `to` means.
  void send(const endpoint& to, frame what, instant now) {
    if (const auto at = line_to(to)) {
      if (lines_.at(*at).end.send(std::move(what)))
        touched_.insert(*at);
      else
        ++counters_.dropped;
      return;
    }
    if (to.host.empty() || who_is(to) == own_.id) {
      ++counters_.dropped;
      return;
    }
    const auto found = routes_.try_emplace(to, options_.dialing).first;
    found->second.want(std::move(what), now);
  }

  /// Somebody has connected.
  void accepted(line_id id, instant now, switchboard_outbox& out) {
    ++counters_.accepted;
    if (lines_.size() >= options_.connections_max) {
      ++counters_.refused;
      complain(out, "there are too many connections");
      out.close.push_back(id);
      return;
    }
    add(id, std::nullopt, now, out);
  }

  /// What was asked for has been done.
  void dialed(const endpoint& where, line_id id, instant now, switchboard_outbox& out) {
    ++counters_.dialed;
    add(id, where, now, out);
  }

  /// What was asked for can not be done; `refused`: the host says that nobody listens there.
  void unreachable(const endpoint& where, bool refused, instant now, switchboard_outbox& out) {
    const auto found = routes_.find(where);
    if (found == routes_.end())
      return;
    const bool ended = refused && found->second.was_connected() && options_.refused_means_ended;
    found->second.failed(now, random_);
    const auto who = who_is(where);
    if (who && !peers_.contains(who))
      out.lost.push_back({who, ended});
  }

  void received(line_id id, std::span<const std::byte> data, instant now, switchboard_outbox& out) {
    use(id, now, out,
        [&](connection& end, connection_outbox& said) { end.received(data, now, said); });
  }

  void written(line_id id) {
    if (const auto found = lines_.find(id); found != lines_.end()) {
      found->second.end.written();
      touched_.insert(id);
    }
  }

  /// The socket is closed.
  void closed(line_id id, instant now, switchboard_outbox& out) {
    if (lines_.contains(id))
      remove(id, now, out);
  }

  /// At or after the time asked for.
  void wake(instant now, switchboard_outbox& out) {
    std::vector<line_id> all;
    for (const auto& [id, l] : lines_)
      all.push_back(id);
    wake_at_.reset();
    for (const auto id : all)
      use(id, now, out, [&](connection& end, connection_outbox& said) { end.wake(now, said); });
    std::erase_if(routes_, [&](const auto& r) { return r.second.rests(now) && r.first.who; });
  }

  /// After one or more of the above.
  void settle(instant now, switchboard_outbox& out) {
    for (const auto id : std::exchange(touched_, {}))
      if (const auto found = lines_.find(id); found != lines_.end())
        settle_line(id, found->second, out);
    for (auto& [where, way] : routes_)
      if (who_is(where) != own_.id && way.is_due(now, wake_at_)) {
        way.begin();
        out.dial.push_back(where);
      }
    out.wake_at = wake_at_;
  }

  [[nodiscard]] bool is_connected(member_id who) const { return peers_.contains(who); }
  [[nodiscard]] std::size_t connections() const { return lines_.size(); }
  [[nodiscard]] const switchboard_counters& counters() const { return counters_; }

private:
  struct line {
    connection end;
    std::optional<endpoint> dialed; ///< none: it was accepted
    instant since;
    member_id peer = {};
    bool listens = true;
  };

  // -- who is who ---------------------------------------------------------------------------------

  [[nodiscard]] member_id who_is(const endpoint& where) const {
    if (where.who)
      return where.who;
    const auto found = answered_.find(where);
    return found == answered_.end() ? member_id{} : found->second;
  }

  [[nodiscard]] std::optional<line_id> line_to(const endpoint& where) const {
    const auto found = peers_.find(who_is(where));
    return found == peers_.end() ? std::nullopt : std::optional{found->second};
  }

  /// Two processes have called each other at the same time: both see both connections, and keep the
  /// one that the smaller id has made. Otherwise the newer one is kept: the other end would not
  /// have made it if the older one were any good.
  [[nodiscard]] bool outlives(const line& older, const line& newer, member_id peer,
                              instant now) const {
    const bool crossed = older.dialed.has_value() != newer.dialed.has_value()
                         && now - older.since < options_.connection.silence_max;
    return crossed && older.dialed.has_value() == (own_.id < peer);
  }

  // -- lines --------------------------------------------------------------------------------------

  void add(line_id id, std::optional<endpoint> dialed, instant now, switchboard_outbox& out) {
    if (!dialed) {
      strangers_.push_back(id);
      if (strangers_.size() > options_.strangers_max) {
        complain(out, "too many connections whose other end has not said who it is");
        drop(strangers_.front(), out);
      }
    }
    lines_.emplace(id, line{connection{own_, options_.connection, now}, std::move(dialed), now});
    touched_.insert(id);
  }

  template <class Step> void use(line_id id, instant now, switchboard_outbox& out, Step step) {
    const auto found = lines_.find(id);
    if (found == lines_.end())
      return;
    auto& l = found->second;
    connection_outbox said;
    step(l.end, said);
    touched_.insert(id);
    if (said.introduced && !introduce(id, l, *said.introduced, now, out))
      return;
    for (auto& m : said.messages)
      out.messages.push_back({l.peer, std::move(m)});
    if (said.end)
      end(id, l, *said.end, now, out);
  }

  void settle_line(line_id id, line& l, switchboard_outbox& out) {
    connection_outbox said;
    l.end.settle(said);
    if (!said.write.empty())
      out.write.push_back({id, std::move(said.write)});
    if (std::exchange(l.listens, l.end.listens()) != l.listens)
      out.listen.push_back({id, l.listens});
    if (said.wake_at)
      wake_at_ = wake_at_ ? std::min(*wake_at_, *said.wake_at) : *said.wake_at;
  }

  /// The other end has said who it is. Returns whether the line goes on.
  bool introduce(line_id id, line& l, const hello& theirs, instant now, switchboard_outbox& out) {
    std::erase(strangers_, id);
    if (l.dialed && l.dialed->who && l.dialed->who != theirs.id) {
      const auto wanted = l.dialed->who;
      refuse(id, l, "who was called here is gone", now, out);
      if (!peers_.contains(wanted))
        out.lost.push_back({wanted, false});
      return false;
    }
    if (l.dialed && !l.dialed->who) {
      answered_[*l.dialed] = theirs.id;
      out.met.emplace_back(*l.dialed, theirs.id);
    }
    if (const auto known = peers_.find(theirs.id); known != peers_.end()) {
      auto& other = lines_.at(known->second);
      if (outlives(other, l, theirs.id, now)) {
        hand_over_held(theirs.id, other, known->second);
        refuse(id, l, "there is another connection", now, out);
        return false;
      }
      other.peer = {}; // it goes without being missed
      refuse(known->second, other, "there is a newer connection", now, out);
    }
    l.peer = theirs.id;
    peers_[theirs.id] = id;
    out.introduced.push_back(theirs.id);
    hand_over_held(theirs.id, l, id);
    return true;
  }

  void hand_over_held(member_id peer, line& to, line_id id) {
    for (auto& [where, way] : routes_)
      if (who_is(where) == peer)
        for (auto& f : way.connected())
          if (!to.end.send(std::move(f)))
            ++counters_.dropped;
    touched_.insert(id);
  }

  /// Ends a line that has done nothing wrong.
  void refuse(line_id id, line& l, const char* why, instant now, switchboard_outbox& out) {
    l.end.close(why);
    settle_line(id, l, out);
    out.close.push_back(id);
    remove(id, now, out);
  }

  /// The line has come to its end by itself.
  void end(line_id id, line& l, const failure& why, instant now, switchboard_outbox& out) {
    if (why.code == errc::duplicate_id && l.dialed && !l.dialed->who) {
      answered_[*l.dialed] = own_.id; // a node may be among its own seeds
      out.met.emplace_back(*l.dialed, own_.id);
    } else if (why.code == errc::duplicate_id && calls_somebody()) {
      // the other end of that
    } else if (why.code != errc::stopped) {
      ++counters_.faulty;
      complain(out, describe(l) + ": " + to_text(why));
    }
    settle_line(id, l, out);
    out.close.push_back(id);
    remove(id, now, out);
  }

  /// Makes room.
  void drop(line_id id, switchboard_outbox& out) {
    ++counters_.refused;
    std::erase(strangers_, id);
    lines_.erase(id);
    out.close.push_back(id);
  }

  void remove(line_id id, instant now, switchboard_outbox& out) {
    const auto found = lines_.find(id);
    const auto peer = found->second.peer;
    if (!peer && found->second.dialed)
      if (const auto way = routes_.find(*found->second.dialed);
          way != routes_.end() && !line_to(*found->second.dialed))
        way->second.failed(now, random_);
    std::erase(strangers_, id);
    lines_.erase(found);
    const auto known = peers_.find(peer);
    if (known == peers_.end() || known->second != id)
      return;
    peers_.erase(known);
    for (auto& [where, way] : routes_)
      if (who_is(where) == peer)
        way.broken(now, random_);
    out.lost.push_back({peer, false});
  }

  /// Whether there is a line that this node has made, whose other end has not said who it is.
  [[nodiscard]] bool calls_somebody() const {
    return std::ranges::any_of(lines_,
                               [](const auto& l) { return l.second.dialed && !l.second.peer; });
  }

  // -- for people ---------------------------------------------------------------------------------

  [[nodiscard]] static std::string describe(const line& l) {
    if (l.peer)
      return "member " + std::to_string(l.peer.value);
    return l.dialed ? host_and_port(*l.dialed) : "somebody who has connected";
  }

  [[nodiscard]] static std::string to_text(const failure& why) {
    return std::string{to_string(why.code)} + ": " + why.detail;
  }

  /// Says so for the 1st, 2nd, 4th, 8th ... only: whoever sends garbage does not fill the log.
  void complain(switchboard_outbox& out, const std::string& what) {
    if (std::has_single_bit(++complaints_))
      out.complaints.push_back(what + " (" + std::to_string(complaints_) + " so far)");
  }

  hello own_;
  switchboard_options options_;
  random_source random_;
  std::map<line_id, line> lines_;
  std::map<member_id, line_id> peers_; ///< of whom there is a connection, and which
  std::map<endpoint, route> routes_;
  std::map<endpoint, member_id> answered_; ///< who has answered at a seed
  std::deque<line_id> strangers_;          ///< oldest first
  std::set<line_id> touched_;
  std::optional<instant> wake_at_;
  switchboard_counters counters_;
  std::uint64_t complaints_ = 0;
};

} // namespace understudy::protocol
