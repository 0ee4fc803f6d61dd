// SPDX-License-Identifier: BSL-1.0

// What comes by a connection with TLS. The first byte says which end is fuzzed, and what with:
// bytes of any kind, the same once it is known who is there, or what a good peer says with some
// bytes of its changed (three bytes each: where, in two, and what is added).

#include <understudy/security/tls_session.hpp>

#include "support/certificates.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace understudy;
using namespace understudy::security;

tls_context made_context() {
  std::string dir = (std::filesystem::temp_directory_path() / "understudy.XXXXXX").string();
  if (::mkdtemp(dir.data()) == nullptr)
    std::abort();
  const test_support::authority signs;
  auto made = tls_context::load(
      test_support::write_tls_files(dir, signs.issue({.names = {"n1"}}), signs));
  std::filesystem::remove_all(dir);
  if (!made)
    std::abort();
  return *made;
}

void shake_hands(tls_session& a, tls_session& b) {
  std::vector<std::byte> nothing;
  for (int i = 0; i < 3; ++i)
    if (!b.received(a.take_output(), nothing) || !a.received(b.take_output(), nothing))
      std::abort();
  if (!a.is_established() || !b.is_established() || !nothing.empty())
    std::abort();
}

/// Hands it over in pieces. What was refused once stays refused.
void feed(tls_session& victim, std::span<const std::byte> all, std::size_t step,
          std::vector<std::byte>& plain) {
  bool has_failed = false;
  while (!all.empty()) {
    const auto piece = all.first(std::min(step, all.size()));
    all = all.subspan(piece.size());
    const bool is_good = victim.received(piece, plain).has_value();
    if (has_failed && is_good)
      std::abort();
    has_failed = !is_good;
    static_cast<void>(victim.take_output());
  }
}

/// What a good peer says, changed, until one of the two has enough of it.
void talk_changed(tls_session& victim, tls_session& peer, std::span<const std::byte> changes,
                  std::size_t step) {
  std::vector<std::byte> plain;
  std::vector<std::byte> nothing;
  for (int i = 0; i < 3; ++i) {
    auto said = peer.take_output();
    if (peer.is_established())
      static_cast<void>(peer.send(std::vector<std::byte>(100)));
    for (; changes.size() >= 3 && !said.empty(); changes = changes.subspan(3)) {
      const auto at = std::to_integer<std::size_t>(changes[0])
                      | std::to_integer<std::size_t>(changes[1]) << 8;
      if (at >= said.size())
        break; // for what is said next
      said[at] ^= changes[2];
    }
    feed(victim, said, step, plain);
    static_cast<void>(peer.received(victim.take_output(), nothing));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3)
    return 0;
  static const tls_context context = made_context();
  const auto which = (data[0] & 1) != 0 ? side::opener : side::acceptor;
  const std::size_t step = data[1] * std::size_t{16} + 1;
  const std::span<const std::byte> rest{reinterpret_cast<const std::byte*>(data + 2), size - 2};
  auto victim = *tls_session::begin(context, which);
  auto peer = *tls_session::begin(context, opposite(which));
  std::vector<std::byte> plain;
  switch (data[0] >> 1 & 3) {
  case 0:
    feed(victim, rest, step, plain);
    if (victim.is_established())
      std::abort(); // without a certificate nobody is known
    break;
  case 1:
    shake_hands(which == side::opener ? victim : peer, which == side::opener ? peer : victim);
    feed(victim, rest, step, plain);
    break;
  default:
    talk_changed(victim, peer, rest, step);
    return 0;
  }
  if (!plain.empty())
    std::abort(); // nothing is believed that was not encrypted by who is there
  return 0;
}
