// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <doctest/doctest.h>

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace test_support {

/// A directory of its own, which goes with it.
class scratch {
public:
  scratch() {
    path_ = (std::filesystem::temp_directory_path() / "understudy.XXXXXX").string();
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  /// The directory, or what is called `below` in it.
  [[nodiscard]] std::string path(const std::string& below = {}) const {
    return below.empty() ? path_ : path_ + "/" + below;
  }

  /// A directory in it, made now.
  [[nodiscard]] std::string make(const std::string& below) const {
    std::filesystem::create_directory(path(below));
    return path(below);
  }

private:
  std::string path_;
};

} // namespace test_support
