// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Two cereal archives of our own: out into a buffer, and in from bytes that nobody vouches for.
///
/// cereal's binary archives go through iostreams, and allocate whatever size their input announces.
/// These write straight into memory, and never believe a size that the bytes left could not hold
/// (SEC5). The format: numbers little-endian at their full width, sizes as a varint (7 bits a byte,
/// lowest first), nothing else: no field names, no type names, no padding.
///
/// Shared and weak pointers are refused at compile time: cereal would look them up by a number from
/// the input, and hand out an object of another type.

#include <understudy/core/bytes.hpp>

#include <cereal/cereal.hpp>
#include <cereal/types/common.hpp>

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace understudy::wire {

/// How deep values may lie within values. Bounds the stack that hostile bytes can make us use.
inline constexpr int depth_max = 64;

/// Thrown inside the archives only; `decode` turns it into `errc::undecodable`.
struct malformed : cereal::Exception {
  using Exception::Exception;
};

/// A number that has one encoding everywhere. A long double has not.
template <class T>
concept number = std::is_arithmetic_v<T> && !std::same_as<T, long double>;

namespace detail {

/// Counts how deep the value at hand lies; both archives have one.
class depth_gauge {
public:
  void enter() {
    if (++depth_ > depth_max)
      throw malformed{"nested deeper than " + std::to_string(depth_max)};
  }
  void leave() { --depth_; }

private:
  int depth_ = 0;
};

/// Copies `size` bytes of items of `width` each between memory and the wire, where the first byte
/// is the lowest.
inline void copy_items(std::byte* to, const std::byte* from, std::size_t size, std::size_t width) {
  if constexpr (std::endian::native == std::endian::little) {
    if (size != 0)
      std::memcpy(to, from, size);
  } else {
    for (std::size_t i = 0; i < size; ++i)
      to[i] = from[i - i % width + (width - 1 - i % width)];
  }
}

/// The items that a cereal::BinaryData<T> points to.
template <class T> using item_of = std::remove_cv_t<std::remove_pointer_t<std::decay_t<T>>>;

} // namespace detail

/// Writes values into a buffer.
///
/// A short value is put together on the stack and copied once, into an allocation of its exact
/// size; a long one grows in an allocation that is handed out as it is.
class output_archive
    : public cereal::OutputArchive<output_archive, cereal::AllowEmptyClassElision> {
public:
  output_archive() : OutputArchive{this} {}
  output_archive(const output_archive&) = delete;
  output_archive& operator=(const output_archive&) = delete;
  ~output_archive() override = default;

  void write(const void* from, std::size_t size, std::size_t width = 1) {
    if (size > capacity_ - size_)
      grow(size);
    detail::copy_items(data_ + size_, static_cast<const std::byte*>(from), size, width);
    size_ += size;
  }

  void write_size(std::uint64_t size) {
    std::array<std::uint8_t, 10> digits;
    std::size_t count = 0;
    for (; size >= 0x80; size >>= 7)
      digits[count++] = static_cast<std::uint8_t>(size | 0x80);
    digits[count++] = static_cast<std::uint8_t>(size);
    write(digits.data(), count);
  }

  /// How much is written.
  [[nodiscard]] std::size_t size() const { return size_; }

  /// Everything written. The archive is of no use afterwards.
  [[nodiscard]] bytes take() {
    if (large_)
      return bytes::adopt(large_, size_);
    return bytes{std::span<const std::byte>{data_, size_}};
  }

  void enter() { depth_.enter(); }
  void leave() { depth_.leave(); }

private:
  static constexpr std::size_t small_bytes = 512;

  void grow(std::size_t more) {
    auto capacity = capacity_ * 2;
    if (capacity - size_ < more)
      capacity = size_ + more;
    auto wider = std::make_shared_for_overwrite<std::byte[]>(capacity);
    std::memcpy(wider.get(), data_, size_);
    large_ = std::move(wider);
    data_ = large_.get();
    capacity_ = capacity;
  }

  std::array<std::byte, small_bytes> small_;
  std::shared_ptr<std::byte[]> large_;
  std::byte* data_ = small_.data();
  std::size_t size_ = 0;
  std::size_t capacity_ = small_bytes;
  detail::depth_gauge depth_;
};

/// Reads values back. Throws `malformed` instead of reading past the end.
class input_archive : public cereal::InputArchive<input_archive, cereal::AllowEmptyClassElision> {
public:
  explicit input_archive(std::span<const std::byte> from) : InputArchive{this}, left_{from} {}
  input_archive(const input_archive&) = delete;
  input_archive& operator=(const input_archive&) = delete;
  ~input_archive() override = default;

  /// The next `size` bytes, where they stand in the input.
  [[nodiscard]] std::span<const std::byte> take(std::size_t size) {
    if (size > left_.size())
      throw malformed{"ends " + std::to_string(size - left_.size()) + " bytes too early"};
    const auto taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }

  void read(void* to, std::size_t size, std::size_t width = 1) {
    detail::copy_items(static_cast<std::byte*>(to), take(size).data(), size, width);
  }

  /// The number of items that follow, `item_bytes` each or more.
  [[nodiscard]] std::size_t read_size(std::size_t item_bytes = 1) {
    std::uint64_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto digit = std::to_integer<std::uint64_t>(take(1).front());
      const auto part = digit & 0x7f;
      if (shift == 63 ? digit > 1 : shift > 0 && digit == 0)
        throw malformed{"holds a size that no encoder writes"};
      size |= part << shift;
      if (digit < 0x80)
        break;
    }
    if (size > left_.size() / item_bytes)
      throw malformed{"announces " + std::to_string(size) + " items in "
                      + std::to_string(left_.size()) + " bytes"};
    return static_cast<std::size_t>(size);
  }

  /// How much is still to be read.
  [[nodiscard]] std::size_t left() const { return left_.size(); }

  void enter() { depth_.enter(); }
  void leave() { depth_.leave(); }

private:
  std::span<const std::byte> left_;
  detail::depth_gauge depth_;
};

