// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/actors/control.hpp>
#include <understudy/actors/shell.hpp>
#include <understudy/raft/core.hpp>

#include <map>
#include <memory>
#include <utility>
#include <variant>

namespace understudy {

/// The shell around a node's raft core, where an operator can have a snapshot taken, and look.
class core_office final : public basic_shell<core_office, raft_core> {
  using super = basic_shell<core_office, raft_core>;
  friend super;

public:
  using super::super;

  [[nodiscard]] const char* name() const override { return "understudy.core_office"; }

private:
  caf::message_handler extra_handlers() {
    return chain([this](snapshot_from_outside& wish) { take_order(std::move(wish.slot)); },
                 [this](core_look_from_outside& wish) {
                   this->template use<raft_core>(
                       [&](raft_core& it, instant, outbox&) { wish.look(it); });
                 });
  }

  void take_order(std::shared_ptr<result_slot<log_index>> slot) {
    if (closed_)
      return;
    const ticket id{++last_};
    orders_.emplace(id, std::move(slot));
    this->tell(order_snapshot{id});
  }

  bool take(sibling_message& notice) {
    auto* carried_out = std::get_if<order_done>(&notice);
    if (!carried_out)
      return false;
    if (auto waiting = orders_.extract(carried_out->id))
      waiting.mapped()->answer(std::move(carried_out->result));
    return true;
  }

  void closing() { ending(); }

  void ending() {
    closed_ = true;
    orders_.clear();
  }

  std::map<ticket, std::shared_ptr<result_slot<log_index>>> orders_;
  std::uint64_t last_ = 0;
  bool closed_ = false;
};

} // namespace understudy
