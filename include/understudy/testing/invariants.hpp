// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The rules that hold after every single event, whatever the network and the nodes have been
/// through. Named after reliability.md, section 2.
///
/// The checker keeps its own history and compares what it sees with that. It asks a node only for
/// what it has, never for what it concludes.

#include <understudy/core/outbox.hpp>
#include <understudy/testing/eviction_book.hpp>
#include <understudy/testing/history.hpp>
#include <understudy/testing/log_mirror.hpp>
#include <understudy/testing/membership_rules.hpp>
#include <understudy/testing/node_record.hpp>
#include <understudy/testing/node_rules.hpp>
#include <understudy/testing/observation.hpp>
#include <understudy/testing/peer_rules.hpp>
#include <understudy/testing/seen_counters.hpp>
#include <understudy/testing/size_rules.hpp>
#include <understudy/testing/vote_ledger.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace understudy::testing {

/// Watches all nodes of a run.
class invariants {
public:
  /// Looks at a node after an event in which it sent `sent`. Throws `invariant_violated`.
  void check(const observation& o, std::span<const letter> sent = {}) {
    auto& n = nodes_[o.id];
    const auto now = state_of(o);
    const bool changed = now != n.before || n.promised;
    if (changed) {
      check_ballot(n.before, o);
      check_order(n.before, o);
    }
    if (o.newest.content) {
      auto& home = home_of(n, o);
      if (changed)
        check_state(n, o, home);
      counters_.lease_reads += check_lease(n.before, o, home.past);
      check_sizes(o, n, counters_);
      if (o.peers)
        check_peers(n, o, nodes_, counters_);
      if (++n.looks % verified_every == 0)
        n.log.verify_some(o.id, o.log, verified_at_once, home.past);
      for (const auto& l : sent)
        check_sent(n, o, home, l);
    } else if (o.log.last().index.value != 0 || o.commit.value != 0) {
      throw invariant_violated{"I6", o.id, "a log without any configuration"};
    } else {
      hold_to_promise(n, o);
    }
    if (changed)
      n.before = now;
  }

  /// Another process begins under the id of a node, from what the first one had stored. That much
  /// it must still have; of the rest it need not know anything (I9).
  void returned(member_id who) {
    if (auto& n = nodes_[who]; n.cluster)
      n.returned(homes_.at(n.cluster).past);
    else
      n.returned({});
  }

  /// Who wants whom to be sent away, for the day on which it is written down.
  [[nodiscard]] eviction_book& evictions() { return evictions_; }

  /// Compares the whole of a node's log with what was seen of it.
  void verify(const observation& o) {
    if (auto& n = nodes_[o.id]; n.cluster)
      n.log.verify(o.id, o.log, homes_[n.cluster].past);
  }

  /// Compares a node's state with that of all others that had applied the same index.
  void compare_states(const observation& o) {
    if (auto& n = nodes_[o.id]; n.cluster && o.applied_digest)
      homes_[n.cluster].past.applied(o.id, o.applied, *o.applied_digest);
  }

  /// The history of a cluster.
  [[nodiscard]] const history& past(cluster_id of) const { return homes_.at(of).past; }

  /// All clusters that were seen, in the order in which they were.
  [[nodiscard]] const std::vector<cluster_id>& clusters() const { return clusters_; }

  [[nodiscard]] const seen_counters& counters() const { return counters_; }

private:
  struct cluster_record {
    history past = {};
    vote_ledger votes = {};
    std::set<member_id> members = {}; ///< all that any committed roster had
    std::map<term_number, std::set<member_id>> candidates = {};
  };

  /// At every so many-th look so many entries are compared, one behind the other: a change in the
  /// middle of a log is found before long.
  static constexpr std::uint64_t verified_every = 64;
  static constexpr std::size_t verified_at_once = 16;

  using placed = placed_configuration;

