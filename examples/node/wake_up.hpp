// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the main thread waits for: signals, and news from other threads.

#include <understudy/core/assert.hpp>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>

namespace node_program {

/// Why a wait ended.
enum class woken_by : std::uint8_t { time = 0, signal = 1, news = 2, reload = 3 };

/// SIGTERM, SIGINT and SIGHUP come here and nowhere else: nothing is done in a signal handler. Made
/// before the first thread, because threads inherit what is blocked.
class wake_up {
public:
  using moment = std::chrono::steady_clock::time_point;

  wake_up() {
    sigset_t caught;
    ::sigemptyset(&caught);
    ::sigaddset(&caught, SIGTERM);
    ::sigaddset(&caught, SIGINT);
    ::sigaddset(&caught, SIGHUP);
    ::pthread_sigmask(SIG_BLOCK, &caught, nullptr);
    signals_ = ::signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
    news_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    UNDERSTUDY_ASSERT(signals_ >= 0 && news_ >= 0, "a process that begins has descriptors left");
  }
  wake_up(const wake_up&) = delete;
  wake_up& operator=(const wake_up&) = delete;
  ~wake_up() {
    ::close(signals_);
    ::close(news_);
  }

  /// Ends the wait, or the next one if nobody waits. From any thread.
  void notify() const {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(news_, &one, sizeof one));
  }

  /// Waits for a signal or for news, until then at most; signals first.
  [[nodiscard]] woken_by wait(moment until = moment::max()) const {
    while (true) {
      std::array<pollfd, 2> both{{{signals_, POLLIN, 0}, {news_, POLLIN, 0}}};
      ::poll(both.data(), both.size(), left_ms(until));
      signalfd_siginfo signal{};
      if (::read(signals_, &signal, sizeof signal) == sizeof signal)
        return signal.ssi_signo == SIGHUP ? woken_by::reload : woken_by::signal;
      std::uint64_t count = 0;
      if (::read(news_, &count, sizeof count) == sizeof count)
        return woken_by::news;
      if (std::chrono::steady_clock::now() >= until)
        return woken_by::time;
    }
  }

private:
  static int left_ms(moment until) {
    if (until == moment::max())
      return -1;
    const auto left
        = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    return static_cast<int>(left.count() < 0 ? 0 : left.count() > 60'000 ? 60'000 : left.count());
  }

  int signals_ = -1;
  int news_ = -1;
};

} // namespace node_program
