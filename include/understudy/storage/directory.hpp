// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The little that the durable log asks of a file system.
///
/// Two models: the real one (posix_directory.hpp), and one that loses, tears and refuses what a
/// real one may (testing/faulty_directory.hpp). The code above can not tell them apart, so what
/// survives the second is what runs on the first.
///
/// What may be lost is stated once, here, and it is what POSIX leaves open: until `file::sync`
/// returns, any part of what was written to a file may be missing after the power failed, in any
/// order; until `directory::sync` returns, so may any file created, renamed or removed.

#include <understudy/core/errors.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::storage {

/// One open file. Closed with the object; not to be used from two threads at once.
///
/// Every error is `storage_failed`, or `storage_full` where there is no room; its text names the
/// file and the call. A failed `sync` is always `storage_failed`: nobody knows what is on the disk
/// then, and asking again would be told a lie (D4). The file is not to be written any more.
class file {
public:
  file() = default;
  file(const file&) = delete;
  file& operator=(const file&) = delete;
  virtual ~file() = default;

  [[nodiscard]] virtual expected<std::uint64_t> size() = 0;

  /// Fills `into` from `offset` on. Returns how much there was: less only where the file ends.
  [[nodiscard]] virtual expected<std::size_t> read(std::uint64_t offset, std::span<std::byte> into)
      = 0;

  /// Writes all of `data`, growing the file where it has to. After an error any part of it may be
  /// written.
  [[nodiscard]] virtual expected<void> write(std::uint64_t offset, std::span<const std::byte> data)
      = 0;

  /// Makes the file at least `size` bytes long, zeros where there was nothing, and reserves the
  /// room for them.
  [[nodiscard]] virtual expected<void> allocate(std::uint64_t size) = 0;

  /// Cuts the file to `size` bytes, which it has, and gives the room back.
  [[nodiscard]] virtual expected<void> truncate(std::uint64_t size) = 0;

  /// Returns once all of the file that was written is on the disk, and its size.
  [[nodiscard]] virtual expected<void> sync() = 0;

  /// Has the disk begin with what was written there, so that the next sync has less to wait for.
  /// Promises nothing, and may do nothing. Fails as `sync` does.
  [[nodiscard]] virtual expected<void> begin_sync(std::uint64_t /*offset*/,
                                                  std::uint64_t /*size*/) {
    return {};
  }
};

/// One directory, and the files in it. A second thread may create and remove files, and work with
/// these, whose names nobody else uses at that time. Names are plain; within a subdirectory of it,
/// "sub/name".
class directory {
public:
  directory() = default;
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;
  virtual ~directory() = default;

  /// What it is called in errors.
  [[nodiscard]] virtual std::string path() const = 0;

  /// What is in it, sorted; a directory in it bears a '/' at its end.
  [[nodiscard]] virtual expected<std::vector<std::string>> list() = 0;

  /// Opens a file that is there.
  [[nodiscard]] virtual expected<std::unique_ptr<file>> open(std::string_view name) = 0;

  /// Makes a new, empty file; one that is there already is emptied.
  [[nodiscard]] virtual expected<std::unique_ptr<file>> create(std::string_view name) = 0;

  /// Makes one that is not there.
  [[nodiscard]] virtual expected<void> make_subdirectory(std::string_view name) = 0;

  /// Takes the place of a file `to` in one step, if there is one.
  [[nodiscard]] virtual expected<void> rename(std::string_view from, std::string_view to) = 0;

  [[nodiscard]] virtual expected<void> remove(std::string_view name) = 0;

  /// Returns once every creation, renaming and removal so far is on the disk, those in
  /// subdirectories included, and those of an earlier process. Fails as `file::sync` does.
  [[nodiscard]] virtual expected<void> sync() = 0;
};

} // namespace understudy::storage
