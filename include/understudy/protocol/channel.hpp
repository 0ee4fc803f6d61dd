// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A connection, and TLS around it where certificates are asked for.

#include <understudy/core/errors.hpp>
#include <understudy/core/time.hpp>
#include <understudy/protocol/connection.hpp>
#include <understudy/protocol/frame.hpp>
#include <understudy/protocol/hello.hpp>
#include <understudy/security/side.hpp>
#include <understudy/security/tls_context.hpp>
#include <understudy/security/tls_session.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace understudy::protocol {

/// What a channel wants done.
struct channel_outbox {
  connection_outbox said = {};        ///< its `write` is to be written as it is
  std::vector<std::byte> sealed = {}; ///< to be written in its place, where there is TLS
};

/// One end. Not thread-safe: one driver.
class channel {
public:
  /// With `tls`, nothing is said to whom has no certificate that is believed.
  channel(hello own, security::side which, const connection_options& options,
          const std::optional<security::tls_context>& tls, instant now)
      : end_{std::move(own), which, options, now} {
    if (!tls)
      return;
    auto begun = security::tls_session::begin(*tls, which);
    if (begun)
      tls_.emplace(std::move(*begun));
    else
      failed_ = std::move(begun.error());
  }

  /// Bytes have come from the network.
  void received(std::span<const std::byte> data, instant now, channel_outbox& out) {
    if (is_ended())
      return;
    if (!tls_)
      return end_.received(data, now, out.said);
    std::vector<std::byte> plain;
    const bool was_known = tls_->is_established();
    auto done = tls_->received(data, plain);
    if (tls_->is_established() && !was_known)
      end_.certified(tls_->peer_names());
    if (!plain.empty())
      end_.received(plain, now, out.said);
    if (!done && !out.said.end)
      failed_ = out.said.end = std::move(done.error());
  }

  /// Returns whether it will be written: see `connection::send`.
  bool send(frame what) { return !is_ended() && end_.send(std::move(what)); }

  /// What was to be written is written.
  void written() { end_.written(); }

  /// At or after the time asked for.
  void wake(instant now, channel_outbox& out) {
    if (!is_ended())
      end_.wake(now, out.said);
  }

  /// Says good-bye, with a reason for people.
  void close(const std::string& why) { end_.close(why); }

  /// After one or more of the above: hands over what waits, and says when to be woken.
  void settle(channel_outbox& out) {
    end_.settle(out.said);
    if (failed_ && !out.said.end)
      out.said.end = failed_;
    if (!tls_)
      return;
    std::ranges::move(std::exchange(out.said.write, {}), std::back_inserter(waiting_));
    if (tls_->is_established())
      seal(out);
    if (is_ended())
      tls_->close();
    out.sealed = tls_->take_output();
  }

  [[nodiscard]] bool listens() const { return !is_ended() && end_.listens(); }
  [[nodiscard]] bool is_introduced() const { return end_.is_introduced(); }

private:
  [[nodiscard]] bool is_ended() const { return failed_ || end_.is_ended(); }

  void seal(channel_outbox& out) {
    std::vector<std::byte> plain;
    for (const auto& f : std::exchange(waiting_, {})) {
      const auto header = header_of(f.kind, f.body);
      plain.insert(plain.end(), header.begin(), header.end());
      plain.insert(plain.end(), f.body.view().begin(), f.body.view().end());
    }
    if (auto done = tls_->send(plain); !done && !failed_)
      failed_ = out.said.end = std::move(done.error());
  }

  connection end_;
  std::optional<security::tls_session> tls_;
  std::vector<frame> waiting_; ///< for the certificate of the other end
  std::optional<failure> failed_;
};

} // namespace understudy::protocol
