// SPDX-License-Identifier: BSL-1.0

// What comes by a connection: frames cut anywhere, and whatever is in them. The first byte says
// whether checksums are made right, so that what stands behind them is fuzzed as well.

#include <understudy/protocol/hello.hpp>
#include <understudy/protocol/message_codec.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>
#include <vector>

namespace {

using namespace understudy;
using namespace understudy::protocol;

void use(const frame& f) {
  if (f.kind == frame_kind::hello) {
    if (const auto said = decode_hello(f); said && !decode_hello(protocol::encode(*said)))
      std::abort(); // what was taken can be said again
    return;
  }
  const auto read = decode(f);
  if (!read)
    return;
  const auto again = decode(encode(*read));
  if (!again || encode(*again) != encode(*read))
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2)
    return 0;
  std::span<const std::byte> left{reinterpret_cast<const std::byte*>(data + 2), size - 2};
  if (data[0] % 2 == 0) {
    use({static_cast<frame_kind>(data[1]), bytes{left}});
    return 0;
  }
  frame_reader reader{1 << 16};
  const std::size_t step = data[1] + std::size_t{1};
  while (!left.empty()) {
    auto piece = left.first(std::min(step, left.size()));
    left = left.subspan(piece.size());
    for (;;) {
      const auto next = reader.next(piece);
      if (!next)
        return 0;
      if (!*next)
        break;
      use(**next);
    }
  }
  return 0;
}
