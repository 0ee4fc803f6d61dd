// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What is said within a node's transport.

#include <understudy/actors/caf_version.hpp>
#include <understudy/core/time.hpp>
#include <understudy/protocol/endpoint.hpp>
#include <understudy/protocol/frame.hpp>
#include <understudy/transport/dialer.hpp>

#include <cstdint>
#include <memory>

namespace understudy {

namespace detail {

/// Our second block of type ids on CAF 1.x, behind that of actors/message_types.hpp.
inline constexpr std::uint16_t transport_message_ids = 19'500;

} // namespace detail

/// A link to the exchange: send this there.
struct outgoing_frame {
  protocol::endpoint to = {};
  protocol::frame what = {};
};

/// Who has dialled to the exchange: this came of it.
struct dial_ended {
  protocol::endpoint where = {};
  std::shared_ptr<dial_result> result = nullptr;
};

/// The exchange to itself: time is up.
struct exchange_alarm {
  instant at = {};
};

} // namespace understudy

UNDERSTUDY_MESSAGES_FROM(understudy_transport, ::understudy::detail::transport_message_ids,
                         understudy::outgoing_frame, understudy::dial_ended,
                         understudy::exchange_alarm)
