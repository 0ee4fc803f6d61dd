// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

namespace understudy::storage {

/// What is read at a time, where there is so much.
inline constexpr std::size_t read_window_bytes = std::size_t{2} << 20;

/// Memory to read `size` bytes into.
///
/// What a start reads stays in memory, in the entries. A window of full size is laid out so that
/// the system can back it by one large page: a log of 4 KiB pages takes as long to be given its
/// memory as to be read.
[[nodiscard]] inline std::shared_ptr<std::byte[]> make_read_buffer(std::size_t size) {
#ifdef MADV_HUGEPAGE
  if (size == read_window_bytes)
    if (void* aligned = std::aligned_alloc(read_window_bytes, size)) {
      static_cast<void>(::madvise(aligned, size, MADV_HUGEPAGE)); // advice: it may be refused
      return {static_cast<std::byte*>(aligned), [](std::byte* p) { std::free(p); }};
    }
#endif
  return std::make_shared_for_overwrite<std::byte[]>(size);
}

} // namespace understudy::storage
