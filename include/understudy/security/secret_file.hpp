// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Reading keys and certificates from files, and secrets from none that others can read (SEC8).
///
/// A file is opened once, and what is asked about it is asked about what was opened: no other file
/// can take its place in between.

#include <understudy/core/descriptor.hpp>
#include <understudy/core/errors.hpp>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace understudy::security {

/// Bytes that nobody else should see; overwritten when they go. Can be moved, not copied.
class secret {
public:
  secret() = default;

  /// That many zeroes, to be filled in.
  explicit secret(std::size_t size) : data_(size) {}

  explicit secret(std::span<const std::byte> from) : data_(from.begin(), from.end()) {}

  secret(secret&& other) noexcept : data_{std::move(other.data_)} {}
  secret& operator=(secret&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~secret() { OPENSSL_cleanse(data_.data(), data_.size()); }

  [[nodiscard]] std::span<const std::byte> view() const { return data_; }
  [[nodiscard]] std::span<std::byte> writable() { return data_; }
  [[nodiscard]] std::size_t size() const { return data_.size(); }

  /// Without what is behind the first `size` bytes.
  void cut(std::size_t size) {
    OPENSSL_cleanse(data_.data() + size, data_.size() - size);
    data_.resize(size);
  }

private:
  std::vector<std::byte> data_;
};

/// Who may read a file, besides its owner.
enum class readable_by : std::uint8_t {
  anybody,   ///< for certificates
  owner_only ///< for keys
};

namespace detail {

/// "the <what> file <path>: <why>". The option that names the file is what has to be changed.
[[nodiscard]] inline tl::unexpected<failure>
file_failure(std::string_view what, const std::string& path, std::string_view why) {
  return fail(errc::invalid_option,
              "the " + std::string{what} + " file " + path + ": " + std::string{why});
}

[[nodiscard]] inline std::string in_octal(mode_t mode) {
  std::string digits = "0000";
  for (std::size_t i = 4; i-- > 0; mode >>= 3)
    digits[i] = static_cast<char>('0' + (mode & 7));
  return digits;
}

/// What is wrong with the kind, mode or size of a file; empty: nothing.
[[nodiscard]] inline std::string complaint_about(const struct stat& found, readable_by who,
                                                 std::size_t bytes_max) {
  if (!S_ISREG(found.st_mode))
    return "is no regular file";
  if (who == readable_by::owner_only && (found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return "has mode " + in_octal(found.st_mode & 07777)
           + ", and must not be open to anybody but its owner: make it 0600";
  if (found.st_size > static_cast<off_t>(bytes_max))
    return "has more than " + std::to_string(bytes_max) + " bytes";
  return {};
}

} // namespace detail

/// The content of `path`, which has at most `bytes_max` bytes. `what` says in messages what it is
/// for: "key". Fails with `invalid_option` and the file's name where it is missing, can not be
/// read, is no regular file, is too long, or may be read by others than its owner.
[[nodiscard]] inline expected<secret> read_file(std::string_view what, const std::string& path,
                                                readable_by who, std::size_t bytes_max) {
  // Does not wait where it is a pipe that nobody writes to.
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat found {};
  if (file.get() < 0 || ::fstat(file.get(), &found) != 0)
    return detail::file_failure(what, path, std::generic_category().message(errno));
  if (const auto why = detail::complaint_about(found, who, bytes_max); !why.empty())
    return detail::file_failure(what, path, why);

  secret content{static_cast<std::size_t>(found.st_size)};
  std::size_t held = 0;
  while (held < content.size()) {
    const auto left = content.writable().subspan(held);
    const auto got = ::read(file.get(), left.data(), left.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return detail::file_failure(what, path, std::generic_category().message(errno));
    if (got == 0) // it has become shorter
      break;
    held += static_cast<std::size_t>(got);
  }
  content.cut(held);
  return content;
}

} // namespace understudy::security
