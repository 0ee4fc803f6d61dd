// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Whom to pull from (S2).
///
/// Any raft member will do, and the leader has enough to do already: the others take turns, and the
/// leader is asked when nobody else can be. Only voters are sources, never another listener, so
/// that two listeners can not feed each other what neither has (M20). But who votes may have
/// changed since this node last heard: when all voters that it knows have failed, it asks the other
/// members of the roster as well, and whoever does not vote says so.
///
/// An application may say which are near (`puller_options::distance`); then the nearest of those
/// that answer take turns. The leader comes last all the same.

#include <understudy/core/configuration.hpp>
#include <understudy/listener/options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace understudy {

/// A source, and the earliest moment at which to ask it.
struct source_pick {
  member_id source = {};
  instant not_before = {};
};

/// Picks a source, and remembers which failed lately.
class source_choice {
public:
  source_choice(member_id self, puller_options options)
      : self_{self}, options_{std::move(options)} {}

  /// The voters of `known` are the sources from now on, both halves while it is joint; its other
  /// members are the last resort.
  void update(const configuration& known) {
    std::vector<source> next;
    const auto add = [&](member_id id, bool votes) {
      if (id == self_ || find(next, id))
        return;
      next.push_back(find(sources_, id) ? *find(sources_, id) : source{.id = id});
      next.back().votes = votes;
      next.back().gone = is_gone(id);
      next.back().distance = distance_of(known, id);
    };
    for (const auto* half : {&known.voters, &known.outgoing})
      for (const auto id : *half)
        add(id, true);
    for (const auto& m : known.members)
      add(m.id, false);
    if (leader_)
      add(leader_, false);
    sources_ = std::move(next);
  }

  /// Who leads, and so is asked last. It may be one that this node's roster does not have yet.
  /// `heard`: when it last gave a sign of life; one that came back is not gone any more.
  void leader_is(member_id leader, instant heard = {}) {
    leader_ = leader;
    if (!leader || leader == self_)
      return;
    const auto end = std::ranges::find(gone_, leader, &ended::id);
    if (end != gone_.end() && end->when < heard)
      gone_.erase(end);
    if (!find(sources_, leader))
      sources_.push_back({.id = leader, .votes = false});
    find(sources_, leader)->gone = is_gone(leader);
  }

  /// Whom to ask now; nothing if there is nobody to ask.
  ///
  /// The current source stays for its turn, and beyond that if it is to `stay` because it has sent
  /// half a snapshot: another source has another one. If all have failed lately it is the one whose
  /// failure is the oldest, but not at once: a group that is down is not hammered.
  [[nodiscard]] std::optional<source_pick> pick(instant now, bool stay = false) {
    if (sources_.empty())
      return std::nullopt;
    if (const auto* current = find(sources_, current_); current && current->can_help(now)) {
      const bool preferred = (current->votes && current_ != leader_) || !next_in_turn(now);
      if (stay || (now < turn_ends_ && preferred))
        return source_pick{current_, now};
    }
    const auto* next = next_in_turn(now);
    if (const auto* leader = find(sources_, leader_); !next && leader && leader->can_help(now))
      next = leader;
    if (!next)
      next = last_resort(now);
    if (next) {
      begin_turn(next->id, now);
      return source_pick{next->id, now};
    }
    const auto oldest
        = std::min_element(sources_.begin(), sources_.end(),
                           [](const source& a, const source& b) { return a.failed < b.failed; });
    const auto not_before = std::max(now, oldest->failed + options_.backoff_min);
    begin_turn(oldest->id, not_before);
    return source_pick{oldest->id, not_before};
  }

  /// `id` did not answer, was lost, or had nothing to give.
  void failed(member_id id, instant now) {
    auto* s = find(sources_, id);
    if (!s)
      return;
    const auto doubled = s->pause == interval{0} ? options_.backoff_min : s->pause * 2;
    s->pause = std::min(doubled, options_.backoff_max);
    s->failed = now;
    s->rests_until = now + s->pause;
  }