  /// What holds of a node by what has become of it. Most calls of a component leave its node as it
  /// was, and then so do these rules.
  void check_state(node_record& n, const observation& o, cluster_record& home) {
    const auto change = n.look(o, home.past);
    hold_to_promise(n, o);
    check_truncation(n, o, change);
    check_appended(n, o, change);
    check_leadership(n, o, home);
    check_commit(n, o, home);
    check_in_force(o, n.log, home.past);
    if (o.applied != n.before.applied) {
      check_version(o, home.past);
      if (o.applied_digest)
        home.past.applied(o.id, o.applied, *o.applied_digest);
    }
    if (o.image && o.image->key() != n.before.image)
      check_image(o, n.before.image.at.index, home.past);
    note_newest(n, home.past);
  }

  cluster_record& home_of(node_record& n, const observation& o) {
    const auto cluster = o.newest.content->cluster;
    if (n.cluster && n.cluster != cluster)
      throw invariant_violated{"I10", o.id, "a node that changed its cluster"};
    n.cluster = cluster;
    const auto [home, is_new] = homes_.try_emplace(cluster);
    if (is_new)
      clusters_.push_back(cluster);
    return home->second;
  }

  /// Keeps the configuration in force for the next look.
  static void note_newest(node_record& n, const history& past) {
    const auto keep = [&](const auto& in) {
      if (n.newest.index != in.index || n.newest.content != in.content)
        n.newest = {in.index, in.content};
    };
    if (!n.log.configurations().empty())
      keep(n.log.configurations().back());
    else if (const auto* base = past.configuration_at(n.log.base().index))
      keep(*base);
  }

  static void hold_to_promise(node_record& n, const observation& o) {
    if (const auto made = std::exchange(n.promised, std::nullopt))
      check_promise(*made, n.log, o);
  }

  void check_truncation(const node_record& n, const observation& o, const log_change& change) {
    counters_.truncations += change.truncated && !change.installed ? 1 : 0;
    counters_.installs += change.installed ? 1 : 0;
    if (change.truncated && change.kept < n.before.commit && !change.installed)
      throw invariant_violated{"I5", o.id,
                               "entry " + std::to_string(change.kept.next().value)
                                   + " was committed here, and is gone"};
    if ((change.truncated || change.installed) && n.before.leads && o.leads
        && n.before.vote.term == o.vote.term)
      throw invariant_violated{"I5b", o.id, "a leader dropped entries of its own log"};
  }

  /// I6 for every configuration that was appended, I2b where this node leads and made it.
  void check_appended(const node_record& n, const observation& o, const log_change& change) const {
    const auto& all = n.log.configurations();
    const auto first = std::ranges::upper_bound(all, change.kept, {}, &placed::index);
    for (auto at = first; at != all.end(); ++at) {
      if (const auto wrong = wrong_by_itself(*at->content))
        throw invariant_violated{"I6", o.id, *wrong};
      if (!o.leads || n.log.term(at->index) != o.vote.term)
        continue;
      const auto before = at == all.begin()
                              ? homes_.at(n.cluster).past.configuration_at(n.log.base().index)
                              : nullptr;
      if (at != all.begin())
        check_change(n, o, *std::prev(at), *at);
      else if (before)
        check_change(n, o, {before->index, before->content}, *at);
    }
  }

  /// I2b and I12: the leader `o` put `to` behind `from`.
  void check_change(const node_record& n, const observation& o, const placed& from,
                    const placed& to) const {
    const auto holds_data = [&](member_id id) { return is_ready(n, o.id, id); };
    if (const auto wrong = wrong_marks(*from.content, *to.content, evictions_, holds_data))
      throw invariant_violated{"I12", o.id, *wrong};
    if (same_voters(*from.content, *to.content))
      return;
    if (const auto wrong = wrong_voter_change(*from.content, *to.content))
      throw invariant_violated{"I12", o.id, *wrong};
    for (const auto id : to.content->voters)
      if (!detail::votes_in(*from.content, id) && !holds_data(id))
        throw invariant_violated{"I12", o.id, "a new voter that has not caught up"};
    // Entries that only change the roster copy the voters: where did these voters begin?
    const auto since = voters_since(n, from);
    const bool own_committed = n.log.term(o.commit) == o.vote.term;
    const bool taken_back = from.content->joint() && to.content->voters == from.content->outgoing
                            && n.log.term(since) == o.vote.term;
    if (!taken_back && (since > o.commit || !own_committed))
      throw invariant_violated{"I2b", o.id,
                               "the voters changed at " + std::to_string(to.index.value)
                                   + " while those of " + std::to_string(since.value)
                                   + " were not committed, or nothing of the leader's term was"};
  }

