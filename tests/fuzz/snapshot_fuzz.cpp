// SPDX-License-Identifier: BSL-1.0
// A snapshot: any header, and records of any content behind it.
#include "fuzzed_store.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::storage;
  fuzz::input from{data, size};
  const auto disk = fuzz::disk_with_ballots();
  const understudy::log_position at{{5}, {1}};
  if (from.number<std::uint8_t>() % 2 == 0) {
    disk->put(snapshot_name(at), from.rest());
  } else {
    file_header header{.kind = file_kind::snapshot, .owner = fuzz::owner};
    for (auto& number : header.numbers)
      number = from.number<std::uint64_t>();
    if (header.numbers[0] % 2 == 0) { // one that belongs there, and announces what comes
      header.numbers[0] = at.index.value;
      header.numbers[1] = at.term.value;
      header.numbers[4] %= 4'096;
      header.numbers[5]
          = header.numbers[5] % 2 == 0 ? understudy::digest_of({}) : header.numbers[5];
      header.numbers[6] %= 2;
    }
    disk->put(snapshot_name(at), fuzz::file_of(header, from));
  }
  fuzz::open_and_check(disk);
  return 0;
}
