// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// OpenSSL's objects, each freed when its owner goes, and OpenSSL's errors as text.
///
/// OpenSSL keeps the errors of a thread in a queue, and some of its calls read what an earlier one
/// has left there. So each of our calls into it begins with an empty queue, and leaves one.

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace understudy::security::detail {

/// Frees an object with OpenSSL's function for its kind.
template <auto Free> struct freed_with {
  template <class T> void operator()(T* object) const { Free(object); }
};

using ssl_context_ptr = std::unique_ptr<SSL_CTX, freed_with<SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, freed_with<SSL_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_with<BIO_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_with<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_with<X509_free>>;
using names_ptr = std::unique_ptr<GENERAL_NAMES, freed_with<GENERAL_NAMES_free>>;
using mac_ptr = std::unique_ptr<EVP_MAC, freed_with<EVP_MAC_free>>;
using mac_context_ptr = std::unique_ptr<EVP_MAC_CTX, freed_with<EVP_MAC_CTX_free>>;

/// Around calls into OpenSSL: neither sees errors of before, nor leaves any.
class clean_errors {
public:
  clean_errors() { ERR_clear_error(); }
  clean_errors(const clean_errors&) = delete;
  clean_errors& operator=(const clean_errors&) = delete;
  ~clean_errors() { ERR_clear_error(); }
};

/// What the first error of this thread's queue says; `otherwise`, if it says nothing. OpenSSL's
/// reasons are fixed texts: no data, and so no secret, is in them.
[[nodiscard]] inline std::string error_text(const char* otherwise) {
  const auto code = ERR_peek_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? otherwise : reason;
}

} // namespace understudy::security::detail
