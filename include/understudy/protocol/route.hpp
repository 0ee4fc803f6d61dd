// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The way to one node: when to connect to where it listens, and what is to be sent as soon as that
/// has been done.
///
/// A route is used by those who have something to send, and rests when nobody has had anything for
/// a while: nothing has to be told who is a member and who is not.

#include <understudy/core/backoff.hpp>
#include <understudy/core/random.hpp>
#include <understudy/core/time.hpp>
#include <understudy/protocol/frame.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace understudy::protocol {

/// How connections are made.
struct dialing_options {
  interval retry = std::chrono::milliseconds{20};      ///< after the first failure; then twice as
                                                       ///< long each time; > 0
  interval retry_max = std::chrono::milliseconds{500}; ///< at most; >= `retry`
  interval rest_after = std::chrono::seconds{10};      ///< with nothing to send; > 0
};

/// One way. What is sent before there is a connection waits for the first, and is lost where that
/// fails; what is sent after one broke is lost at once. So no request reaches another process than
/// the one that ran when it was sent (see `outbox::send`), and whoever sends them tries again.
class route {
public:
  explicit route(const dialing_options& options)
      : rest_after_{options.rest_after}, backoff_{options.retry, options.retry_max} {}

  /// There is something to send, and no connection.
  void want(frame what, instant now) {
    wanted_ = now;
    if (was_connected_ || held_bytes_ + what.body.size() > held_bytes_max
        || held_.size() == held_frames_max)
      return;
    held_bytes_ += what.body.size();
    held_.push_back(std::move(what));
  }

  /// Whether to connect now. `wake` is when to ask again; none: when there is something to send.
  [[nodiscard]] bool is_due(instant now, std::optional<instant>& wake) const {
    if (is_dialing_ || is_connected_ || !wanted_ || now - *wanted_ >= rest_after_)
      return false;
    if (now >= next_try_)
      return true;
    wake = wake ? std::min(*wake, next_try_) : next_try_;
    return false;
  }

  void begin() { is_dialing_ = true; }

  /// There is a connection. Returns what has waited for it.
  [[nodiscard]] std::vector<frame> connected() {
    is_dialing_ = false;
    is_connected_ = was_connected_ = true;
    backoff_.reset();
    next_try_ = {};
    return take_held();
  }

  /// Connecting failed, or who answered is somebody else.
  void failed(instant now, random_source& random) {
    is_dialing_ = false;
    next_try_ = now + backoff_.next(random);
    static_cast<void>(take_held());
  }

  /// The connection broke, whoever had made it. It is made anew though nobody has something to
  /// send: where nobody listens any more, the process has ended, and others wait to know. Not at
  /// the same moment as the other end does it.
  void broken(instant now, random_source& random) {
    is_connected_ = false;
    was_connected_ = true;
    wanted_ = now;
    next_try_ = now + random.between(interval{0}, crossing);
  }

  /// Whether there has been nothing to send for long.
  [[nodiscard]] bool rests(instant now) const {
    return !is_dialing_ && !is_connected_ && (!wanted_ || now - *wanted_ >= rest_after_);
  }

  [[nodiscard]] bool was_connected() const { return was_connected_; }

private:
  static constexpr std::size_t held_frames_max = 256;
  static constexpr std::size_t held_bytes_max = std::size_t{4} << 20;
  static constexpr interval crossing = std::chrono::milliseconds{2};

  std::vector<frame> take_held() {
    held_bytes_ = 0;
    return std::exchange(held_, {});
  }

  interval rest_after_;
  backoff backoff_;
  std::optional<instant> wanted_;
  instant next_try_ = {};
  std::vector<frame> held_;
  std::size_t held_bytes_ = 0;
  bool is_dialing_ = false;
  bool is_connected_ = false;
  bool was_connected_ = false;
};

} // namespace understudy::protocol
