// SPDX-License-Identifier: BSL-1.0
// The two ballots: any bytes, or any numbers behind a right checksum.
#include "fuzzed_store.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::storage;
  fuzz::input from{data, size};
  const auto disk = std::make_shared<understudy::testing::faulty_disk>();
  for (const auto name : ballot_names) {
    const auto how = from.number<std::uint8_t>() % 4;
    if (how == 0)
      continue; // it is missing
    if (how == 1) {
      const auto content = from.some(file_header::size_bytes + from.number<std::uint8_t>());
      disk->put(name, content);
      continue;
    }
    file_header header{.kind = file_kind::ballot, .owner = fuzz::owner};
    if (how == 3) {
      header.kind = static_cast<file_kind>(from.number<std::uint32_t>());
      header.owner = {{from.number<std::uint64_t>()},
                      {from.number<std::uint64_t>()},
                      from.number<std::uint64_t>()};
    }
    for (auto& number : header.numbers)
      number = from.number<std::uint64_t>();
    disk->put(name, to_bytes(header));
  }
  fuzz::open_and_check(disk);
  return 0;
}
