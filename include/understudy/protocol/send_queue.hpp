// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What waits to be written to a connection, and what becomes of it where that goes too slowly.
///
/// Most messages may be lost: whoever sends them sends them again, and the newest is worth more
/// than all before it. So where there is no room, what comes is dropped. Answers to calls are kept;
/// there are as many as the other end has asked for, and it is not listened to while too many wait.

#include <understudy/protocol/frame.hpp>
#include <understudy/protocol/frame_kind.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace understudy::protocol {

/// What is done with a frame for which there is no room.
enum class when_full : std::uint8_t { drop, keep };

[[nodiscard]] constexpr when_full rule_for(frame_kind kind) {
  switch (kind) {
  case frame_kind::hello:
  case frame_kind::goodbye:
  case frame_kind::proof:
  case frame_kind::answers:
  case frame_kind::order_reply:
    return when_full::keep;
  default:
    return when_full::drop;
  }
}

/// Frames in the order in which they were sent.
class send_queue {
public:
  /// `bytes_max`: how much may wait before frames are dropped; one frame always may.
  explicit send_queue(std::size_t bytes_max) : bytes_max_{bytes_max} {}

  /// Returns whether the frame waits now; else it is dropped.
  bool push(frame what) {
    const auto size = frame_header_bytes + what.body.size();
    if (!waiting_.empty() && bytes_ + size > bytes_max_ && rule_for(what.kind) == when_full::drop) {
      ++dropped_;
      return false;
    }
    bytes_ += size;
    waiting_.push_back(std::move(what));
    return true;
  }

  /// The next frames, to be written at once: one, and as many more as `bytes_max` bytes hold.
  [[nodiscard]] std::vector<frame> take(std::size_t bytes_max) {
    std::vector<frame> some;
    for (std::size_t taken = 0; !waiting_.empty(); waiting_.pop_front()) {
      const auto size = frame_header_bytes + waiting_.front().body.size();
      if (!some.empty() && taken + size > bytes_max)
        break;
      taken += size;
      bytes_ -= size;
      some.push_back(std::move(waiting_.front()));
    }
    return some;
  }

  /// Whether so much waits that the other end should not be given more to answer.
  [[nodiscard]] bool is_congested() const { return bytes_ > bytes_max_ / 2; }

  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  [[nodiscard]] std::size_t bytes_waiting() const { return bytes_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
  std::size_t bytes_max_;
  std::deque<frame> waiting_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

} // namespace understudy::protocol
