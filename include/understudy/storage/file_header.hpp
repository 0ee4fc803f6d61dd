// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The 128 bytes that every file begins with.
///
/// They say what the file is, in which format, and whose: a file that got here from another
/// cluster, another node or another life of this node is told apart before anything in it is
/// believed (B14). Their layout is the same in all releases, so that a newer file is recognised as
/// newer, and not as damaged.
///
/// | bytes | content |
/// | --- | --- |
/// | 0-7 | "ustudy\r\n": a transfer that changes line ends spoils it |
/// | 8-11 | format version |
/// | 12-15 | kind of file |
/// | 16-23 | cluster; 0 before the node has entered one |
/// | 24-39 | the node: its id and its start |
/// | 40-103 | eight numbers that belong to the kind |
/// | 104-119 | zero |
/// | 120-127 | XXH3 of the bytes before |

#include <understudy/core/digest.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/storage/directory.hpp>
#include <understudy/storage/little_endian.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace understudy::storage {

/// What this release writes. It reads all versions up to this one.
inline constexpr std::uint32_t format_version = 1;

/// Part of the format: never reused.
enum class file_kind : std::uint32_t {
  ballot = 1,
  segment = 2,
  snapshot = 3,
  synced_mark = 4,
};

/// Whose a file is.
struct file_owner {
  cluster_id cluster = {}; ///< none: not entered yet
  member_id node = {};
  std::uint64_t start = 0; ///< as in `member`

  friend bool operator==(const file_owner&, const file_owner&) = default;
};

/// The first bytes of a file, in memory.
struct file_header {
  static constexpr std::size_t size_bytes = 128;
  using image = std::array<std::byte, size_bytes>;

  file_kind kind = {};
  file_owner owner = {};
  std::array<std::uint64_t, 8> numbers = {}; ///< what they mean is up to the kind

  friend bool operator==(const file_header&, const file_header&) = default;
};

namespace detail {
inline constexpr std::string_view file_magic{"ustudy\r\n", 8};
inline constexpr std::size_t header_digest_at = file_header::size_bytes - 8;
} // namespace detail

/// The bytes that stand for `header`.
[[nodiscard]] inline file_header::image to_bytes(const file_header& header) {
  file_header::image at{};
  std::memcpy(at.data(), detail::file_magic.data(), detail::file_magic.size());
  put(at.data() + 8, format_version);
  put(at.data() + 12, static_cast<std::uint32_t>(header.kind));
  put(at.data() + 16, header.owner.cluster.value);
  put(at.data() + 24, header.owner.node.value);
  put(at.data() + 32, header.owner.start);
  for (std::size_t i = 0; i < header.numbers.size(); ++i)
    put(at.data() + 40 + 8 * i, header.numbers[i]);
  put(at.data() + detail::header_digest_at,
      understudy::digest_of(std::span{at}.first<detail::header_digest_at>()));
  return at;
}

/// The digest of a header: where a chain of records starts.
[[nodiscard]] inline std::uint64_t digest_in(const file_header::image& at) {
  return get<std::uint64_t>(at.data() + detail::header_digest_at);
}
[[nodiscard]] inline std::uint64_t digest_of(const file_header& header) {
  return digest_in(to_bytes(header));
}

/// Reads a header back. `name` is the file's, for the error: `storage_damaged`, or
/// `format_unsupported` where a newer release wrote it, and did so without damage.
[[nodiscard]] inline expected<file_header> header_from(const file_header::image& at, file_kind kind,
                                                       const std::string& name) {
  const auto damaged = [&](const std::string& why) {
    return fail(errc::storage_damaged, name + ": its header " + why);
  };
  if (std::memcmp(at.data(), detail::file_magic.data(), detail::file_magic.size()) != 0)
    return damaged("does not start as one of understudy's does");
  if (digest_in(at) != understudy::digest_of(std::span{at}.first<detail::header_digest_at>()))
    return damaged("does not match its checksum");
  if (const auto version = get<std::uint32_t>(at.data() + 8); version != format_version)
    return fail(errc::format_unsupported, name + ": has format " + std::to_string(version)
                                              + ", and this release knows format "
                                              + std::to_string(format_version));
  if (get<std::uint32_t>(at.data() + 12) != static_cast<std::uint32_t>(kind))
    return damaged("is that of another kind of file");
  file_header found{.kind = kind,
                    .owner = {.cluster = {get<std::uint64_t>(at.data() + 16)},
                              .node = {get<std::uint64_t>(at.data() + 24)},
                              .start = get<std::uint64_t>(at.data() + 32)}};
  for (std::size_t i = 0; i < found.numbers.size(); ++i)
    found.numbers[i] = get<std::uint64_t>(at.data() + 40 + 8 * i);
  return found;
}

/// Fails where `found` is not a file of `owner`; before the node has entered a cluster, it is
/// nobody's business which one a file names.
[[nodiscard]] inline expected<void> check_owner(const file_owner& found, const file_owner& owner,
                                                const std::string& name) {
  if (owner.cluster && found.cluster && found.cluster != owner.cluster)
    return fail(errc::cluster_mismatch, name + ": belongs to cluster "
                                            + std::to_string(found.cluster.value) + ", not "
                                            + std::to_string(owner.cluster.value));
  if (found.node != owner.node || found.start != owner.start)
    return fail(errc::storage_foreign,
                name + ": belongs to node " + std::to_string(found.node.value) + ", not "
                    + std::to_string(owner.node.value) + ", or to another start of it");
  return {};
}

/// An open file whose header has verified.
struct headed_file {
  file_header header = {};
  std::unique_ptr<file> content = nullptr;
};

/// Opens the file `name` and reads its header.
[[nodiscard]] inline expected<headed_file> open_headed(directory& in, std::string_view name,
                                                       file_kind kind) {
  const auto path = in.path() + "/" + std::string{name};
  auto opened = in.open(name);
  if (!opened)
    return tl::unexpected<failure>{opened.error()};
  file_header::image at{};
  const auto got = (*opened)->read(0, at);
  if (!got)
    return tl::unexpected<failure>{got.error()};
  if (*got != at.size())
    return fail(errc::storage_damaged,
                path + ": ends after " + std::to_string(*got) + " bytes, within its header");
  auto header = header_from(at, kind, path);
  if (!header)
    return tl::unexpected<failure>{header.error()};
  return headed_file{std::move(*header), std::move(*opened)};
}

/// The same for a file that has to be one of `owner`'s.
[[nodiscard]] inline expected<headed_file> open_headed(directory& in, std::string_view name,
                                                       file_kind kind, const file_owner& owner) {
  auto opened = open_headed(in, name, kind);
  if (!opened)
    return opened;
  const auto path = in.path() + "/" + std::string{name};
  if (auto ours = check_owner(opened->header.owner, owner, path); !ours)
    return tl::unexpected<failure>{ours.error()};
  return opened;
}

} // namespace understudy::storage
