// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// One piece of the log on disk: a file of fixed size that records are added to until it is full.
///
/// A segment's header says where the log stood when it was begun, and where in the segment before
/// the log had ended. What lies behind that end there is none of the log's: this is how a torn tail
/// is cut off, without a byte of it being overwritten.

#include <understudy/core/entry.hpp>
#include <understudy/storage/file_header.hpp>
#include <understudy/storage/file_names.hpp>
#include <understudy/storage/new_file.hpp>
#include <understudy/storage/record.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace understudy::storage {

/// What a segment's header says.
struct segment_header {
  file_owner owner = {};
  std::uint64_t sequence = 0; ///< counts the segments of a directory
  log_position begins = {};   ///< the end of the log when this was begun
  bool restarts = false;      ///< a snapshot at `begins` took the place of all before it
  chain_end previous = {};    ///< where the log ends in the segment before
  std::uint64_t mark = 0;     ///< drawn at random: no two segments ever have the same header

  friend bool operator==(const segment_header&, const segment_header&) = default;

  [[nodiscard]] segment_name name() const { return {sequence, begins.index.next()}; }
};

[[nodiscard]] inline file_header to_file_header(const segment_header& of) {
  return {.kind = file_kind::segment,
          .owner = of.owner,
          .numbers = {of.sequence, of.begins.index.value, of.begins.term.value,
                      of.restarts ? 1u : 0u, of.previous.offset, of.previous.chain, of.mark}};
}

/// An open segment: its header, and the digest of that, to which its records are chained.
struct open_segment {
  segment_header header = {};
  std::uint64_t salt = 0;
  std::unique_ptr<file> content = nullptr;

  [[nodiscard]] chain_end first_record() const { return {file_header::size_bytes, salt}; }
};

/// Makes a segment of `size_bytes` that begins with the records in `first`. Durable under its name
/// when this returns, and so is everything the directory was told before. After an error it is not
/// there.
[[nodiscard]] inline expected<open_segment> create_segment(directory& in,
                                                           const segment_header& header,
                                                           std::uint64_t size_bytes,
                                                           std::span<const std::byte> first) {
  const auto image = to_bytes(to_file_header(header));
  auto made = make_file(in, to_string(header.name()), [&](file& f) -> expected<void> {
    if (auto done = f.allocate(size_bytes); !done)
      return done;
    if (auto done = f.write(0, image); !done)
      return done;
    return f.write(image.size(), first);
  });
  if (!made)
    return tl::unexpected<failure>{made.error()};
  return open_segment{.header = header, .salt = digest_in(image), .content = std::move(*made)};
}

/// Puts the same segment in another file, under the same name: durable when this returns.
[[nodiscard]] inline expected<void> make_anew(directory& in, open_segment& segment) {
  auto made = make_file(in, to_string(segment.header.name()), [&](file& f) -> expected<void> {
    std::vector<std::byte> piece(std::size_t{1} << 20);
    for (std::uint64_t at = 0;; at += piece.size()) {
      const auto got = segment.content->read(at, piece);
      if (!got)
        return tl::unexpected<failure>{got.error()};
      if (auto done = f.write(at, {piece.data(), *got}); !done || *got < piece.size())
        return done;
    }
  });
  if (!made)
    return tl::unexpected<failure>{made.error()};
  segment.content = std::move(*made);
  return {};
}

/// Opens the segment of that name, and checks that it is the one.
[[nodiscard]] inline expected<open_segment>
open_segment_named(directory& in, const segment_name& name, const file_owner& owner) {
  auto found = open_headed(in, to_string(name), file_kind::segment, owner);
  if (!found)
    return tl::unexpected<failure>{found.error()};
  const auto& n = found->header.numbers;
  open_segment segment{.header = {.owner = found->header.owner,
                                  .sequence = n[0],
                                  .begins = {{n[1]}, {n[2]}},
                                  .restarts = n[3] != 0,
                                  .previous = {n[4], n[5]},
                                  .mark = n[6]},
                       .salt = digest_of(found->header),
                       .content = std::move(found->content)};
  if (segment.header.name() != name)
    return fail(errc::storage_damaged, in.path() + "/" + to_string(name)
                                           + ": its header is that of "
                                           + to_string(segment.header.name()));
  return segment;
}

} // namespace understudy::storage
