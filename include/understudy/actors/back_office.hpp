// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Where an operator meets a node: orders, and leaving.

#include <understudy/actors/control.hpp>
#include <understudy/actors/shell.hpp>
#include <understudy/membership/monitor.hpp>

#include <map>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

/// The shell around a node's membership monitor, which takes orders from outside of any actor too.
/// When the node has left it has the supervisor stop it.
class back_office final : public basic_shell<back_office, monitor> {
  using super = basic_shell<back_office, understudy::monitor>; // CAF's actors have a `monitor` too
  friend super;

public:
  using super::super;

  [[nodiscard]] const char* name() const override { return "understudy.back_office"; }

private:
  caf::message_handler extra_handlers() {
    return chain([this](order_from_outside& given) { take_order(given); },
                 [this](leave_from_outside& wish) { take_leave(wish); },
                 [this](look_from_outside& wish) { show(wish); });
  }

  void take_order(order_from_outside& given) {
    if (closed_)
      return;
    const ticket id{++last_};
    orders_.emplace(id, std::move(given.slot));
    this->tell(local_order{.id = id, .what = std::move(given.what), .deadline = given.deadline});
  }

  /// Whoever asks while the node is leaving gets the same answer as the first.
  void take_leave(leave_from_outside& wish) {
    if (closed_)
      return;
    leaving_.push_back(std::move(wish.slot));
    this->tell(leave_cluster{wish.limit});
  }

  void show(look_from_outside& wish) {
    this->template use<understudy::monitor>(
        [&](understudy::monitor& it, instant, outbox&) { wish.look(it); });
  }

  bool take(sibling_message& notice) {
    if (auto* carried_out = std::get_if<order_done>(&notice)) {
      if (auto waiting = orders_.extract(carried_out->id))
        waiting.mapped()->answer(std::move(carried_out->result));
      return true;
    }
    const auto* ended = std::get_if<leave_ended>(&notice);
    if (!ended)
      return false;
    for (auto& waiting : std::exchange(leaving_, {}))
      waiting->answer(leave_result{ended->how, ended->detail});
    post(origin_of(*this), this->supervisor(), stop_node{});
    return true;
  }

  void closing() { ending(); }

  void ending() {
    closed_ = true;
    orders_.clear();
    leaving_.clear();
  }

  std::map<ticket, std::shared_ptr<result_slot<log_index>>> orders_;
  std::vector<std::shared_ptr<result_slot<leave_result>>> leaving_;
  std::uint64_t last_ = 0;
  bool closed_ = false;
};

} // namespace understudy
