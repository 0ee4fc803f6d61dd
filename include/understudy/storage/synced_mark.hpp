// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How much of the log has been synced, as far as the node got to say so.
///
/// Written after each sync of the log and not synced itself but where a segment is begun, so it
/// costs next to nothing. After a clean stop or a killed process it is exact: then a log that ends
/// sooner, or does not verify up to here, is damaged for certain. After a power failure it may be
/// an older one, or unreadable; then less is known, and what can not be told from a torn write is
/// cut off.

#include <understudy/storage/file_header.hpp>
#include <understudy/storage/file_names.hpp>
#include <understudy/storage/record.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace understudy::storage {

/// A place in the log: the end of what is known to be synced.
struct synced_position {
  std::uint64_t segment = 0; ///< its sequence
  chain_end end = {};
  log_index last = {}; ///< the last entry then, for whoever inspects

  friend bool operator==(const synced_position&, const synced_position&) = default;
};

/// The file, open for writing: two places, written in turn, so that a write that is torn leaves the
/// one before.
class synced_mark {
public:
  /// The last position that was recorded; none where that can not be read.
  [[nodiscard]] static std::optional<synced_position> read(directory& in, const file_owner& owner) {
    auto opened = in.open(mark_name);
    return opened ? newest(**opened, owner).at : std::nullopt;
  }

  /// Makes the file, or goes on with the one that is there.
  [[nodiscard]] static expected<synced_mark> open(directory& in, bool exists,
                                                  const file_owner& owner) {
    auto opened = exists ? in.open(mark_name) : in.create(mark_name);
    if (!opened)
      return tl::unexpected<failure>{opened.error()};
    // Room for it from the start: recording must not fail because the disk is full.
    if (auto done = (*opened)->allocate(places.back() + file_header::size_bytes); !done)
      return tl::unexpected<failure>{done.error()};
    const auto place = newest(**opened, owner).place;
    return synced_mark{std::move(*opened), place};
  }

  [[nodiscard]] expected<void> record(const synced_position& at, const file_owner& owner) {
    place_ = (place_ + 1) % places.size();
    return file_->write(places[place_], to_bytes({.kind = file_kind::synced_mark,
                                                  .owner = owner,
                                                  .numbers = {at.segment, at.end.offset,
                                                              at.end.chain, at.last.value}}));
  }

  [[nodiscard]] expected<void> sync() { return file_->sync(); }

private:
  /// In sectors of their own.
  static constexpr std::array<std::uint64_t, 2> places{0, 4096};

  struct recorded {
    std::optional<synced_position> at = {};
    std::size_t place = 0;
  };

  synced_mark(std::unique_ptr<file> opened, std::size_t newest_place)
      : file_{std::move(opened)}, place_{newest_place} {}

  static recorded newest(file& from, const file_owner& owner) {
    recorded best;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto found = read_at(from, places[i], owner);
      if (found && (!best.at || is_behind(*best.at, *found)))
        best = {found, i};
    }
    return best;
  }

  static std::optional<synced_position> read_at(file& from, std::uint64_t offset,
                                                const file_owner& owner) {
    file_header::image image{};
    const auto got = from.read(offset, image);
    if (!got || *got != image.size())
      return std::nullopt;
    const std::string name{mark_name};
    const auto header = header_from(image, file_kind::synced_mark, name);
    if (!header || !check_owner(header->owner, owner, name))
      return std::nullopt;
    const auto& n = header->numbers;
    return synced_position{.segment = n[0], .end = {n[1], n[2]}, .last = {n[3]}};
  }

  static bool is_behind(const synced_position& a, const synced_position& b) {
    return a.segment != b.segment ? a.segment < b.segment : a.end.offset < b.end.offset;
  }

  std::unique_ptr<file> file_;
  std::size_t place_; ///< written last
};

} // namespace understudy::storage
