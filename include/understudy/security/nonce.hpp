// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Numbers that are used once, so that what was proved on one connection proves nothing on another.

#include <understudy/core/errors.hpp>
#include <understudy/security/openssl.hpp>

#include <openssl/rand.h>

#include <array>
#include <cstddef>

namespace understudy::security {

/// 128 random bits: none comes twice in the life of a cluster.
using nonce = std::array<std::byte, 16>;

/// A new one, from the operating system's randomness. Safe from any thread. Fails with
/// `not_trusted` where there is none to be had: then nothing can be proved.
[[nodiscard]] inline expected<nonce> fresh_nonce() {
  const detail::clean_errors scope;
  nonce made{};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(made.data()), static_cast<int>(made.size())) != 1)
    return fail(errc::not_trusted, "no random numbers: " + detail::error_text("OpenSSL has none"));
  return made;
}

} // namespace understudy::security
