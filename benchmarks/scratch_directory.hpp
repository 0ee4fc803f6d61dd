// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace benchmarks {

/// Where disks are measured: what UNDERSTUDY_BENCH_DIR says, else where temporary files go.
[[nodiscard]] inline std::filesystem::path disk_to_measure() {
  const char* chosen = std::getenv("UNDERSTUDY_BENCH_DIR");
  return chosen != nullptr ? std::filesystem::path{chosen} : std::filesystem::temp_directory_path();
}

/// A directory that is there for as long as it is needed.
class scratch_directory {
public:
  explicit scratch_directory(const std::filesystem::path& in)
      : path_{(in / "understudy_bench.XXXXXX").string()} {
    if (::mkdtemp(path_.data()) == nullptr)
      throw std::runtime_error{"no directory can be made in " + in.string()};
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  /// A directory in it, made now.
  [[nodiscard]] std::string make(const std::string& name) const {
    const auto made = std::filesystem::path{path_} / name;
    std::filesystem::create_directory(made);
    return made.string();
  }

private:
  std::string path_;
};

} // namespace benchmarks
