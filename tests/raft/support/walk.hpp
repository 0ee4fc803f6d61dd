// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Raft cores on a random walk: messages are lost, doubled and reordered, nodes are cut off, disks
/// are slow, nodes end and come back, nodes pull, and somebody always wants something. After each
/// step the rules that matter are checked.

#include <understudy/core/random.hpp>
#include <understudy/core/routing.hpp>
#include <understudy/raft/core.hpp>
#include <understudy/storage/memory_store.hpp>

#include "raft/support/entries.hpp"
#include "raft/support/walk_facts.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace support {

using namespace std::chrono_literals;

class walk {
public:
  explicit walk(std::uint64_t seed) : random_{seed} {
    options_.volatile_log = random_.below(3) == 0;
    options_.retain_entries = random_.below(20);
    options_.snapshot_after_bytes = 64 * (10 + random_.below(60));
    options_.retain_bytes_max = 64 * random_.below(40);
    options_.snapshot_chunk_bytes = 8;
    options_.append_entries_max = 1 + random_.below(4);
    options_.window_entries = 1 + random_.below(16);
    loss_ = random_.below(30);
    doubling_ = random_.below(20);
    auto first = made_of({1, 2, 3, 4, 5}, {1, 2, 3});
    if (random_.below(2) == 0)
      first.voters = ids({1, 2, 3, 4, 5});
    for (std::uint64_t id = 1; id <= 5; ++id)
      nodes_.push_back({.core = {{id}, options_, random_.next()}});
    const auto entry_1 = entry_of(1, 1, first);
    for (auto& n : nodes_) {
      tell(n, pulled_entries{{}, {entry_1}, {1}, {1}});
      call(n, [&](outbox& out) { n.core.wake(now_, out); });
    }
  }

  /// Anything may happen.
  void step() {
    now_ += interval{static_cast<std::int64_t>(random_.below(6'000'000))};
    auto& n = any_node();
    if (random_.below(250) == 0) // leaders above all: that makes elections
      away_ = n.core.leads() || random_.below(3) == 0 ? id_of(n) : member_id{};
    if (!options_.volatile_log && random_.below(300) == 0)
      return come_back(n);
    switch (random_.below(20)) {
    case 0:
      return wake_if_due(n);
    case 1:
    case 2:
      return write_some(n, false);
    case 3:
    case 4:
      return tell(n, propose{.what = {share(no_op{}), share(no_op{})}});
    case 5:
      return pull(n);
    case 6:
      return bother(n);
    default:
      return deliver_any();
    }
  }

  /// From now on all is well: no loss, fast disks. True once all voters have agreed.
  bool settle_down() {
    loss_ = doubling_ = 0;
    away_ = {};
    for (int i = 0; i < 4'000; ++i) {
      now_ += 5ms;
      for (auto& n : nodes_) {
        wake_if_due(n);
        write_some(n, true);
        if (i % 8 == 0)
          pull(n);
      }
      for (auto left = mail_.size(); left > 0; --left) {
        pass(std::move(mail_.front()));
        mail_.pop_front();
      }
      if (i % 20 == 0 && agreed())
        return true;
    }
    return false;
  }

  [[nodiscard]] coverage covered() const {
    coverage c{.elections = facts_.leaders.size(),
               .from_outside = facts_.led_from_outside.size(),
               .committed = facts_.committed.size()};
    for (const auto& n : nodes_) {
      c.truncations += n.core.state().counts.truncations;
      c.installs += n.core.state().counts.installs;
    }
    c.joint = joint_;
    c.returns = returns_;
    return c;
  }

private:
  struct node {
    raft_core core;
    memory_store disk = {};
    std::deque<store_write> unwritten = {};
    log_position applied = {};
    stored_through stored = {};
    log_position seen = {};
    log_index commit = {};
    std::optional<instant> wake_at = {};
  };
  struct mail {
    member_id from;
    member_id to;
    peer_message what;
  };

  node& any_node() { return nodes_[random_.below(nodes_.size())]; }
  node& at(member_id id) { return nodes_[id.value - 1]; }
  static member_id id_of(const node& n, const std::vector<node>& all) {
    return {static_cast<std::uint64_t>(&n - all.data()) + 1};
  }
  member_id id_of(const node& n) const { return id_of(n, nodes_); }

  // -- what happens -------------------------------------------------------------------------

