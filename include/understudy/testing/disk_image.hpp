// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What is on a disk at one moment, as a value: names, and the files behind them.
///
/// A sweep over every point at which the power may fail copies one of these for each of them. So a
/// copy shares the blocks of its files, and pays for those that are written afterwards alone. The
/// copies share them within one thread.

#include <understudy/testing/disk_operation.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// The bytes of a file. A block that nobody wrote is zeros, and takes no memory.
class file_content {
public:
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// Returns how much there was.
  std::size_t read(std::uint64_t offset, std::span<std::byte> into) const {
    if (offset >= size_)
      return 0;
    const auto there
        = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
    for (std::size_t done = 0; done < there;) {
      const auto at = place_of(offset + done);
      const auto n = std::min(there - done, block_bytes - at.within);
      if (const auto& block = (*blocks_)[at.block])
        std::memcpy(into.data() + done, block->data() + at.within, n);
      else
        std::memset(into.data() + done, 0, n);
      done += n;
    }
    return there;
  }

  /// Grows where it has to.
  void write(std::uint64_t offset, std::span<const std::byte> data) {
    if (data.empty())
      return;
    resize(std::max(size_, offset + data.size()));
    for (std::size_t done = 0; done < data.size();) {
      const auto at = place_of(offset + done);
      const auto n = std::min(data.size() - done, block_bytes - at.within);
      std::memcpy(own(at.block).data() + at.within, data.data() + done, n);
      done += n;
    }
  }

  /// Cuts, or grows by zeros.
  void resize(std::uint64_t size) {
    const auto end = place_of(size);
    if (size < size_ && end.within != 0 && (*blocks_)[end.block])
      std::ranges::fill(std::span{own(end.block)}.subspan(end.within), std::byte{});
    const auto count = end.block + (end.within == 0 ? 0 : 1);
    if (!blocks_ || count != blocks_->size())
      own_list().resize(count);
    size_ = size;
  }

  [[nodiscard]] std::vector<std::byte> all() const {
    std::vector<std::byte> found(static_cast<std::size_t>(size_));
    read(0, found);
    return found;
  }

private:
  static constexpr std::size_t block_bytes = 4096;
  using block_data = std::array<std::byte, block_bytes>;
  using block_list = std::vector<std::shared_ptr<block_data>>;

  struct place {
    std::size_t block;
    std::size_t within;
  };

  static place place_of(std::uint64_t offset) {
    return {static_cast<std::size_t>(offset / block_bytes),
            static_cast<std::size_t>(offset % block_bytes)};
  }

  block_list& own_list() {
    if (!blocks_)
      blocks_ = std::make_shared<block_list>();
    else if (blocks_.use_count() > 1)
      blocks_ = std::make_shared<block_list>(*blocks_);
    return *blocks_;
  }

  block_data& own(std::size_t i) {
    auto& block = own_list()[i];
    if (!block)
      block = std::make_shared<block_data>();
    else if (block.use_count() > 1)
      block = std::make_shared<block_data>(*block);
    return *block;
  }

  std::shared_ptr<block_list> blocks_;
  std::uint64_t size_ = 0;
};

/// Names and files. A file is there before its name and stays after it: the two are synced apart.
class disk_image {
public:
  /// What a name stands for.
  struct entry {
    inode_id inode;
    bool is_directory;
  };

  [[nodiscard]] std::optional<entry> find(std::string_view name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? std::nullopt : std::optional{found->second};
  }

  /// Whether there is a directory for something of this name.
  [[nodiscard]] bool has_room_for(std::string_view name) const {
    const auto slash = name.rfind('/');
    if (slash == std::string_view::npos)
      return true;
    const auto parent = find(name.substr(0, slash));
    return parent && parent->is_directory;
  }

  /// Whether something is in this directory.
  [[nodiscard]] bool has_within(std::string_view directory) const {
    const auto prefix = std::string{directory} + '/';
    const auto next = entries_.lower_bound(prefix);
    return next != entries_.end() && next->first.starts_with(prefix);
  }

