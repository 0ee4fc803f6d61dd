// SPDX-License-Identifier: BSL-1.0

// Many that connect: some say nothing, some come and go. UNDERSTUDY_SECONDS takes longer.

#include <understudy/core/messages.hpp>

#include <doctest/doctest.h>

#include "hostile/support/hellos.hpp"
#include "hostile/support/victim.hpp"
#include "support/environment.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <utility>
#include <vector>

namespace strangers_test {

using namespace hostile;
using namespace std::chrono_literals;
using namespace understudy;

TEST_CASE("T4: of 500 that connect and say nothing 128 are kept, for two seconds") {
  victim node;
  std::list<stranger> silent;
  const auto begun = stranger::clock::now();
  {
    watch others{node};
    for (int i = 0; i < 500; ++i)
      silent.emplace_back(node.port());
    guest known{node.port(), hello_of(peer_role::client, 4711)};
    CHECK(known.is_known()); // who has something to say is let in all the while
    const auto kept = std::ranges::count_if(silent, [](stranger& s) { return !s.is_over(); });
    CHECK(kept <= 128);
    for (auto& s : silent)
      CHECK(s.ends());
    CHECK(stranger::clock::now() - begun < 10s);
    others.end();
    CHECK(others.slowest() < 5s);
    // Each may have a buffer of 256 KiB that its first bytes are read into: 32 MiB for all.
    CHECK(others.grown_bytes_max() < 64 * mebibyte);
    MESSAGE("kept ", kept, "; grown by ", others.grown_bytes_max() / mebibyte, " MiB");
  }
  node.must_end_well();
}

TEST_CASE("T4: who is refused because there are too many leaves nothing behind") {
  victim node{{}, nullptr, "a", 128}; // half of which may be connections
  const auto at_rest = node.open_files();
  {
    std::list<guest> all;
    for (std::uint64_t i = 0; i < 100; ++i)
      all.emplace_back(node.port(), hello_of(peer_role::client, 5'000 + i));
    const auto let_in = std::ranges::count_if(all, [](guest& g) { return g.is_known(); });
    CHECK(let_in > 0);
    CHECK(let_in <= 64);
  }
  const auto few = at_rest + 2; // a call that has just been answered
  for (const auto until = stranger::clock::now() + patience;
       node.open_files() > few && stranger::clock::now() < until;)
    node.must_serve();
  CHECK(node.open_files() <= few);
  node.must_end_well();
}

TEST_CASE("T11: clients that come and go leave nothing behind, whatever they call themselves") {
  const auto limit = std::chrono::seconds{test_support::number_from("UNDERSTUDY_SECONDS", 1)};
  victim node;
  std::uint64_t come = 0;
  watch others{node};
  for (const auto until = stranger::clock::now() + limit; stranger::clock::now() < until;) {
    ++come;
    const request one{{come}, query{bytes{"nonsense"}, consistency::local, {}, {}}, 5s};
    guest client{node.port(),
                 hello_of(peer_role::client, 1'000'000 + come),
                 {protocol::encode(requests{.batch = {one}})}};
    CHECK(client.heard().next(frame_kind::answers));
  }
  others.end();
  MESSAGE(come, " clients; grown by ", others.grown_bytes_max() / mebibyte, " MiB");
  // Who has been here is known for a while, so that answers find their way: 4,096 of them.
  CHECK(others.grown_bytes_max() < 64 * mebibyte);
  node.must_end_well();
}

} // namespace strangers_test
