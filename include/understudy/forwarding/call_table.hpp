// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// All open calls, by ticket.
///
/// A leader answers a million requests a second, so a call costs no allocation of its own: it lies
/// in a slot, and its ticket names the slot. Tickets are never used twice, and only ever grow: an
/// answer to an earlier attempt finds nothing, and a receiver can tell an old message from a new
/// one. Deadlines cost nothing until the earliest is near; then all calls are looked through once.

#include <understudy/forwarding/call.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace understudy {

/// Open calls in reused slots.
class call_table {
public:
  /// How much of a ticket names the slot; the rest counts up.
  static constexpr unsigned slot_bits = 20;

  /// The tickets begin at a place drawn at random, so that those of a process that came back under
  /// its old id are not taken for those of its earlier life.
  explicit call_table(std::uint64_t random) : life_{random >> slot_bits} {}

  /// Takes a call in; it is due at its deadline.
  ticket add(call c) {
    if (free_.empty()) {
      UNDERSTUDY_ASSERT(slots_.size() < std::size_t{1} << slot_bits, "the calls have a limit");
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const auto place = free_.back();
    free_.pop_back();
    bytes_ += c.weight_bytes;
    ++size_;
    auto& s = slots_[place];
    s.id = next_ticket(place);
    s.what = std::move(c);
    schedule(s.what, s.what.deadline);
    return s.id;
  }

  /// The call, or null if it is closed or has a newer ticket.
  [[nodiscard]] call* find(ticket id) {
    const auto place = place_of(id);
    return id && place < slots_.size() && slots_[place].id == id ? &slots_[place].what : nullptr;
  }

  /// Gives an open call a new ticket; the old one finds nothing from now on.
  ticket rename(ticket id) {
    UNDERSTUDY_ASSERT(find(id), "only an open call has another attempt");
    return slots_[place_of(id)].id = next_ticket(place_of(id));
  }

  /// What was sent to `before` was sent to `now`.
  void rename_node(member_id before, member_id now) {
    for (auto& s : slots_)
      if (s.id && s.what.at == before)
        s.what.at = now;
  }

  /// Takes an open call out.
  call remove(ticket id) {
    UNDERSTUDY_ASSERT(find(id), "a call is closed once");
    const auto place = place_of(id);
    auto& s = slots_[place];
    s.id = {};
    free_.push_back(static_cast<std::uint32_t>(place));
    --size_;
    bytes_ -= s.what.weight_bytes;
    return std::move(s.what);
  }

  /// Sets when a call is to be looked at again.
  void schedule(call& c, instant due) {
    c.due = due;
    earliest_ = std::min(earliest_, due);
  }

  /// Before this nothing is due; nothing at all if there is none.
  [[nodiscard]] std::optional<instant> next_due() const {
    return size_ == 0 ? std::nullopt : std::optional{earliest_};
  }

  /// The calls that are due, oldest ticket first. Each must be closed or scheduled anew.
  [[nodiscard]] std::vector<ticket> due(instant now) {
    if (size_ == 0 || now < earliest_)
      return {};
    earliest_ = instant::max();
    return select([&](const call& c) {
      if (c.due <= now)
        return true;
      earliest_ = std::min(earliest_, c.due);
      return false;
    });
  }

  /// The calls for which `wanted` holds, oldest ticket first.
  template <class Predicate> [[nodiscard]] std::vector<ticket> select(Predicate wanted) const {
    std::vector<ticket> found;
    for (const auto& s : slots_)
      if (s.id && wanted(s.what))
        found.push_back(s.id);
    std::sort(found.begin(), found.end());
    return found;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

private:
  struct slot {
    ticket id = {}; ///< none: free
    call what = {};
  };

  static std::size_t place_of(ticket id) {
    return static_cast<std::size_t>(id.value & ((std::uint64_t{1} << slot_bits) - 1));
  }

  ticket next_ticket(std::size_t place) {
    ++life_;
    if (life_ << slot_bits == 0) // ticket 0 is none
      ++life_;
    return ticket{life_ << slot_bits | place};
  }

  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t life_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  instant earliest_ = instant::max();
};

} // namespace understudy
