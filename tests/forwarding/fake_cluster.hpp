// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A cluster that does to its front doors what a cluster can do, without any Raft in it.
///
/// There is one true log. Leaders change, seats are taken and lost, a node is evicted, uncommitted
/// entries are lost or kept, an old leader goes on for a while and takes proposals that lead
/// nowhere; messages are lost, doubled and late. What is real are the forwarders and the clients.

#include <understudy/core/routing.hpp>
#include <understudy/forwarding/client.hpp>
#include <understudy/forwarding/forwarder.hpp>
#include <understudy/roster/roster.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace test_support {

using namespace understudy;
using namespace std::chrono_literals;

/// What the session table promises, in the plainest form, and how often each command was applied.
class applied_once {
public:
  expected<bytes> apply(log_index index, const payload& what) {
    if (const auto* c = std::get_if<command>(&what))
      return apply_command(*c);
    if (std::holds_alternative<open_session>(what)) {
      sessions_[index.value].portable = true;
      return bytes{};
    }
    if (const auto* c = std::get_if<close_session>(&what)) {
      sessions_[c->session.value].open = false;
      return bytes{};
    }
    if (const auto* s = std::get_if<settle>(&what))
      return settle_number(*s);
    if (std::holds_alternative<expire_sessions>(what))
      for (auto& [id, s] : sessions_)
        s.open = s.open && !s.portable;
    if (const auto* next = std::get_if<configuration_ptr>(&what))
      for (auto& [id, s] : sessions_)
        s.open = s.open && (s.portable || find(**next, member_id{id}));
    return bytes{};
  }

  void open_node_session(session_id id) { sessions_[id.value]; }
  [[nodiscard]] int times(const std::string& what) const {
    const auto found = times_.find(what);
    return found == times_.end() ? 0 : found->second;
  }

private:
  struct session {
    bool open = true;
    bool portable = false;
    request_number below = {};
    std::map<request_number, std::optional<std::string>> replies = {}; ///< nothing: burnt
  };

  expected<bytes> apply_command(const command& c) {
    const auto found = sessions_.find(c.session.value);
    if (found == sessions_.end() || !found->second.open)
      return fail(errc::session_unknown);
    auto& s = found->second;
    s.below = std::max(s.below, c.answered_below);
    s.replies.erase(s.replies.begin(), s.replies.lower_bound(s.below));
    if (c.number < s.below)
      return fail(errc::already_answered);
    if (const auto stored = s.replies.find(c.number); stored != s.replies.end()) {
      if (!stored->second)
        return fail(errc::not_applied);
      return *stored->second == reply_to(c) ? expected<bytes>{bytes{*stored->second}}
                                            : fail(errc::sequence_reused);
    }
    ++times_[std::string{c.body.text()}];
    s.replies[c.number] = reply_to(c);
    return bytes{reply_to(c)};
  }

  expected<bytes> settle_number(const settle& asked) {
    const auto found = sessions_.find(asked.session.value);
    if (found == sessions_.end())
      return fail(errc::session_unknown);
    auto& s = found->second;
    if (asked.number < s.below)
      return fail(errc::already_answered);
    const auto stored = s.replies.find(asked.number);
    if (stored != s.replies.end() && stored->second)
      return bytes{*stored->second};
    if (s.open)
      s.replies[asked.number] = std::nullopt;
    return fail(errc::not_applied);
  }

  static std::string reply_to(const command& c) { return "re: " + std::string{c.body.text()}; }

  std::map<std::uint64_t, session> sessions_;
  std::map<std::string, int> times_;
};

/// Three nodes and as many clients as asked for, on one timeline.
class fake_cluster {
public:
  static constexpr std::uint64_t node_count = 3;

  fake_cluster(std::uint64_t seed, std::uint64_t clients) : random_{seed} {
    std::vector<member_id> ids;
    for (std::uint64_t i = 1; i <= node_count; ++i) {
      ids.push_back({i});
      members_.push_back({.id = {i}, .entered = {i}});
      log_.push_back(share(no_op{}));
      applied_.open_node_session({i});
    }
    commit_ = log_.size();
    committed_ = {{commit_}, configuration_with(members_, ids)};
    for (const auto id : ids)
      add(id, std::make_unique<forwarder>(id, forwarder_options{}, random_source{random_.next()}));
    for (std::uint64_t i = 0; i < clients; ++i)
      add({100 + i}, std::make_unique<client>(client_options{.spread = true}, ids,
                                              random_source{random_.next()}));
  }

  // -- what a test does --------------------------------------------------------------------------

