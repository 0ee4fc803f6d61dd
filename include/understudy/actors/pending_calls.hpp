// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Who waits for which answer at a front: requests of actors, and slots of futures.

#include <understudy/actors/caf_errors.hpp>
#include <understudy/actors/caf_version.hpp>
#include <understudy/actors/calls.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/machine.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace understudy {

/// A table of tickets. Each ticket is answered once; a ticket that comes again means nothing.
class pending_calls {
public:
  /// A request of an actor, for a reply to `Asked`.
  template <class Asked>
  [[nodiscard]] ticket add(caf::response_promise promise, bool changes_data) {
    return add(
        entry{.promise = std::move(promise), .deliver = &reply_to<Asked>, .writes = changes_data});
  }

  [[nodiscard]] ticket add(std::shared_ptr<call_slot> slot) {
    return add(entry{.slot = std::move(slot)});
  }

  /// Delivers an answer. Returns whether anybody waited for it.
  bool answer(ticket id, expected<reply> result) {
    const auto place = static_cast<std::size_t>(id.value & place_mask);
    if (place >= entries_.size() || entries_[place].id != id || !id)
      return false;
    auto waiting = std::move(entries_[place]);
    entries_[place] = {};
    free_.push_back(place);
    conclude(waiting, std::move(result));
    return true;
  }

  /// Answers everybody. Whether a command was applied is not known here.
  void abandon_all() {
    for (auto& e : std::exchange(entries_, {}))
      if (e.id) {
        const auto code = e.writes ? errc::outcome_unknown : errc::stopped;
        if (e.slot)
          e.slot.reset();
        else
          conclude(e, fail(code, "the node stopped"));
      }
    free_.clear();
  }

  [[nodiscard]] std::size_t size() const { return entries_.size() - free_.size(); }

private:
  static constexpr std::uint64_t place_bits = 32;
  static constexpr std::uint64_t place_mask = (std::uint64_t{1} << place_bits) - 1;

  struct entry {
    ticket id = {};
    caf::response_promise promise = {};
    void (*deliver)(caf::response_promise&, expected<reply>&&) = nullptr;
    std::shared_ptr<call_slot> slot = nullptr;
    bool writes = false;
  };

  template <class Asked>
  static void reply_to(caf::response_promise& promise, expected<reply>&& result) {
    if (!result)
      return promise.deliver(as_caf_error(result.error()));
    if (auto value = decode_reply<Asked>(result->body))
      promise.deliver(std::move(*value));
    else
      promise.deliver(as_caf_error(value.error()));
  }

  ticket add(entry what) {
    if (free_.empty()) {
      free_.push_back(entries_.size());
      entries_.emplace_back();
    }
    const auto place = free_.back();
    free_.pop_back();
    what.id = {++count_ << place_bits | place};
    entries_[place] = std::move(what);
    return entries_[place].id;
  }

  static void conclude(entry& waiting, expected<reply> result) {
    if (waiting.slot)
      waiting.slot->answer(std::move(result));
    else
      waiting.deliver(waiting.promise, std::move(result));
  }

  std::vector<entry> entries_;
  std::vector<std::size_t> free_;
  std::uint64_t count_ = 0;
};

} // namespace understudy
