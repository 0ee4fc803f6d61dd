// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A snapshot in a file: the header, the configuration as one record, and the image in pieces.
///
/// It is written aside, synced, and only then given its name, so a file of that name is whole or
/// damaged, never half written (N3). The one before is kept until then.

#include <understudy/core/snapshot.hpp>
#include <understudy/storage/file_header.hpp>
#include <understudy/storage/file_names.hpp>
#include <understudy/storage/new_file.hpp>
#include <understudy/storage/record.hpp>
#include <understudy/storage/record_reader.hpp>
#include <understudy/wire/codec.hpp>
#include <understudy/wire/containers.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace understudy::storage {

/// How much of the image one record holds: what is lost track of where a piece is damaged, and what
/// writing needs in memory.
inline constexpr std::size_t snapshot_piece_bytes = std::size_t{1} << 20;

/// After how many pieces the file is synced, so that no sync of the log ever waits behind a whole
/// snapshot.
inline constexpr std::size_t snapshot_pieces_at_once = 8;

namespace detail {

[[nodiscard]] inline file_header header_of(const snapshot& s, const file_owner& owner,
                                           bool of_own_log) {
  return {.kind = file_kind::snapshot,
          .owner = owner,
          .numbers = {s.at.index.value, s.at.term.value,
                      static_cast<std::uint64_t>(s.stamp.since_founding.count()),
                      s.members.index.value, s.image.size(), s.digest, of_own_log ? 1u : 0u}};
}

[[nodiscard]] inline expected<void> flush(file& to, record_batch& batch) {
  auto done = to.write(batch.start().offset, batch.view());
  batch.clear();
  return done;
}

[[nodiscard]] inline expected<void> write_content(file& to, const snapshot& s,
                                                  const file_header& described) {
  const auto header = to_bytes(described);
  if (auto done = to.write(0, header); !done)
    return done;
  record_batch batch{digest_in(header), {header.size(), digest_in(header)}};
  if (s.members.content)
    batch.add(record_kind::members, 0, wire::encode(*s.members.content).view());
  std::size_t pieces = 0;
  for (std::size_t at = 0; at < s.image.size(); at += snapshot_piece_bytes) {
    batch.add(record_kind::piece, 0, s.image.part(at, snapshot_piece_bytes).view());
    if (auto done = flush(to, batch); !done)
      return done;
    if (++pieces % snapshot_pieces_at_once == 0)
      if (auto done = to.sync(); !done)
        return done;
  }
  return flush(to, batch);
}

} // namespace detail

/// Writes `s`; it is durable under its name when this returns. After an error nothing of that name
/// is there that was not before. `of_own_log`: the log on this disk holds the entry at `s.at`.
[[nodiscard]] inline expected<void> write_snapshot(directory& in, const snapshot& s,
                                                   const file_owner& owner, bool of_own_log) {
  const auto header = detail::header_of(s, owner, of_own_log);
  const auto made = make_file(in, snapshot_name(s.at),
                              [&](file& f) { return detail::write_content(f, s, header); });
  if (!made)
    return tl::unexpected<failure>{made.error()};
  return {};
}

/// The same, but for the name: `name_file` gives it that.
[[nodiscard]] inline expected<void> prepare_snapshot(directory& in, const snapshot& s,
                                                     const file_owner& owner, bool of_own_log) {
  const auto header = detail::header_of(s, owner, of_own_log);
  const auto made = prepare_file(in, snapshot_name(s.at),
                                 [&](file& f) { return detail::write_content(f, s, header); });
  if (!made)
    return tl::unexpected<failure>{made.error()};
  return {};
}

/// A snapshot as its file has it.
struct stored_snapshot {
  std::shared_ptr<const snapshot> content = nullptr;
  bool of_own_log = false; ///< a log beside it that does not reach up to it has lost something
};

