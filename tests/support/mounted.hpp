// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <doctest/doctest.h>

#include "scratch.hpp"
#include <sys/mount.h>

#include <string>

namespace test_support {

/// A file system of its own, if this process may make one.
class mounted {
public:
  mounted(const scratch& on, const char* options) : path_{on.make("mounted")} {
    is_there_ = ::mount("understudy", path_.c_str(), "tmpfs", 0, options) == 0;
    if (!is_there_)
      MESSAGE("skipped: this process may not mount a file system");
  }
  mounted(const mounted&) = delete;
  mounted& operator=(const mounted&) = delete;
  ~mounted() {
    if (is_there_)
      ::umount(path_.c_str());
  }

  [[nodiscard]] explicit operator bool() const { return is_there_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool make_read_only() const {
    return ::mount("understudy", path_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }
  [[nodiscard]] bool make_larger(const char* options) const {
    return ::mount("understudy", path_.c_str(), "tmpfs", MS_REMOUNT, options) == 0;
  }

private:
  std::string path_;
  bool is_there_ = false;
};

} // namespace test_support
