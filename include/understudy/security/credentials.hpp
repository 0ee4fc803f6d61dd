// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Certificates that are replaced while the process runs.
///
/// Certificates run out, and a node is not stopped for that. Who renews them puts the new files in
/// the place of the old ones and has them read again; sessions that begin from then on use them,
/// and those that are there go on with what they began with.

#include <understudy/core/errors.hpp>
#include <understudy/security/tls_context.hpp>

#include <memory>
#include <mutex>
#include <utility>

namespace understudy::security {

/// The files, and what they held when they were last read. Copies share it, so that one place can
/// renew what others use. Safe from any thread.
class credentials {
public:
  /// Reads the files for the first time. Fails as `tls_context::load` does.
  [[nodiscard]] static expected<credentials> load(tls_files files) {
    auto first = tls_context::load(files);
    if (!first)
      return tl::unexpected<failure>{std::move(first.error())};
    return credentials{std::make_shared<shared>(std::move(files), std::move(*first))};
  }

  /// What a session that begins now uses.
  [[nodiscard]] tls_context current() const {
    const std::lock_guard lock{shared_->of_current};
    return shared_->current;
  }

  /// Reads the files again. All of it is used from now on, or, if any of it is of no use, nothing:
  /// then what was used before still is, and the failure (as of `tls_context::load`) says why.
  [[nodiscard]] expected<void> reload() const {
    // One at a time, so that what was read last is what is used.
    const std::lock_guard reloading{shared_->of_reload};
    auto next = tls_context::load(shared_->files);
    if (!next)
      return tl::unexpected<failure>{std::move(next.error())};
    const std::lock_guard lock{shared_->of_current};
    shared_->current = std::move(*next);
    return {};
  }

private:
  struct shared {
    shared(tls_files of, tls_context first) : files{std::move(of)}, current{std::move(first)} {}

    const tls_files files;
    std::mutex of_reload;
    std::mutex of_current;
    tls_context current;
  };

  explicit credentials(std::shared_ptr<shared> made) : shared_{std::move(made)} {}

  std::shared_ptr<shared> shared_;
};

} // namespace understudy::security
