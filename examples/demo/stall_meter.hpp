// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How much of a wait was the machine's doing. The benchmarks have it from here.

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

namespace demo {

using milliseconds = std::chrono::duration<double, std::milli>;

/// How late a timer of 1 ms fires at worst: what no program can answer faster than on this machine.
class stall_meter {
public:
  stall_meter()
      : thread_{[this](std::stop_token stop) {
          while (!stop.stop_requested()) {
            const auto due = std::chrono::steady_clock::now() + std::chrono::milliseconds{1};
            std::this_thread::sleep_until(due);
            const milliseconds late = std::chrono::steady_clock::now() - due;
            if (late.count() > worst_.load())
              worst_.store(late.count());
          }
        }} {}

  /// The worst since this was last asked.
  milliseconds take() { return milliseconds{worst_.exchange(0)}; }

private:
  std::atomic<double> worst_{0};
  std::jthread thread_;
};

} // namespace demo
