// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Callers that write at a fixed rate, whatever becomes of the cluster, and how long they waited.

#include "figures.hpp"
#include "write_load.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace benchmarks {

/// From its beginning to `finish`. Each caller is a thread with one write open; one that was not
/// answered in time has the next ones behind it sent late, but none of them left out.
class paced_writers {
public:
  struct findings {
    std::size_t answered = 0;
    std::size_t failed = 0;
    milliseconds longest_gap{0}; ///< between two answers, whoever got them
    milliseconds longest_wait{0};
  };

  paced_writers(std::size_t callers, const std::function<one_write(std::size_t)>& make_caller,
                std::chrono::microseconds period)
      : parts_(callers) {
    for (std::size_t i = 0; i < callers; ++i)
      threads_.emplace_back([this, i, period, write = make_caller(i)](const std::stop_token& over) {
        auto next = clock::now();
        while (!over.stop_requested()) {
          std::this_thread::sleep_until(next += period);
          const auto sent = clock::now();
          if (!write()) {
            ++parts_[i].failed;
            continue;
          }
          parts_[i].answers.push_back(clock::now());
          parts_[i].longest_wait
              = std::max<milliseconds>(parts_[i].longest_wait, parts_[i].answers.back() - sent);
          ++answered_;
        }
      });
  }

  /// How many writes are acknowledged by now.
  [[nodiscard]] std::size_t answered() const { return answered_; }

  [[nodiscard]] findings finish() {
    threads_.clear();
    findings all;
    std::vector<clock::time_point> answers;
    for (const auto& p : parts_) {
      all.failed += p.failed;
      all.longest_wait = std::max(all.longest_wait, p.longest_wait);
      answers.insert(answers.end(), p.answers.begin(), p.answers.end());
    }
    all.answered = answers.size();
    std::ranges::sort(answers);
    for (std::size_t i = 1; i < answers.size(); ++i)
      all.longest_gap = std::max<milliseconds>(all.longest_gap, answers[i] - answers[i - 1]);
    return all;
  }

private:
  using clock = std::chrono::steady_clock;

  struct part {
    std::vector<clock::time_point> answers;
    milliseconds longest_wait{0};
    std::size_t failed = 0;
  };

  std::vector<part> parts_;
  std::atomic<std::size_t> answered_{0};
  std::vector<std::jthread> threads_;
};

} // namespace benchmarks
