// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The directory of a process whose disk may lose, tear, refuse and damage what it holds.
///
/// Here is only what the calls do; what can happen to the disk, and what a power failure leaves of
/// it, is asked of the `faulty_disk`. One process has one `faulty_directory`. After the disk's
/// `crash` or `kill` it, and the files that it opened, refuse every call: a new process makes its
/// own.

#include <understudy/core/assert.hpp>
#include <understudy/core/bytes.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/storage/directory.hpp>
#include <understudy/testing/disk_operation.hpp>
#include <understudy/testing/faulty_disk.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// A file of a `faulty_directory`.
class faulty_file final : public storage::file {
public:
  faulty_file(std::shared_ptr<faulty_disk> disk, disk_owner owner, inode_id inode, std::string name)
      : disk_{std::move(disk)}, owner_{owner}, inode_{inode}, name_{std::move(name)} {
    disk_->hold(inode_);
  }
  ~faulty_file() override { disk_->release(owner_, inode_); }

  expected<std::uint64_t> size() override {
    if (auto no = disk_->refuses(owner_, disk_call::size, name_))
      return faulty_disk::refused(disk_call::size, name_, *no);
    return content().size();
  }

  expected<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    if (auto no = disk_->refuses(owner_, disk_call::read, name_))
      return faulty_disk::refused(disk_call::read, name_, *no);
    return content().read(offset, into);
  }

  expected<void> write(std::uint64_t offset, std::span<const std::byte> data) override {
    UNDERSTUDY_ASSERT(offset <= std::numeric_limits<std::uint64_t>::max() - data.size(),
                      "no file is that long");
    auto no = disk_->refuses(owner_, disk_call::write, name_);
    const auto asked = no ? std::min<std::uint64_t>(no->written, data.size()) : data.size();
    const auto limit = disk_->size_limit(inode_);
    const auto fits = std::min(asked, limit > offset ? limit - offset : 0);
    if (fits != 0)
      disk_->perform({.what = disk_change::write,
                      .inode = inode_,
                      .offset = offset,
                      .data = bytes{data.first(static_cast<std::size_t>(fits))},
                      .name = name_});
    if (no)
      return faulty_disk::refused(disk_call::write, name_, *no);
    return fits == data.size() ? expected<void>{} : no_room(disk_call::write);
  }

  expected<void> allocate(std::uint64_t size) override {
    if (auto no = disk_->refuses(owner_, disk_call::allocate, name_))
      return faulty_disk::refused(disk_call::allocate, name_, *no);
    if (size <= content().size())
      return {};
    return resize(disk_call::allocate, disk_change::allocate, size);
  }

  expected<void> truncate(std::uint64_t size) override {
    if (auto no = disk_->refuses(owner_, disk_call::truncate, name_))
      return faulty_disk::refused(disk_call::truncate, name_, *no);
    return resize(disk_call::truncate, disk_change::truncate, size);
  }

  expected<void> sync() override {
    auto no = disk_->refuses(owner_, disk_call::sync, name_);
    const bool happens = no ? no->is_fault : !disk_->is_lying();
    if (happens)
      disk_->perform({.what = no ? disk_change::lose_file : disk_change::sync_file,
                      .inode = inode_,
                      .name = name_});
    if (no)
      return faulty_disk::refused(disk_call::sync, name_, *no);
    return {};
  }

  /// A sync that fails may do so here already.
  expected<void> begin_sync(std::uint64_t, std::uint64_t) override {
    const auto no = disk_->refuses(owner_, disk_call::sync, name_);
    if (!no)
      return {};
    if (no->is_fault)
      disk_->perform({.what = disk_change::lose_file, .inode = inode_, .name = name_});
    return faulty_disk::refused(disk_call::sync, name_, *no);
  }

private:
  [[nodiscard]] const file_content& content() const { return *disk_->visible().file(inode_); }

  expected<void> resize(disk_call call, disk_change how, std::uint64_t size) {
    if (size > content().size() && size > disk_->size_limit(inode_))
      return no_room(call);
    disk_->perform({.what = how, .inode = inode_, .offset = size, .name = name_});
    return {};
  }

  [[nodiscard]] tl::unexpected<failure> no_room(disk_call call) const {
    return faulty_disk::refused(call, name_, no_room_left);
  }

  std::shared_ptr<faulty_disk> disk_;
  disk_owner owner_;
  inode_id inode_;
  std::string name_;
};

/// The directory as a process has it.
class faulty_directory final : public storage::directory {
public:
  explicit faulty_directory(std::shared_ptr<faulty_disk> disk, std::string path = "faulty")
      : disk_{std::move(disk)}, owner_{disk_->owner()}, path_{std::move(path)} {}

  std::string path() const override { return path_; }

