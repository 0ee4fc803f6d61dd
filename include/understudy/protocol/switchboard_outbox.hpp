// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/time.hpp>
#include <understudy/protocol/endpoint.hpp>
#include <understudy/protocol/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy::protocol {

/// A connection, by the number that its driver gave it; never used again.
using line_id = std::uint64_t;

/// What a switchboard wants done, kind by kind in this order.
struct switchboard_outbox {
  struct arrival {
    member_id from;
    peer_message what;
  };
  struct writing {
    line_id to;
    std::vector<frame> what;       ///< in one go; `written` tells when that is done
    std::vector<std::byte> sealed; ///< or this, where there is TLS
  };
  struct attention {
    line_id to;
    bool on;
  };

  std::vector<std::pair<endpoint, member_id>> met = {}; ///< who answers at a seed
  std::vector<member_id> introduced = {};               ///< there is a connection to these now
  std::vector<arrival> messages = {};
  std::vector<peer_lost> lost = {};
  std::vector<endpoint> dial = {}; ///< then `dialed` or `unreachable`
  std::vector<writing> write = {};
  std::vector<attention> listen = {}; ///< whether to read from it
  std::vector<line_id> close = {};    ///< when all of it is written; not spoken of any more
  std::vector<std::string> complaints = {};
  std::optional<instant> wake_at = {};
};

} // namespace understudy::protocol
