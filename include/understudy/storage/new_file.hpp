// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/errors.hpp>
#include <understudy/storage/directory.hpp>
#include <understudy/storage/file_names.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace understudy::storage {

namespace detail {

[[nodiscard]] inline std::string unfinished_name(std::string_view name) {
  return std::string{name} + std::string{unfinished_suffix};
}

} // namespace detail

/// The first half of `make_file`: writes and syncs the file, but does not give it its name. After
/// an error nothing is there.
template <std::invocable<file&> Fill>
[[nodiscard]] expected<std::unique_ptr<file>> prepare_file(directory& in, std::string_view name,
                                                           Fill fill) {
  const auto unfinished = detail::unfinished_name(name);
  auto made = in.create(unfinished);
  if (!made)
    return made;
  auto done = fill(**made);
  if (done)
    done = (*made)->sync();
  if (done)
    return made;
  static_cast<void>(in.remove(unfinished)); // gives the room back; the first error is the one
  return tl::unexpected<failure>{done.error()};
}

/// The second half: gives a prepared file its name, durably.
[[nodiscard]] inline expected<void> name_file(directory& in, std::string_view name) {
  const auto unfinished = detail::unfinished_name(name);
  if (auto done = in.rename(unfinished, name); !done) {
    static_cast<void>(in.remove(unfinished));
    return done;
  }
  return in.sync();
}

/// Makes the file `name`, or another one in its place: written aside by `fill`, synced, and only
/// then given its name, so that a file of that name is whole or not there (D8, N3). It is durable
/// when this returns. After an error everything is as it was.
template <std::invocable<file&> Fill>
[[nodiscard]] expected<std::unique_ptr<file>> make_file(directory& in, std::string_view name,
                                                        Fill fill) {
  auto made = prepare_file(in, name, std::move(fill));
  if (!made)
    return made;
  if (auto done = name_file(in, name); !done)
    return tl::unexpected<failure>{done.error()};
  return made;
}

} // namespace understudy::storage
