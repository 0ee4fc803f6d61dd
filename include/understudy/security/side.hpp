// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The two ends of a connection, which prove different things to each other.

#include <cstdint>

namespace understudy::security {

/// Which end of a connection this one is. Both know without being told.
enum class side : std::uint8_t {
  opener,  ///< has opened it: TLS's client
  acceptor ///< has accepted it: TLS's server
};

/// The end that is not this one.
[[nodiscard]] constexpr side opposite(side of) {
  return of == side::opener ? side::acceptor : side::opener;
}

} // namespace understudy::security
