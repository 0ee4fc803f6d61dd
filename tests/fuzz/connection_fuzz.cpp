// SPDX-License-Identifier: BSL-1.0

// What comes by a connection, whoever is there. The first byte says which end is fuzzed, whether it
// asks for the cluster's key, whether the other end has said who it is as it should, and whether
// the rest are frames made right (kind, length in two bytes, body) or bytes of any kind.

#include <understudy/protocol/connection.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace understudy;
using namespace understudy::protocol;
using security::side;

hello node(std::uint64_t id) {
  hello made{.id = {id}, .name = "n" + std::to_string(id)};
  made.nonce.fill(static_cast<std::byte>(id));
  return made;
}

const connection_options& options(bool keyed) {
  static const connection_options open;
  static const connection_options closed = [] {
    connection_options o;
    const std::vector<std::byte> key(32, std::byte{'k'});
    o.trust.key = *security::cluster_key::from(security::secret{key});
    return o;
  }();
  return keyed ? closed : open;
}

std::vector<std::byte> written_by(connection& one) {
  std::vector<std::byte> all;
  for (;;) {
    connection_outbox out;
    one.settle(out);
    if (out.write.empty())
      return all;
    for (const auto& f : out.write) {
      const auto header = header_of(f.kind, f.body);
      all.insert(all.end(), header.begin(), header.end());
      all.insert(all.end(), f.body.view().begin(), f.body.view().end());
    }
    one.written();
  }
}

/// Bytes that are frames, whatever the kinds and bodies in them.
std::vector<std::byte> framed(std::span<const std::byte> left) {
  std::vector<std::byte> all;
  while (left.size() >= 3) {
    const auto kind = std::to_integer<std::uint8_t>(left[0]);
    const auto size
        = std::to_integer<std::size_t>(left[1]) | std::to_integer<std::size_t>(left[2]) << 8;
    left = left.subspan(3);
    const bytes body{left.first(std::min(size, left.size()))};
    left = left.subspan(body.size());
    const auto header = header_of(static_cast<frame_kind>(kind), body);
    all.insert(all.end(), header.begin(), header.end());
    all.insert(all.end(), body.view().begin(), body.view().end());
  }
  return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2)
    return 0;
  const auto which = (data[0] & 1) != 0 ? side::opener : side::acceptor;
  const bool is_keyed = (data[0] & 2) != 0;
  const bool is_known = (data[0] & 4) != 0;
  const std::span<const std::byte> rest{reinterpret_cast<const std::byte*>(data + 2), size - 2};
  const std::vector<std::byte> raw{rest.begin(), rest.end()};
  const auto stream = (data[0] & 8) != 0 ? framed(rest) : raw;
  const std::size_t step = data[1] + std::size_t{1};

  connection victim{node(1), which, options(is_keyed), instant{}};
  connection_outbox out;
  if (is_known) {
    connection other{node(2), security::opposite(which), options(is_keyed), instant{}};
    connection_outbox ignored;
    for (int i = 0; i < 3; ++i) {
      other.received(written_by(victim), instant{}, ignored);
      victim.received(written_by(other), instant{}, out);
    }
    if (!out.introduced)
      std::abort(); // who has the key is known
    out = {};
  }
  for (std::span<const std::byte> left{stream}; !left.empty();) {
    const auto piece = left.first(std::min(step, left.size()));
    left = left.subspan(piece.size());
    victim.received(piece, instant{}, out);
    static_cast<void>(written_by(victim));
    if (!out.messages.empty() && !victim.is_introduced())
      std::abort(); // nothing is a message before it is known whose
    if (is_keyed && !is_known && victim.is_introduced())
      std::abort(); // nobody guesses a proof
  }
  return 0;
}
