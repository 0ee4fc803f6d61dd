// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Rules that need no more than one node's state, the state before, and what was committed.

#include <understudy/core/messages.hpp>
#include <understudy/testing/history.hpp>
#include <understudy/testing/log_mirror.hpp>
#include <understudy/testing/observation.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace understudy::testing {

/// What the rules go by, at the last look. Its pointers serve to be compared, and nothing else.
struct node_state {
  ballot vote = {};
  stored_state stored = {}; ///< of a node without a store: its ballot
  log_position base = {};
  log_position last = {};
  const payload* end = nullptr; ///< the last entry's
  log_index durable = {};
  log_index commit = {};
  log_index handed = {};
  log_index applied = {};
  snapshot_key image = {};
  seen_configuration newest = {};
  seen_configuration committed = {};
  bool leads = false;
  std::uint64_t lease_reads = 0;

  friend bool operator==(const node_state&, const node_state&) = default;
};

/// What a node has stored: by its own account, and by that of its store where it has one.
[[nodiscard]] inline log_index durable_of(const observation& o) {
  return o.stored ? std::min(o.durable, o.stored->last.index) : o.durable;
}

[[nodiscard]] inline node_state state_of(const observation& o) {
  return {.vote = o.vote,
          .stored = o.stored.value_or(stored_state{.vote = o.vote}),
          .base = o.log.base(),
          .last = o.log.last(),
          .end = o.log.last() == o.log.base() ? nullptr : o.log.at(o.log.last().index).what.get(),
          .durable = durable_of(o),
          .commit = o.commit,
          .handed = o.handed,
          .applied = o.applied,
          .image = o.image ? o.image->key() : snapshot_key{},
          .newest = o.newest,
          .committed = o.committed,
          .leads = o.leads,
          .lease_reads = o.lease_reads};
}

/// The log that a node had stored when its process ended.
struct promise {
  log_index through = {};
  std::uint64_t chain = 0; ///< of its log up to there
};

/// I9: when the node comes back, what was stored is still there. Its ballot is compared as that of
/// one and the same life.
inline void check_promise(const promise& made, const log_mirror& now, const observation& o) {
  if (made.through > o.log.base().index && now.chain(made.through) != made.chain)
    throw invariant_violated{"I9", o.id,
                             "came back without entry " + std::to_string(made.through.value)
                                 + ", which was stored, or with another one"};
}

/// I1b: term and vote never go back.
inline void check_ballot(const node_state& before, const observation& o) {
  if (o.vote.term < before.vote.term)
    throw invariant_violated{"I1b", o.id, "the term went back"};
  if (o.vote.term == before.vote.term && before.vote.vote && o.vote.vote != before.vote.vote)
    throw invariant_violated{
        "I1b", o.id, "the vote of term " + std::to_string(o.vote.term.value) + " was given twice"};
}

/// I13: what can not be ahead of what.
inline void check_order(const node_state& before, const observation& o) {
  const auto require = [&](bool holds, const char* otherwise) {
    if (!holds)
      throw invariant_violated{"I13", o.id, otherwise};
  };
  require(o.vote.term >= o.log.last().term, "the last entry is of a later term than the node");
  require(o.commit <= o.log.last().index, "the commit index is behind the log's end");
  require(o.log.base().index <= o.commit, "the log's base is above the commit index");
  require(o.handed <= o.commit, "the replica was handed what is not committed");
  require(o.applied <= o.handed, "the replica has applied what it was not handed");
  require(o.durable <= o.log.last().index, "more is stored than the log has");
  require(o.commit >= before.commit, "the commit index went back");
  require(o.applied >= before.applied, "the applied index went back");
  require(!o.image || o.log.base().index <= o.image->at.index,
          "the log begins above what the newest snapshot covers");
  require(!o.image || o.image->at.index <= o.handed, "a snapshot covers what is not handed over");
  require(!o.stored || o.stored->vote.term >= o.stored->last.term,
          "the last stored entry is of a later term than the stored one");
}

/// I4, I6 and I13 for a node's snapshot: the state that all have at that index, the configuration,
/// and that it is a newer one than before.
inline void check_image(const observation& o, log_index before, history& past) {
  const auto& image = *o.image;
  if (image.at.index <= before)
    throw invariant_violated{"I13", o.id, "a snapshot takes the place of a newer one"};
  if (image.at.index > past.committed_through()
      || past.committed(image.at.index).term != image.at.term)
    throw invariant_violated{"I5", o.id, "a snapshot covers what is not committed"};
  past.applied(o.id, image.at.index, image.digest);
  const auto* members = past.configuration_at(image.at.index);
  if (!members || members->index != image.members.index || !image.members.content
      || *members->content != *image.members.content)
    throw invariant_violated{"I6", o.id, "a snapshot holds another configuration than its index"};
}

