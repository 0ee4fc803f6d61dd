// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The numbers of the protocol, each a type of its own.
///
/// Terms and indexes are both counters of 64 bits, and a Raft that mixes them up still compiles,
/// runs, and loses data one day. Here a term handed over as an index is a compile error.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>

namespace understudy {

/// A counter that can be compared, counted up and subtracted, but only within its own kind.
template <class Tag> struct counter {
  std::uint64_t value = 0;

  [[nodiscard]] constexpr counter next() const { return {value + 1}; }
  /// The one before; the one before 0 is 0.
  [[nodiscard]] constexpr counter previous() const { return {value == 0 ? 0 : value - 1}; }
  constexpr counter& operator++() {
    ++value;
    return *this;
  }

  friend constexpr auto operator<=>(counter, counter) = default;
  friend constexpr counter operator+(counter a, std::uint64_t n) { return {a.value + n}; }
  /// How far `a` lies behind `b`; 0 where it does not.
  friend constexpr std::uint64_t operator-(counter b, counter a) {
    return b.value > a.value ? b.value - a.value : 0;
  }
  friend std::ostream& operator<<(std::ostream& out, counter c) { return out << c.value; }

  template <class Archive> void serialize(Archive& archive) { archive(value); }
};

/// A name without an order that means anything; 0 stands for "none".
template <class Tag> struct identifier {
  std::uint64_t value = 0;

  [[nodiscard]] constexpr explicit operator bool() const { return value != 0; }
  friend constexpr auto operator<=>(identifier, identifier) = default;
  friend std::ostream& operator<<(std::ostream& out, identifier i) { return out << i.value; }

  template <class Archive> void serialize(Archive& archive) { archive(value); }
};

/// Raft's term (§5.1): at most one leader in each. The first election is for term 1.
using term_number = counter<struct term_tag>;

/// A place in the log. The first entry has index 1; 0 is "before the log".
using log_index = counter<struct index_tag>;

/// Numbers a session's requests from 1 on; together with the session it names a request for good.
using request_number = counter<struct request_tag>;

/// Counts what a component writes or asks, so that a late answer is not taken for a newer one's.
using generation = counter<struct generation_tag>;

/// One start of one process: a node, or a client. Drawn at random, never reused: a node that lost
/// its log comes back under another id, so it can never vote twice (B4, B6).
using member_id = identifier<struct member_tag>;

/// One cluster, drawn when it is founded. Nothing crosses between two of them (I10).
using cluster_id = identifier<struct cluster_tag>;

/// One exactly-once session: the index of the entry that opened it.
using session_id = identifier<struct session_tag>;

/// A caller's place in line inside one process; never leaves it.
using ticket = identifier<struct ticket_tag>;

} // namespace understudy

template <class Tag> struct std::hash<understudy::counter<Tag>> {
  std::size_t operator()(understudy::counter<Tag> c) const noexcept {
    return std::hash<std::uint64_t>{}(c.value);
  }
};

template <class Tag> struct std::hash<understudy::identifier<Tag>> {
  std::size_t operator()(understudy::identifier<Tag> i) const noexcept {
    return std::hash<std::uint64_t>{}(i.value);
  }
};
