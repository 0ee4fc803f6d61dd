// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a process shows of itself in TLS, and whom it believes: a certificate with its key, and the
/// authorities whose certificates are good.
///
/// There is one way to use it: TLS 1.3, both ends show a certificate, and no session outlives its
/// connection. So whoever is on a connection was there, with its key, when that began.

#include <understudy/core/errors.hpp>
#include <understudy/security/openssl.hpp>
#include <understudy/security/secret_file.hpp>

#include <openssl/pem.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::security {

/// Where the PEM files are.
struct tls_files {
  std::string certificate = {}; ///< this process's own, and then those between it and the authority
  std::string key = {};         ///< of the certificate; mode 0600, and without a passphrase
  std::string authority = {};   ///< one or several: whose certificates are believed
};

/// No file may have more bytes; a certificate has one or two thousand.
inline constexpr std::size_t pem_bytes_max = std::size_t{1} << 20;

namespace detail {

/// For a file with a passphrase: without this OpenSSL would ask on the terminal, and wait.
inline int no_passphrase(char*, int, int, void*) {
  return -1;
}

/// A file's content for OpenSSL to read from, which must not go before.
[[nodiscard]] inline bio_ptr reader_of(const secret& content) {
  return bio_ptr{BIO_new_mem_buf(content.view().data(), static_cast<int>(content.size()))};
}

/// All certificates in a file, in their order; at least one.
[[nodiscard]] inline expected<std::vector<certificate_ptr>>
read_certificates(std::string_view what, const std::string& path) {
  const auto content = read_file(what, path, readable_by::anybody, pem_bytes_max);
  if (!content)
    return tl::unexpected<failure>{content.error()};
  const clean_errors scope;
  const auto from = reader_of(*content);
  std::vector<certificate_ptr> found;
  while (certificate_ptr next{PEM_read_bio_X509(from.get(), nullptr, no_passphrase, nullptr)})
    found.push_back(std::move(next));
  // At its end OpenSSL looks for the start of another one.
  const auto last = ERR_peek_last_error();
  if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
    return file_failure(what, path, "is damaged: " + error_text("unknown reason"));
  if (found.empty())
    return file_failure(what, path, "holds no certificate in PEM");
  return found;
}

[[nodiscard]] inline expected<key_ptr> read_private_key(const std::string& path) {
  const auto content = read_file("key", path, readable_by::owner_only, pem_bytes_max);
  if (!content)
    return tl::unexpected<failure>{content.error()};
  const clean_errors scope;
  const auto from = reader_of(*content);
  key_ptr key{PEM_read_bio_PrivateKey(from.get(), nullptr, no_passphrase, nullptr)};
  if (key)
    return key;
  const auto text = [&] {
    const auto view = content->view();
    return std::string_view{reinterpret_cast<const char*>(view.data()), view.size()};
  }();
  const bool is_locked = text.find("ENCRYPTED") != text.npos;
  return file_failure("key", path,
                      is_locked ? "has a passphrase, which nobody is there to give"
                                : "holds no private key in PEM");
}

/// A context that trusts nobody yet and has nothing to show; none, if OpenSSL refuses.
[[nodiscard]] inline ssl_context_ptr bare_context() {
  ssl_context_ptr made{SSL_CTX_new(TLS_method())};
  if (!made || SSL_CTX_set_min_proto_version(made.get(), TLS1_3_VERSION) != 1
      || SSL_CTX_set_max_proto_version(made.get(), TLS1_3_VERSION) != 1
      || SSL_CTX_set_num_tickets(made.get(), 0) != 1)
    return nullptr;
  SSL_CTX_set_security_level(made.get(), 2); // 112 bits: no RSA below 2048, no SHA-1
  SSL_CTX_set_options(made.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return made;
}

} // namespace detail

/// Certificate, key and authorities, as they were when they were read. Copies share them, and
/// nothing changes them: safe from any thread. For what changes see credentials.hpp.
class tls_context {
public:
  /// Reads the files. Fails with `invalid_option`, and a text that names the file and says what is
  /// wrong with it: missing, not to be read, not PEM, a key that others may read or that is not the
  /// certificate's. Whether a certificate is out of date is seen when it is shown.
  [[nodiscard]] static expected<tls_context> load(const tls_files& files) {
    auto chain = detail::read_certificates("certificate", files.certificate);
    if (!chain)
      return tl::unexpected<failure>{std::move(chain.error())};
    const auto key = detail::read_private_key(files.key);
    if (!key)
      return tl::unexpected<failure>{key.error()};
    const auto authorities = detail::read_certificates("authority", files.authority);
    if (!authorities)
      return tl::unexpected<failure>{authorities.error()};

    const detail::clean_errors scope;
    auto made = detail::bare_context();
    if (!made)
      return fail(errc::invalid_option,
                  "no TLS 1.3: " + detail::error_text("this OpenSSL does not have it"));
    for (const auto& one : *authorities)
      if (X509_STORE_add_cert(SSL_CTX_get_cert_store(made.get()), one.get()) != 1)
        return detail::file_failure("authority", files.authority, detail::error_text("refused"));
    if (auto shown = show(*made, files, *chain, **key); !shown)
      return tl::unexpected<failure>{std::move(shown.error())};
    return tls_context{std::move(made)};
  }

  /// For tls_session.hpp, which makes sessions of it. Not to be changed.
  [[nodiscard]] SSL_CTX* native() const { return context_.get(); }

private:
  explicit tls_context(detail::ssl_context_ptr made) : context_{std::move(made)} {}

  /// Puts this process's own certificate, its chain and its key into `into`.
  [[nodiscard]] static expected<void> show(SSL_CTX& into, const tls_files& files,
                                           std::vector<detail::certificate_ptr>& chain,
                                           EVP_PKEY& key) {
    auto& own = *chain.front();
    if (X509_check_private_key(&own, &key) != 1)
      return detail::file_failure("key", files.key,
                                  "is not the key of the certificate in " + files.certificate);
    if (SSL_CTX_use_certificate(&into, &own) != 1)
      return detail::file_failure("certificate", files.certificate, detail::error_text("refused"));
    for (std::size_t i = 1; i < chain.size(); ++i)
      if (SSL_CTX_add1_chain_cert(&into, chain[i].get()) != 1)
        return detail::file_failure("certificate", files.certificate,
                                    detail::error_text("refused"));
    if (SSL_CTX_use_PrivateKey(&into, &key) != 1)
      return detail::file_failure("key", files.key, detail::error_text("refused"));
    return {};
  }

  std::shared_ptr<SSL_CTX> context_;
};

} // namespace understudy::security
