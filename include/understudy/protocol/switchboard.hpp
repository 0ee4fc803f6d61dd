// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// All connections of one node, as a pure component: what its driver's sockets do and the time in,
/// what they shall do and the messages of others out.
///
/// Between two processes one connection lives at a time, whoever has made it, and messages go both
/// ways. What arrives comes from whom its connection belongs to, whatever it says (T6).

#include <understudy/core/assert.hpp>
#include <understudy/core/connection_counters.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/random.hpp>
#include <understudy/core/time.hpp>
#include <understudy/protocol/channel.hpp>
#include <understudy/protocol/endpoint.hpp>
#include <understudy/protocol/frame.hpp>
#include <understudy/protocol/hello.hpp>
#include <understudy/protocol/route.hpp>
#include <understudy/protocol/switchboard_options.hpp>
#include <understudy/protocol/switchboard_outbox.hpp>
#include <understudy/security/nonce.hpp>
#include <understudy/security/side.hpp>

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

/// Not thread-safe: one driver. After one or more calls comes `settle`.
class switchboard {
public:
  switchboard(hello own, switchboard_options options, random_source random)
      : own_{std::move(own)}, options_{options}, random_{random} {}

  /// What the node knows of its cluster: which it is (none: none yet), and who is in it. Whoever
  /// says that it is one of them has to have that one's name: for the name it may have to show a
  /// certificate.
  void learn(cluster_id cluster, std::map<member_id, known_member> members) {
    own_.cluster = cluster;
    members_ = std::move(members);
  }

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
    counters_.received_bytes += data.size();
    use(id, now, out, [&](channel& end, channel_outbox& came) { end.received(data, now, came); });
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
      use(id, now, out, [&](channel& end, channel_outbox& came) { end.wake(now, came); });
    std::erase_if(routes_, [&](const auto& r) { return r.second.rests(now) && r.first.who; });
  }

  /// After one or more of the above.
  void settle(instant now, switchboard_outbox& out) {
    for (const auto id : std::exchange(touched_, {}))
      if (const auto found = lines_.find(id); found != lines_.end())
        settle_line(id, found->second, now, out);
    for (auto& [where, way] : routes_)
      if (who_is(where) != own_.id && way.is_due(now, wake_at_)) {
        way.begin();
        out.dial.push_back(where);
      }
    out.wake_at = wake_at_;
    counters_.open = lines_.size();
  }

  [[nodiscard]] bool is_connected(member_id who) const { return peers_.contains(who); }
  [[nodiscard]] const connection_counters& counters() const { return counters_; }

