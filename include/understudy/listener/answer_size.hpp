// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How much to ask a source for at a time (N9).
///
/// A line may be too slow to bring a whole piece in the time that a source has to answer in. It is
/// then asked for less and less, since what is small may come; and for more again where all that
/// was asked for comes quickly.

#include <understudy/core/time.hpp>
#include <understudy/listener/options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace understudy {

/// The bytes to ask for: up to `puller_options::bytes_max`, never less than `answer_bytes_least`.
/// It is of the node and not of one source: what is slow is mostly the line of the node itself.
class answer_size {
public:
  explicit answer_size(const puller_options& o)
      : most_{o.bytes_max}, bytes_{o.bytes_max}, quick_{o.source_timeout / 4} {}

  [[nodiscard]] std::uint32_t bytes() const { return bytes_; }

  /// No answer came in time.
  void missed() { bytes_ = std::max(bytes_ / 2, answer_bytes_least); }

  /// An answer with so many bytes came so long after the question. One that is smaller than it
  /// might have been says nothing of the line.
  void came(std::size_t bytes, interval after) {
    if (bytes >= bytes_ / 2 && after <= quick_)
      bytes_ = bytes_ > most_ / 2 ? most_ : bytes_ * 2;
  }

private:
  std::uint32_t most_;
  std::uint32_t bytes_;
  interval quick_;
};

} // namespace understudy
