// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A key that all nodes of a cluster share, for those who have no certificates.
///
/// Who has the key can prove that, without showing it: with an HMAC-SHA256 (RFC 2104) of something
/// that was never there before. That is proof of who is there when a connection begins, and no
/// protection of what follows: who can change what is on the way needs to be kept out by TLS. All
/// who have the key are alike, too: it does not tell one node from another.

#include <understudy/core/errors.hpp>
#include <understudy/security/openssl.hpp>
#include <understudy/security/secret_file.hpp>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace understudy::security {

/// A key has 256 bits at least. It should be random: who is shown a proof may try words at leisure.
inline constexpr std::size_t cluster_key_bytes_min = 32;
inline constexpr std::size_t cluster_key_bytes_max = 1024;

/// An HMAC-SHA256.
using mac = std::array<std::byte, 32>;

/// Whether `claimed` is `right`. Takes as long wherever they differ, so that the time it takes does
/// not tell how much of it was right.
[[nodiscard]] inline bool is_same(const mac& right, std::span<const std::byte> claimed) {
  return claimed.size() == right.size()
         && CRYPTO_memcmp(right.data(), claimed.data(), right.size()) == 0;
}

/// The shared key. Copies share it; it is overwritten when the last one goes. Safe from any thread.
class cluster_key {
public:
  /// Reads the key from `path`: all bytes of the file, whatever they are, a line end at the end
  /// included. Fails with `invalid_option` for a file that is missing, that others than its owner
  /// may read, or of fewer than 32 or more than 1024 bytes; the text names it.
  [[nodiscard]] static expected<cluster_key> load(const std::string& path) {
    auto content = read_file("cluster key", path, readable_by::owner_only, cluster_key_bytes_max);
    if (!content)
      return tl::unexpected<failure>{std::move(content.error())};
    auto made = from(std::move(*content));
    if (!made)
      return detail::file_failure("cluster key", path, made.error().detail);
    return made;
  }

  /// Takes the key itself, for programs that have it from somewhere else. Fails with
  /// `invalid_option` where it is too short or too long.
  [[nodiscard]] static expected<cluster_key> from(secret key) {
    if (key.size() < cluster_key_bytes_min || key.size() > cluster_key_bytes_max)
      return fail(errc::invalid_option, "has " + std::to_string(key.size()) + " bytes, where "
                                            + std::to_string(cluster_key_bytes_min) + " to "
                                            + std::to_string(cluster_key_bytes_max)
                                            + " are needed");
    return cluster_key{std::make_shared<const secret>(std::move(key))};
  }

  /// The HMAC of these parts. Where one part ends and the next begins is part of what is signed.
  /// Fails with `not_trusted` where this OpenSSL has no HMAC-SHA256.
  [[nodiscard]] expected<mac> sign(std::initializer_list<std::span<const std::byte>> parts) const {
    const detail::clean_errors scope;
    const auto failed = [] {
      return fail(errc::not_trusted, "HMAC-SHA256: " + detail::error_text("not available"));
    };
    const detail::mac_ptr kind{EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr)};
    const detail::mac_context_ptr context{kind ? EVP_MAC_CTX_new(kind.get()) : nullptr};
    char digest[] = "SHA256"; // OpenSSL's parameters point to what could be written to
    const std::array<OSSL_PARAM, 2> with{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    if (!context
        || EVP_MAC_init(context.get(), octets(key_->view()), key_->size(), with.data()) != 1)
      return failed();
    for (const auto& part : parts) {
      std::array<std::byte, 8> length{};
      for (std::size_t i = 0; i < length.size(); ++i)
        length[i] = static_cast<std::byte>(static_cast<std::uint64_t>(part.size()) >> (8 * i));
      if (EVP_MAC_update(context.get(), octets(length), length.size()) != 1
          || EVP_MAC_update(context.get(), octets(part), part.size()) != 1)
        return failed();
    }
    mac made{};
    std::size_t size = 0;
    if (EVP_MAC_final(context.get(), reinterpret_cast<unsigned char*>(made.data()), &size,
                      made.size())
            != 1
        || size != made.size())
      return failed();
    return made;
  }

private:
  explicit cluster_key(std::shared_ptr<const secret> key) : key_{std::move(key)} {}

  [[nodiscard]] static const unsigned char* octets(std::span<const std::byte> data) {
    return reinterpret_cast<const unsigned char*>(data.data());
  }

  std::shared_ptr<const secret> key_;
};

} // namespace understudy::security