private:
  struct line {
    channel end;
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

  /// What is wrong with who says that it is a member: what it says is about to be taken for that
  /// member's, and what is meant for that member to be sent to it.
  [[nodiscard]] std::optional<failure> impostor(const hello& theirs) const {
    const auto known = members_.find(theirs.id);
    if (known == members_.end())
      return std::nullopt;
    if (theirs.role != peer_role::node)
      return failure{errc::not_trusted,
                     "one that is no node says it is " + known->second.name + ", a member"};
    if (known->second.name != theirs.name)
      return failure{errc::not_trusted,
                     "a node that says it is " + known->second.name + ", and has another name"};
    return std::nullopt;
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
    const auto which = dialed ? security::side::opener : security::side::acceptor;
    std::optional<security::tls_context> tls;
    if (options_.certificates)
      tls = options_.certificates->current();
    lines_.emplace(id, line{channel{introduce_oneself(), which, options_.connection, tls, now},
                            std::move(dialed), now});
    touched_.insert(id);
  }

  [[nodiscard]] hello introduce_oneself() const {
    auto own = own_;
    if (options_.connection.trust.key) {
      const auto drawn = security::fresh_nonce();
      UNDERSTUDY_ASSERT(drawn, "without randomness nothing can be proved");
      own.nonce = *drawn;
    }
    return own;
  }

  template <class Step> void use(line_id id, instant now, switchboard_outbox& out, Step step) {
    const auto found = lines_.find(id);
    if (found == lines_.end())
      return;
    auto& l = found->second;
    channel_outbox came;
    step(l.end, came);
    touched_.insert(id);
    if (came.said.introduced && !introduce(id, l, *came.said.introduced, now, out))
      return;
    for (auto& m : came.said.messages)
      out.messages.push_back({l.peer, std::move(m)});
    if (came.said.end)
      end(id, l, *came.said.end, now, out);
  }

  void settle_line(line_id id, line& l, instant now, switchboard_outbox& out) {
    if (const auto why = write_what_waits(id, l, out))
      end(id, l, *why, now, out);
  }

  /// Returns why the line can not go on.
  std::optional<failure> write_what_waits(line_id id, line& l, switchboard_outbox& out) {
    channel_outbox left;
    l.end.settle(left);
    for (const auto& f : left.said.write)
      counters_.sent_bytes += frame_header_bytes + f.body.size();
    counters_.sent_bytes += left.sealed.size();
    if (!left.said.write.empty() || !left.sealed.empty())
      out.write.push_back({id, std::move(left.said.write), std::move(left.sealed)});
    if (std::exchange(l.listens, l.end.listens()) != l.listens)
      out.listen.push_back({id, l.listens});
    if (left.said.wake_at)
      wake_at_ = wake_at_ ? std::min(*wake_at_, *left.said.wake_at) : *left.said.wake_at;
    return std::move(left.said.end);
  }

  /// The other end has said who it is. Returns whether the line goes on.
  bool introduce(line_id id, line& l, const hello& theirs, instant now, switchboard_outbox& out) {
    std::erase(strangers_, id);
    if (const auto why = impostor(theirs)) {
      end(id, l, *why, now, out);
      return false;
    }
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
    static_cast<void>(write_what_waits(id, l, out));
    out.close.push_back(id);
    remove(id, now, out);
  }

  /// The line has come to its end by itself.
  void end(line_id id, line& l, const failure& why, instant now, switchboard_outbox& out) {
    if (why.code == errc::duplicate_id && l.dialed && !l.dialed->who) {
      answered_[*l.dialed] = own_.id; // a node may be among its own seeds
      out.met.emplace_back(*l.dialed, own_.id);
    } else if (why.code == errc::duplicate_id && has_called_itself()) {
      // the other end of that
    } else if (why.code != errc::stopped) {
      ++counters_.faulty;
      complain(out, describe(l) + ": " + std::string{to_string(why.code)} + ": " + why.detail);
    }
    static_cast<void>(write_what_waits(id, l, out));
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
    if (const auto listed = members_.find(peer); listed != members_.end() && listed->second.where)
      routes_.try_emplace(*listed->second.where, options_.dialing);
    for (auto& [where, way] : routes_)
      if (who_is(where) == peer)
        way.broken(now, random_);
    out.lost.push_back({peer, false});
  }

  /// Whether it is, or has been, connected with itself: it is among its own seeds.
  [[nodiscard]] bool has_called_itself() const {
    const auto calls = [](const auto& l) { return l.second.dialed && !l.second.peer; };
    const auto is_own = [this](const auto& seed) { return seed.second == own_.id; };
    return std::ranges::any_of(lines_, calls) || std::ranges::any_of(answered_, is_own);
  }

  // -- for people ---------------------------------------------------------------------------------

  [[nodiscard]] static std::string describe(const line& l) {
    if (l.peer)
      return "member " + std::to_string(l.peer.value);
    return l.dialed ? host_and_port(*l.dialed) : "somebody who has connected";
  }

  /// Says so for the 1st, 2nd, 4th, 8th ... only: whoever sends garbage does not fill the log.
  void complain(switchboard_outbox& out, const std::string& what) {
    if (std::has_single_bit(++complaints_))
      out.complaints.push_back(what + " (" + std::to_string(complaints_) + " so far)");
  }

  hello own_;
  switchboard_options options_;
  random_source random_;
  std::map<member_id, known_member> members_;
  std::map<line_id, line> lines_;
  std::map<member_id, line_id> peers_; ///< of whom there is a connection, and which
  std::map<endpoint, route> routes_;
  std::map<endpoint, member_id> answered_; ///< who has answered at a seed
  std::deque<line_id> strangers_;          ///< oldest first
  std::set<line_id> touched_;
  std::optional<instant> wake_at_;
  connection_counters counters_;
  std::uint64_t complaints_ = 0;
};

} // namespace understudy::protocol
