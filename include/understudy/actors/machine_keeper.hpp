// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The actor around a node's machine, and how an application puts one of its own there.
///
/// \code
/// struct stock_keeper : understudy::basic_machine_keeper<stock_keeper, inventory> {
///   using basic_machine_keeper::basic_machine_keeper;
///
///   caf::message_handler extra_handlers() {
///     return understudy::chain([this](count_all) { return machine().stock.size(); });
///   }
/// };
/// auto node = understudy::spawn_node<inventory, stock_keeper>(system, options);
/// \endcode

#include <understudy/actors/shell.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/machine.hpp>
#include <understudy/replica/replica.hpp>

#include <variant>

namespace understudy {

/// What an application derives its own keeper from: an actor that applies the log to the machine,
/// and does whatever else its handlers say with the machine at hand.
///
/// `Keeper` may hide `extra_handlers()`, `after_batch()` and `closing()`. All of it runs one
/// after the other in this actor, so the machine never changes under a handler's hands; while one
/// runs nothing is applied, so none may wait. What a handler throws ends the node.
///
/// What a handler sees is what this node has applied, which may trail the leader; a query with
/// `consistency::linearizable` is what does not. The machine is changed through the log only.
template <class Keeper, state_machine M>
class basic_machine_keeper : public basic_shell<Keeper, replica<M>> {
  using super = basic_shell<Keeper, replica<M>>;
  friend super;

public:
  using super::super;

  [[nodiscard]] const char* name() const override { return "understudy.machine_keeper"; }

protected:
  [[nodiscard]] const M& machine() const { return this->template part<replica<M>>().machine(); }

  /// Everything that had arrived together is applied now.
  void after_batch(log_index) {}

private:
  bool take(sibling_message& notice) {
    if (const auto* applied = std::get_if<understudy::applied_through>(&notice))
      static_cast<Keeper&>(*this).after_batch(applied->index);
    return false;
  }
};

/// The keeper of a machine that nobody talks to but the node.
template <state_machine M>
class machine_keeper final : public basic_machine_keeper<machine_keeper<M>, M> {
  using super = basic_machine_keeper<machine_keeper<M>, M>;
  friend super;

public:
  using super::super;
};

} // namespace understudy
