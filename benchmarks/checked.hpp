// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/errors.hpp>

#include <sstream>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace benchmarks {

/// The value of a result; throws what is wrong with it, as every benchmark ends then.
template <class T> T checked(understudy::expected<T> result) {
  if (!result) {
    std::ostringstream why;
    why << result.error();
    throw std::runtime_error{why.str()};
  }
  if constexpr (!std::is_void_v<T>)
    return std::move(*result);
}

} // namespace benchmarks