  random_source& random() { return random_; }
  bool chance(std::uint64_t percent) { return random_.below(100) < percent; }
  [[nodiscard]] instant now() const { return now_; }
  [[nodiscard]] const applied_once& applied() const { return applied_; }
  [[nodiscard]] log_index acknowledged() const { return acknowledged_; }

  void calm() { rough_ = false; }
  void call(member_id at, local_call what) { hand(at, std::move(what)); }
  std::function<void(member_id, local_answer&)> answered = [](member_id, local_answer&) {};
  void drain(member_id at) { hand(at, drain_calls{}); }
  std::function<void(member_id)> drained = [](member_id) {};

  void run_for(interval time) {
    for (const auto end = now_ + time; !events_.empty() && events_.begin()->first.first <= end;) {
      auto event = events_.extract(events_.begin());
      now_ = event.key().first;
      event.mapped()();
    }
  }

  void later(interval delay, std::function<void()> what) {
    events_.emplace(std::pair{now_ + delay, ++last_event_}, std::move(what));
  }

  /// Another leader. It has all that is committed, and perhaps more.
  void elect(member_id who) {
    const auto uncommitted = log_.size() - commit_;
    log_.resize(commit_ + random_.below(uncommitted + 1));
    ++term_;
    const auto old = std::exchange(leader_, who);
    for (auto& [id, p] : parties_) {
      if (!p.door)
        continue;
      if (id == who) {
        p.term_led = term_;
        p.last = log_.size();
        tell_view(p);
      } else {
        later(random_.between(0ms, id == old ? 200ms : 50ms), [this, &p, at = term_] {
          if (at != term_)
            return; // it hears of a newer leader instead
          p.term_led = {};
          tell_view(p);
        });
      }
    }
  }

  /// The leader commits some of what it has, and applies it.
  void commit_some() {
    const auto until = commit_ + random_.below(log_.size() - commit_ + 1);
    applied_outcomes outcomes{.batch = {}, .copies = 2};
    for (; commit_ < until; ++commit_) {
      const log_index index{commit_ + 1};
      outcomes.batch.push_back({index, applied_.apply(index, *log_[commit_])});
      if (const auto* next = std::get_if<configuration_ptr>(log_[commit_].get()))
        show({index, *next});
    }
    if (leader_ && !outcomes.batch.empty())
      tell(parties_.at(leader_), std::move(outcomes));
  }

  void expire_sessions_now() { log_.push_back(share(expire_sessions{})); }

  /// A node's seat is taken away if it has one, and given to it if it has none.
  void reseat(member_id who) {
    auto voters = committed_.content->voters;
    if (std::erase(voters, who) == 0)
      voters.push_back(who);
    log_.push_back(share(configuration_with(committed_.content->members, voters)));
  }

  void evict(member_id who) {
    auto [members, voters] = std::pair{committed_.content->members, committed_.content->voters};
    std::erase_if(members, [&](const member& m) { return m.id == who; });
    std::erase(voters, who);
    log_.push_back(share(configuration_with(std::move(members), std::move(voters))));
  }

  [[nodiscard]] bool is_member(member_id who) const {
    return find(*committed_.content, who) != nullptr;
  }

  /// What became of the calls that were reconciled, at all nodes.
  [[nodiscard]] reconcile_counters reconciled() const {
    reconcile_counters all;
    for (const auto& [id, p] : parties_)
      if (p.door) {
        all.taken += p.door->reconciled().taken;
        all.applied_before += p.door->reconciled().applied_before;
        all.applied_after += p.door->reconciled().applied_after;
        all.not_applied += p.door->reconciled().not_applied;
        all.unknown += p.door->reconciled().unknown;
      }
    return all;
  }

  /// `at` is told that its link to `who` broke.
  void lose_link(member_id at, member_id who) { hand(at, peer_lost{who}); }

private:
  struct party {
    member_id id = {};
    std::unique_ptr<forwarder> door = nullptr;
    std::unique_ptr<client> caller = nullptr;
    outbox out = {};
    std::uint64_t term_led = 0; ///< as its core believes
    std::uint64_t last = 0;     ///< the end of its core's log, while it leads
    instant told = {};          ///< notices arrive in order
    std::optional<instant> wake = {};
  };

  void add(member_id id, std::unique_ptr<forwarder> door) {
    parties_[id] = {.id = id, .door = std::move(door)};
  }
  void add(member_id id, std::unique_ptr<client> caller) {
    parties_[id] = {.id = id, .caller = std::move(caller)};
  }

  template <class F> void with(party& p, F what) {
    if (p.door)
      what(*p.door);
    else
      what(*p.caller);
    carry_out(p);
    if (!rough_ || chance(70))
      return settle_party(p);
    later(random_.between(0ms, 2ms), [this, &p] { settle_party(p); });
  }

