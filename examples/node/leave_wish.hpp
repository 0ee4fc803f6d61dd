// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// An operator's wish that the node leave, from the thread that serves the operator to the main
/// one, which leaves for a signal as well: there is one way out, and one thread that takes it.

#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>

#include "wake_up.hpp"

#include <atomic>
#include <future>
#include <utility>

namespace node_program {

class leave_wish {
public:
  using outcome = understudy::expected<understudy::leave_ended>;

  explicit leave_wish(const wake_up& main_thread) : main_thread_{main_thread} {}

  /// Makes it, and waits for what comes of it. From any thread, several times.
  [[nodiscard]] outcome make() {
    made_ = true;
    main_thread_.notify();
    return outcome_.get();
  }

  [[nodiscard]] bool is_made() const { return made_; }

  /// What came of it; only the first answer counts. Has to be given by the main thread in the end,
  /// whether it was made or not: somebody may just be making it.
  void answer(outcome what) {
    if (!std::exchange(answered_, true))
      promise_.set_value(std::move(what));
  }

private:
  const wake_up& main_thread_;
  std::atomic<bool> made_ = false;
  std::promise<outcome> promise_;
  const std::shared_future<outcome> outcome_ = promise_.get_future().share();
  bool answered_ = false;
};

} // namespace node_program
