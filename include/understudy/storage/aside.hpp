// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Puts the files of an earlier life out of the way, without deleting one.
///
/// A node that was evicted while it was down can not go on under its id. What it had stored may
/// still be worth something to whoever runs it, so it is kept in `aside-N/`, and the node starts in
/// an empty directory. A crash on the way is no harm: `retired` stands there until all is moved.

#include <understudy/core/errors.hpp>
#include <understudy/storage/directory.hpp>
#include <understudy/storage/file_names.hpp>

#include <string>

namespace understudy::storage {

/// Ends what a crash has interrupted; does nothing if there is nothing to end.
[[nodiscard]] inline expected<void> finish_aside(directory& in) {
  const auto found = survey_of(in);
  if (!found)
    return tl::unexpected<failure>{found.error()};
  if (!found->retired)
    return {};
  const auto target = "aside-" + std::to_string(found->asides) + "/";
  for (const auto& name : found->files())
    if (auto done = in.rename(name, target + name); !done)
      return done;
  if (auto done = in.sync(); !done)
    return done;
  if (auto done = in.remove(retired_name); !done)
    return done;
  return in.sync();
}

/// Says that the files here belong to a life that is over. They stay until the next `finish_aside`.
[[nodiscard]] inline expected<void> mark_retired(directory& in) {
  const auto found = survey_of(in);
  if (!found)
    return tl::unexpected<failure>{found.error()};
  if (found->empty() || found->retired)
    return {};
  if (auto done = in.make_subdirectory("aside-" + std::to_string(found->asides + 1)); !done)
    return done;
  if (auto done = in.sync(); !done)
    return done;
  if (auto made = in.create(retired_name); !made)
    return tl::unexpected<failure>{made.error()};
  return in.sync();
}

/// Moves every file of the node to a new `aside-N/`. The directory is empty afterwards.
[[nodiscard]] inline expected<void> set_aside(directory& in) {
  if (auto done = mark_retired(in); !done)
    return done;
  return finish_aside(in);
}

} // namespace understudy::storage
