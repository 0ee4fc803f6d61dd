// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/errors.hpp>
#include <understudy/testing/linearizability.hpp>
#include <understudy/testing/machine_model.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace test_support {

/// What all clients of a cluster did and were told, from whatever threads.
template <class Machine> class ledger {
public:
  using model = understudy::testing::machine_model<Machine>;

  /// Client `who` is about to ask. `key` names the part of the machine that it is about.
  std::size_t ask(std::uint64_t who, const std::string& key, typename model::call what) {
    const std::lock_guard lock{mutex_};
    return recorder_.invoke(who, std::move(what), {}, key);
  }

  /// It was told this.
  template <class Asked>
  void end(std::size_t id, const understudy::expected<typename Asked::reply>& result) {
    {
      const std::lock_guard lock{mutex_};
      if (result)
        recorder_.complete(id, model::template answer<Asked>(*result));
      else if (!understudy::is_uncertain(result.error().code))
        recorder_.fail(id);
      ++ended_;
      done_ += result ? 1 : 0;
    }
    changed_.notify_all();
  }

  /// Waits until `count` more operations have ended, or `limit` is over.
  void wait_for_more(std::size_t count, std::chrono::milliseconds limit) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, limit, [&, aim = ended_ + count] { return ended_ >= aim; });
  }

  /// Waits until `count` more have succeeded. False: they do not.
  [[nodiscard]] bool wait_for_done(std::size_t count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{30},
                             [&, aim = done_ + count] { return done_ >= aim; });
  }

  [[nodiscard]] std::size_t done() const {
    const std::lock_guard lock{mutex_};
    return done_;
  }

  /// When nobody asks any more.
  [[nodiscard]] const auto& history() const { return recorder_.history(); }

  /// Whether one machine that did one thing at a time explains it all. When nobody asks any more.
  [[nodiscard]] bool is_linearizable() const {
    return understudy::testing::check_linearizable(model{}, history()).found
           == understudy::testing::linearity::linearizable;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  understudy::testing::operation_recorder<model> recorder_;
  std::size_t ended_ = 0;
  std::size_t done_ = 0;
};

} // namespace test_support
