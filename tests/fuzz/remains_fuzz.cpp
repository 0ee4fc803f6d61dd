// SPDX-License-Identifier: BSL-1.0

// A file with what a node has left. The checksum is made right, so that what stands behind it is
// fuzzed as well.

#include <understudy/recovery/remains_image.hpp>
#include <understudy/recovery/survivors.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy;
  const std::span<const std::byte> body{reinterpret_cast<const std::byte*>(data), size};
  if (const auto raw = decode_remains(body); raw && decode_remains(encode_remains(*raw).view()))
    return 0; // it was one without any help
  std::vector<std::byte> whole(detail::remains_head_bytes + body.size());
  std::ranges::copy(std::as_bytes(std::span{detail::remains_magic}), whole.begin());
  storage::put(whole.data() + detail::remains_magic.size(), digest_of(body));
  std::ranges::copy(body, whole.begin() + detail::remains_head_bytes);
  const auto read = decode_remains(whole);
  if (!read)
    return 0;
  const auto again = decode_remains(encode_remains(*read).view());
  if (!again || again->last() != read->last())
    std::abort(); // what was taken can be written again
  static_cast<void>(inherit(std::span{&*read, 1}));
  return 0;
}