namespace detail {

/// Puts the records of a snapshot together again.
class snapshot_assembly {
public:
  snapshot_assembly(const file_header& header, std::string path) : path_{std::move(path)} {
    const auto& n = header.numbers;
    result_ = {.at = {{n[0]}, {n[1]}},
               .stamp = {interval{static_cast<std::int64_t>(n[2])}},
               .members = {.index = {n[3]}},
               .digest = n[5]};
    size_ = n[4];
    of_own_log_ = n[6] != 0;
  }

  /// `file_bytes` is what there is: nothing is allocated that it could not hold.
  [[nodiscard]] expected<void> reserve(std::uint64_t file_bytes) {
    if (size_ > file_bytes)
      return damaged("is shorter than the image it announces");
    image_ = std::make_shared_for_overwrite<std::byte[]>(static_cast<std::size_t>(size_));
    return {};
  }

  [[nodiscard]] expected<void> add(const record& r) {
    if (r.kind == record_kind::members && received_ == 0 && !result_.members.content) {
      auto members = wire::decode<configuration>(r.payload.view(), "configuration");
      if (!members)
        return damaged(members.error().detail);
      result_.members.content = std::make_shared<const configuration>(std::move(*members));
      return {};
    }
    if (r.kind != record_kind::piece || r.payload.size() > size_ - received_)
      return damaged("holds a record too many");
    std::ranges::copy(r.payload.view(), image_.get() + received_);
    received_ += r.payload.size();
    return {};
  }

  [[nodiscard]] expected<stored_snapshot> finish() {
    if (received_ != size_)
      return damaged("is shorter than the image it announces");
    result_.image = bytes::adopt(image_, static_cast<std::size_t>(size_));
    if (!result_.intact())
      return damaged("holds an image that does not match its checksum");
    return stored_snapshot{std::make_shared<const snapshot>(std::move(result_)), of_own_log_};
  }

  [[nodiscard]] tl::unexpected<failure> damaged(const std::string& why) const {
    return fail(errc::storage_damaged, path_ + ": " + why);
  }

private:
  std::string path_;
  snapshot result_;
  std::uint64_t size_ = 0;
  std::uint64_t received_ = 0;
  bool of_own_log_ = false;
  std::shared_ptr<std::byte[]> image_;
};

[[nodiscard]] inline expected<stored_snapshot> read_records(file& from, std::uint64_t salt,
                                                            snapshot_assembly& into) {
  const auto size = from.size();
  if (!size)
    return tl::unexpected<failure>{size.error()};
  if (auto done = into.reserve(*size); !done)
    return tl::unexpected<failure>{done.error()};
  record_reader reader{from, salt, {file_header::size_bytes, salt}, *size};
  for (;;) {
    auto next = reader.next();
    if (!next)
      return tl::unexpected<failure>{next.error()};
    if (!*next)
      break;
    if (auto done = into.add(**next); !done)
      return tl::unexpected<failure>{done.error()};
  }
  if (reader.end().offset != *size)
    return into.damaged("at byte " + std::to_string(reader.end().offset) + ": "
                        + (reader.why().empty() ? "zeros" : reader.why()));
  return into.finish();
}

} // namespace detail

/// Reads the snapshot of that name, and believes nothing in it that does not verify:
/// `storage_damaged` says where (D11).
[[nodiscard]] inline expected<stored_snapshot> read_snapshot(directory& in, log_position at,
                                                             const file_owner& owner) {
  const auto name = snapshot_name(at);
  const auto opened = open_headed(in, name, file_kind::snapshot, owner);
  if (!opened)
    return tl::unexpected<failure>{opened.error()};
  const auto& header = opened->header;
  detail::snapshot_assembly assembly{header, in.path() + "/" + name};
  if (header.numbers[0] != at.index.value || header.numbers[1] != at.term.value)
    return assembly.damaged("its header names another index or term");
  return detail::read_records(*opened->content, digest_of(header), assembly);
}

} // namespace understudy::storage
