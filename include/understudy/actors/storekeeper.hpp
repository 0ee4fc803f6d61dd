// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/actors/shell.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/storage/any_store.hpp>
#include <understudy/storage/log_writer.hpp>

namespace understudy {

/// The actor around a node's log writer: it waits for the disk, so it has a thread of its own.
///
/// When the node is stopped it closes the store; when the node crashes it lets go of it as a killed
/// process would. Once the node is no member any more the store is retired, so that the next start
/// in its place is a newcomer's.
class storekeeper final : public basic_shell<storekeeper, log_writer<any_store>> {
  using super = basic_shell<storekeeper, log_writer<any_store>>;
  friend super;

public:
  using super::super;

  /// What it takes beyond the log writer's own.
  struct farewells {
    using notices = type_list<sent_away, leave_ended>;
  };

  [[nodiscard]] const char* name() const override { return "understudy.storekeeper"; }

private:
  caf::message_handler extra_handlers() {
    return chain([this](sent_away) { retire(); },
                 [this](const leave_ended& how) {
                   if (how.how == leave_outcome::left)
                     retire();
                 });
  }

  void closing() { closing_ = true; }

  /// What fails here was not confirmed to anybody, and the next start finds out about it.
  void ending() {
    if (closing_ && !frozen())
      static_cast<void>(store().close());
    store().abandon();
  }

  /// Where this fails, the next start is told once more that it is no member.
  void retire() {
    if (!frozen())
      static_cast<void>(store().retire());
  }

  any_store& store() { return this->part<log_writer<any_store>>().store(); }

  bool closing_ = false;
};

} // namespace understudy
