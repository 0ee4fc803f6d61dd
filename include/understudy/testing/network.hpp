// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A network that does everything a network may do, and counts it.
///
/// It decides for each message whether, how often and when it arrives. It holds messages only where
/// a scenario says so; all else is handed back at once with its moment of arrival, to be put on the
/// timeline by whoever runs it.

#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/time.hpp>
#include <understudy/testing/random.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace understudy::testing {

/// A message on its way.
struct in_flight {
  member_id from = {};
  member_id to = {};
  peer_message what = {};
};

/// How the network treats what no rule is about.
struct network_options {
  interval delay_min = std::chrono::microseconds{50};
  interval delay_max = std::chrono::microseconds{500};
  double drop = 0;      ///< probability that a message is lost
  double duplicate = 0; ///< that it arrives twice
  double straggle = 0;  ///< that it takes anything up to `straggle_max`
  interval straggle_max = std::chrono::seconds{5};
  bool in_order = false; ///< as on one TCP connection: nothing overtakes on its way from a to b
};

/// What has happened so far.
struct network_counters {
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;    ///< by chance or by a rule
  std::uint64_t duplicated = 0; ///< by chance or by a rule
  std::uint64_t straggled = 0;
  std::uint64_t overtaken = 0; ///< arrives after one that was sent later between the same two
  std::uint64_t cut = 0;       ///< lost to a cut or a partition
  std::uint64_t held = 0;
  std::uint64_t released = 0;

  network_counters& operator+=(const network_counters& other) {
    sent += other.sent;
    dropped += other.dropped;
    duplicated += other.duplicated;
    straggled += other.straggled;
    overtaken += other.overtaken;
    cut += other.cut;
    held += other.held;
    released += other.released;
    return *this;
  }
};

/// The state of all links. A cut is one-way; a partition works on top of the cuts.
class network {
public:
  /// Says whether a rule is about a message.
  using predicate = std::function<bool(member_id from, member_id to, const peer_message&)>;

  /// Names a rule, so that it can be lifted.
  using rule_id = std::uint64_t;

  network(network_options options, random_stream random) : options_{options}, random_{random} {}

  [[nodiscard]] const network_options& options() const { return options_; }
  void set(network_options options) { options_ = options; }
  [[nodiscard]] const network_counters& counters() const { return counters_; }

  /// Takes a message; calls `arrive(instant, in_flight)` once for each time it is to arrive.
  template <class Arrive> void post(in_flight what, instant now, Arrive&& arrive) {
    ++counters_.sent;
    if (!connected(what.from, what.to)) {
      ++counters_.cut;
      return;
    }
    for (const auto& r : rules_) {
      if (!r.about(what.from, what.to, what.what))
        continue;
      if (r.act == action::drop) {
        ++counters_.dropped;
      } else if (r.act == action::hold) {
        ++counters_.held;
        held_.push_back(std::move(what));
      } else {
        ++counters_.duplicated;
        arrive(arrival(what.from, what.to, now), what);
        arrive(arrival(what.from, what.to, now), std::move(what));
      }
      return;
    }
    if (random_.chance(options_.drop)) {
      ++counters_.dropped;
      return;
    }
    if (random_.chance(options_.duplicate)) {
      ++counters_.duplicated;
      arrive(arrival(what.from, what.to, now), what);
    }
    const auto when = arrival(what.from, what.to, now);
    arrive(when, std::move(what));
  }

  /// Whether a message that arrives now gets through. A cut also takes what is already on its way.
  bool admits(const in_flight& what) {
    if (connected(what.from, what.to))
      return true;
    ++counters_.cut;
    return false;
  }

  [[nodiscard]] bool connected(member_id from, member_id to) const {
    if (!cuts_.empty() && cuts_.contains({from, to}))
      return false;
    if (sides_.empty())
      return true;
    const auto a = sides_.find(from);
    const auto b = sides_.find(to);
    return a == sides_.end() || b == sides_.end() || a->second == b->second;
  }

  /// Nothing gets from `from` to `to` any more.
  void cut(member_id from, member_id to) { cuts_.insert({from, to}); }

  /// Takes a cut back.
  void mend(member_id from, member_id to) { cuts_.erase({from, to}); }

  /// Nothing gets from one of the sets to another, instead of any earlier partition. Who is in none
  /// of them still reaches all.
  void partition(const std::vector<std::vector<member_id>>& sets) {
    sides_.clear();
    for (std::size_t side = 0; side < sets.size(); ++side)
      for (const auto id : sets[side])
        sides_[id] = side;
  }

  /// Whatever goes from `from` to `to` takes so much longer.
  void slow_down(member_id from, member_id to, interval by) { slow_[{from, to}] = by; }

  /// Takes a slow-down back. What follows goes over a new connection, and waits for nothing that is
  /// still on its way.
  void speed_up(member_id from, member_id to) {
    slow_.erase({from, to});
    latest_.erase({from, to});
  }

  /// Ends all cuts, slow-downs and the partition; all connections are new. Rules stay.
  void heal() {
    cuts_.clear();
    sides_.clear();
    slow_.clear();
    latest_.clear();
  }

  /// Rules for what follows; of several about one message the oldest decides.
  rule_id drop(predicate about) { return add(action::drop, std::move(about)); }
  rule_id hold(predicate about) { return add(action::hold, std::move(about)); }
  rule_id duplicate(predicate about) { return add(action::duplicate, std::move(about)); }

  void lift(rule_id which) {
    std::erase_if(rules_, [&](const rule& r) { return r.id == which; });
  }

  void lift_all() { rules_.clear(); }

  /// What is held at the moment, in the order in which it was sent.
  [[nodiscard]] const std::vector<in_flight>& held() const { return held_; }

  /// Lets what is held, and `about` says yes to, travel on in the order in which it was sent.
  template <class Arrive> void release(const predicate& about, instant now, Arrive&& arrive) {
    auto all = std::exchange(held_, {});
    auto when = now;
    for (auto& letter : all) {
      if (!about(letter.from, letter.to, letter.what)) {
        held_.push_back(std::move(letter));
        continue;
      }
      ++counters_.released;
      when += options_.delay_min;
      arrive(when, std::move(letter));
    }
  }

private:
  enum class action : std::uint8_t { drop, hold, duplicate };

  struct rule {
    rule_id id;
    action act;
    predicate about;
  };

  rule_id add(action act, predicate about) {
    rules_.push_back({++last_rule_, act, std::move(about)});
    return last_rule_;
  }

  instant arrival(member_id from, member_id to, instant now) {
    auto delay = random_.between(options_.delay_min, options_.delay_max);
    if (random_.chance(options_.straggle)) {
      ++counters_.straggled;
      delay = random_.between(options_.delay_min, options_.straggle_max);
    }
    if (!slow_.empty())
      if (const auto slow = slow_.find({from, to}); slow != slow_.end())
        delay += slow->second;
    auto when = now + delay;
    auto& latest = latest_[{from, to}];
    if (when < latest) {
      if (options_.in_order)
        when = latest;
      else
        ++counters_.overtaken;
    }
    latest = std::max(latest, when);
    return when;
  }

  network_options options_;
  random_stream random_;
  network_counters counters_;
  std::set<std::pair<member_id, member_id>> cuts_;
  std::map<member_id, std::size_t> sides_;
  std::map<std::pair<member_id, member_id>, interval> slow_;
  std::map<std::pair<member_id, member_id>, instant> latest_;
  std::vector<rule> rules_;
  std::vector<in_flight> held_;
  rule_id last_rule_ = 0;
};

} // namespace understudy::testing
