// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A directory of a real file system.

#include <understudy/core/descriptor.hpp>
#include <understudy/storage/directory.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace understudy::storage {
namespace detail {

/// An error of the operating system as one of ours: "write to d/synced: No space left on device".
[[nodiscard]] inline tl::unexpected<failure> system_failure(std::string_view call,
                                                            const std::string& file, int number) {
  const bool full = number == ENOSPC || number == EDQUOT;
  return fail(full ? errc::storage_full : errc::storage_failed,
              std::string{call} + " " + file + ": " + std::generic_category().message(number));
}

/// A failed sync is final, also where it says that there is no room: what it was about may be lost
/// already (D4).
[[nodiscard]] inline tl::unexpected<failure> sync_failure(const std::string& file, int number) {
  return fail(errc::storage_failed, system_failure("sync", file, number).value().detail);
}

/// Repeats a system call that a signal has interrupted.
template <class Call> [[nodiscard]] auto uninterrupted(Call call) {
  for (;;)
    if (const auto result = call(); result >= 0 || errno != EINTR)
      return result;
}

} // namespace detail

/// A file of a real file system.
class posix_file final : public file {
public:
  posix_file(descriptor opened, std::string path)
      : file_{std::move(opened)}, path_{std::move(path)} {}

  expected<std::uint64_t> size() override {
    struct stat found {};
    if (::fstat(file_.get(), &found) != 0)
      return detail::system_failure("size of", path_, errno);
    return static_cast<std::uint64_t>(found.st_size);
  }

