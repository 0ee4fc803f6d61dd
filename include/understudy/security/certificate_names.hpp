// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Who a certificate is for.

#include <understudy/security/openssl.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::security {

/// Whether two DNS names are the same: upper and lower case are (RFC 4343). A `*` in a certificate
/// stands for itself: a node has a name, not a pattern of names.
[[nodiscard]] inline bool is_same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

namespace detail {

/// A name that could have been written by hand; else empty. A certificate may hold any bytes, and
/// "node-1" with a zero and more behind it is not to be taken for node-1.
[[nodiscard]] inline std::string plain_name(const unsigned char* data, int size) {
  const std::string_view text{reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
  const bool is_plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
  return is_plain ? std::string{text} : std::string{};
}

[[nodiscard]] inline std::string common_name(const X509& certificate) {
  const auto* subject = X509_get_subject_name(&certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0)
    return {};
  const auto* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, value);
  if (size < 0)
    return {};
  auto name = plain_name(text, size);
  OPENSSL_free(text);
  return name;
}

} // namespace detail

/// The DNS names in the certificate's subjectAltName; where it has none, the common name of its
/// subject (RFC 6125 §6.4.4). Names that are not printable ASCII are left out.
[[nodiscard]] inline std::vector<std::string> names_of(const X509& certificate) {
  const detail::clean_errors scope;
  const detail::names_ptr listed{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
  std::vector<std::string> found;
  bool has_dns = false;
  const int count = listed ? sk_GENERAL_NAME_num(listed.get()) : 0;
  for (int i = 0; i < count; ++i) {
    const auto* one = sk_GENERAL_NAME_value(listed.get(), i);
    if (one->type != GEN_DNS)
      continue;
    has_dns = true;
    found.push_back(detail::plain_name(ASN1_STRING_get0_data(one->d.dNSName),
                                       ASN1_STRING_length(one->d.dNSName)));
  }
  if (!has_dns)
    found.push_back(detail::common_name(certificate));
  std::erase(found, std::string{});
  return found;
}

} // namespace understudy::security
