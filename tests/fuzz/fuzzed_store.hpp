// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Opens a store on files that a fuzzer has made.
///
/// Random bytes hardly ever pass a checksum, so the targets can also have theirs made right: then
/// what is fuzzed is what stands behind it.

#include <understudy/storage/durable_store.hpp>
#include <understudy/storage/inspection.hpp>
#include <understudy/testing/faulty_directory.hpp>
#include <understudy/testing/store_model.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace fuzz {

using namespace understudy;
using namespace understudy::testing;

inline constexpr storage::file_owner owner{.cluster = {77}, .node = {7}, .start = 9};
inline constexpr storage::log_layout layout{.segment_bytes = 4096, .seed = 1};

/// What the fuzzer offers, taken from the front.
class input {
public:
  input(const std::uint8_t* data, std::size_t size)
      : left_{reinterpret_cast<const std::byte*>(data), size} {}

  template <class T> T number() {
    std::array<std::byte, sizeof(T)> raw{};
    std::ranges::copy(some(sizeof(T)), raw.begin());
    return storage::get<T>(raw.data());
  }

  std::span<const std::byte> some(std::size_t size) {
    const auto part = left_.first(std::min(size, left_.size()));
    left_ = left_.subspan(part.size());
    return part;
  }
  std::span<const std::byte> rest() { return some(left_.size()); }

  [[nodiscard]] bool empty() const { return left_.empty(); }

private:
  std::span<const std::byte> left_;
};

/// A file: the header, and records with these contents whose checksums are right.
inline std::vector<std::byte> file_of(const storage::file_header& header, input& from) {
  const auto image = storage::to_bytes(header);
  const auto salt = storage::digest_in(image);
  storage::record_batch batch{salt, {image.size(), salt}};
  while (!from.empty()) {
    const auto kind = static_cast<storage::record_kind>(1 + from.number<std::uint8_t>() % 4);
    const std::uint64_t synced = from.number<std::uint16_t>();
    const auto size = std::size_t{from.number<std::uint8_t>()} + 1;
    const auto content = from.some(size);
    if (!content.empty())
      batch.add(kind, std::min(synced, batch.end().offset), content);
  }
  std::vector<std::byte> all{image.begin(), image.end()};
  all.insert(all.end(), batch.view().begin(), batch.view().end());
  return all;
}

/// A disk with two good ballots.
inline std::shared_ptr<faulty_disk> disk_with_ballots() {
  const auto disk = std::make_shared<faulty_disk>();
  const auto ballots = storage::to_bytes(
      {.kind = storage::file_kind::ballot, .owner = owner, .numbers = {1, 1, 7}});
  for (const auto name : storage::ballot_names)
    disk->put(name, ballots);
  return disk;
}

inline void require(bool holds) {
  if (!holds)
    std::abort();
}

/// Whatever the files are: there is a store or an error, nothing is thrown, an error changes
/// nothing, and what was found once is found again.
inline void open_and_check(const std::shared_ptr<faulty_disk>& disk) {
  const auto open = [&] {
    return durable_store::open(std::make_unique<faulty_directory>(disk), owner, layout);
  };
  const auto names = disk->names();
  faulty_directory in{disk};
  const auto seen = storage::inspect(in);
  auto store = open();
  if (!store) {
    require(disk->names() == names);
    require(seen.refusal || store.error().code == errc::storage_full);
    return;
  }
  require(!seen.refusal);
  const auto found = store->recover();
  const auto print = fingerprint_of(*found);
  require(store->close().has_value());
  auto again = open();
  require(again.has_value());
  const auto after = again->recover();
  require(fingerprint_of(*after) == print && after->vote == found->vote);
}

} // namespace fuzz
