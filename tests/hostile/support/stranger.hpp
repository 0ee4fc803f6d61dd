// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Somebody who connects, and says what no node and no client would.

#include <understudy/core/descriptor.hpp>
#include <understudy/protocol/frame.hpp>
#include <understudy/transport/dialer.hpp>

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hostile {

/// Far longer than anything takes; only a failing test waits for it.
inline constexpr std::chrono::seconds patience{20};

/// One connection to a port of this machine. Closed when this goes.
class stranger {
public:
  using clock = std::chrono::steady_clock;

  explicit stranger(std::uint16_t port) {
    auto made = understudy::dial("127.0.0.1", port, patience);
    REQUIRE_MESSAGE(made.socket, made.why);
    socket_ = std::move(made.socket);
  }

  /// Sends all of it, unless the other end has had enough. Returns whether all was sent.
  bool say(std::span<const std::byte> what) {
    const auto until = clock::now() + patience;
    while (!what.empty() && clock::now() < until) {
      const auto sent
          = ::send(socket_.get(), what.data(), what.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0)
        what = what.subspan(static_cast<std::size_t>(sent));
      else if (errno != EAGAIN && errno != EINTR)
        return false;
      else
        static_cast<void>(is_ready(POLLOUT, std::chrono::milliseconds{100}));
    }
    return what.empty();
  }
  bool say(std::string_view what) { return say(std::as_bytes(std::span{what})); }

  /// Reads what has come, for up to `limit` until something has. Nothing: the other end has closed,
  /// or the time is up; `is_over` tells them apart.
  std::vector<std::byte> hear(std::chrono::milliseconds limit = patience) {
    std::vector<std::byte> some(std::size_t{64} << 10);
    if (over_ || !is_ready(POLLIN, limit))
      return {};
    const auto got = ::recv(socket_.get(), some.data(), some.size(), MSG_DONTWAIT);
    over_ = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    some.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return some;
  }

  /// Everything up to the end of the connection, which has to come; or up to `limit`.
  std::string hear_all(std::chrono::milliseconds limit = patience) {
    std::string all;
    const auto until = clock::now() + limit;
    while (!over_ && clock::now() < until)
      for (const auto byte : hear(left(until)))
        all += static_cast<char>(byte);
    return all;
  }

  /// Whether the other end closes the connection within `limit`. What comes meanwhile is dropped.
  [[nodiscard]] bool ends(std::chrono::milliseconds limit = patience) {
    static_cast<void>(hear_all(limit));
    return over_;
  }

  /// Whether it is closed by now; reads what has come.
  [[nodiscard]] bool is_over() {
    while (!over_ && is_ready(POLLIN, std::chrono::milliseconds{0}) && !hear({}).empty())
      ;
    return over_;
  }

private:
  [[nodiscard]] static std::chrono::milliseconds left(clock::time_point until) {
    return std::max(std::chrono::milliseconds{0},
                    std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()));
  }

  [[nodiscard]] bool is_ready(short what, std::chrono::milliseconds limit) const {
    pollfd one{.fd = socket_.get(), .events = what, .revents = 0};
    return ::poll(&one, 1, static_cast<int>(limit.count())) == 1;
  }

  understudy::descriptor socket_;
  bool over_ = false;
};

/// What a node says on a connection, frame by frame.
class frames_heard {
public:
  explicit frames_heard(stranger& from) : from_{&from} {}

  /// The next frame; none: the connection has ended, or nothing comes.
  std::optional<understudy::protocol::frame> next(std::chrono::milliseconds limit = patience) {
    for (const auto until = stranger::clock::now() + limit;;) {
      std::span<const std::byte> rest{waiting_};
      auto found = reader_.next(rest);
      waiting_.erase(waiting_.begin(), waiting_.end() - std::ssize(rest));
      REQUIRE_MESSAGE(found, "a node writes frames");
      if (*found)
        return std::move(**found);
      waiting_ = from_->hear(limit);
      if (waiting_.empty() || stranger::clock::now() >= until)
        return std::nullopt;
    }
  }

  /// The next one of that kind, whatever comes before.
  std::optional<understudy::protocol::frame> next(understudy::protocol::frame_kind kind,
                                                  std::chrono::milliseconds limit = patience) {
    for (;;) {
      auto found = next(limit);
      if (!found || found->kind == kind)
        return found;
    }
  }

private:
  stranger* from_;
  understudy::protocol::frame_reader reader_{std::size_t{16} << 20};
  std::vector<std::byte> waiting_;
};

} // namespace hostile
