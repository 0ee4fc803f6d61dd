// SPDX-License-Identifier: BSL-1.0
// Log replay: a segment of any bytes, or of records with any content.
#include "fuzzed_store.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input from{data, size};
  const auto disk = fuzz::disk_with_ballots();
  const bool made_right = from.number<std::uint8_t>() % 2 == 0;
  const std::uint64_t begins
      = from.number<std::uint8_t>() % 2 == 0 ? 0 : from.number<std::uint64_t>();
  const auto header
      = understudy::storage::to_file_header({.owner = fuzz::owner,
                                             .sequence = 1,
                                             .begins = {{begins}, {begins == 0 ? 0u : 1u}},
                                             .restarts = true});
  const understudy::storage::segment_name name{1, understudy::log_index{begins}.next()};
  std::vector<std::byte> content;
  if (made_right) {
    content = fuzz::file_of(header, from);
  } else {
    const auto image = understudy::storage::to_bytes(header);
    content.assign(image.begin(), image.end());
    const auto rest = from.rest();
    content.insert(content.end(), rest.begin(), rest.end());
  }
  disk->put(to_string(name), content);
  fuzz::open_and_check(disk);
  return 0;
}
