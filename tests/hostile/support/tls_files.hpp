// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Certificates of a node that is attacked, and of those who attack it.

#include <understudy/security/tls_context.hpp>

#include <doctest/doctest.h>

#include "support/certificates.hpp"
#include "support/scratch.hpp"

#include <string>
#include <utility>
#include <vector>

namespace hostile {

/// What one process shows, and whom it believes.
class tls_files {
public:
  /// Of an authority of its own.
  explicit tls_files(const test_support::certificate_wish& own)
      : tls_files{own, test_support::authority{}} {}

  /// Signed by `by`; it believes `other`, or `by`.
  tls_files(const test_support::certificate_wish& own, const test_support::authority& by,
            const test_support::authority* other = nullptr)
      : files_{test_support::write_tls_files(disk_.path(), by.issue(own), other ? *other : by)} {}

  [[nodiscard]] understudy::security::tls_context context() const {
    return understudy::security::tls_context::load(files_).value();
  }

  /// For the node program.
  [[nodiscard]] std::vector<std::string> options() const {
    return {"--certificate", files_.certificate, "--key",
            files_.key,      "--authority",      files_.authority};
  }

private:
  test_support::scratch disk_;
  understudy::security::tls_files files_;
};

} // namespace hostile
