// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The operations of one history in the order in which a search meets them.

#include <understudy/testing/model_rules.hpp>
#include <understudy/testing/operation_history.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace understudy::testing {

/// What the search knows of an operation.
struct typed_span {
  operation_type type = 0;
  std::uint64_t called = 0;
  std::uint64_t returned = never; ///< `never` if it may as well not have taken effect
};

/// An operation that returned. It has a slot of its own while it is pending; slots are used again.
struct pending_operation {
  operation_type type = 0;
  std::uint64_t called = 0;
  std::uint64_t returned = 0;
  std::uint32_t slot = 0;
};

/// Operations of one type that never returned, in the order of their calls. They are all alike but
/// for when they may begin to have an effect, so the first ones are taken first, and of a group it
/// is enough to know how many were taken.
struct open_group {
  operation_type type = 0;
  std::uint32_t slot = 0; ///< of the first; the others follow
  std::vector<std::uint64_t> called = {};
};

/// All operations, and who is pending when one returns.
class operation_spans {
public:
  /// Stops where more than `memory_max` bytes would be needed.
  operation_spans(const std::vector<typed_span>& all, std::size_t type_count,
                  std::size_t memory_max) {
    calls_.resize(type_count);
    open_of_.assign(type_count, none);
    for (const auto& one : all)
      if (one.returned != never)
        returned_.push_back({one.type, one.called, one.returned, 0});
    std::ranges::sort(returned_, {}, &pending_operation::returned);
    fits_ = sweep(memory_max);
    for (const auto& one : returned_)
      calls_[one.type].push_back(one.called);
    for (auto& calls : calls_)
      std::ranges::sort(calls);
    group(all);
  }

  [[nodiscard]] bool fits() const { return fits_; }
  [[nodiscard]] std::size_t size() const { return returned_.size(); }

  /// The operation that returns as number `event`.
  [[nodiscard]] const pending_operation& at(std::size_t event) const { return returned_[event]; }

  /// The operations that are pending when number `event` returns, in the order in which they
  /// return; the first is that one itself.
  [[nodiscard]] std::span<const std::uint32_t> pending(std::size_t event) const {
    return std::span{pending_}.subspan(first_pending_[event],
                                       first_pending_[event + 1] - first_pending_[event]);
  }

  /// Those among them that were not pending at the return before.
  [[nodiscard]] std::span<const std::uint32_t> fresh(std::size_t event) const {
    return std::span{fresh_}.subspan(first_fresh_[event],
                                     first_fresh_[event + 1] - first_fresh_[event]);
  }

  /// Whether one that returns is called after `begin` and not after `end`.
  [[nodiscard]] bool called_within(operation_type t, std::uint64_t begin, std::uint64_t end) const {
    const auto next = std::ranges::upper_bound(calls_[t], begin);
    return next != calls_[t].end() && *next <= end;
  }

  [[nodiscard]] const std::vector<open_group>& open() const { return open_; }
  [[nodiscard]] const open_group* open_of(operation_type t) const {
    return open_of_[t] == none ? nullptr : &open_[open_of_[t]];
  }

  /// How many slots operations that return take, and how many all take.
  [[nodiscard]] std::uint32_t pending_slots() const { return pending_slots_; }
  [[nodiscard]] std::uint32_t slots() const { return slots_; }

private:
  /// Gives out slots, and notes who is pending at each return.
  bool sweep(std::size_t memory_max) {
    std::vector<std::uint32_t> by_call(returned_.size());
    for (std::uint32_t i = 0; i < by_call.size(); ++i)
      by_call[i] = i;
    std::ranges::sort(by_call, {}, [&](std::uint32_t i) { return returned_[i].called; });
    std::set<std::uint32_t> now;
    std::vector<std::uint32_t> idle;
    auto next = by_call.begin();
    first_pending_.push_back(0);
    first_fresh_.push_back(0);
    for (std::uint32_t event = 0; event < returned_.size(); ++event) {
      for (; next != by_call.end() && returned_[*next].called <= returned_[event].returned;
           ++next) {
        if (idle.empty())
          idle.push_back(pending_slots_++);
        returned_[*next].slot = idle.back();
        idle.pop_back();
        now.insert(*next);
        fresh_.push_back(*next);
      }
      pending_.insert(pending_.end(), now.begin(), now.end());
      first_pending_.push_back(pending_.size());
      first_fresh_.push_back(fresh_.size());
      now.erase(event);
      idle.push_back(returned_[event].slot);
      if (pending_.size() * sizeof pending_[0] > memory_max)
        return false;
    }
    return true;
  }

  void group(const std::vector<typed_span>& all) {
    slots_ = pending_slots_;
    std::map<operation_type, std::vector<std::uint64_t>> calls;
    for (const auto& one : all)
      if (one.returned == never)
        calls[one.type].push_back(one.called);
    for (auto& [type, called] : calls) {
      std::ranges::sort(called);
      open_of_[type] = open_.size();
      const auto first = slots_;
      slots_ += static_cast<std::uint32_t>(called.size());
      open_.push_back({type, first, std::move(called)});
    }
  }

  static constexpr std::size_t none = ~std::size_t{0};

  std::vector<pending_operation> returned_;
  std::vector<std::uint32_t> pending_;
  std::vector<std::size_t> first_pending_;
  std::vector<std::uint32_t> fresh_;
  std::vector<std::size_t> first_fresh_;
  std::vector<std::vector<std::uint64_t>> calls_;
  std::vector<open_group> open_;
  std::vector<std::size_t> open_of_;
  std::uint32_t pending_slots_ = 0;
  std::uint32_t slots_ = 0;
  bool fits_ = true;
};

} // namespace understudy::testing
