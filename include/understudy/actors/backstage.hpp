// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/actors/directory.hpp>
#include <understudy/actors/status.hpp>
#include <understudy/core/ids.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

namespace understudy {

/// What the actors of one node and its handles share. Safe from any thread.
struct backstage {
  backstage(member_id id, std::string own_address, std::unique_ptr<links> links)
      : self{id}, address{std::move(own_address)}, peers{id, std::move(links)}, board{id} {}

  const member_id self;
  const std::string address; ///< how the roster says that this node is reached
  directory peers;
  status_board board;
  std::atomic<bool> frozen{false}; ///< a fault: everything that arrives is dropped in silence
  std::atomic<bool> closed{false}; ///< no call is taken any more
};

} // namespace understudy