  expected<std::vector<std::string>> list() override {
    if (auto no = disk_->refuses(owner_, disk_call::list, path_))
      return faulty_disk::refused(disk_call::list, path_, *no);
    auto found = disk_->names();
    std::erase_if(found, [](std::string_view name) {
      const auto slash = name.find('/');
      return slash != std::string_view::npos && slash + 1 != name.size();
    });
    return found;
  }

  expected<std::unique_ptr<storage::file>> open(std::string_view name) override {
    check(name);
    if (auto no = disk_->refuses(owner_, disk_call::open, name))
      return faulty_disk::refused(disk_call::open, name, *no);
    const auto found = disk_->visible().find(name);
    if (!found)
      return faulty_disk::refused(disk_call::open, name, {"no such file"});
    if (found->is_directory)
      return faulty_disk::refused(disk_call::open, name, {"is a directory"});
    return opened(found->inode, name);
  }

  /// The name of a file that is there already stays as durable as it was, and so does what it held:
  /// emptying it is a change of its size.
  expected<std::unique_ptr<storage::file>> create(std::string_view name) override {
    check(name);
    if (auto no = disk_->refuses(owner_, disk_call::create, name))
      return faulty_disk::refused(disk_call::create, name, *no);
    const auto found = disk_->visible().find(name);
    if (found && found->is_directory)
      return faulty_disk::refused(disk_call::create, name, {"is a directory"});
    if (!disk_->visible().has_room_for(name))
      return faulty_disk::refused(disk_call::create, name, {"no such directory"});
    const auto inode = found ? found->inode : disk_->next_inode();
    disk_->perform({.what = found ? disk_change::truncate : disk_change::create,
                    .inode = inode,
                    .name = std::string{name}});
    return opened(inode, name);
  }

  expected<void> make_subdirectory(std::string_view name) override {
    check(name);
    if (auto no = disk_->refuses(owner_, disk_call::make_subdirectory, name))
      return faulty_disk::refused(disk_call::make_subdirectory, name, *no);
    const auto found = disk_->visible().find(name);
    if (found)
      return faulty_disk::refused(disk_call::make_subdirectory, name, {"it is there already"});
    if (!disk_->visible().has_room_for(name))
      return faulty_disk::refused(disk_call::make_subdirectory, name, {"no such directory"});
    disk_->perform({.what = disk_change::make_directory,
                    .inode = disk_->next_inode(),
                    .name = std::string{name}});
    return {};
  }

  expected<void> rename(std::string_view from, std::string_view to) override {
    check(from);
    check(to);
    const auto both = std::string{from} + " to " + std::string{to};
    if (auto no = disk_->refuses(owner_, disk_call::rename, from))
      return faulty_disk::refused(disk_call::rename, both, *no);
    const auto& now = disk_->visible();
    const auto old = now.find(from);
    if (!old)
      return faulty_disk::refused(disk_call::rename, both, {"no such file"});
    if (const auto other = now.find(to); old->is_directory || (other && other->is_directory))
      return faulty_disk::refused(disk_call::rename, both, {"is a directory"});
    if (!now.has_room_for(to))
      return faulty_disk::refused(disk_call::rename, both, {"no such directory"});
    if (from != to)
      disk_->perform({.what = disk_change::rename,
                      .inode = old->inode,
                      .name = std::string{from},
                      .to = std::string{to}});
    return {};
  }

  /// A directory has to be empty.
  expected<void> remove(std::string_view name) override {
    check(name);
    if (auto no = disk_->refuses(owner_, disk_call::remove, name))
      return faulty_disk::refused(disk_call::remove, name, *no);
    const auto found = disk_->visible().find(name);
    if (!found)
      return faulty_disk::refused(disk_call::remove, name, {"no such file"});
    if (found->is_directory && disk_->visible().has_within(name))
      return faulty_disk::refused(disk_call::remove, name, {"directory not empty"});
    disk_->perform({.what = disk_change::remove, .inode = found->inode, .name = std::string{name}});
    return {};
  }

  expected<void> sync() override {
    auto no = disk_->refuses(owner_, disk_call::sync_directory, path_);
    const bool happens = no ? no->is_fault : !disk_->is_lying();
    if (happens)
      disk_->perform(
          {.what = no ? disk_change::lose_directory : disk_change::sync_directory, .name = path_});
    if (no)
      return faulty_disk::refused(disk_call::sync_directory, path_, *no);
    return {};
  }

private:
  static void check(std::string_view name) {
    UNDERSTUDY_ASSERT(!name.empty() && name.front() != '/' && name.back() != '/'
                          && std::ranges::count(name, '/') <= 1,
                      "a name is plain, or sub/name");
  }

  [[nodiscard]] std::unique_ptr<storage::file> opened(inode_id inode, std::string_view name) const {
    return std::make_unique<faulty_file>(disk_, owner_, inode, std::string{name});
  }

  std::shared_ptr<faulty_disk> disk_;
  disk_owner owner_;
  std::string path_;
};

} // namespace understudy::testing