  expected<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const auto got = detail::uninterrupted([&] {
        return ::pread(file_.get(), into.data() + done, into.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (got < 0)
        return detail::system_failure("read from", path_, errno);
      if (got == 0)
        break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  expected<void> write(std::uint64_t offset, std::span<const std::byte> data) override {
    while (!data.empty()) {
      const auto put = detail::uninterrupted([&] {
        return ::pwrite(file_.get(), data.data(), data.size(), static_cast<off_t>(offset));
      });
      if (put < 0)
        return detail::system_failure("write to", path_, errno);
      if (put == 0) // no progress and no reason
        return detail::system_failure("write to", path_, EIO);
      offset += static_cast<std::uint64_t>(put);
      data = data.subspan(static_cast<std::size_t>(put));
    }
    return {};
  }

  expected<void> allocate(std::uint64_t size) override {
    int error = EINTR;
    while (error == EINTR)
      error = ::posix_fallocate(file_.get(), 0, static_cast<off_t>(size));
    if (error != 0)
      return detail::system_failure("allocate room for", path_, error);
    return {};
  }

  expected<void> truncate(std::uint64_t size) override {
    if (detail::uninterrupted([&] { return ::ftruncate(file_.get(), static_cast<off_t>(size)); })
        != 0)
      return detail::system_failure("truncate", path_, errno);
    return {};
  }

  expected<void> sync() override {
    // Also writes the size, where it matters for reading the data back. Not to be interrupted and
    // not to be repeated: whatever its error is, it is told once only (D4).
    if (::fdatasync(file_.get()) != 0)
      return detail::sync_failure(path_, errno);
    return {};
  }

  expected<void> begin_sync([[maybe_unused]] std::uint64_t offset,
                            [[maybe_unused]] std::uint64_t size) override {
#ifdef SYNC_FILE_RANGE_WRITE // Linux
    if (::sync_file_range(file_.get(), static_cast<off_t>(offset), static_cast<off_t>(size),
                          SYNC_FILE_RANGE_WRITE)
            != 0
        && errno != ENOSYS) // not every sandbox has it
      return detail::sync_failure(path_, errno);
#endif
    return {};
  }

private:
  descriptor file_;
  std::string path_;
};

/// What a process wants of a directory.
enum class access : std::uint8_t {
  look, ///< reads; others may hold it meanwhile
  hold, ///< reads and writes, and is the only one: another process, or another part of this, that
        ///< wants to hold it too is refused until this one lets go or ends, however it ends
};

/// A directory of a real file system. Needs a local one: the lock is `flock`'s.
class posix_directory final : public directory {
public:
  /// Opens the directory at `path`, which has to be there: `storage_missing` if it is not,
  /// `storage_in_use` if somebody holds it, `storage_failed` if it can not be read or, to hold it,
  /// written.
  [[nodiscard]] static expected<std::unique_ptr<posix_directory>> open(std::string path,
                                                                       access how) {
    descriptor opened{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!opened && errno == ENOENT)
      return fail(errc::storage_missing, path + ": there is no such directory");
    if (!opened)
      return detail::system_failure("open", path, errno);
    if (how == access::hold) {
      if (::faccessat(opened.get(), ".", R_OK | W_OK | X_OK, 0) != 0)
        return detail::system_failure("write to", path, errno);
      if (::flock(opened.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
          return fail(errc::storage_in_use, path
                                                + ": another process, or another node of this one, "
                                                  "holds it");
        return detail::system_failure("lock", path, errno);
      }
    }
    return std::unique_ptr<posix_directory>{
        new posix_directory{std::move(opened), std::move(path)}};
  }

  std::string path() const override { return path_; }

  expected<std::vector<std::string>> list() override {
    // A descriptor of its own: reading moves the position that all copies of one share.
    const int again = ::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (again < 0)
      return detail::system_failure("list", path_, errno);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream{::fdopendir(again), &::closedir};
    if (!stream) {
      const auto why = errno;
      ::close(again);
      return detail::system_failure("list", path_, why);
    }
    std::vector<std::string> names;
    for (;;) {
      errno = 0;
      const auto* found = ::readdir(stream.get());
      if (found == nullptr)
        break;
      std::string name = found->d_name;
      if (name == "." || name == "..")
        continue;
      struct stat about {};
      if (::fstatat(directory_.get(), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) // another thread has just removed it
          continue;
        return detail::system_failure("look at", of(name), errno);
      }
      if (S_ISDIR(about.st_mode) && name.starts_with("aside-"))
        entered_.insert(name); // an earlier process may have moved something there
      names.push_back(S_ISDIR(about.st_mode) ? name + '/' : name);
    }
    if (errno != 0)
      return detail::system_failure("list", path_, errno);
    std::ranges::sort(names);
    return names;
  }

  expected<std::unique_ptr<file>> open(std::string_view name) override {
    // Inspecting has to work on a disk that can only be read.
    const std::string at{name};
    descriptor opened{::openat(directory_.get(), at.c_str(), O_RDWR | O_CLOEXEC)};
    if (!opened && (errno == EROFS || errno == EACCES))
      opened = descriptor{::openat(directory_.get(), at.c_str(), O_RDONLY | O_CLOEXEC)};
    return made(std::move(opened), "open", at);
  }

  expected<std::unique_ptr<file>> create(std::string_view name) override {
    const std::string at{name};
    return made(descriptor{::openat(directory_.get(), at.c_str(),
                                    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)},
                "create", at);
  }

  expected<void> make_subdirectory(std::string_view name) override {
    const std::string at{name};
    return done(::mkdirat(directory_.get(), at.c_str(), 0700), "create", at);
  }

  expected<void> rename(std::string_view from, std::string_view to) override {
    const std::string before{from};
    const std::string after{to};
    if (const auto slash = after.find('/'); slash != std::string::npos)
      entered_.insert(after.substr(0, slash));
    return done(::renameat(directory_.get(), before.c_str(), directory_.get(), after.c_str()),
                "rename", before);
  }

  expected<void> remove(std::string_view name) override {
    const std::string at{name};
    return done(::unlinkat(directory_.get(), at.c_str(), 0), "remove", at);
  }

  expected<void> sync() override {
    for (const auto& name : entered_) {
      const descriptor opened{
          ::openat(directory_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
      if (!opened || ::fsync(opened.get()) != 0)
        return detail::sync_failure(of(name), errno);
    }
    entered_.clear();
    if (::fsync(directory_.get()) != 0)
      return detail::sync_failure(path_, errno);
    return {};
  }

private:
  posix_directory(descriptor opened, std::string path)
      : directory_{std::move(opened)}, path_{std::move(path)} {}

  [[nodiscard]] std::string of(const std::string& name) const { return path_ + "/" + name; }

  expected<std::unique_ptr<file>> made(descriptor opened, std::string_view call,
                                       const std::string& name) const {
    if (!opened)
      return detail::system_failure(call, of(name), errno);
    return std::make_unique<posix_file>(std::move(opened), of(name));
  }

  expected<void> done(int result, std::string_view call, const std::string& name) const {
    if (result != 0)
      return detail::system_failure(call, of(name), errno);
    return {};
  }

  descriptor directory_;
  std::string path_;
  std::set<std::string> entered_; ///< subdirectories that something was moved to
};

} // namespace understudy::storage