  /// All names, sorted, those in subdirectories too; a directory bears a '/' at its end.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& [name, e] : entries_)
      found.push_back(e.is_directory ? name + '/' : name);
    std::ranges::sort(found);
    return found;
  }

  [[nodiscard]] const file_content* file(inode_id inode) const {
    const auto found = files_.find(inode);
    return found == files_.end() ? nullptr : &found->second;
  }

  /// To damage it; null if there is none.
  [[nodiscard]] file_content* file(inode_id inode) {
    const auto found = files_.find(inode);
    return found == files_.end() ? nullptr : &found->second;
  }

  /// The sizes of all files together.
  [[nodiscard]] std::uint64_t bytes_taken() const {
    std::uint64_t sum = 0;
    for (const auto& [inode, content] : files_)
      sum += content.size();
    return sum;
  }

  /// Does what is left of the operation. One that builds upon what is not there does nothing.
  void apply(const disk_operation& what, const remnant& left = remnant::all()) {
    switch (what.what) {
    case disk_change::write:
      return write(what, left);
    case disk_change::allocate:
    case disk_change::truncate:
      return left.whole() ? resize(what) : void();
    case disk_change::create:
    case disk_change::make_directory:
      return left.whole() ? add(what) : void();
    case disk_change::rename:
      return left.whole() ? rename(what) : void();
    case disk_change::remove:
      return left.whole() ? remove(what) : void();
    default:
      return; // a sync changes nothing that can be seen
    }
  }

  /// Forgets the files that have no name and that nobody `needs`.
  template <class Needs> void collect(Needs needs) {
    std::erase_if(files_,
                  [&](const auto& one) { return !is_named(one.first) && !needs(one.first); });
  }

private:
  void write(const disk_operation& what, const remnant& left) {
    const auto data = what.data.view();
    const auto keep = [&](std::uint64_t from, std::uint64_t to) {
      const auto length = static_cast<std::size_t>(to - from);
      files_[what.inode].write(what.offset + from,
                               data.subspan(static_cast<std::size_t>(from), length));
    };
    if (left.what == remnant::extent::all)
      keep(0, data.size());
    else if (left.what == remnant::extent::prefix)
      keep(0, std::min<std::uint64_t>(left.bytes, data.size()));
    else if (left.what == remnant::extent::sectors)
      for (std::size_t i = 0; i < std::min(left.sectors.size(), sectors_of(what)); ++i)
        if (left.sectors[i])
          keep(sector_begin(what, i), sector_begin(what, i + 1));
    if (left.sized) {
      auto& content = files_[what.inode];
      content.resize(std::max(content.size(), what.offset + data.size()));
    }
  }

  void resize(const disk_operation& what) {
    auto& content = files_[what.inode];
    const bool grows = what.what == disk_change::allocate;
    content.resize(grows ? std::max(content.size(), what.offset) : what.offset);
  }

  void add(const disk_operation& what) {
    if (entries_.contains(what.name) || !has_room_for(what.name))
      return;
    const bool is_directory = what.what == disk_change::make_directory;
    entries_.emplace(what.name, entry{what.inode, is_directory});
    if (!is_directory)
      files_.try_emplace(what.inode);
  }

  void rename(const disk_operation& what) {
    const auto from = find(what.name);
    const auto to = find(what.to);
    if (!from || from->inode != what.inode || !has_room_for(what.to) || (to && to->is_directory))
      return;
    entries_.erase(what.name);
    entries_.insert_or_assign(what.to, *from);
  }

  void remove(const disk_operation& what) {
    const auto found = find(what.name);
    if (found && found->inode == what.inode && !has_within(what.name))
      entries_.erase(what.name);
  }

  [[nodiscard]] bool is_named(inode_id inode) const {
    return std::ranges::any_of(entries_, [&](const auto& e) { return e.second.inode == inode; });
  }

  std::map<std::string, entry, std::less<>> entries_;
  std::map<inode_id, file_content> files_;
};

} // namespace understudy::testing
