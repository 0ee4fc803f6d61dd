// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <unistd.h>

#include <utility>

namespace understudy {

/// A file or a socket of the operating system; closed when this goes.
class descriptor {
public:
  explicit descriptor(int number = -1) : number_{number} {}
  descriptor(descriptor&& other) noexcept : number_{other.release()} {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] explicit operator bool() const { return number_ >= 0; }
  /// Somebody else closes it.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

private:
  int number_;
};

} // namespace understudy
