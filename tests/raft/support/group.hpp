// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A handful of raft cores on a table, and a hand that passes their messages.
///
/// Nothing happens by itself: time stands still until a test lets it pass, messages travel when the
/// test says `exchange`, and a disk may be stalled. What a scenario needs to say about the network
/// is a sentence: part, hold, release, drop.

#include <understudy/core/routing.hpp>
#include <understudy/raft/core.hpp>

#include <doctest/doctest.h>

#include "raft/support/entries.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace support {

using namespace understudy;
using namespace std::chrono_literals;

/// A message on its way.
struct mail {
  member_id from;
  member_id to;
  peer_message what;

  template <class M> [[nodiscard]] const M* as() const { return std::get_if<M>(&what); }
};

/// The cores, the mail between them, and the clock.
class group {
public:
  /// Everybody in `first` knows of `first` as the committed entry 1 of term 1, and of nothing else.
  explicit group(const configuration& first, const core_options& options = {}) : options_{options} {
    for (const auto& m : first.members) {
      add(m.id.value);
      know(m.id.value, {entry_of(1, 1, first)}, 1);
    }
  }

  /// A node that knows nothing yet.
  void add(std::uint64_t id) {
    nodes_.emplace(member_id{id}, std::make_unique<node>(node{{{id}, options_, id}}));
    act(id, [&](raft_core& core, outbox& out) { core.wake(now, out); });
  }

  // -- a node's side ------------------------------------------------------------------------

  raft_core& operator[](std::uint64_t id) { return at({id}).core; }

  /// Calls a core by hand, and takes what it has to say.
  void act(std::uint64_t id, const std::function<void(raft_core&, outbox&)>& call) {
    auto& n = at({id});
    outbox out;
    call(n.core, out);
    n.core.settle(now, out);
    carry_out({id}, n, out);
  }

  /// Hands a notice, or a message that claims to be from `from`, to a core.
  template <class N> void tell(std::uint64_t id, N notice) {
    act(id, [&](raft_core& core, outbox& out) { core.on(notice, now, out); });
  }
  template <class M> void receive(std::uint64_t id, std::uint64_t from, M message) {
    act(id, [&](raft_core& core, outbox& out) { core.on({from}, message, now, out); });
  }

  /// Pulls by hand: `entries` from the beginning, of which `commit` is committed.
  void know(std::uint64_t id, std::vector<entry> entries, std::uint64_t commit) {
    tell(id, pulled_entries{{}, std::move(entries), {commit}});
  }

  void propose(std::uint64_t id, const char* body) {
    tell(id, understudy::propose{.what = {entry_of(0, 0, body).what}});
  }

  /// Has a leader bring others up to date, as far as they answer.
  void catch_up(std::uint64_t id, std::initializer_list<std::uint64_t> others) {
    tell(id, track_members{ids(others)});
    pass_time(std::chrono::milliseconds{60});
  }

  /// Asks a leader for other voters, on top of what is newest there. Returns what it said.
  change_taken change_voters(std::uint64_t id, std::initializer_list<std::uint64_t> voters) {
    tell(id, understudy::change_voters{.base = (*this)[id].newest().index, .voters = ids(voters)});
    return told<change_taken>(id).back();
  }

  /// What a node told its siblings, newest last, of one kind.
  template <class N> std::vector<N> told(std::uint64_t id) {
    std::vector<N> all;
    for (const auto& n : at({id}).told)
      if (const auto* one = std::get_if<N>(&n))
        all.push_back(*one);
    return all;
  }
  void forget_told() {
    for (auto& [id, n] : nodes_)
      n->told.clear();
  }

  /// The bodies of all commands that a node has applied, one after the other.
  std::string applied(std::uint64_t id) { return at({id}).state; }

  // -- the disk (`volatile_log = false`) ----------------------------------------------------

  void stall_disk(std::uint64_t id) { at({id}).disk_stalled = true; }

  /// From now on there is room for ballots alone.
  void fill_disk(std::uint64_t id) { at({id}).disk_full = true; }

  /// All that waits is written now.
  void finish_disk(std::uint64_t id) {
    at({id}).disk_stalled = at({id}).disk_full = false;
    if (const auto newest = std::exchange(at({id}).unwritten, {}); newest != generation{}) {
      at({id}).written = newest;
      tell(id, store_written{newest});
    }
  }

  // -- the network --------------------------------------------------------------------------

