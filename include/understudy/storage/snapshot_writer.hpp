// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Where a snapshot is written, apart from all that must not wait for it.

#include <understudy/core/digest.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/storage/log_store.hpp>

#include <exception>
#include <string>
#include <utility>

namespace understudy {

/// The component that writes down what the replica has frozen, and brings snapshots to the disk
/// before the log writer hears of them. Both take as long as the state is large; the log, and with
/// it every vote and every acknowledgement, goes on meanwhile.
class snapshot_writer {
public:
  using peer_messages = type_list<>;
  using notices = type_list<write_down, stage_snapshot>;

  /// Without `stage` the log writer does all of it.
  explicit snapshot_writer(snapshot_stager stage = {}) : stage_{std::move(stage)} {}

  void on(write_down& m, instant, outbox& out) {
    std::string why;
    try {
      auto image = m.image();
      const auto digest = digest_of(image.view());
      out.tell(snapshot_taken{m.at, m.stamp, std::move(image), digest});
      return;
    } catch (const std::exception& e) {
      why = e.what();
    } catch (...) {
      why = "something that is no std::exception";
    }
    out.tell(not_written{std::move(why)});
  }

  void on(stage_snapshot& m, instant, outbox& out) {
    const auto done = stage_ ? stage_(*m.what) : expected<void>{};
    if (!done && done.error().code != errc::storage_full)
      return out.tell(store_failed{done.error().detail});
    out.tell(snapshot_staged{m.what->key(), done ? errc::none : errc::storage_full});
  }

  void wake(instant, outbox&) {}
  void settle(instant, outbox&) {}

  /// Lets go of the store.
  void release() { stage_ = {}; }

private:
  snapshot_stager stage_;
};

} // namespace understudy
