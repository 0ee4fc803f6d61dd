// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a node still has, as one run of bytes: for a file, or for the way from a node that runs to
/// whoever collects what is left.
///
/// | bytes | content |
/// | --- | --- |
/// | 0-15 | `understudy rem 1` |
/// | 16-23 | XXH3 of all that follows |
/// | 24- | all of it, as `detail::remains_from` reads it; entries as in a log's records |
///
/// No node can be started on such a file as on its own data: a copy must not vote again.

#include <understudy/core/digest.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/recovery/remains.hpp>
#include <understudy/storage/entry_record.hpp>
#include <understudy/storage/little_endian.hpp>
#include <understudy/wire/codec.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace understudy {

namespace detail {

inline constexpr std::string_view remains_magic = "understudy rem 1";
inline constexpr std::size_t remains_head_bytes = 24;

[[nodiscard]] inline bytes entry_image(const entry& e) {
  const storage::entry_record record{e};
  std::vector<std::byte> image(record.size_bytes());
  record.write(image.data());
  return bytes{std::span<const std::byte>{image}};
}

[[nodiscard]] inline expected<remains> remains_from(std::span<const std::byte> body) {
  remains all;
  snapshot base;
  configuration members;
  bool has_base = false;
  std::vector<bytes> entries;
  if (auto done = wire::decode_into(body, "remains", all.node, all.runs, all.committed,
                                    all.kept.vote, has_base, base.at, base.stamp,
                                    base.members.index, members, base.image, base.digest, entries);
      !done)
    return tl::unexpected<failure>{std::move(done.error())};
  if (has_base) {
    if (!base.intact())
      return fail(errc::undecodable, "remains: the snapshot is not what it was");
    if (base.members.index != log_index{})
      base.members.content = std::make_shared<const configuration>(std::move(members));
    all.kept.base = std::make_shared<const snapshot>(std::move(base));
  }
  auto next = has_base ? all.kept.base->at.index.next() : log_index{1};
  for (const auto& image : entries) {
    auto read = storage::entry_from(image);
    if (!read)
      return tl::unexpected<failure>{std::move(read.error())};
    if (read->index != next)
      return fail(errc::undecodable, "remains: an entry is missing");
    next = next.next();
    all.kept.entries.push_back(std::move(*read));
  }
  return all;
}

} // namespace detail

/// All of it. `decode_remains` reads it back.
[[nodiscard]] inline bytes encode_remains(const remains& what) {
  std::vector<bytes> entries;
  for (const auto& e : what.kept.entries)
    entries.push_back(detail::entry_image(e));
  const auto base = what.kept.base ? *what.kept.base : snapshot{};
  const auto members = base.members.content ? *base.members.content : configuration{};
  const auto body = wire::encode(what.node, what.runs, what.committed, what.kept.vote,
                                 what.kept.base != nullptr, base.at, base.stamp, base.members.index,
                                 members, base.image, base.digest, entries);
  std::vector<std::byte> all(detail::remains_head_bytes + body.size());
  std::ranges::copy(std::as_bytes(std::span{detail::remains_magic}), all.begin());
  storage::put(all.data() + detail::remains_magic.size(), digest_of(body.view()));
  std::ranges::copy(body.view(), all.begin() + detail::remains_head_bytes);
  return bytes{std::span<const std::byte>{all}};
}

/// Fails with `undecodable` for what is none, or is damaged.
[[nodiscard]] inline expected<remains> decode_remains(std::span<const std::byte> from) {
  const auto magic = std::as_bytes(std::span{detail::remains_magic});
  if (from.size() < detail::remains_head_bytes
      || !std::ranges::equal(from.first(magic.size()), magic))
    return fail(errc::undecodable, "these are no remains of a node");
  const auto body = from.subspan(detail::remains_head_bytes);
  if (storage::get<std::uint64_t>(from.data() + magic.size()) != digest_of(body))
    return fail(errc::undecodable, "remains: some of it is damaged, or missing");
  return detail::remains_from(body);
}

/// What is left at `path`: in the directory of a node, as `remains_in` has it, or in a file with
/// what `encode_remains` wrote. `storage_missing` if nothing is there.
[[nodiscard]] inline expected<remains> remains_at(const std::string& path) {
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown))
    return remains_in(path);
  try {
    std::ifstream file{path, std::ios::binary};
    if (!file)
      return fail(errc::storage_missing, path + ": there is no such file or directory");
    const std::string all{std::istreambuf_iterator<char>{file}, {}};
    if (file.bad())
      return fail(errc::storage_failed, path + ": reading failed");
    auto read = decode_remains(std::as_bytes(std::span{all}));
    if (!read)
      read.error().detail = path + ": " + read.error().detail;
    return read;
  } catch (const std::bad_alloc&) {
    return fail(errc::storage_failed, path + ": there is not enough memory to read it");
  }
}

} // namespace understudy
