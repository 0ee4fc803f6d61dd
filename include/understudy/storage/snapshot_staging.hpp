// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A snapshot of the own log on its way to the disk, while the log goes on.

#include <understudy/core/errors.hpp>
#include <understudy/core/snapshot.hpp>
#include <understudy/storage/directory.hpp>
#include <understudy/storage/file_header.hpp>
#include <understudy/storage/file_names.hpp>
#include <understudy/storage/new_file.hpp>
#include <understudy/storage/snapshot_file.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace understudy::storage {

/// Two threads meet here: one writes the file, which takes long, and the store's gives it its name,
/// which does not. They share the directory, in which the first only makes and removes files whose
/// names nobody else uses.
class snapshot_staging {
public:
  snapshot_staging(std::shared_ptr<directory> in, const file_owner& owner)
      : in_{std::move(in)}, owner_{owner} {}

  /// Writes and syncs `s` under an unfinished name, in place of one that was never asked for.
  [[nodiscard]] expected<void> stage(const snapshot& s) {
    if (auto done = prepare_snapshot(*in_, s, begin(), true); !done)
      return done;
    const std::lock_guard hold{mutex_};
    ready_ = s.key();
    return {};
  }

  /// Gives `s` its name, durably, if it was staged; whether it was.
  [[nodiscard]] expected<bool> adopt(const snapshot& s) {
    {
      const std::lock_guard hold{mutex_};
      if (ready_ != s.key())
        return false;
      ready_.reset();
    }
    if (auto done = name_file(*in_, snapshot_name(s.at)); !done)
      return tl::unexpected<failure>{done.error()};
    return true;
  }

  /// Gives the room back that a staged one takes. Returns whether there was one.
  bool drop() {
    const std::lock_guard hold{mutex_};
    return forget();
  }

  /// The cluster is known now.
  void enter(cluster_id cluster) {
    const std::lock_guard hold{mutex_};
    owner_.cluster = cluster;
  }

private:
  file_owner begin() {
    const std::lock_guard hold{mutex_};
    forget();
    return owner_;
  }

  /// With the mutex held: who finds that nothing is staged may use the name itself at once.
  bool forget() {
    const auto before = std::exchange(ready_, std::nullopt);
    return before && in_->remove(detail::unfinished_name(snapshot_name(before->at)));
  }

  std::shared_ptr<directory> in_;
  std::mutex mutex_;
  file_owner owner_;
  std::optional<snapshot_key> ready_; ///< written and synced, and not yet named
};

} // namespace understudy::storage
