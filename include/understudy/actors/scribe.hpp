// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/actors/shell.hpp>
#include <understudy/storage/snapshot_writer.hpp>

namespace understudy {

/// The actor around a node's snapshot writer: it works for as long as the state is large, so it has
/// a thread of its own. When it ends it lets go of the store's directory.
class scribe final : public basic_shell<scribe, snapshot_writer> {
  using super = basic_shell<scribe, snapshot_writer>;
  friend super;

public:
  using super::super;

  [[nodiscard]] const char* name() const override { return "understudy.scribe"; }

private:
  void ending() { this->part<snapshot_writer>().release(); }
};

} // namespace understudy
