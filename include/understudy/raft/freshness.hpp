// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>
#include <understudy/core/time.hpp>

namespace understudy {

/// How old the data of a node that does not lead may be.
///
/// Contact with a leader says nothing of the data: a node that is sent a snapshot hears heartbeats
/// all the time. So what counts is when a leader said, or a source heard from one, up to where all
/// is committed, and that this node has applied as much since.
class freshness {
public:
  /// By `when`, everything up to `commit` was committed.
  void told(log_index commit, instant when, log_index applied) {
    this->applied(applied);
    if (waits_ || when <= at_)
      return; // one promise at a time: it is kept soon, and then the next one counts
    promised_ = commit;
    promised_at_ = when;
    waits_ = true;
    this->applied(applied);
  }

  /// Everything up to `index` is applied here.
  void applied(log_index index) {
    if (waits_ && index >= promised_) {
      at_ = promised_at_;
      waits_ = false;
    }
  }

  /// What was committed at this moment is applied.
  [[nodiscard]] instant at() const { return at_; }

private:
  instant at_ = {};
  log_index promised_;
  instant promised_at_ = {};
  bool waits_ = false;
};

} // namespace understudy