  template <class F> void call(node& n, F f) {
    outbox out;
    f(out);
    n.core.settle(now_, out);
    if (out.wake_at && (!n.wake_at || *out.wake_at < *n.wake_at))
      n.wake_at = out.wake_at;
    for (auto& l : out.letters) {
      check_gate(n, l);
      mail_.push_back({id_of(n), l.to, std::move(l.what)});
    }
    check(n);
    for (auto& notice : out.notices)
      notices_.push_back({&n, std::move(notice)});
    if (std::exchange(attending_, true))
      return; // further up this stack, in order
    for (; !notices_.empty(); notices_.pop_front())
      std::visit([&](auto& one) { attend(*notices_.front().first, one); }, notices_.front().second);
    attending_ = false;
  }

  template <class N> void tell(node& n, N notice) {
    call(n, [&](outbox& out) { n.core.on(notice, now_, out); });
  }

  void pass(mail m) {
    if (m.from == away_ || m.to == away_)
      return;
    auto& n = at(m.to);
    if (const auto* r = std::get_if<pull_reply>(&m.what))
      return take_pulled(n, *r);
    call(n, [&](outbox& out) { deliver(n.core, m.from, m.what, now_, out); });
  }

  void deliver_any() {
    if (mail_.empty())
      return wake_if_due(any_node());
    // Mostly in order, now and then not.
    const auto which = random_.below(4) == 0 ? random_.below(mail_.size()) : 0;
    auto m = mail_[which];
    if (random_.below(100) >= doubling_)
      mail_.erase(mail_.begin() + static_cast<std::ptrdiff_t>(which));
    if (random_.below(100) >= loss_)
      pass(std::move(m));
  }

  void wake_if_due(node& n) {
    if (!n.wake_at || *n.wake_at > now_)
      return;
    n.wake_at.reset();
    call(n, [&](outbox& out) { n.core.wake(now_, out); });
  }

  void write_some(node& n, bool all) {
    while (!n.unwritten.empty()) {
      const auto w = std::move(n.unwritten.front());
      n.unwritten.pop_front();
      (void)n.disk.write(w);
      if (n.unwritten.empty() || (!all && random_.below(2) == 0))
        return tell(n, store_written{w.write});
    }
  }

  /// The process ends, and another one takes up what is on the disk: all that was confirmed, and
  /// perhaps some more.
  void come_back(node& n) {
    for (; !n.unwritten.empty() && random_.below(2) == 0; n.unwritten.pop_front())
      (void)n.disk.write(n.unwritten.front());
    const auto id = id_of(n);
    node next{.core = {id, options_, random_.next(), *n.disk.recover()}, .disk = n.disk};
    std::destroy_at(&n);
    std::construct_at(&n, std::move(next));
    ++returns_;
    call(n, [&](outbox& out) { n.core.wake(now_, out); });
  }

  void pull(node& n) {
    const auto& log = n.core.log();
    const auto from = n.core.commit();
    const auto term = log.term_at(from);
    if (n.core.leads() || !term)
      return;
    pull_request question{.cluster = {77}, .from = {from, *term}};
    question.resume = n.stored.resume;
    question.received = n.stored.received;
    question.bytes_max = static_cast<std::uint32_t>(64 * random_.below(8));
    mail_.push_back({id_of(n), id_of(any_node()), question});
  }

  void take_pulled(node& n, const pull_reply& r) {
    if (r.leader) // from now on its loss may make this node stand, though it does not vote (S5)
      tell(n, leader_hint{r.leader, r.term, now_ - r.leader_silent});
    if (r.verdict == pull_verdict::entries)
      tell(n, pulled_entries{r.previous, r.entries, r.commit, r.term});
    else if (r.chunk)
      tell(n, pulled_chunk{*r.chunk, r.term});
  }

  void bother(node& n) {
    switch (random_.below(6)) {
    case 0:
      return tell(n, peer_lost{id_of(any_node())});
    case 1:
      return tell(n, transfer_leadership{id_of(any_node())});
    case 2:
      return tell(n, track_members{some_members()});
    case 3:
      return tell(n, read_request{{random_.next()}});
    case 4:
      return tell(n, change_roster{mark_member{id_of(any_node()), standing::leaving}});
    default:
      return tell(n, change_voters{.base = n.core.newest().index, .voters = some_members()});
    }
  }

  std::vector<member_id> some_members() {
    std::vector<member_id> some;
    for (const auto& n : nodes_)
      if (random_.below(2) == 0)
        some.push_back(id_of(n));
    return some;
  }

  template <class N> void attend(node&, const N&) {}
  void attend(node& n, const store_write& w) { n.unwritten.push_back(w); }
  void attend(node& n, const stored_through& s) { n.stored = s; }
  void attend(node& n, const take_snapshot&) {
    const bytes image{"state up to " + std::to_string(n.applied.index.value)};
    tell(n, snapshot_taken{n.applied, {}, image, digest_of(image.view())});
  }
  void attend(node& n, const stage_snapshot& s) { tell(n, snapshot_staged{s.what->key()}); }
  void attend(node& n, const apply_entries& a) {
    for (const auto& e : a.entries) {
      if (e.index != n.applied.index.next())
        throw violation{"I4: entries are applied with a gap"};
      n.applied = e.position();
    }
    tell(n, applied_through{n.applied.index});
  }
  void attend(node& n, const restore_snapshot& r) {
    n.applied = r.image->at;
    tell(n, applied_through{n.applied.index});
  }