  /// Passes messages until nobody has anything to say.
  void exchange() {
    for (int spent = 0; !mail_.empty(); ++spent) {
      REQUIRE_MESSAGE(spent < 100'000, "the nodes never stop talking");
      auto m = std::move(mail_.front());
      mail_.pop_front();
      if (cut_.contains({m.from, m.to}) || !nodes_.contains(m.to))
        continue;
      if (holds_ && holds_(m)) {
        held.push_back(std::move(m));
        continue;
      }
      pass(std::move(m));
    }
  }

  /// Hands over one message, here and now.
  void pass(mail m) {
    act(m.to.value, [&](raft_core& core, outbox& out) { deliver(core, m.from, m.what, now, out); });
  }

  void cut(std::uint64_t from, std::uint64_t to) { cut_.insert({{from}, {to}}); }
  void part(std::initializer_list<std::uint64_t> some) {
    const auto side = ids(some);
    const auto here = [&](member_id id) { return std::ranges::find(side, id) != side.end(); };
    for (const auto& [a, n] : nodes_)
      for (const auto& [b, m] : nodes_)
        if (here(a) != here(b))
          cut_.insert({a, b});
  }
  void heal() { cut_.clear(); }

  /// From now on messages like these are kept in `held`.
  void hold(std::function<bool(const mail&)> like) { holds_ = std::move(like); }
  template <class M> void hold(std::uint64_t from, std::uint64_t to) {
    hold([=](const mail& m) { return m.as<M>() && m.from.value == from && m.to.value == to; });
  }
  void release() {
    holds_ = nullptr;
    for (auto& m : std::exchange(held, {}))
      mail_.push_back(std::move(m));
    exchange();
  }
  void drop() {
    holds_ = nullptr;
    held.clear();
  }

  // -- time ---------------------------------------------------------------------------------

  /// Lets time pass; everybody is woken who wishes so, and messages travel.
  void pass_time(interval length) {
    for (const auto end = now + length; now < end;) {
      now += 1ms;
      for (auto& [id, n] : nodes_)
        if (n->wake_at && *n->wake_at <= now)
          wake(id.value);
      exchange();
    }
  }

  void wake(std::uint64_t id) {
    at({id}).wake_at.reset();
    act(id, [&](raft_core& core, outbox& out) { core.wake(now, out); });
  }

  // -- leaders ------------------------------------------------------------------------------

  /// Nobody has been heard for long, and `id` alone notices: it asks for votes.
  void stand(std::uint64_t id) {
    auto& core = (*this)[id];
    const auto term = core.vote().term;
    now += options_.election_timeout_max + 1ms;
    for (int tries = 0; !core.campaigning_now() && core.vote().term == term; ++tries) {
      REQUIRE_MESSAGE(tries < 100, "the node does not stand for election");
      now += options_.election_timeout_max / 10;
      wake(id);
    }
  }
  void elect(std::uint64_t id) {
    stand(id);
    exchange();
    REQUIRE((*this)[id].leads());
  }

  /// Who leads in the highest term; 0: nobody.
  std::uint64_t leader() {
    std::uint64_t who = 0;
    term_number newest;
    for (auto& [id, n] : nodes_)
      if (n->core.leads() && n->core.vote().term >= newest) {
        who = id.value;
        newest = n->core.vote().term;
      }
    return who;
  }

  /// Whether all of `some` have the same log, all of it committed.
  bool agree(std::initializer_list<std::uint64_t> some) {
    const auto& first = (*this)[*some.begin()];
    for (auto id : some) {
      auto& core = (*this)[id];
      if (core.log().last() != first.log().last() || core.commit() != core.log().last().index)
        return false;
    }
    return true;
  }

  instant now = instant{} + 1h;
  std::deque<mail> held;

private:
  struct node {
    raft_core core;
    std::optional<instant> wake_at = {};
    std::vector<sibling_message> told = {};
    bool disk_stalled = false;
    bool disk_full = false;
    generation written = {};
    generation unwritten = {};
    std::string state = {};
    log_position applied = {};
  };

  node& at(member_id id) { return *nodes_.at(id); }

  void carry_out(member_id id, node& n, outbox& out) {
    for (auto& l : out.letters)
      mail_.push_back({id, l.to, std::move(l.what)});
    if (out.wake_at && (!n.wake_at || *out.wake_at < *n.wake_at))
      n.wake_at = out.wake_at;
    for (auto& notice : out.notices) {
      n.told.push_back(notice);
      notices_.push_back({id, std::move(notice)});
    }
    if (std::exchange(attending_, true))
      return; // further up this stack, in order
    for (; !notices_.empty(); notices_.pop_front()) {
      const auto who = notices_.front().first;
      std::visit([&](auto& one) { attend(who, at(who), one); }, notices_.front().second);
    }
    attending_ = false;
  }

  /// What the siblings do: a disk that writes at once unless it is stalled, and a machine that
  /// strings commands together.
  template <class N> void attend(member_id, node&, const N&) {}
  void attend(member_id id, node& n, const store_write& w) {
    if (n.disk_stalled || n.disk_full)
      n.unwritten = w.write;
    else
      n.written = w.write;
    if (!n.disk_stalled)
      tell(id.value, store_written{n.written, n.disk_full ? w.write : generation{}});
  }
  void attend(member_id id, node& n, const apply_entries& a) {
    for (const auto& e : a.entries) {
      REQUIRE(e.index == n.applied.index.next());
      n.applied = e.position();
      if (const auto* c = e.as<command>())
        n.state += c->body.text();
    }
    tell(id.value, applied_through{n.applied.index});
  }
  void attend(member_id id, node& n, const restore_snapshot& r) {
    n.state = std::string{r.image->image.text()};
    n.applied = r.image->at;
    tell(id.value, applied_through{n.applied.index});
  }
  void attend(member_id id, node& n, const take_snapshot&) {
    const bytes image{n.state};
    tell(id.value, snapshot_taken{n.applied, {}, image, digest_of(image.view())});
  }
  void attend(member_id id, node&, const stage_snapshot& s) {
    tell(id.value, snapshot_staged{s.what->key()});
  }

  core_options options_;
  std::map<member_id, std::unique_ptr<node>> nodes_;
  std::deque<mail> mail_;
  std::deque<std::pair<member_id, sibling_message>> notices_; ///< not attended to yet
  bool attending_ = false;
  std::set<std::pair<member_id, member_id>> cut_;
  std::function<bool(const mail&)> holds_;
};

} // namespace support
