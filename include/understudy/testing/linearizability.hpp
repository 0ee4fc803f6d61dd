// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Whether what clients were told can be explained by one object that did one thing at a time.
///
/// \code
/// operation_recorder<cas_register> recorder; // or what read_history() found in a file
/// ...
/// const auto judged = check_linearizable(cas_register{}, recorder.history());
/// if (judged.found == linearity::not_linearizable)
///   report(recorder.history()[*judged.culprit]);
/// \endcode
///
/// A history is linearizable if each operation can be given a moment between its call and its
/// return at which it took effect at once, so that all answers follow from the order of these
/// moments. Operations under different keys are checked apart, which decides the same (Herlihy and
/// Wing: linearizability is local).

#include <understudy/testing/linearization_search.hpp>
#include <understudy/testing/model_rules.hpp>
#include <understudy/testing/operation_history.hpp>
#include <understudy/testing/operation_spans.hpp>
#include <understudy/testing/search_limits.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing {

/// What a check found.
struct linearizability {
  linearity found = linearity::linearizable;
  /// Where in the history the first operation stands whose return can not be explained: up to the
  /// moment before it the history is linearizable, and with it, it is not. After a limit was
  /// reached on the way to it, an operation by whose return it certainly is not any more.
  std::optional<std::size_t> culprit = std::nullopt;
  std::uint64_t configurations = 0; ///< how many were looked at
};

namespace detail {

/// The operations of one object.
template <history_model Model> class object_history {
public:
  object_history(const Model& model, const history_of<Model>& all, const search_limits& limits,
                 search_cost& cost)
      : model_{model}, all_{all}, limits_{limits}, cost_{cost} {}

  void add(std::size_t place) {
    places_.push_back(place);
    if (all_[place].ended == operation_end::succeeded)
      returns_.push_back(all_[place].returned);
  }

  /// All operations are known.
  void close() { std::ranges::sort(returns_); }

  /// How many of its operations return before `end`.
  [[nodiscard]] std::size_t returns_before(std::uint64_t end) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(returns_, end) - returns_.begin());
  }

  [[nodiscard]] std::uint64_t return_of(std::size_t number) const { return returns_[number]; }

  /// What is to be said of the history up to the moment at which `count` operations have returned.
  [[nodiscard]] linearity judge(std::size_t count) {
    if (count == 0)
      return linearity::linearizable;
    const auto end = returns_[count - 1];
    auto rules = model_.start();
    std::vector<typed_span> spans;
    for (const auto place : places_) {
      const auto& one = all_[place];
      if (one.ended == operation_end::failed || one.called > end)
        continue;
      const bool known = one.ended == operation_end::succeeded && one.returned <= end;
      const auto type = rules.classify(one.call, known && one.reply ? &*one.reply : nullptr, known);
      if (type)
        spans.push_back({*type, one.called, known ? one.returned : never});
    }
    rules.close();
    const operation_spans ordered{spans, rules.type_count(), limits_.memory_max};
    linearization_search search{rules, ordered, limits_, cost_};
    const auto found = search.run();
    if (found == linearity::not_linearizable) {
      explained_ = returns_before(ordered.at(search.furthest()).returned);
      refuted_ = returns_before(ordered.at(search.refuted()).returned + 1);
    }
    return found;
  }

  /// Of a history that is not linearizable with `bad` returns: the least number with which it is
  /// not, as far as the limits allow to say.
  [[nodiscard]] std::size_t first_bad(std::size_t bad) {
    auto good = explained_;
    // Mostly it is this one. Not always: of what has not returned yet the answer is not known, and
    // so it may do what it turns out not to have done.
    if (const auto hint = refuted_; hint < bad && judge(hint) == linearity::not_linearizable)
      bad = hint;
    if (const auto before = judge(bad - 1); before != linearity::not_linearizable)
      return bad;
    --bad;
    // It is mostly close to where the search gave up.
    for (std::size_t step = 1; good + step < bad; step *= 2) {
      const auto found = judge(good + step);
      if (found == linearity::unknown)
        break;
      if (found == linearity::not_linearizable)
        bad = good + step;
      else
        good += step;
    }
    while (good + 1 < bad) {
      const auto middle = good + (bad - good) / 2;
      const auto found = judge(middle);
      if (found == linearity::unknown)
        return bad;
      (found == linearity::linearizable ? good : bad) = middle;
    }
    return bad;
  }

private:
  const Model& model_;
  const history_of<Model>& all_;
  const search_limits& limits_;
  search_cost& cost_;
  std::vector<std::size_t> places_;
  std::vector<std::uint64_t> returns_;
  // Of the last search that found no order: with so many returns there is one, or there is none.
  std::size_t explained_ = 0;
  std::size_t refuted_ = 0;
};

} // namespace detail

/// Whether the model explains the history. The limits are those of the whole check.
template <history_model Model>
[[nodiscard]] linearizability check_linearizable(const Model& model,
                                                 const history_of<Model>& history,
                                                 const search_limits& limits = {}) {
  search_cost cost;
  std::map<std::string, detail::object_history<Model>> objects;
  for (std::size_t i = 0; i < history.size(); ++i)
    objects.try_emplace(history[i].key, model, history, limits, cost).first->second.add(i);

  linearizability result;
  // What comes after the first return that can not be explained says nothing more.
  auto end = never;
  for (auto& [key, object] : objects) {
    object.close();
    const auto count = object.returns_before(end);
    const auto found = object.judge(count);
    if (found == linearity::not_linearizable) {
      result.found = found;
      end = object.return_of(object.first_bad(count) - 1);
    } else if (found == linearity::unknown && result.found == linearity::linearizable) {
      result.found = found;
    }
  }
  if (result.found == linearity::not_linearizable)
    for (std::size_t i = 0; i < history.size(); ++i)
      if (history[i].ended == operation_end::succeeded && history[i].returned == end)
        result.culprit = i;
  result.configurations = cost.configurations;
  return result;
}

} // namespace understudy::testing