  // -- what must hold -----------------------------------------------------------------------

  void check(node& n) {
    const auto& core = n.core;
    const auto term = core.vote().term;
    if (core.leads() && facts_.leaders.try_emplace(term, id_of(n)).first->second != id_of(n))
      throw violation{"I1: two leaders in term " + std::to_string(term.value)};
    if (core.leads() && !has_vote(*core.newest().content, id_of(n)))
      facts_.led_from_outside.insert(term);
    if (core.log().last().term > term)
      throw violation{"I13: the term is below that of the log"};
    check_log(n);
    check_commit(n);
  }

  /// An entry is one and the same wherever it stands, and so is the one before it (I2, log
  /// matching).
  void check_log(node& n) {
    const auto& log = n.core.log();
    const bool grown = log.term_at(n.seen.index) == n.seen.term && log.last().index >= n.seen.index;
    auto i = grown ? n.seen.index : log.base().index;
    for (i = std::max(i, log.base().index).next(); log.holds(i); ++i) {
      const auto& e = log.at(i);
      const std::pair fact{*log.term_at(i.previous()), e.what.get()};
      if (facts_.entries.try_emplace({i, e.term}, fact).first->second != fact)
        throw violation{"I2: two entries " + std::to_string(i.value) + " of term "
                        + std::to_string(e.term.value)};
      if (const auto* c = e.as<configuration_ptr>(); c && (*c)->joint())
        joint_ = std::max(joint_, e.index.value);
    }
    n.seen = log.last();
  }

  /// What one has committed all have (I3, I4, I5).
  void check_commit(node& n) {
    const auto& log = n.core.log();
    if (n.core.commit() < n.commit)
      throw violation{"I5: the commit index went back"};
    for (auto i = std::max(n.commit.next(), log.base().index); i <= n.core.commit(); ++i) {
      const auto term = log.term_at(i);
      if (!term)
        continue;
      if (facts_.committed.size() <= i.value)
        facts_.committed.resize(i.value + 1);
      auto& known = facts_.committed[i.value];
      if (known != term_number{} && known != *term)
        throw violation{"I3: entry " + std::to_string(i.value) + " is committed twice"};
      known = *term;
    }
    n.commit = n.core.commit();
  }

  /// Nothing is asserted that the disk does not hold (I14).
  void check_gate(node& n, const letter& l) {
    if (options_.volatile_log)
      return;
    const auto stored = *n.disk.recover();
    const auto* v = std::get_if<vote_reply>(&l.what);
    if (v && v->round == round::vote && v->verdict == verdict::granted
        && stored.vote != ballot{v->asked, l.to})
      throw violation{"I14: a vote left before it was durable"};
    const auto* a = std::get_if<append_reply>(&l.what);
    if (!a || !a->accepted)
      return;
    const auto base = stored.base ? stored.base->at.index : log_index{};
    const auto last = stored.entries.empty() ? base : stored.entries.back().index;
    const auto term = n.core.log().term_at(a->match);
    const bool same
        = a->match <= base
          || (a->match <= last && (!term || stored.entries[a->match - base - 1].term == *term));
    if (!same)
      throw violation{"I14: an acknowledgement left before the entry was durable"};
  }

  [[nodiscard]] bool agreed() const {
    const auto leader = std::ranges::find_if(nodes_, [](const node& n) { return n.core.leads(); });
    if (leader == nodes_.end() || leader->core.newest().content->joint())
      return false;
    const auto last = leader->core.log().last();
    return std::ranges::all_of(nodes_, [&](const node& n) {
      return n.core.commit() == last.index && n.core.log().last() == last
             && n.applied.index == last.index && (&n == &*leader || !n.core.leads());
    });
  }

  random_source random_;
  core_options options_;
  std::vector<node> nodes_;
  std::deque<mail> mail_;
  std::deque<std::pair<node*, sibling_message>> notices_; ///< not attended to yet
  bool attending_ = false;
  instant now_ = instant{} + 1h;
  member_id away_; ///< cut off from all others
  std::uint64_t loss_ = 0;
  std::uint64_t doubling_ = 0;
  known_facts facts_;
  std::uint64_t joint_ = 0;
  std::uint64_t returns_ = 0;
};

} // namespace support