/// I4b: a node applies nothing that may be of a version of the machine which it does not know.
inline void check_version(const observation& o, const history& past) {
  const auto* members = past.configuration_at(o.applied);
  if (members && members->content->machine_version > o.machine_version)
    throw invariant_violated{
        "I4b", o.id,
        "applies what came behind version " + std::to_string(members->content->machine_version)
            + " of the machine, and knows " + std::to_string(o.machine_version)};
}

/// I6: the configurations in force are those that the log says.
inline void check_in_force(const observation& o, const log_mirror& log, const history& past) {
  const auto in_force = [&](log_index at) {
    const auto& all = log.configurations();
    for (auto c = all.rbegin(); c != all.rend(); ++c)
      if (c->index <= at)
        return seen_configuration{c->index, c->content.get()};
    const auto* base = past.configuration_at(log.base().index);
    return base ? seen_configuration{base->index, base->content.get()} : seen_configuration{};
  };
  const auto same = [](const seen_configuration& a, const seen_configuration& b) {
    return a.index == b.index && b.content && a.content
           && (a.content == b.content || *a.content == *b.content);
  };
  if (!same(in_force(log.last().index), o.newest))
    throw invariant_violated{"I6", o.id,
                             "another configuration is in force than the newest in the log"};
  const auto committed = in_force(o.commit);
  if (committed.content && !same(committed, o.committed))
    throw invariant_violated{"I6", o.id,
                             "another configuration counts as committed than the log says"};
}

/// I14: what a follower confirms it has stored, and it is what the leader has there; `leader` is
/// the log of who leads in the term of the answer, null if nobody does any more.
inline void check_confirmed(const observation& o, const append_reply& m, const log_mirror& own,
                            const log_mirror* leader) {
  if (!m.accepted)
    return;
  const auto wrong = [&](const char* what) {
    throw invariant_violated{
        "I14", o.id, "entry " + std::to_string(m.match.value) + " is confirmed, and " + what};
  };
  if (m.match > durable_of(o))
    wrong("not stored");
  const auto here = own.chain(m.match);
  const auto there = leader ? leader->chain(m.match) : std::nullopt;
  if (here && there && *here != *there)
    wrong("the leader has another one there");
}

/// I14: the same for a snapshot that has arrived as a whole.
inline void check_confirmed(const observation& o, const snapshot_reply& m) {
  if (m.done && m.key.at.index > durable_of(o))
    throw invariant_violated{"I14", o.id,
                             "a snapshot at " + std::to_string(m.key.at.index.value)
                                 + " is confirmed before it is stored"};
}

/// I14: the place from which a puller asks says what it has stored.
inline void check_asked(const observation& o, const pull_request& m) {
  if (m.from.index > durable_of(o))
    throw invariant_violated{"I14", o.id,
                             "a puller says that it has stored entry "
                                 + std::to_string(m.from.index.value) + ", and it has not"};
}

/// I7: whoever answers reads without a round, or would do so now, is the leader of the newest term
/// there is. Returns how often it has answered since.
inline std::uint64_t check_lease(const node_state& before, const observation& o,
                                 const history& past) {
  const auto reads = o.lease_reads - std::min(o.lease_reads, before.lease_reads);
  if ((o.leased || reads > 0) && !past.leaders().empty()
      && past.leaders().rbegin()->first > o.vote.term)
    throw invariant_violated{"I7", o.id, "reads under a lease, and another was elected already"};
  return reads;
}

/// I11: a source gives away only what is committed.
inline void check_pulled(const observation& o, const history& past, const pull_reply& m) {
  const auto committed = [&](log_position place) {
    return place.index <= past.committed_through()
           && (place.index.value == 0 || past.committed(place.index).term == place.term);
  };
  for (const auto& e : m.entries)
    if (!committed(e.position()))
      throw invariant_violated{"I11", o.id,
                               "entry " + history::text(e.index, e.term)
                                   + " is given to a puller, and is not committed"};
  if (m.chunk && !committed(m.chunk->key.at))
    throw invariant_violated{"I11", o.id, "a snapshot of uncommitted entries is given away"};
  if (m.commit > past.committed_through())
    throw invariant_violated{"I11", o.id, "a puller is told a commit index that nobody has"};
}

} // namespace understudy::testing
