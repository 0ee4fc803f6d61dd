// SPDX-License-Identifier: BSL-1.0
#include <understudy/security/nonce.hpp>
#include <understudy/version.hpp>

#include <cereal/archives/binary.hpp>
#include <tl/expected.hpp>

#include <iostream>

int main() {
  const tl::expected<int, int> version = UNDERSTUDY_VERSION_MINOR;
  std::cout << "understudy " << UNDERSTUDY_VERSION_MAJOR << '.' << *version << ", no CAF\n";
  // A call into OpenSSL shows that it is linked, not only found.
  return understudy::security::fresh_nonce() ? 0 : 1;
}
