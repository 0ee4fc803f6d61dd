// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Encoded data that many hold and nobody changes.
///
/// A command's bytes are made once, at the node that took it, and then stand in the log, in the
/// messages to every follower and in the machine's inbox. In one process all of these share one
/// allocation; copying a `bytes` copies a pointer.

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace understudy {

/// An immutable, shared run of bytes. Safe to copy and read from any thread.
class bytes {
public:
  bytes() = default;

  /// Copies `from`: the only time that the data is copied.
  explicit bytes(std::span<const std::byte> from) : size_{from.size()} {
    if (from.empty())
      return;
    auto storage = std::make_shared_for_overwrite<std::byte[]>(from.size());
    std::memcpy(storage.get(), from.data(), from.size());
    data_ = std::shared_ptr<const std::byte>{storage, storage.get()};
  }

  explicit bytes(std::string_view from) : bytes(std::as_bytes(std::span{from})) {}

  /// Takes over the first `size` bytes of `storage`, without a copy. Nobody writes there any more.
  [[nodiscard]] static bytes adopt(const std::shared_ptr<std::byte[]>& storage, std::size_t size) {
    bytes result;
    if (size == 0)
      return result;
    result.data_ = std::shared_ptr<const std::byte>{storage, storage.get()};
    result.size_ = size;
    return result;
  }

  /// A part of the same allocation, cut to what there is.
  [[nodiscard]] bytes part(std::size_t offset, std::size_t length) const {
    bytes result;
    if (offset >= size_)
      return result;
    result.size_ = length < size_ - offset ? length : size_ - offset;
    result.data_ = std::shared_ptr<const std::byte>{data_, data_.get() + offset};
    return result;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::span<const std::byte> view() const { return {data_.get(), size_}; }
  [[nodiscard]] std::string_view text() const {
    return {reinterpret_cast<const char*>(data_.get()), size_};
  }

  /// Equal bytes, wherever they are.
  friend bool operator==(const bytes& a, const bytes& b) { return a.text() == b.text(); }

private:
  std::shared_ptr<const std::byte> data_;
  std::size_t size_ = 0;
};

} // namespace understudy