  /// Whether a node has all that the leader `by` found when it was elected, and what came with it.
  bool is_ready(const node_record& n, member_id by, member_id id) const {
    const auto found = nodes_.find(id);
    return id == by || (found != nodes_.end() && has_stored(found->second, n.log, n.led_from));
  }

  /// The first of the run of configurations up to `from` that all have its voters; the one at the
  /// log's base counts as well.
  log_index voters_since(const node_record& n, const placed& from) const {
    auto since = from.index;
    const auto& all = n.log.configurations();
    for (auto c = all.rbegin(); c != all.rend(); ++c) {
      if (c->index >= from.index)
        continue;
      if (!same_voters(*c->content, *from.content))
        return since;
      since = c->index;
    }
    const auto* base = homes_.at(n.cluster).past.configuration_at(n.log.base().index);
    return base && same_voters(*base->content, *from.content) ? base->index : since;
  }

  void check_leadership(node_record& n, const observation& o, cluster_record& home) {
    if (!o.leads)
      return;
    home.past.led(o.vote.term, o.id);
    if (n.before.leads && n.before.vote.term == o.vote.term)
      return;
    if (o.vote.term <= n.led)
      throw invariant_violated{"I1", o.id, "leads a second time in a term"};
    n.led = o.vote.term;
    n.begin_term();
    ++counters_.elections;
    const auto& in = n.newest.content ? *n.newest.content : *o.newest.content;
    const auto voted = [&](member_id id) {
      return id == o.id ? o.vote.vote == o.id : home.votes.has(id, o.id, o.vote.term);
    };
    if (!quorum_among(in, voted))
      throw invariant_violated{"I2", o.id,
                               "leads in term " + std::to_string(o.vote.term.value)
                                   + " without a quorum of votes"};
    check_complete(n, o.id, home.past, home.past.committed_before(o.vote.term));
    counters_.listener_elections += detail::votes_in(in, o.id) ? 0 : 1;
  }

  /// I3: a leader has everything that was committed in earlier terms, configurations included.
  static void check_complete(const node_record& n, member_id who, const history& past,
                             log_index through) {
    if (n.log.base().index > through)
      return;
    if (n.log.chain(through) != past.committed_chain(through))
      throw invariant_violated{"I3", who,
                               "leads without entry " + std::to_string(through.value)
                                   + ", which is committed, or one before it"};
  }

  void check_commit(const node_record& n, const observation& o, cluster_record& home) {
    auto& past = home.past;
    if (o.commit == n.before.commit && o.log.base().index <= past.committed_through())
      return;
    const bool leads = o.leads || n.before.leads;
    if (o.commit > past.committed_through()) {
      if (!leads)
        throw invariant_violated{"I11", o.id,
                                 "entry " + std::to_string(o.commit.value)
                                     + " counts as committed, and no leader has committed it"};
      // What others have committed a leader may learn by a pull; what it commits itself is its own.
      if (n.before.leads && o.leads && n.log.term(o.commit) != o.vote.term)
        throw invariant_violated{"I3b", o.id,
                                 "a leader counted copies of an entry of an older term"};
      check_copies(n, o);
      extend(n, o, home);
    }
    const auto known = n.log.chain(o.commit);
    if (!known || *known != past.committed_chain(o.commit))
      throw invariant_violated{"I5", o.id,
                               "entry " + std::to_string(o.commit.value)
                                   + " is committed here, and another one was before"};
  }

  /// I3b: a quorum of the configuration that counted has the entry stored.
  void check_copies(const node_record& n, const observation& o) const {
    const auto stored = [&](member_id id) {
      if (id == o.id)
        return durable_of(o) >= o.commit;
      const auto other = nodes_.find(id);
      return other != nodes_.end() && has_stored(other->second, n.log, o.commit);
    };
    if (n.newest.content && quorum_among(*n.newest.content, stored))
      return;
    for (const auto& c : n.log.configurations())
      if (c.index > n.newest.index && quorum_among(*c.content, stored))
        return;
    throw invariant_violated{"I3b", o.id,
                             "entry " + std::to_string(o.commit.value)
                                 + " counts as committed, and no quorum has it stored"};
  }