  void settle_party(party& p) {
    if (p.door)
      p.door->settle(now_, p.out);
    else
      p.caller->settle(now_, p.out);
    carry_out(p);
  }

  void hand(member_id to, sibling_message what) {
    auto& p = parties_.at(to);
    with(p, [&](auto& it) { deliver(it, what, now_, p.out); });
  }

  template <class N> void tell(party& to, N what) {
    to.told = std::max(to.told, now_ + random_.between(0ms, 1ms));
    later(to.told - now_, [this, id = to.id, what = std::move(what)] { hand(id, what); });
  }

  void tell_view(party& to) {
    tell(to, core_view{.term = {term_},
                       .leader = leader_,
                       .leader_heard = now_,
                       .fresh_at = now_,
                       .leads = to.term_led == term_,
                       .committed = committed_,
                       .newest = committed_});
  }

  static configuration_ptr configuration_with(std::vector<member> members,
                                              std::vector<member_id> voters) {
    configuration all{.cluster = {1}, .members = std::move(members), .voters = std::move(voters)};
    return std::make_shared<const configuration>(std::move(all));
  }

  /// All nodes hear of a committed configuration, sooner or later.
  void show(placed_configuration next) {
    committed_ = std::move(next);
    for (auto& [id, p] : parties_)
      if (p.door)
        later(random_.between(0ms, 50ms), [this, &p] { tell_view(p); });
  }

  void carry_out(party& p) {
    auto out = std::exchange(p.out, {});
    for (auto& n : out.notices)
      std::visit([&](auto& what) { do_notice(p, what); }, n);
    for (auto& l : out.letters)
      post(p.id, std::move(l));
    if (out.wake_at && (!p.wake || *out.wake_at < *p.wake)) {
      p.wake = out.wake_at;
      later(std::max<interval>(0ms, *out.wake_at - now_), [this, &p, when = p.wake] {
        if (p.wake != when)
          return; // it wished to be woken earlier, and was
        p.wake.reset();
        with(p, [&](auto& it) { it.wake(now_, p.out); });
      });
    }
  }

  void post(member_id from, letter l) {
    if (rough_ && chance(3))
      return;
    for (int copies = rough_ && chance(5) ? 2 : 1; copies > 0; --copies) {
      const auto delay = rough_ && chance(3) ? random_.between(0ms, 2s) : random_.between(0ms, 5ms);
      later(delay, [this, from, l] {
        auto& to = parties_.at(l.to);
        with(to, [&](auto& it) {
          auto what = l.what;
          deliver(it, from, what, now_, to.out);
        });
      });
    }
  }

  // -- what the siblings do ----------------------------------------------------------------------

  template <class N> void do_notice(party&, N&) {}

  void do_notice(party& p, local_answer& m) {
    if (m.result)
      acknowledged_ = std::max(acknowledged_, m.result->index);
    answered(p.id, m);
  }

  void do_notice(party& p, calls_drained&) { drained(p.id); }

  void do_notice(party& p, propose& m) {
    const auto taken = rough_ && chance(3) ? random_.below(m.what.size() + 1) : m.what.size();
    if (p.term_led == 0)
      return tell(p, proposed{.batch = m.batch, .why = {errc::not_leader, {}, leader_}});
    if (p.term_led == term_) {
      log_.insert(log_.end(), m.what.begin(), m.what.begin() + static_cast<std::ptrdiff_t>(taken));
      p.last = log_.size() - taken;
    }
    const log_index first{p.last + 1};
    p.last += taken;
    tell(p, proposed{m.batch, first, taken, {errc::overloaded, {}, {}}});
  }

  void do_notice(party& p, read_request& m) {
    const auto at = p.term_led;
    const log_index index{commit_};
    later(random_.between(0ms, 5ms), [this, &p, ask = m.ask, at, index] {
      if (at == term_ && at != 0)
        tell(p, read_ready{ask, index, errc::none});
      else if (at == 0)
        tell(p, read_ready{ask, {}, errc::not_leader});
    });
  }

  void do_notice(party& p, ask_replica& m) { tell(p, replica_answer{m.id, bytes{}, {commit_}}); }

  random_source random_;
  bool rough_ = true;
  instant now_{100s};
  std::map<std::pair<instant, std::uint64_t>, std::function<void()>> events_;
  std::uint64_t last_event_ = 0;
  std::map<member_id, party> parties_;
  std::vector<member> members_;
  placed_configuration committed_ = {};
  std::vector<std::shared_ptr<const payload>> log_;
  std::uint64_t commit_ = 0;
  std::uint64_t term_ = 0;
  member_id leader_ = {};
  applied_once applied_;
  log_index acknowledged_ = {};
};

} // namespace test_support
