// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// One connection between two processes, as a pure component: bytes and the time in, frames and
/// messages out.
///
/// Both ends first say who they are, and prove it where that is asked for (introduction.hpp);
/// before that nothing is taken for a message. Then messages go either way, and where nothing comes
/// for a while it is asked for a sign of life. Whatever the other end does wrong ends the
/// connection with a reason, and does no harm to anything else.

#include <understudy/core/bytes.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/time.hpp>
#include <understudy/protocol/frame.hpp>
#include <understudy/protocol/frame_kind.hpp>
#include <understudy/protocol/hello.hpp>
#include <understudy/protocol/introduction.hpp>
#include <understudy/protocol/message_codec.hpp>
#include <understudy/protocol/send_queue.hpp>
#include <understudy/security/side.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace understudy::protocol {

/// Limits of a connection.
struct connection_options {
  interval hello_patience
      = std::chrono::seconds{2}; ///< until it is known who the other end is; > 0
  interval probe_after = std::chrono::milliseconds{300}; ///< of silence; > 0
  interval silence_max = std::chrono::seconds{1}; ///< then the other end is gone; > `probe_after`
  std::size_t body_bytes_max = std::size_t{8} << 20;   ///< of a frame; snapshots come in pieces
  std::size_t queue_bytes_max = std::size_t{16} << 20; ///< that wait to be written
  /// Answers are kept beyond that. A client for which so many wait does not take them, and is shown
  /// out; >= `queue_bytes_max`. Of a node it is known that it takes what it asks for.
  std::size_t unread_bytes_max = std::size_t{64} << 20;
  std::size_t write_bytes = std::size_t{256} << 10; ///< that are handed over at a time
  trust_options trust = {};                         ///< what the other end has to prove
};

/// What is wrong with these; empty: nothing.
[[nodiscard]] inline std::vector<std::string> complaints(const connection_options& o) {
  std::vector<std::string> found;
  const auto require = [&](bool good, const char* text) {
    if (!good)
      found.emplace_back(text);
  };
  require(o.hello_patience > interval{0}, "hello_patience must be positive");
  require(o.probe_after > interval{0}, "probe_after must be positive");
  require(o.silence_max > o.probe_after, "silence_max must be longer than probe_after");
  require(o.body_bytes_max >= hello_bytes_max, "body_bytes_max must hold a hello");
  require(o.queue_bytes_max > 0, "queue_bytes_max must be positive");
  require(o.unread_bytes_max >= o.queue_bytes_max,
          "unread_bytes_max must not be less than queue_bytes_max");
  require(o.write_bytes > 0, "write_bytes must be positive");
  return found;
}

/// What a connection wants done, in this order.
struct connection_outbox {
  std::optional<hello> introduced = {};    ///< who the other end is, proved as far as asked for
  std::vector<peer_message> messages = {}; ///< from the other end
  std::vector<frame> write = {};           ///< in one go; `written` tells when that is done
  std::optional<failure> end = {};         ///< close it, once this is written
  std::optional<instant> wake_at = {};
};

/// One end. Not thread-safe: one driver.
class connection {
public:
  /// `which` end of it this is. With a key in `options.trust`, `own` needs a fresh nonce.
  connection(hello own, security::side which, const connection_options& options, instant now)
      : options_{options}, introduction_{std::move(own), which, options.trust},
        reader_{hello_bytes_max}, queue_{options.queue_bytes_max}, opened_{now}, heard_{now},
        probed_{now} {
    queue_.push(introduction_.opening());
  }

  /// For whom the certificate is that the other end has shown to TLS
  /// (`tls_session::peer_names`). Before any of its bytes are handed over.
  void certified(std::vector<std::string> names) { introduction_.certified(std::move(names)); }

  /// Bytes have come. Any are a sign of life: a slow line may take long over a large frame.
  void received(std::span<const std::byte> data, instant now, connection_outbox& out) {
    if (!data.empty())
      heard_ = now;
    while (!ended_) {
      auto next = reader_.next(data);
      if (!next)
        return give_up(std::move(next.error()), out);
      if (!*next)
        return;
      take(std::move(**next), out);
    }
  }

  /// Hands a message over to be written. Returns whether it will be: nobody is there yet, or no
  /// more, or the other end is of a release that does not know it, or too much waits.
  bool send(const peer_message& what) { return send(protocol::encode(what)); }
  bool send(frame what) {
    return !ended_ && version() >= version_of(what.kind) && queue_.push(std::move(what));
  }

  /// What was to be written is written.
  void written() { is_writing_ = false; }

