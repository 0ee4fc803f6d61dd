// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/errors.hpp>

#include <future>
#include <memory>
#include <utility>

namespace understudy {

/// Where the one answer to a question goes that is no call to the machine.
///
/// A slot that is let go of without an answer answers `otherwise`, so no future is ever left broken
/// or waiting.
template <class Result> class result_slot {
public:
  explicit result_slot(failure otherwise) : otherwise_{std::move(otherwise)} {}
  result_slot(const result_slot&) = delete;
  result_slot& operator=(const result_slot&) = delete;
  ~result_slot() { answer(tl::unexpected<failure>{otherwise_}); }

  [[nodiscard]] std::future<expected<Result>> future() { return promise_.get_future(); }

  void answer(expected<Result> result) {
    if (!std::exchange(done_, true))
      promise_.set_value(std::move(result));
  }

private:
  failure otherwise_;
  std::promise<expected<Result>> promise_;
  bool done_ = false;
};

} // namespace understudy
