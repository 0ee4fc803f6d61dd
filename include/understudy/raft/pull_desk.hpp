// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The source's side of a pull (S2): any member of the raft group hands out what is committed.
///
/// A question waits here until there is something to send or its time is up, so listeners trail by
/// about a round trip and an idle cluster costs almost nothing. Only committed entries are handed
/// out, as a gapless chain behind the place asked for (M19); a pull carries no authority: it is
/// neither heartbeat nor vote.

#include <understudy/core/messages.hpp>
#include <understudy/raft/core_state.hpp>
#include <understudy/roster/roster.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace understudy {

/// Who leads, as this node can tell a puller.
struct known_leader {
  /// How silent a leader is of whom this node has only been told.
  static constexpr interval hearsay = std::chrono::hours{1};

  member_id id = {};
  interval silent{0};
};

/// Holds pullers' questions, and remembers where each puller stands.
class pull_desk {
public:
  /// When a puller was last here, and up to where it has stored everything.
  struct visit {
    log_position stored = {};
    instant at = {};
    bool link_lost = false;
    std::shared_ptr<const snapshot> image = nullptr; ///< being sent to it; goes on to its end
  };

  /// Takes a question. A newer one of the same puller replaces the older.
  ///
  /// Where too many wait already, one more is answered at once or sent elsewhere: only the waiting
  /// is limited, so nobody who lacks something goes without it.
  void ask(member_id from, const pull_request& what, const core_state& state, known_leader leader,
           instant now, outbox& out) {
    if (visits_.contains(from) || visits_.size() < state.options.pullers_max) {
      auto& seen = visits_[from];
      seen.stored = what.from;
      seen.at = now;
      seen.link_lost = false;
    }
    if (questions_.contains(from) || questions_.size() < state.options.pullers_max)
      questions_[from] = {what, now + std::min(what.wait, state.options.election_timeout_min)};
    else
      reply(from, what.ask,
            find_answer(from, what, state, false)
                .value_or(pull_reply{.verdict = pull_verdict::refused}),
            state, leader, out);
  }

  /// Answers every question that can be answered, or whose time is up.
  void serve(const core_state& state, known_leader leader, instant now, outbox& out) {
    for (auto q = questions_.begin(); q != questions_.end();) {
      auto answer = find_answer(q->first, q->second.what, state, now >= q->second.until);
      if (!answer) {
        ++q;
        continue;
      }
      reply(q->first, q->second.what.ask, std::move(*answer), state, leader, out);
      q = questions_.erase(q);
    }
  }

  /// The leader gives a sign to the members that have not pulled for a while. One that was away for
  /// long may know only voters that are gone; from this it learns whom to ask. And what is
  /// committed: those whom it asks may be as far behind as itself, or its data pass for fresh.
  void remind_absent(const core_state& state, instant now, outbox& out) {
    if (now < next_reminder_ || !state.newest().content)
      return;
    next_reminder_ = now + state.options.election_timeout_max;
    for (const auto& m : state.newest().content->members) {
      const auto* seen = find(m.id);
      const bool here = seen && now - seen->at <= state.options.election_timeout_max;
      if (m.id != state.self && !here && !has_vote(*state.newest().content, m.id))
        out.send(m.id, append_entries{.term = state.term(),
                                      .previous = state.log.last(),
                                      .commit = state.commit()});
    }
  }

  void lost(member_id who) {
    questions_.erase(who);
    if (const auto v = visits_.find(who); v != visits_.end())
      v->second.link_lost = true;
  }

  [[nodiscard]] const visit* find(member_id who) const {
    const auto found = visits_.find(who);
    return found == visits_.end() ? nullptr : &found->second;
  }

  /// Questions that wait, and pullers that are remembered; neither exceeds `pullers_max`.
  [[nodiscard]] std::size_t waiting() const { return questions_.size(); }
  [[nodiscard]] std::size_t remembered() const { return visits_.size(); }

  /// The lowest index that a puller who was here within `window` still has to be sent from. Those
  /// who stayed away for longer are forgotten: they do not hold up compaction (M17).
  [[nodiscard]] log_index needed_from(log_index otherwise, instant now, interval window) {
    std::erase_if(visits_, [&](const auto& v) { return now - v.second.at > window; });
    for (const auto& [who, v] : visits_)
      otherwise = std::min(otherwise,
                           v.image ? std::max(v.stored.index, v.image->at.index) : v.stored.index);
    return otherwise;
  }

  [[nodiscard]] instant deadline() const {
    auto soonest = instant::max();
    for (const auto& [who, q] : questions_)
      soonest = std::min(soonest, q.until);
    return soonest;
  }

private:
  struct question {
    pull_request what;
    instant until;
  };

  static void reply(member_id to, generation ask, pull_reply answer, const core_state& state,
                    known_leader leader, outbox& out) {
    answer.ask = ask;
    answer.commit = state.commit();
    answer.term = state.term();
    answer.leader = leader.id;
    answer.leader_silent = leader.silent;
    out.send(to, std::move(answer));
  }

  std::optional<pull_reply> find_answer(member_id from, const pull_request& asked,
                                        const core_state& state, bool time_is_up) {
    const auto& known = state.newest();
    if (!known.content || !state.is_voter()
        || (asked.cluster && asked.cluster != known.content->cluster))
      return pull_reply{.verdict = pull_verdict::refused};
    if (asked.from.index < state.log.base().index)
      return with_chunk(from, asked, state);
    if (asked.from.index > state.commit())
      return time_is_up ? std::optional{pull_reply{.verdict = pull_verdict::behind}} : std::nullopt;
    if (!state.agrees_at(asked.from))
      return pull_reply{.verdict = pull_verdict::diverged};
    if (asked.from.index == state.commit() && !time_is_up)
      return std::nullopt;
    if (const auto v = visits_.find(from); v != visits_.end())
      v->second.image.reset();
    return pull_reply{.previous = asked.from,
                      .entries = state.log.slice(
                          asked.from.index.next(), state.commit(), state.options.window_entries,
                          std::min<std::size_t>(asked.bytes_max, state.options.append_bytes_max))};
  }

  /// What was asked for is compacted: a piece of the snapshot that covers it. One that is half sent
  /// is sent to its end, however many newer ones were taken meanwhile: a puller that is slower than
  /// they come would never have a whole one (N7).
  pull_reply with_chunk(member_id from, const pull_request& asked, const core_state& state) {
    UNDERSTUDY_ASSERT(state.image, "a log is compacted only behind a snapshot");
    auto image = state.image;
    if (const auto v = visits_.find(from); v != visits_.end()) {
      const auto& held = v->second.image;
      if (held && asked.resume == held->key() && held->at.index >= state.log.base().index)
        image = held;
      v->second.image = image;
    }
    const bool resumes = asked.resume == image->key();
    return {.verdict = pull_verdict::snapshot,
            .chunk
            = chunk_of(*image, resumes ? asked.received : 0,
                       std::min<std::size_t>(asked.bytes_max, state.options.snapshot_chunk_bytes))};
  }

  std::map<member_id, question> questions_;
  std::map<member_id, visit> visits_;
  instant next_reminder_ = {};
};

} // namespace understudy
