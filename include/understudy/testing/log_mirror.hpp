// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/assert.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/testing/history.hpp>
#include <understudy/testing/observation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace understudy::testing {

/// How a log differs from what it was at the last look.
struct log_change {
  log_index kept = {};    ///< up to here it is the same, or covered by a snapshot
  log_index before = {};  ///< its last index at the last look
  bool installed = false; ///< a snapshot took the place of what was there
  bool truncated = false; ///< entries above `kept` are gone
};

/// What entries count towards limits in bytes: all of them, and the commands among them.
struct log_weight {
  std::uint64_t all = 0;
  std::uint64_t commands = 0;

  friend log_weight operator-(const log_weight& a, const log_weight& b) {
    return {a.all - b.all, a.commands - b.commands};
  }
};

/// The checker's own copy of a node's log: what it looked like at the last look.
///
/// A look costs as much as has changed. It compares from the end down to the first entry that is
/// still the same; `verify` compares all of it, `verify_some` a few entries at a time.
class log_mirror {
public:
  [[nodiscard]] log_position base() const { return base_; }

  [[nodiscard]] log_position last() const {
    return empty() ? base_ : log_position{last_index(), slots_.back().term};
  }

  /// The chain up to `i`; none where the log has no such entry, or has forgotten it.
  [[nodiscard]] std::optional<std::uint64_t> chain(log_index i) const {
    if (i == base_.index)
      return base_chain_;
    if (i < base_.index || i > last_index())
      return std::nullopt;
    return slot_at(i).chain;
  }

  [[nodiscard]] std::optional<term_number> term(log_index i) const {
    if (i == base_.index)
      return base_.term;
    if (i < base_.index || i > last_index())
      return std::nullopt;
    return slot_at(i).term;
  }

  /// What the entries above `after` and up to `through` weigh; neither is below the base.
  [[nodiscard]] log_weight weight_between(log_index after, log_index through) const {
    return weight_through(through) - weight_through(after);
  }

  /// The configurations among the entries kept, oldest first.
  [[nodiscard]] const std::vector<placed_configuration>& configurations() const {
    return configurations_;
  }

  /// Takes over what the log looks like now, and returns what has changed.
  log_change look(member_id who, const log_view& now, history& past) {
    log_change change{.before = last_index()};
    move_base(who, now, past, change);
    auto same = std::min(last_index(), now.last().index);
    while (same > base_.index && !is_same(who, now.at(same), past))
      same = same.previous();
    change.kept = same;
    change.truncated = same < last_index();
    if (change.truncated)
      slots_.resize(covered_ + (same - base_.index));
    while (!configurations_.empty() && configurations_.back().index > same)
      configurations_.pop_back();
    for (auto i = same.next(); i <= now.last().index; ++i)
      append(who, now.at(i), i, past);
    return change;
  }

  /// Compares every entry with what it was when it was added.
  void verify(member_id who, const log_view& now, history& past) const {
    for (auto i = base_.index.next(); i <= last_index(); ++i)
      verify_one(who, now, i, past);
  }

  /// The same for `count` entries; those that follow are next.
  void verify_some(member_id who, const log_view& now, std::size_t count, history& past) {
    for (; count > 0 && !empty(); --count) {
      if (verified_ <= base_.index || verified_ > last_index())
        verified_ = base_.index.next();
      verify_one(who, now, verified_, past);
      ++verified_;
    }
  }

private:
  struct slot {
    term_number term;
    std::uint64_t chain;
    const payload* what;
    log_time stamp;
    log_weight weight; ///< of all up to here, counted from some base or other
  };

  [[nodiscard]] log_weight weight_through(log_index i) const {
    return i == base_.index ? base_weight_ : slot_at(i).weight;
  }

  [[nodiscard]] bool empty() const { return slots_.size() == covered_; }
  [[nodiscard]] log_index last_index() const { return base_.index + (slots_.size() - covered_); }
  [[nodiscard]] const slot& slot_at(log_index i) const {
    return slots_[covered_ + (i - base_.index.next())];
  }

  /// The first `count` entries are covered by a snapshot. Their slots go when they are the most: a
  /// vector that is looked at a hundred times for each entry is worth more than a deque.
  void cover(std::size_t count) {
    covered_ += count;
    if (2 * covered_ < slots_.size())
      return;
    slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(covered_));
    covered_ = 0;
  }

  void verify_one(member_id who, const log_view& now, log_index at, history& past) const {
    if (!is_same(who, now.at(at), past))
      throw invariant_violated{
          "I5", who, "entry " + std::to_string(at.value) + " has changed in the middle of the log"};
  }

  [[nodiscard]] bool is_same(member_id who, const entry& e, history& past) const {
    const auto& known = slot_at(e.index);
    if (known.term != e.term)
      return false;
    return (known.what == e.what.get() && known.stamp == e.stamp)
           || past.write(who, e, *chain(e.index.previous())) == known.chain;
  }

  void move_base(member_id who, const log_view& now, const history& past, log_change& change) {
    const auto to = now.base();
    if (to == base_)
      return;
    if (to.index <= base_.index)
      throw invariant_violated{"I13", who,
                               "the log's base went from " + std::to_string(base_.index.value)
                                   + " back to " + std::to_string(to.index.value)};
    if (const auto known = term(to.index); known && *known == to.term) {
      base_chain_ = *chain(to.index);
      base_weight_ = weight_through(to.index);
      cover(to.index - base_.index);
    } else {
      if (to.index > past.committed_through())
        throw invariant_violated{"I5", who,
                                 "a snapshot at " + history::text(to.index, to.term)
                                     + " covers what nobody has committed"};
      base_chain_ = past.committed_chain(to.index);
      slots_.clear();
      covered_ = 0;
      change.installed = true;
    }
    base_ = to;
    std::erase_if(configurations_, [&](const auto& c) { return c.index <= to.index; });
  }

  void append(member_id who, const entry& e, log_index i, history& past) {
    if (e.index != i)
      throw invariant_violated{"I5", who,
                               "entry " + std::to_string(e.index.value) + " stands at "
                                   + std::to_string(i.value)};
    if (e.term < last().term || (!empty() && e.stamp < slots_.back().stamp))
      throw invariant_violated{"I13", who,
                               "entry " + history::text(e.index, e.term)
                                   + " has an older term or stamp than the one before it"};
    const auto link = past.write(who, e, *chain(last_index()));
    auto weight = weight_through(last_index());
    weight.all += e.weight_bytes();
    weight.commands += e.as<command>() ? e.weight_bytes() : 0;
    slots_.push_back({e.term, link, e.what.get(), e.stamp, weight});
    if (const auto* members = e.as<configuration_ptr>())
      configurations_.push_back({e.index, *members});
  }

  log_position base_;
  std::uint64_t base_chain_ = 0;
  log_weight base_weight_;
  std::vector<slot> slots_;
  std::size_t covered_ = 0; ///< of the slots, by the base
  std::vector<placed_configuration> configurations_;
  log_index verified_; ///< where `verify_some` goes on
};

} // namespace understudy::testing
