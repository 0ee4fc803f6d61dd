// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Data from outside the repository, which a machine may have or not.
///
/// A test that needs a file it cannot have is not a failure. It says so and
/// ends:
///
/// \code
/// const auto log = test_support::outside_data("access.log");
/// if (!log)
///   return;
/// \endcode

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

namespace test_support {

/// Where outside data lies: what UNDERSTUDY_DATA names, else beside the sources.
inline std::filesystem::path data_directory() {
  const char* named = std::getenv("UNDERSTUDY_DATA");
  return named != nullptr && *named != '\0' ? named : UNDERSTUDY_DATA_DEFAULT;
}

/// The path of `file` below the data directory; nothing, and a word about it,
/// when it is missing.
inline std::optional<std::filesystem::path> outside_data(std::string_view file) {
  auto path = data_directory() / file;
  if (std::filesystem::exists(path))
    return path;
  MESSAGE("skipped: no " << path.string() << "; UNDERSTUDY_DATA may name its directory");
  return std::nullopt;
}

} // namespace test_support
