// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What happens when the code itself is wrong.
///
/// A broken invariant is no operating error: going on could hand out data that is not there. The
/// check stays on in every build. It throws, and only the border of a node catches that: the actor
/// shell stops the whole node and says why, the simulator fails the run with its seed.

#include <stdexcept>
#include <string>

namespace understudy {

/// Thrown by UNDERSTUDY_ASSERT. Never crosses the API: a node turns it into `errc::node_broken`.
class invariant_broken : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

namespace detail {

[[noreturn]] inline void invariant_failed(const char* what, const char* file, int line,
                                          const char* why) {
  throw invariant_broken{std::string{file} + ":" + std::to_string(line) + ": " + why + " (" + what
                         + ")"};
}

} // namespace detail
} // namespace understudy

/// Checks `condition` in every build; `why` is a sentence for whoever reads the log at night.
#ifndef UNDERSTUDY_ASSERT
#define UNDERSTUDY_ASSERT(condition, why)                                                          \
  (static_cast<bool>(condition)                                                                    \
       ? static_cast<void>(0)                                                                      \
       : ::understudy::detail::invariant_failed(#condition, __FILE__, __LINE__, why))
#endif