  /// The process of `id` has ended, as far as this node knows: it is asked when nobody else is
  /// left. The roster that has it may yet be on its way to this node.
  void gone(member_id id, instant now) {
    failed(id, now);
    std::erase_if(gone_, [&](const ended& e) { return e.id == id; });
    if (gone_.size() == gone_max)
      gone_.erase(gone_.begin());
    gone_.push_back({id, now});
    if (auto* s = find(sources_, id))
      s->gone = true;
  }

  /// `id` gave what was asked for.
  void succeeded(member_id id) {
    std::erase_if(gone_, [&](const ended& e) { return e.id == id; });
    if (auto* s = find(sources_, id))
      *s = source{.id = id, .votes = s->votes, .distance = s->distance};
  }

  [[nodiscard]] std::size_t size() const { return sources_.size(); }

private:
  struct source {
    member_id id = {};
    bool votes = true;          ///< as far as this node knows
    std::uint32_t distance = 0; ///< as the application sees it
    bool gone = false;          ///< its process has ended, as far as this node knows
    interval pause{0};          ///< after the failures so far; 0: none since it last answered
    instant failed = {};
    instant rests_until = {};

    [[nodiscard]] bool rested(instant now) const { return now >= rests_until; }
    [[nodiscard]] bool can_help(instant now) const { return !gone && rested(now); }
  };

  struct ended {
    member_id id;
    instant when;
  };

  static constexpr std::size_t gone_max = 1'024;

  [[nodiscard]] bool is_gone(member_id id) const {
    return std::ranges::find(gone_, id, &ended::id) != gone_.end();
  }

  template <class Sources>
  [[nodiscard]] static auto find(Sources& in, member_id id) -> decltype(in.data()) {
    const auto place = std::find_if(in.begin(), in.end(), [&](auto& s) { return s.id == id; });
    return place == in.end() ? nullptr : &*place;
  }

  /// The first voter after the current one that rests no more and does not lead, among the nearest
  /// of these; null if none.
  [[nodiscard]] const source* next_in_turn(instant now) const {
    const auto start = place_after_current();
    const source* best = nullptr;
    for (std::size_t step = 0; step < sources_.size(); ++step) {
      const auto& s = sources_[(start + step) % sources_.size()];
      if (s.votes && s.id != leader_ && s.can_help(now) && (!best || s.distance < best->distance))
        best = &s;
    }
    return best;
  }

  [[nodiscard]] std::uint32_t distance_of(const configuration& known, member_id id) const {
    const auto who = std::ranges::find(known.members, id, &member::id);
    if (!options_.distance || who == known.members.end())
      return 0;
    try {
      return options_.distance(*who);
    } catch (...) {
      return std::numeric_limits<std::uint32_t>::max();
    }
  }

  /// A member that did not vote when this node last heard, or one that seemed to be gone; null if
  /// all rest. They take turns as well: some may have come back.
  [[nodiscard]] const source* last_resort(instant now) const {
    for (const bool gone : {false, true}) {
      const source* longest_ago = nullptr;
      for (const auto& s : sources_)
        if (s.gone == gone && (gone || !s.votes) && s.rested(now)
            && (!longest_ago || s.failed < longest_ago->failed))
          longest_ago = &s;
      if (longest_ago)
        return longest_ago;
    }
    return nullptr;
  }

  /// Where the search begins. The own id, drawn at random, spreads listeners over the sources.
  [[nodiscard]] std::size_t place_after_current() const {
    const auto* current = find(sources_, current_);
    return current ? static_cast<std::size_t>(current - sources_.data()) + 1
                   : static_cast<std::size_t>(self_.value % sources_.size());
  }

  void begin_turn(member_id id, instant now) {
    current_ = id;
    turn_ends_ = now + options_.turn;
  }

  member_id self_;
  puller_options options_;
  std::vector<source> sources_;
  std::vector<ended> gone_ = {}; ///< also some that are in no roster yet; the newest of them
  member_id leader_ = {};
  member_id current_ = {};
  instant turn_ends_ = {};
};

} // namespace understudy
