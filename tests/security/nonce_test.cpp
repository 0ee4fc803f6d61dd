// SPDX-License-Identifier: BSL-1.0
#include <understudy/security/nonce.hpp>

#include <doctest/doctest.h>

#include <set>

namespace nonce_test {

using namespace understudy::security;

TEST_CASE("no nonce comes twice") {
  std::set<nonce> seen;
  for (int i = 0; i < 1'000; ++i)
    seen.insert(*fresh_nonce());
  CHECK(seen.size() == 1'000);
  CHECK_FALSE(seen.contains(nonce{}));
}

} // namespace nonce_test
