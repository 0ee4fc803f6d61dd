// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/errors.hpp>
#include <understudy/storage/directory.hpp>
#include <understudy/storage/file_names.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <string_view>

namespace understudy::storage {

/// Makes the file `name`, or another one in its place: written aside by `fill`, synced, and only
/// then given its name, so that a file of that name is whole or not there (D8, N3). It is durable
/// when this returns. After an error everything is as it was.
template <std::invocable<file&> Fill>
[[nodiscard]] expected<std::unique_ptr<file>> make_file(directory& in, std::string_view name,
                                                        Fill fill) {
  const auto unfinished = std::string{name} + std::string{unfinished_suffix};
  auto made = in.create(unfinished);
  if (!made)
    return made;
  const auto finish = [&]() -> expected<void> {
    if (auto done = fill(**made); !done)
      return done;
    if (auto done = (*made)->sync(); !done)
      return done;
    return in.rename(unfinished, name);
  };
  if (auto done = finish(); !done) {
    static_cast<void>(in.remove(unfinished)); // gives the room back; the first error is the one
    return tl::unexpected<failure>{done.error()};
  }
  if (auto done = in.sync(); !done)
    return tl::unexpected<failure>{done.error()};
  return made;
}

} // namespace understudy::storage
