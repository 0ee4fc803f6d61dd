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
#include <understudy/storage/new_file.hpp>
#include <understudy/storage/posix_directory.hpp>
#include <understudy/wire/codec.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
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

[[nodiscard]] inline std::string parent_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path().string() : ".";
}

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

namespace detail {

[[nodiscard]] inline expected<std::string> read_file(const std::filesystem::path& path) {
  std::error_code why;
  if (!std::filesystem::exists(path, why) && !why)
    return fail(errc::storage_missing, path.string() + ": there is no such file or directory");
  if (!std::filesystem::is_regular_file(path, why))
    return fail(errc::storage_failed,
                path.string() + ": " + (why ? why.message() : "is neither file nor directory"));
  auto in = storage::posix_directory::open(parent_of(path), storage::access::look);
  if (!in)
    return tl::unexpected<failure>{std::move(in.error())};
  const auto opened = (*in)->open(path.filename().string());
  if (!opened)
    return tl::unexpected<failure>{opened.error()};
  const auto size = (*opened)->size();
  if (!size)
    return tl::unexpected<failure>{size.error()};
  std::string all(static_cast<std::size_t>(*size), '\0');
  const auto got = (*opened)->read(0, std::as_writable_bytes(std::span{all}));
  if (!got)
    return tl::unexpected<failure>{got.error()};
  all.resize(*got);
  return all;
}

} // namespace detail

/// What is left at `path`: in the directory of a node, as `remains_in` has it, or in a file with
/// what `encode_remains` wrote. `storage_missing` if nothing is there.
[[nodiscard]] inline expected<remains> remains_at(const std::string& path) {
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown))
    return remains_in(path);
  try {
    const auto all = detail::read_file(path);
    if (!all)
      return tl::unexpected<failure>{all.error()};
    auto read = decode_remains(std::as_bytes(std::span{*all}));
    if (!read)
      read.error().detail = path + ": " + read.error().detail;
    return read;
  } catch (const std::bad_alloc&) {
    return fail(errc::storage_failed, path + ": there is not enough memory to read it");
  }
}

/// Writes an `image` of `encode_remains` into a new file, which only its owner may read. It is on
/// the disk when this returns; after an error it is not there. `storage_foreign` if something is
/// there already.
[[nodiscard]] inline expected<void> keep_remains(std::span<const std::byte> image,
                                                 const std::filesystem::path& path) {
  auto in = storage::posix_directory::open(detail::parent_of(path), storage::access::hold);
  if (!in)
    return tl::unexpected<failure>{std::move(in.error())};
  const auto name = path.filename().string();
  const auto there = (*in)->list();
  if (!there)
    return tl::unexpected<failure>{there.error()};
  if (std::ranges::find(*there, name) != there->end()
      || std::ranges::find(*there, name + "/") != there->end())
    return fail(errc::storage_foreign, path.string() + ": is there already");
  return storage::make_file(**in, name, [&](storage::file& f) { return f.write(0, image); })
      .map([](const auto&) {});
}

} // namespace understudy