  /// More of the log is committed than before: it never changes again from here on.
  void extend(const node_record& n, const observation& o, cluster_record& home) {
    auto& past = home.past;
    const auto first = past.committed_through().next();
    if (first.value > 1 && n.log.chain(first.previous()) != past.committed_chain(first.previous()))
      throw invariant_violated{"I5", o.id,
                               "what follows entry " + std::to_string(first.previous().value)
                                   + " is committed behind another one than before"};
    for (auto i = first; i <= o.commit; ++i)
      past.commit(committed_entry{*n.log.term(i), *n.log.chain(i), o.vote.term});
    for (const auto& c : n.log.configurations())
      if (c.index >= first && c.index <= o.commit)
        commit_configuration(c, o, home);
    for (const auto& [id, other] : nodes_)
      if (other.before.leads && other.cluster == n.cluster && other.before.vote.term > o.vote.term)
        check_complete(other, id, past, past.committed_before(other.before.vote.term));
  }

  void commit_configuration(const placed& what, const observation& o, cluster_record& home) {
    auto& past = home.past;
    if (!past.configurations().empty()) {
      const auto& before = *past.configurations().back().content;
      if (const auto wrong = wrong_roster_change(before, *what.content, home.members))
        throw invariant_violated{"I12", o.id, *wrong};
    }
    if (!past.configurations().empty())
      counters_.count_change(*past.configurations().back().content, *what.content, o.id);
    for (const auto& m : what.content->members)
      home.members.insert(m.id);
    past.commit(committed_configuration{what.index, what.content, o.vote.term});
  }

  /// What a message claims holds, and was stored before it left (I1b, I11, I14).
  void check_sent(const node_record& n, const observation& o, cluster_record& home,
                  const letter& sent) {
    check_size(o, sent);
    if (const auto* m = std::get_if<vote_reply>(&sent.what)) {
      if (m->verdict == verdict::granted && m->round == round::vote)
        home.votes.granted(o.id, sent.to, m->asked, o.stored ? o.stored->vote : o.vote);
    } else if (const auto* ask = std::get_if<request_vote>(&sent.what)) {
      note_candidate(o, home, *ask);
    } else if (const auto* ok = std::get_if<append_reply>(&sent.what)) {
      check_confirmed(o, *ok, n.log, log_of_leader(home.past, ok->term));
    } else if (const auto* got = std::get_if<snapshot_reply>(&sent.what)) {
      check_confirmed(o, *got);
    } else if (const auto* question = std::get_if<pull_request>(&sent.what)) {
      check_asked(o, *question);
    } else if (const auto* news = std::get_if<pull_reply>(&sent.what)) {
      check_pulled(o, home.past, *news);
    }
  }

  /// The log of who leads in `term`, if it is known and still does.
  const log_mirror* log_of_leader(const history& past, term_number term) const {
    const auto known = past.leaders().find(term);
    if (known == past.leaders().end())
      return nullptr;
    const auto& n = nodes_.at(known->second);
    return n.before.leads && n.before.vote.term == term ? &n.log : nullptr;
  }

  void note_candidate(const observation& o, cluster_record& home, const request_vote& ask) {
    if (ask.round != round::vote)
      return;
    if (o.stored && o.stored->vote != ballot{ask.term, o.id})
      throw invariant_violated{"I14", o.id, "asks for votes, and its own is not stored"};
    auto& here = home.candidates[ask.term];
    if (!here.insert(o.id).second)
      return;
    counters_.contested += here.size() == 2 ? 1 : 0;
    counters_.listener_campaigns += detail::votes_in(*o.newest.content, o.id) ? 0 : 1;
  }

  std::map<member_id, node_record> nodes_;
  std::map<cluster_id, cluster_record> homes_;
  std::vector<cluster_id> clusters_;
  eviction_book evictions_;
  seen_counters counters_;
};

} // namespace understudy::testing
