// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/storage/log_store.hpp>
#include <understudy/storage/memory_store.hpp>
#include <understudy/testing/node_disk.hpp>
#include <understudy/testing/random.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace understudy::testing {

/// The disk as a model: whatever the contract of `log_store` allows any store to keep.
class simulated_disk final : public node_disk {
public:
  void begin(const store_write& what) override { begun_.push_back(what); }

  expected<void> write(const store_write& what) override {
    if (!begun_.empty() && begun_.front().write == what.write)
      begun_.pop_front();
    unsynced_.push_back(what);
    return {};
  }

  void be_full(bool full) override { full_ = full; }

  expected<void> sync() override {
    if (full_ && std::ranges::any_of(unsynced_, needs_room))
      return fail(errc::storage_full, "no space left (simulated)");
    for (const auto& w : unsynced_)
      static_cast<void>(kept_.write(w)); // never fails
    unsynced_.clear();
    stored_ = {kept_.vote(), kept_.last()};
    return {};
  }

  expected<void> sync_ballot() override {
    for (auto& w : unsynced_)
      static_cast<void>(kept_.write({.vote = std::exchange(w.vote, std::nullopt)})); // never fails
    stored_.vote = kept_.vote();
    return {};
  }

  /// The log survives up to any step of any write, and any one of the ballots.
  bool crash(random_stream& random) override {
    unsynced_.insert(unsynced_.end(), begun_.begin(), begun_.end());
    begun_.clear();
    const auto before = std::exchange(unsynced_, {});
    if (before.empty())
      return false;
    const auto whole = random.below(before.size() + 1);
    const auto ballots = random.below(before.size() + 1);
    for (std::size_t i = 0; i < whole; ++i)
      unsynced_.push_back(log_part(before[i]));
    if (whole < before.size())
      unsynced_.push_back(torn(log_part(before[whole]), random));
    for (std::size_t i = 0; i < ballots; ++i)
      unsynced_.push_back({.vote = before[i].vote});
    return whole < before.size() || ballots < before.size();
  }

  [[nodiscard]] recovered_state recover() const override {
    auto found = kept_;
    for (const auto& w : unsynced_)
      static_cast<void>(found.write(w)); // never fails
    return found.recover().value();
  }

  [[nodiscard]] recovered_state certain() const override { return kept_.recover().value(); }

  [[nodiscard]] const stored_state& stored() const override { return stored_; }

private:
  static bool needs_room(const store_write& what) {
    return what.base || what.keep || !what.entries.empty();
  }

  static store_write log_part(const store_write& what) {
    auto log = what;
    log.vote.reset();
    return log;
  }

  /// The first steps of a write, but not all: snapshot, truncation, one entry after the other.
  static store_write torn(store_write what, random_stream& random) {
    const std::size_t steps = (what.base ? 1u : 0u) + (what.keep ? 1u : 0u) + what.entries.size();
    auto left = steps == 0 ? 0 : random.below(steps);
    const auto takes = [&] { return left > 0 && left-- > 0; };
    if (what.base && !takes())
      what.base = nullptr;
    if (what.keep && !takes())
      what.keep.reset();
    what.entries.resize(left);
    return what;
  }

  memory_store kept_;
  std::deque<store_write> begun_; ///< above all that were written
  std::vector<store_write> unsynced_;
  stored_state stored_;
  bool full_ = false;
};

} // namespace understudy::testing
