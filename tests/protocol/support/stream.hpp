// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/protocol/frame.hpp>

#include <cstddef>
#include <vector>

namespace protocol_samples {

/// Frames as a connection carries them.
inline std::vector<std::byte> on_the_wire(const std::vector<understudy::protocol::frame>& all) {
  std::vector<std::byte> stream;
  for (const auto& f : all) {
    const auto header = understudy::protocol::header_of(f.kind, f.body);
    stream.insert(stream.end(), header.begin(), header.end());
    stream.insert(stream.end(), f.body.view().begin(), f.body.view().end());
  }
  return stream;
}

} // namespace protocol_samples
