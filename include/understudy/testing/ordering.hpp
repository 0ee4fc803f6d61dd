// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/roster_change.hpp>
#include <understudy/core/time.hpp>

#include <cstdint>
#include <utility>
#include <variant>

namespace understudy::testing {

[[nodiscard]] inline bool is_eviction(const mark_member& mark) {
  return mark.status == standing::evicted;
}

/// How many orders of each kind were given.
struct order_counters {
  std::uint64_t leaves = 0;
  std::uint64_t evictions = 0;
  std::uint64_t pins = 0;
  std::uint64_t unpins = 0;
  std::uint64_t settings = 0;
  std::uint64_t transfers = 0;
  std::uint64_t versions = 0; ///< of the machine, to be used
  std::uint64_t snapshots = 0;

  void count(const order& what) {
    if (const auto* mark = std::get_if<mark_member>(&what))
      evictions += is_eviction(*mark) ? 1 : 0;
    else if (const auto* pin = std::get_if<pin_member>(&what))
      ++(pin->pinned ? pins : unpins);
    settings += std::holds_alternative<set_rules>(what) ? 1 : 0;
    transfers += std::holds_alternative<transfer_leadership>(what) ? 1 : 0;
    versions += std::holds_alternative<use_machine_version>(what) ? 1 : 0;
  }

  order_counters& operator+=(const order_counters& other) {
    leaves += other.leaves;
    evictions += other.evictions;
    pins += other.pins;
    unpins += other.unpins;
    settings += other.settings;
    transfers += other.transfers;
    versions += other.versions;
    snapshots += other.snapshots;
    return *this;
  }
};

/// The orders of a run, as an operator gives them; `Run` has a `tell(member_id, sibling_message)`,
/// counts what becomes of them, and hears in `sends_away(member_id)` who is to be evicted.
template <class Run> class ordering {
public:
  /// Has a node leave. When it has, its process ends.
  void leave(member_id node, interval limit = {}) {
    ++given_.leaves;
    tell(node, leave_cluster{limit});
  }

  void give_order(member_id at, order what) {
    given_.count(what);
    if (const auto* mark = std::get_if<mark_member>(&what); mark && is_eviction(*mark))
      static_cast<Run*>(this)->sends_away(mark->who);
    tell(at, local_order{.id = next(), .what = std::move(what)});
  }

  /// Has a node write a snapshot of what it has applied.
  void snapshot_now(member_id node) {
    ++given_.snapshots;
    tell(node, order_snapshot{next()});
  }

  [[nodiscard]] const order_counters& orders_given() const { return given_; }

private:
  void tell(member_id to, sibling_message what) {
    static_cast<Run*>(this)->tell(to, std::move(what));
  }

  ticket next() { return {++last_}; }

  std::uint64_t last_ = 0;
  order_counters given_;
};

} // namespace understudy::testing
