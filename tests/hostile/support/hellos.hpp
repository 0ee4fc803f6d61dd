// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Strangers that say who they are, whether it is true or not.

#include <understudy/protocol/frame.hpp>
#include <understudy/protocol/hello.hpp>
#include <understudy/protocol/message_codec.hpp>

#include <doctest/doctest.h>

#include "hostile/support/stranger.hpp"
#include "protocol/support/stream.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hostile {

using protocol_samples::on_the_wire;
using understudy::protocol::frame;
using understudy::protocol::frame_kind;
using understudy::protocol::hello;
using understudy::protocol::peer_role;

[[nodiscard]] inline hello hello_of(peer_role role, std::uint64_t id,
                                    const std::string& name = "stranger") {
  return {.role = role, .id = {id}, .start = id, .name = name};
}

/// A connection whose other end has been told `own`, and says `then`.
class guest {
public:
  guest(std::uint16_t port, const hello& own, std::vector<frame> then = {}) : line_{port} {
    then.insert(then.begin(), understudy::protocol::encode(own));
    say(then);
  }
  guest(const guest&) = delete;
  guest& operator=(const guest&) = delete;

  bool say(const std::vector<frame>& what) { return line_.say(on_the_wire(what)); }
  bool say(const understudy::peer_message& what) {
    return say(std::vector{understudy::protocol::encode(what)});
  }

  [[nodiscard]] stranger& line() { return line_; }
  [[nodiscard]] frames_heard& heard() { return heard_; }

  /// Whether the other end has taken it for who it says it is: it gives a sign of life.
  [[nodiscard]] bool is_known(std::chrono::milliseconds limit = patience) {
    say(std::vector{frame{frame_kind::ping, {}}});
    return heard_.next(frame_kind::pong, limit).has_value();
  }

  /// What the other end has said when it ended the connection; empty: it has not, or said nothing.
  [[nodiscard]] std::string last_word() {
    const auto said = heard_.next(frame_kind::goodbye);
    return said ? std::string{said->body.text()} : std::string{};
  }

private:
  stranger line_;
  frames_heard heard_{line_};
};

} // namespace hostile