// -- what cereal asks of an archive --------------------------------------------------------------

/// cereal calls these two around each value.
template <class T>
  requires std::is_class_v<T>
void prologue(output_archive& archive, const T&) {
  archive.enter();
}
template <class T>
  requires std::is_class_v<T>
void epilogue(output_archive& archive, const T&) {
  archive.leave();
}
template <class T>
  requires std::is_class_v<T>
void prologue(input_archive& archive, const T&) {
  archive.enter();
}
template <class T>
  requires std::is_class_v<T>
void epilogue(input_archive& archive, const T&) {
  archive.leave();
}

template <number T> void save(output_archive& archive, const T& value) {
  archive.write(&value, sizeof value, sizeof value);
}
template <number T> void load(input_archive& archive, T& value) {
  archive.read(&value, sizeof value, sizeof value);
}

/// One byte; any but 0 and 1 would be undefined behaviour in a bool.
inline void save(output_archive& archive, const bool& value) {
  const std::uint8_t byte = value ? 1 : 0;
  archive.write(&byte, 1);
}
inline void load(input_archive& archive, bool& value) {
  const auto byte = std::to_integer<unsigned>(archive.take(1).front());
  if (byte > 1)
    throw malformed{"holds a bool that is neither true nor false"};
  value = byte == 1;
}

template <class T> void save(output_archive& archive, const cereal::SizeTag<T>& tag) {
  archive.write_size(tag.size);
}
template <class T> void load(input_archive& archive, cereal::SizeTag<T>& tag) {
  tag.size = static_cast<std::remove_reference_t<T>>(archive.read_size());
}

template <class T> void save(output_archive& archive, const cereal::NameValuePair<T>& named) {
  archive(named.value);
}
template <class T> void load(input_archive& archive, cereal::NameValuePair<T>& named) {
  archive(named.value);
}

/// Runs of numbers, as cereal writes strings and arrays of them.
template <class T>
  requires number<detail::item_of<T>>
void save(output_archive& archive, const cereal::BinaryData<T>& run) {
  archive.write(run.data, static_cast<std::size_t>(run.size), sizeof(detail::item_of<T>));
}
template <class T>
  requires number<detail::item_of<T>>
void load(input_archive& archive, cereal::BinaryData<T>& run) {
  using item = detail::item_of<T>;
  if constexpr (std::same_as<item, bool>) {
    for (auto* at = static_cast<bool*>(run.data); at != static_cast<bool*>(run.data) + run.size;
         ++at)
      load(archive, *at);
  } else {
    archive.read(run.data, static_cast<std::size_t>(run.size), sizeof(item));
  }
}

template <class T> void save(output_archive& archive, const std::shared_ptr<T>& pointer) = delete;
template <class T> void load(input_archive& archive, std::shared_ptr<T>& pointer) = delete;
template <class T> void save(output_archive& archive, const std::weak_ptr<T>& pointer) = delete;
template <class T> void load(input_archive& archive, std::weak_ptr<T>& pointer) = delete;

} // namespace understudy::wire

CEREAL_SETUP_ARCHIVE_TRAITS(understudy::wire::input_archive, understudy::wire::output_archive)
