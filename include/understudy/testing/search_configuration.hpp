// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How far a search has come.

#include <understudy/testing/model_rules.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace understudy::testing {

/// The parts of a configuration: the state, the return that comes next, and for each slot whether
/// its operation was taken and whether it is owed.
///
/// An operation that was taken is part of the order already. One that is owed must be, before it
/// returns. One that is neither and is pending is free: there was a place in the order for it,
/// right before something that overwrote what it did, but it may still be taken for its effect.
struct configuration_layout {
  std::size_t taken_words = 0;
  std::size_t owed_words = 0;

  configuration_layout(std::size_t slots, std::size_t pending_slots)
      : taken_words{(slots + 63) / 64}, owed_words{(pending_slots + 63) / 64} {}

  [[nodiscard]] std::size_t size() const { return header + taken_words + owed_words; }

  static constexpr std::size_t header = 2;
};

/// A configuration, somewhere in memory.
class configuration_view {
public:
  configuration_view(std::uint64_t* words, const configuration_layout& layout)
      : words_{words}, owed_{configuration_layout::header + layout.taken_words} {}

  [[nodiscard]] model_state state() const { return words_[0]; }
  [[nodiscard]] std::size_t event() const { return words_[1] >> 2; }
  /// Something was taken since the last return, which did not ask for it.
  [[nodiscard]] bool chained() const { return (words_[1] & 1) != 0; }
  /// And nothing has seen yet what it did.
  [[nodiscard]] bool unobserved() const { return (words_[1] & 2) != 0; }

  void set_state(model_state s) { words_[0] = s; }
  void set_unobserved(bool unobserved) {
    words_[1] = (words_[1] & ~std::uint64_t{2}) | (unobserved ? 2 : 0);
  }
  void set_chained() { words_[1] |= 1; }
  void set_event(std::size_t event) { words_[1] = std::uint64_t{event} << 2; }

  [[nodiscard]] bool taken(std::uint32_t slot) const { return test(taken_ + slot / 64, slot); }
  [[nodiscard]] bool owed(std::uint32_t slot) const { return test(owed_ + slot / 64, slot); }

  void take(std::uint32_t slot) { words_[taken_ + slot / 64] |= bit(slot); }
  void owe(std::uint32_t slot) { words_[owed_ + slot / 64] |= bit(slot); }
  void free(std::uint32_t slot) { words_[owed_ + slot / 64] &= ~bit(slot); }
  /// Its operation has returned; the slot is for another.
  void clear(std::uint32_t slot) {
    words_[taken_ + slot / 64] &= ~bit(slot);
    free(slot);
  }

  /// How many of `count` slots from `slot` on were taken; the first ones are taken first.
  [[nodiscard]] std::size_t taken_of(std::uint32_t slot, std::size_t count) const {
    std::size_t begin = 0;
    for (auto end = count; begin < end;) {
      const auto middle = begin + (end - begin) / 2;
      if (taken(slot + static_cast<std::uint32_t>(middle)))
        begin = middle + 1;
      else
        end = middle;
    }
    return begin;
  }

private:
  static constexpr std::size_t taken_ = configuration_layout::header;

  static std::uint64_t bit(std::uint32_t slot) { return std::uint64_t{1} << (slot % 64); }
  [[nodiscard]] bool test(std::size_t word, std::uint32_t slot) const {
    return (words_[word] & bit(slot)) != 0;
  }

  std::uint64_t* words_;
  std::size_t owed_;
};

/// Of two configurations of one state at one return: whether the first can do all that the second
/// can. Less is better: what was taken can not be taken again, and what is owed must be.
[[nodiscard]] inline bool is_as_good(std::span<const std::uint64_t> one,
                                     std::span<const std::uint64_t> other) {
  for (std::size_t i = 1; i < one.size(); ++i)
    if ((one[i] & ~other[i]) != 0)
      return false;
  return true;
}

} // namespace understudy::testing
