// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Certificates made within a test: an authority, and what it signs. Without doctest: fuzzers use
/// it, too.

#include <understudy/core/assert.hpp>
#include <understudy/security/openssl.hpp>
#include <understudy/security/tls_context.hpp>

#include <openssl/pem.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace test_support {

namespace openssl = understudy::security::detail;

/// Writes `text`, with that mode.
inline void write_file(const std::string& path, const std::string& text, mode_t mode = 0600) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "wb"),
                                                       &std::fclose};
  UNDERSTUDY_ASSERT(file, "the file can be opened");
  UNDERSTUDY_ASSERT(std::fwrite(text.data(), 1, text.size(), file.get()) == text.size(),
                    "it is written");
  UNDERSTUDY_ASSERT(::chmod(path.c_str(), mode) == 0, "its mode can be set");
}

/// What a certificate says; times are in seconds from now.
struct certificate_wish {
  std::vector<std::string> names = {}; ///< DNS
  std::string common_name = "somebody";
  long valid_from = -3'600;
  long valid_to = 3'600;
};

/// A key and the certificate for it.
struct identity {
  openssl::key_ptr key;
  openssl::certificate_ptr certificate;

  [[nodiscard]] std::string key_pem() const {
    return written([&](BIO* to) {
      return PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  [[nodiscard]] std::string certificate_pem() const {
    return written([&](BIO* to) { return PEM_write_bio_X509(to, certificate.get()); });
  }

private:
  template <class Write> static std::string written(Write write) {
    const openssl::bio_ptr to{BIO_new(BIO_s_mem())};
    UNDERSTUDY_ASSERT(write(to.get()) == 1, "it can be written as PEM");
    std::string text(BIO_ctrl_pending(to.get()), '\0');
    const int got = BIO_read(to.get(), text.data(), static_cast<int>(text.size()));
    UNDERSTUDY_ASSERT(got == static_cast<int>(text.size()), "all of it is read");
    return text;
  }
};

/// Signs certificates, its own first. Keys are elliptic: they take no time to make.
class authority {
public:
  explicit authority(const std::string& name = "authority")
      : own_{issue({.common_name = name}, nullptr)} {}

  [[nodiscard]] identity issue(const certificate_wish& wish) const { return issue(wish, &own_); }

  [[nodiscard]] std::string pem() const { return own_.certificate_pem(); }

private:
  static void extend(X509* it, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, it, it, nullptr, nullptr, 0);
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    UNDERSTUDY_ASSERT(made != nullptr, "the extension is one");
    X509_add_ext(it, made, -1);
    X509_EXTENSION_free(made);
  }

  /// Signed by `by`, or by itself.
  static identity issue(const certificate_wish& wish, const identity* by) {
    static long serial = 0;
    identity made{openssl::key_ptr{EVP_EC_gen("P-256")}, openssl::certificate_ptr{X509_new()}};
    X509* it = made.certificate.get();
    UNDERSTUDY_ASSERT(made.key, "a key can be made");
    X509_set_version(it, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(it), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(it), wish.valid_from);
    X509_gmtime_adj(X509_getm_notAfter(it), wish.valid_to);
    X509_set_pubkey(it, made.key.get());
    X509_NAME* subject = X509_get_subject_name(it);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wish.common_name.data()),
                               static_cast<int>(wish.common_name.size()), -1, 0);
    X509_set_issuer_name(it, by ? X509_get_subject_name(by->certificate.get()) : subject);
    extend(it, NID_basic_constraints, by ? "critical,CA:FALSE" : "critical,CA:TRUE");
    std::string listed;
    for (const auto& name : wish.names)
      listed += (listed.empty() ? "DNS:" : ",DNS:") + name;
    if (!listed.empty())
      extend(it, NID_subject_alt_name, listed);
    UNDERSTUDY_ASSERT(X509_sign(it, by ? by->key.get() : made.key.get(), EVP_sha256()) > 0,
                      "it can be signed");
    return made;
  }

  identity own_;
};

/// Writes what a process shows, and whom it believes, to files in `directory`; returns where.
inline understudy::security::tls_files
write_tls_files(const std::string& directory, const identity& own, const authority& believed) {
  const understudy::security::tls_files files{directory + "/own.pem", directory + "/key.pem",
                                              directory + "/ca.pem"};
  write_file(files.certificate, own.certificate_pem());
  write_file(files.key, own.key_pem());
  write_file(files.authority, believed.pem());
  return files;
}

} // namespace test_support
