// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What tests of disks write, and what they find.

#include <understudy/core/notices.hpp>
#include <understudy/core/recovered_state.hpp>

#include "raft/support/entries.hpp"

#include <cstdint>
#include <string>

namespace disk_writes {

/// Entries of one term, and a vote in it.
inline understudy::store_write entries(std::uint64_t write, std::uint64_t from, std::uint64_t to,
                                       std::uint64_t term) {
  understudy::store_write w{.write = {write}, .vote = understudy::ballot{{term}, {}}};
  for (auto i = from; i <= to; ++i)
    w.entries.push_back(support::entry_of(i, term));
  return w;
}

/// "t2: 1 2 3"
inline std::string text(const understudy::recovered_state& found) {
  auto all = "t" + std::to_string(found.vote.term.value) + ":";
  for (const auto& e : found.entries)
    all += " " + std::to_string(e.index.value);
  return all;
}

} // namespace disk_writes
