// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What can happen next in a configuration, and what follows from it.

#include <understudy/testing/model_rules.hpp>
#include <understudy/testing/operation_spans.hpp>
#include <understudy/testing/search_configuration.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

namespace understudy::testing {

/// The moves of one search. `rules` are closed.
template <model_rules R> class search_moves {
public:
  using words = std::vector<std::uint64_t>; ///< a configuration

  search_moves(R& rules, const operation_spans& spans)
      : rules_{rules}, spans_{spans}, layout_{spans.slots(), spans.pending_slots()},
        scratch_(layout_.size(), 0), marks_(rules.type_count(), 0) {
    for (const auto& g : spans_.open())
      if (is_useful(g))
        open_.push_back(&g);
  }

  [[nodiscard]] std::size_t width() const { return layout_.size(); }
  [[nodiscard]] static std::size_t event_of(const words& w) { return w[1] >> 2; }

  /// The first operation to return that nothing explains which was ever called, in no order; beyond
  /// the last if there is none.
  [[nodiscard]] std::size_t first_impossible() {
    std::vector<std::uint64_t> first_call(rules_.type_count(), never);
    const auto note = [&](operation_type t, std::uint64_t called) {
      first_call[t] = std::min(first_call[t], called);
    };
    for (std::size_t i = 0; i < spans_.size(); ++i)
      note(spans_.at(i).type, spans_.at(i).called);
    for (const auto& group : spans_.open())
      note(group.type, group.called.front());
    std::size_t event = 0;
    for (; event < spans_.size(); ++event) {
      const auto& one = spans_.at(event);
      if (!is_blind(one.type) && !rules_.leads(rules_.initial(), one.type)
          && std::ranges::none_of(rules_.restarts(one.type),
                                  [&](operation_type t) { return first_call[t] <= one.returned; }))
        break;
    }
    return event;
  }

  /// Begins before the first return. `meet` is called with the configuration at the first return
  /// that leaves a choice, or at the end.
  template <class Meet> void begin(Meet meet) {
    std::ranges::fill(scratch_, 0);
    auto now = view(scratch_);
    now.set_state(rules_.initial());
    enter(now, 0);
    if (arrive(now))
      meet(scratch_);
  }

  /// Begins before return number `event` in a state, as if nothing that is pending were owed and
  /// nothing that is open were taken: there is no way to come there that leaves more open.
  template <class Meet> void begin_at(std::size_t event, model_state s, Meet meet) {
    std::ranges::fill(scratch_, 0);
    auto now = view(scratch_);
    now.set_state(s);
    now.set_event(event);
    if (arrive(now))
      meet(scratch_);
  }

  /// Makes each move that a configuration has. `meet` is called with what each leads to, the best
  /// one last.
  template <class Meet> void expand(words& current, Meet meet) {
    moves_.clear();
    list_moves(view(current));
    for (auto m = moves_.rbegin(); m != moves_.rend(); ++m) {
      scratch_ = current;
      auto now = view(scratch_);
      perform(now, *m);
      if (arrive(now))
        meet(scratch_);
    }
  }

private:
  /// What is tried next: nothing (the return is free to happen), an operation that returns, by its
  /// number, or one of a group of open ones, by the number of the group.
  struct move {
    enum class kind : std::uint8_t { pass, pending, open };
    kind what = kind::pass;
    std::uint32_t number = 0;
  };

  configuration_view view(words& of) const { return {of.data(), layout_}; }

  [[nodiscard]] influence influence_of(operation_type t) const { return rules_.influence_of(t); }
  [[nodiscard]] bool observes(operation_type t) const {
    return influence_of(t) == influence::observes;
  }
  [[nodiscard]] bool overwrites(operation_type t) const {
    return influence_of(t) == influence::overwrites;
  }
  /// Whether it happens in any state.
  [[nodiscard]] bool is_blind(operation_type t) const {
    return overwrites(t) || influence_of(t) == influence::adds;
  }

  /// An open write whose value nobody looks for can as well not have happened.
  [[nodiscard]] bool is_useful(const open_group& g) {
    if (!overwrites(g.type))
      return !observes(g.type);
    const auto result = rules_.step(rules_.initial(), g.type);
    return result && !rules_.spent(*result);
  }

  // -- moves -------------------------------------------------------------------------------------

  void list_moves(const configuration_view& now) {
    const auto event = now.event();
    const auto& returning = spans_.at(event);
    ++mark_;
    for (const auto i : spans_.pending(event)) {
      const auto& one = spans_.at(i);
      if (now.taken(one.slot) || observes(one.type) || marks_[one.type] == mark_)
        continue;
      // One that is free does not stand for one that is owed and returns later.
      const bool owed = now.owed(one.slot);
      if (!owed && is_listed(one.type, moves_.size()))
        continue;
      if (owed)
        marks_[one.type] = mark_;
      if (i == event && !owed && !now.chained())
        moves_.push_back({move::kind::pass, i});
      if (is_worth(now, one.type, i == event ? taken_as::due : taken_as::early))
        moves_.push_back({move::kind::pending, i});
    }
    const auto pending_end = moves_.size();
    for (std::uint32_t g = 0; g < open_.size(); ++g) {
      const auto& group = *open_[g];
      if (marks_[group.type] == mark_ || is_listed(group.type, pending_end))
        continue;
      const auto next = now.taken_of(group.slot, group.called.size());
      if (next < group.called.size() && group.called[next] <= returning.returned
          && is_worth(now, group.type, taken_as::open))
        moves_.push_back({move::kind::open, g});
    }
    put_best_first(now);
  }

  /// Whether an operation of this type is among the first moves.
  [[nodiscard]] bool is_listed(operation_type t, std::size_t end) const {
    for (std::size_t m = 0; m < end; ++m)
      if (moves_[m].what == move::kind::pending && spans_.at(moves_[m].number).type == t)
        return true;
    return false;
  }

  enum class taken_as : std::uint8_t { due, early, open };

  /// Whether taking an operation of this type now can lead to anything that leaving it can not.
  [[nodiscard]] bool is_worth(const configuration_view& now, operation_type t, taken_as how) {
    if (now.unobserved() && overwrites(t))
      return false;
    const auto next = rules_.step(now.state(), t);
    if (!next)
      return false;
    if (how == taken_as::open)
      return (*next != now.state() || overwrites(t)) && !rules_.spent(*next);
    return how == taken_as::due || !is_blind(t) || !rules_.spent(*next);
  }

  /// What explains the operation that returns comes first; and it may pass before it is taken if
  /// what comes next needs the state as it is.
  void put_best_first(const configuration_view& now) {
    const auto& returning = spans_.at(now.event());
    if (moves_.size() < 2)
      return;
    const auto begin = moves_.begin();
    if (begin->what == move::kind::pass) {
      const auto* const next = next_seeker(now);
      if ((next == nullptr || !rules_.leads(now.state(), next->type))
          && std::next(begin)->what == move::kind::pending
          && std::next(begin)->number == begin->number)
        std::iter_swap(begin, std::next(begin));
      return;
    }
    std::stable_partition(begin, moves_.end(), [&](const move& m) {
      const auto t = type_of(m);
      if (m.what == move::kind::pending && m.number == now.event())
        return true;
      const auto next = rules_.step(now.state(), t);
      return next
             && (observes(returning.type)
                     ? rules_.holds(*next, returning.type)
                     : !is_blind(returning.type) && rules_.step(*next, returning.type).has_value());
    });
  }

  [[nodiscard]] operation_type type_of(const move& m) const {
    return m.what == move::kind::open ? open_[m.number]->type : spans_.at(m.number).type;
  }

  void perform(configuration_view& now, const move& m) {
    const auto event = now.event();
    if (m.what == move::kind::pass)
      return enter_next(now);
    const auto t = type_of(m);
    const bool is_open = m.what == move::kind::open;
    if (is_open) {
      const auto& group = *open_[m.number];
      const auto next = now.taken_of(group.slot, group.called.size());
      now.take(group.slot + static_cast<std::uint32_t>(next));
    } else {
      now.take(spans_.at(m.number).slot);
      now.free(spans_.at(m.number).slot);
    }
    now.set_state(*rules_.step(now.state(), t));
    if (overwrites(t))
      for (const auto i : spans_.pending(event))
        if (is_blind(spans_.at(i).type))
          now.free(spans_.at(i).slot);
    if (!is_open && m.number == event) {
      absorb(now);
      return enter_next(now);
    }
    now.set_chained();
    now.set_unobserved(is_open || is_blind(t));
  }

  // -- where a move leads ------------------------------------------------------------------------

  void enter_next(configuration_view& now) {
    const auto event = now.event();
    now.clear(spans_.at(event).slot);
    enter(now, event + 1);
  }

  void enter(configuration_view& now, std::size_t event) {
    now.set_event(event);
    if (event < spans_.size())
      for (const auto i : spans_.fresh(event))
        now.owe(spans_.at(i).slot);
  }

  /// Takes what the state explains. Those that observe are freed, which is all they need.
  bool absorb(configuration_view& now) {
    bool any = false;
    for (const auto i : spans_.pending(now.event())) {
      const auto& one = spans_.at(i);
      if (now.owed(one.slot) && observes(one.type) && rules_.holds(now.state(), one.type)) {
        now.free(one.slot);
        any = true;
      }
    }
    return any;
  }

  /// Goes on to the next return that leaves a choice. False if there can be no way on.
  bool arrive(configuration_view& now) {
    for (; now.event() < spans_.size(); enter_next(now)) {
      if (absorb(now))
        now.set_unobserved(false);
      const auto& returning = spans_.at(now.event());
      if (!now.taken(returning.slot) && (now.owed(returning.slot) || !observes(returning.type)))
        break;
    }
    return now.event() == spans_.size()
           || ((!now.unobserved() || may_be_observed(now)) && !is_hopeless(now));
  }

  /// Whether anything can happen next that is not a mere overwriting.
  [[nodiscard]] bool may_be_observed(const configuration_view& now) {
    const auto event = now.event();
    const auto fits = [&](operation_type t) {
      return !observes(t) && !overwrites(t) && rules_.step(now.state(), t).has_value();
    };
    for (const auto i : spans_.pending(event))
      if (!now.taken(spans_.at(i).slot) && fits(spans_.at(i).type))
        return true;
    for (const auto* const group : open_)
      if (group->called.front() <= spans_.at(event).returned && fits(group->type)
          && now.taken_of(group->slot, group->called.size()) < group->called.size())
        return true;
    return false;
  }

  // -- what is to come ---------------------------------------------------------------------------

  /// Whether it needs a certain state, and is still to have it.
  [[nodiscard]] bool seeks(const configuration_view& now, std::uint32_t i) const {
    const auto& one = spans_.at(i);
    if (is_blind(one.type))
      return false;
    return one.called > spans_.at(now.event()).returned || now.owed(one.slot);
  }

  /// The next operation to return that needs a certain state.
  [[nodiscard]] const pending_operation* next_seeker(const configuration_view& now) const {
    const auto end = std::min(spans_.size(), now.event() + events_ahead);
    for (auto i = now.event(); i < end; ++i)
      if (seeks(now, static_cast<std::uint32_t>(i)))
        return &spans_.at(i);
    return nullptr;
  }

  /// Whether some operation that must return can not be explained any more.
  [[nodiscard]] bool is_hopeless(const configuration_view& now) {
    ++mark_;
    const auto event = now.event();
    for (const auto i : spans_.pending(event))
      if (!now.taken(spans_.at(i).slot))
        marks_[spans_.at(i).type] = mark_;
    for (const auto i : spans_.pending(event))
      if (seeks(now, i) && !is_possible(now, spans_.at(i)))
        return true;
    int left = seekers_ahead;
    const auto end = std::min(spans_.size(), event + events_ahead);
    for (auto i = event + 1; i < end && left > 0; ++i) {
      const auto& one = spans_.at(i);
      if (one.called <= spans_.at(event).returned || is_blind(one.type))
        continue;
      if (!is_possible(now, one))
        return true;
      --left;
    }
    return false;
  }

  [[nodiscard]] bool is_possible(const configuration_view& now, const pending_operation& one) {
    if (rules_.leads(now.state(), one.type))
      return true;
    const auto time = spans_.at(now.event()).returned;
    return std::ranges::any_of(rules_.restarts(one.type), [&](operation_type t) {
      if (marks_[t] == mark_ || spans_.called_within(t, time, one.returned))
        return true;
      const auto* const group = spans_.open_of(t);
      if (group == nullptr)
        return false;
      const auto next = now.taken_of(group->slot, group->called.size());
      return next < group->called.size() && group->called[next] <= one.returned;
    });
  }

  static constexpr std::size_t events_ahead = 64;
  static constexpr int seekers_ahead = 4;

  R& rules_;
  const operation_spans& spans_;
  configuration_layout layout_;
  words scratch_;
  std::vector<const open_group*> open_; ///< those that may be of use
  std::vector<std::uint64_t> marks_;    ///< of each type; equal to `mark_` if it is marked
  std::uint64_t mark_ = 0;
  std::vector<move> moves_;
};

} // namespace understudy::testing