  /// At or after the time asked for.
  void wake(instant now, connection_outbox& out) {
    if (ended_)
      return;
    if (!is_introduced() && now - opened_ >= options_.hello_patience)
      return give_up({errc::timed_out, introduction_.has_met()
                                           ? "the other end has not proved who it is"
                                           : "the other end has not said who it is"},
                     out);
    if (!is_introduced())
      return;
    if (now - heard_ >= options_.silence_max)
      return give_up({errc::timed_out, "the other end is silent"}, out);
    if (now - std::max(heard_, probed_) >= options_.probe_after) {
      probed_ = now;
      queue_.push({frame_kind::ping, {}});
    }
  }

  /// Says good-bye, with a reason for people.
  void close(const std::string& why) {
    if (ended_)
      return;
    queue_.push({frame_kind::goodbye, bytes{std::string_view{why}.substr(0, reason_bytes_max)}});
    says_goodbye_ = true;
  }

  /// After one or more of the above: hands over what waits, and says when to be woken.
  void settle(connection_outbox& out) {
    if (!ended_ && takes_too_little())
      give_up({errc::overloaded, "the other end does not take its answers"}, out);
    // Nobody tells when a connection that is about to be closed has been written to: the last word
    // does not wait for that.
    if ((!is_writing_ || says_goodbye_) && !queue_.empty()) {
      out.write = queue_.take(options_.write_bytes);
      is_writing_ = true;
    }
    if (!ended_)
      out.wake_at = is_introduced() ? std::min(std::max(heard_, probed_) + options_.probe_after,
                                               heard_ + options_.silence_max)
                                    : opened_ + options_.hello_patience;
  }

  /// Whether the other end is to be listened to: not while it does not take what it has asked for.
  [[nodiscard]] bool listens() const { return !ended_ && !queue_.is_congested(); }

  [[nodiscard]] bool is_introduced() const { return introduction_.is_complete(); }
  [[nodiscard]] bool is_ended() const { return ended_; }
  /// That both ends use; 0: not agreed on yet.
  [[nodiscard]] std::uint32_t version() const { return introduction_.version(); }
  [[nodiscard]] std::uint64_t dropped() const { return queue_.dropped(); }

private:
  static constexpr std::size_t reason_bytes_max = 200;

  void take(frame what, connection_outbox& out) {
    // What the first frame is, is judged as a hello.
    if (what.kind == frame_kind::goodbye && introduction_.has_met()) {
      ended_ = true;
      out.end = failure{errc::stopped, std::string{what.body.text().substr(0, reason_bytes_max)}};
      return;
    }
    if (!is_introduced())
      return introduce(what, out);
    if (what.kind == frame_kind::ping) {
      queue_.push({frame_kind::pong, {}});
      return;
    }
    if (what.kind == frame_kind::pong)
      return;
    if (!may_send(introduction_.theirs().role, what.kind))
      return give_up({errc::not_trusted, "a message that is not for one of its role to send (kind "
                                             + std::to_string(static_cast<unsigned>(what.kind))
                                             + ")"},
                     out);
    if (version_of(what.kind) > version())
      return give_up({errc::undecodable, "a message that version " + std::to_string(version())
                                             + " does not have (kind "
                                             + std::to_string(static_cast<unsigned>(what.kind))
                                             + ")"},
                     out);
    auto read = decode(what);
    if (!read)
      return give_up(std::move(read.error()), out);
    out.messages.push_back(std::move(*read));
  }

  void introduce(const frame& what, connection_outbox& out) {
    auto answer = introduction_.received(what);
    if (!answer)
      return give_up(std::move(answer.error()), out);
    if (*answer)
      queue_.push(std::move(**answer));
    if (!is_introduced())
      return;
    reader_.allow(options_.body_bytes_max);
    out.introduced = introduction_.theirs();
  }

  [[nodiscard]] bool takes_too_little() const {
    return queue_.bytes_waiting() > options_.unread_bytes_max && is_introduced()
           && introduction_.theirs().role != peer_role::node;
  }

  /// Tells the other end why, though it may not listen.
  void give_up(failure why, connection_outbox& out) {
    close(std::string{to_string(why.code)} + ": " + why.detail);
    ended_ = true;
    out.end = std::move(why);
  }

  connection_options options_;
  introduction introduction_;
  frame_reader reader_;
  send_queue queue_;
  instant opened_;
  instant heard_;  ///< the last bytes
  instant probed_; ///< when a sign of life was asked for
  bool is_writing_ = false;
  bool says_goodbye_ = false;
  bool ended_ = false;
};

} // namespace understudy::protocol
