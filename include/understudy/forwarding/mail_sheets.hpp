// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/outbox.hpp>
#include <understudy/forwarding/options.hpp>

#include <cstddef>
#include <unordered_map>
#include <utility>
#include <vector>

namespace understudy {

/// Collects what is for the same peer into one message; `Batch` is `requests` or `answers`.
template <class Batch> class mail_sheets {
public:
  /// `blank` is what every message starts as.
  explicit mail_sheets(const call_options& limits, Batch blank = {})
      : count_max_{limits.batch_max}, bytes_max_{limits.batch_bytes_max}, blank_{std::move(blank)} {
  }

  /// Adds to the message for `to`; one that is full leaves at once.
  template <class Item> void add(member_id to, Item item, std::size_t bytes, outbox& out) {
    auto& s = sheet_for(to);
    if (!s.what.batch.empty() && s.bytes + bytes > bytes_max_)
      send(s, out);
    s.bytes += bytes;
    s.what.batch.push_back(std::move(item));
    if (s.what.batch.size() >= count_max_)
      send(s, out);
  }

  /// Sends all that is left, in the order in which the peers first came up.
  void flush(outbox& out) {
    for (auto& s : sheets_)
      if (!s.what.batch.empty())
        send(s, out);
    sheets_.clear();
    places_.clear();
  }

private:
  struct sheet {
    member_id to = {};
    std::size_t bytes = 0;
    Batch what = {};
  };

  sheet& sheet_for(member_id to) {
    if (!sheets_.empty() && sheets_.back().to == to)
      return sheets_.back();
    const auto [place, fresh] = places_.try_emplace(to, sheets_.size());
    if (fresh)
      sheets_.push_back({to, 0, blank_});
    return sheets_[place->second];
  }

  void send(sheet& s, outbox& out) {
    out.send(s.to, std::exchange(s.what, blank_));
    s.bytes = 0;
  }

  std::size_t count_max_;
  std::size_t bytes_max_;
  Batch blank_;
  std::vector<sheet> sheets_;
  std::unordered_map<member_id, std::size_t> places_;
};

} // namespace understudy
