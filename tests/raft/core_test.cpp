// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/core.hpp>

#include <doctest/doctest.h>

#include "raft/support/walk.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace core_test {

using namespace support;

static_assert(component<raft_core>);

namespace {

/// One walk, as a seed decides. Returns what was wrong, or nothing.
std::string walk_of(std::uint64_t seed, int steps, coverage& all) {
  walk w{seed};
  try {
    for (int i = 0; i < steps; ++i)
      w.step();
    if (!w.settle_down())
      return "the nodes do not come together again (L1, L2)";
  } catch (const std::exception& broken) {
    return broken.what();
  }
  const auto seen = w.covered();
  all.elections += seen.elections;
  all.from_outside += seen.from_outside;
  all.truncations += seen.truncations;
  all.installs += seen.installs;
  all.committed += seen.committed;
  all.returns += seen.returns;
  all.joint += seen.joint > 0 ? 1 : 0;
  return {};
}

} // namespace

TEST_CASE("whatever the network and the disks do, what is committed stays, and all come together") {
  const char* wish = std::getenv("UNDERSTUDY_SEED");
  const auto first = wish ? std::strtoull(wish, nullptr, 10) : 1;
  const auto walks = wish ? 1u : 240u;
  coverage all;
  for (auto seed = first; seed < first + walks; ++seed) {
    CAPTURE(seed);
    CHECK(walk_of(seed, 2'000, all) == "");
  }
  if (wish)
    return;
  // Walks that meet nothing prove nothing. Well below the mean, which moves with every draw.
  CHECK(all.elections > walks);
  CHECK(all.from_outside > walks / 40);
  CHECK(all.committed > 20 * walks);
  CHECK(all.truncations > walks / 4);
  CHECK(all.installs > walks / 4);
  CHECK(all.joint > walks / 8);
  CHECK(all.returns > walks);
}

} // namespace core_test
