// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a log store may hold after a crash.
///
/// `log_store` leaves a store one freedom: of what was written since the last `sync` it may have
/// kept a beginning, and any one of the ballots. The model is told what the store is told, steps
/// through it one snapshot, truncation and entry at a time, and knows a recovered state again.

#include <understudy/core/assert.hpp>
#include <understudy/core/digest.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/storage/entry_record.hpp>
#include <understudy/storage/memory_store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace understudy::testing {

/// A number that stands for a log and the snapshot below it: what matters of them, and nothing of
/// how they are held.
[[nodiscard]] inline std::uint64_t fingerprint_of(const recovered_state& state) {
  std::uint64_t print = 0;
  if (state.base) {
    const auto members = wire::encode(state.base->members.index, state.base->members.content
                                                                     ? *state.base->members.content
                                                                     : configuration{});
    const auto rest = wire::encode(state.base->at, state.base->stamp, state.base->digest);
    print = digest_of(state.base->image.view(), digest_of(members.view(), digest_of(rest.view())));
  }
  std::vector<std::byte> record;
  for (const auto& e : state.entries) {
    const storage::entry_record image{e};
    record.resize(image.size_bytes());
    image.write(record.data());
    print = digest_of(record, print + 1);
  }
  return print;
}

/// How much of what a store was told something is about: steps of the log, and ballots.
struct store_extent {
  std::size_t steps = 0;
  std::size_t ballots = 0;
};

/// The model.
class store_model {
public:
  /// The store is told the same.
  void write(const store_write& what) {
    if (what.base)
      step({.base = what.base});
    if (what.keep)
      step({.keep = what.keep});
    for (const auto& e : what.entries)
      step({.entries = {e}});
    if (what.vote)
      ballots_.push_back(*what.vote);
  }

  /// Another process has found this, and goes on from there.
  void go_on_from(const recovered_state& found) {
    now_ = {};
    const auto done
        = now_.write({.base = found.base, .entries = found.entries, .vote = found.vote});
    UNDERSTUDY_ASSERT(done, "memory does not fail");
    prints_ = {fingerprint_of(found)};
    ballots_ = {found.vote};
  }

  /// All that was told so far.
  [[nodiscard]] store_extent told() const { return {prints_.size() - 1, ballots_.size() - 1}; }

  /// Why a store of which `certain` had been synced, and that had been told up to `told`, can not
  /// hold `found`; empty if it can.
  [[nodiscard]] std::string complaint(const recovered_state& found, store_extent certain,
                                      store_extent told) const {
    const auto has = [](const auto& all, std::size_t from, std::size_t to, const auto& one) {
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(from);
      const auto last = all.begin() + static_cast<std::ptrdiff_t>(to) + 1;
      return std::find(first, last, one) != last;
    };
    if (!has(ballots_, certain.ballots, told.ballots, found.vote))
      return "the vote in term " + std::to_string(found.vote.term.value) + " for "
             + std::to_string(found.vote.vote.value) + " is none of those since the last sync";
    if (!has(prints_, certain.steps, told.steps, fingerprint_of(found)))
      return "a log with " + std::to_string(found.entries.size()) + " entries"
             + (found.entries.empty()
                    ? ""
                    : " up to " + std::to_string(found.entries.back().index.value))
             + " is none of those since the last sync";
    return {};
  }

  /// The log as it is with all that was told.
  [[nodiscard]] const memory_store& now() const { return now_; }

private:
  void step(const store_write& one) {
    const auto done = now_.write(one);
    UNDERSTUDY_ASSERT(done, "memory does not fail");
    prints_.push_back(fingerprint_of(*now_.recover()));
  }

  memory_store now_;
  std::vector<std::uint64_t> prints_{fingerprint_of({})}; ///< after each step
  std::vector<ballot> ballots_{ballot{}};
};

} // namespace understudy::testing
