// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Looks for an order of the operations of one object that explains all answers.
///
/// The search is that of Wing and Gong with the improvements of Lowe ("Testing for
/// linearizability", 2017): operations are put in order only when one of them returns and has to
/// be in it, and no configuration is looked at twice. What makes long histories of many clients
/// cheap comes on top, and rests on what the rules say of the operations (model_rules.hpp):
///
/// - One that observes changes nothing, so it is taken as soon as the state explains it: later is
///   never better.
/// - Whatever happens in any state can be put right before something that overwrites it. There is
///   no need to say for each whether it was: it is free from then on.
/// - Of pending operations of one type, the one that returns first is taken first. So it does not
///   matter how many crashed writes of one value are open, and one is only ever taken when
///   something is there to see what it does.
/// - A configuration is given up as soon as an operation that is to return soon finds neither a
///   state that leads to its answer nor anything that could still make one.
/// - Nor is one looked at if another one, at the same return and in the same state, can do all that
///   it can.
/// - A history with a fault has it somewhere. Where the search does not get on, it looks at a few
///   returns alone, beginning in every state there is: if nothing explains those, nothing explains
///   the history.

#include <understudy/testing/model_rules.hpp>
#include <understudy/testing/operation_spans.hpp>
#include <understudy/testing/search_frontier.hpp>
#include <understudy/testing/search_limits.hpp>
#include <understudy/testing/search_moves.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace understudy::testing {

/// Whether there is such an order.
enum class linearity : std::uint8_t {
  linearizable,
  not_linearizable,
  unknown, ///< a limit was reached before it was found or ruled out
};

/// What the searches of one check have cost.
struct search_cost {
  std::uint64_t configurations = 0;
};

/// One search. `rules` are closed.
template <model_rules R> class linearization_search {
public:
  linearization_search(R& rules, const operation_spans& spans, const search_limits& limits,
                       search_cost& cost)
      : rules_{rules}, spans_{spans}, limits_{limits}, cost_{cost}, moves_{rules, spans},
        current_(moves_.width(), 0) {}

  [[nodiscard]] linearity run() {
    if (!spans_.fits())
      return linearity::unknown;
    if (const auto impossible = moves_.first_impossible(); impossible < spans_.size()) {
      refuted_ = impossible;
      return linearity::not_linearizable;
    }
    search_frontier frontier{spans_.size(), moves_.width()};
    bool explained = false;
    const auto meet = [&](const auto& words) { explained |= !keep(frontier, words); };
    moves_.begin(meet);
    auto patience = limits_.patience;
    auto reach = limits_.reach;
    for (std::uint64_t idle = 0; !explained;) {
      if (is_too_much(frontier))
        return linearity::unknown;
      if (!frontier.take_furthest(current_)) {
        refuted_ = never_refuted;
        return linearity::not_linearizable;
      }
      const auto furthest = furthest_;
      moves_.expand(current_, meet);
      idle = furthest_ > furthest ? 0 : idle + 1;
      if (idle < patience)
        continue;
      if (reach > furthest_)
        return run_thoroughly(frontier);
      if (rules_.can_begin_anywhere())
        if (run_apart(furthest_ - reach, patience * apart_factor) == linearity::not_linearizable)
          return linearity::not_linearizable;
      idle = 0;
      patience *= 2;
      reach *= 2;
    }
    return linearity::linearizable;
  }

  /// All that return before this one can be explained together: some configuration came here.
  [[nodiscard]] std::size_t furthest() const { return furthest_; }

  /// After `not_linearizable`: so it is up to this return already, whatever comes after.
  [[nodiscard]] std::size_t refuted() const { return std::min(refuted_, spans_.size() - 1); }

private:
  /// False if it is at the end.
  bool keep(search_frontier& frontier, const std::vector<std::uint64_t>& words) {
    const auto event = moves_.event_of(words);
    furthest_ = std::max(furthest_, event);
    if (event < spans_.size())
      frontier.add(event, words);
    return event < spans_.size();
  }

  /// Goes on with a search that does not get far, return by return. Of the ways to look at all that
  /// there is, this needs the fewest configurations, and remembers only those of a few returns.
  linearity run_thoroughly(search_frontier& frontier) {
    refuted_ = never_refuted;
    bool explained = false;
    const auto meet = [&](const auto& words) { explained |= !keep(frontier, words); };
    // Those that were looked at before lead nowhere that has not been met.
    while (!explained) {
      if (is_too_much(frontier))
        return linearity::unknown;
      if (!frontier.take_nearest(current_))
        return linearity::not_linearizable;
      moves_.expand(current_, meet);
    }
    return linearity::linearizable;
  }

  /// Looks at the returns from `first` on to a little after the furthest that was reached, with no
  /// regard to what came before. `not_linearizable` if nothing explains them, and so nothing
  /// explains the whole; anything else says nothing of it. It is given up after `cost_max`.
  linearity run_apart(std::size_t first, std::uint64_t cost_max) {
    search_frontier frontier{spans_.size(), moves_.width()};
    const auto end = std::min(spans_.size(), furthest_ + 2 * limits_.reach);
    refuted_ = end;
    bool explained = false;
    const auto meet = [&](const auto& words) {
      if (moves_.event_of(words) >= end)
        explained = true;
      else
        frontier.add(moves_.event_of(words), words);
    };
    rules_.for_each_state([&](model_state s) { moves_.begin_at(first, s, meet); });
    std::uint64_t looked_at = 0;
    while (!explained) {
      if (is_too_much(frontier)
          || ++looked_at + frontier.comparisons() / comparisons_each > cost_max)
        return linearity::unknown;
      if (!frontier.take_nearest(current_))
        return linearity::not_linearizable;
      moves_.expand(current_, meet);
    }
    return linearity::linearizable;
  }

  [[nodiscard]] bool is_too_much(const search_frontier& frontier) {
    ++cost_.configurations;
    return cost_.configurations + frontier.comparisons() / comparisons_each
               >= limits_.configurations_max
           || frontier.memory() + rules_.memory() > limits_.memory_max;
  }

  static constexpr std::size_t never_refuted = ~std::size_t{0};
  static constexpr std::uint64_t apart_factor = 16;
  static constexpr std::uint64_t comparisons_each = 64; ///< take as long as a configuration

  R& rules_;
  const operation_spans& spans_;
  const search_limits& limits_;
  search_cost& cost_;
  search_moves<R> moves_;
  std::vector<std::uint64_t> current_; ///< the configuration that is looked at
  std::size_t furthest_ = 0;
  std::size_t refuted_ = never_refuted;
};

} // namespace understudy::testing
