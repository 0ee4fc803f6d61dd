// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Whether a store keeps what `node_store` promises: the suite that understudy's own stores pass.
///
/// \code
/// CHECK(check_store(my_opener, {.seed = 1}) == "");
/// \endcode

#include <understudy/core/errors.hpp>
#include <understudy/storage/any_store.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/store_workload.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace understudy::testing {

/// How a store is tried.
struct conformance_options {
  std::uint64_t seed = 1;
  std::size_t lives = 20;  ///< how often it is opened
  std::size_t writes = 60; ///< in each life
  /// Loses what had not been synced, as a power failure would, while no store is open. A store
  /// whose disk can not be made to do so is only closed, or dropped without being closed.
  std::function<void()> lose_power = {};
};

namespace detail {

/// One store after the other in one place.
class store_trial {
public:
  store_trial(store_opener opener, conformance_options options)
      : opener_{std::move(opener)}, options_{std::move(options)}, random_{options_.seed},
        work_{options_.seed} {}

  std::string run() {
    for (std::size_t life = 0; life < options_.lives && complaint_.empty(); ++life)
      live(life);
    if (complaint_.empty())
      end_of_a_life();
    return complaint_;
  }

private:
  static constexpr node_identity first{{7}, 99};

  /// Opens, compares, writes, and ends in one way or another.
  void live(std::size_t number) {
    auto store
        = open("life " + std::to_string(number), {.newcomer = number == 0 ? first : later()});
    if (!store)
      return;
    if (store->identity() != first)
      return complain("the store belongs to another node than the one that made it");
    if (!compare(*store))
      return;
    for (std::size_t i = 0; i < options_.writes; ++i) {
      const auto what = work_.next();
      const auto stage = store->stager();
      if (stage && what.base && random_.chance(0.5) && !went_well(stage(*what.base), "stage"))
        return;
      if (!went_well(store->write(what), "write") || !keep_ballot(*store))
        return;
      if (!random_.chance(0.3))
        continue;
      if (!went_well(store->sync(), "sync"))
        return;
      certain_ = work_.model().told();
    }
    if (random_.chance(0.5)) {
      if (went_well(store->close(), "close"))
        certain_ = work_.model().told();
      return;
    }
    store->abandon();
    if (options_.lose_power && random_.chance(0.7))
      options_.lose_power();
  }

  /// Now and then the ballot alone is made certain, if the store can do that. Returns whether that
  /// went well.
  bool keep_ballot(any_store& store) {
    if (!random_.chance(0.1))
      return true;
    const auto done = store.sync_ballot();
    if (!done && done.error().code == errc::storage_full)
      return true; // it keeps ballots with the log
    if (went_well(done, "sync_ballot"))
      certain_.ballots = work_.model().told().ballots;
    return done.has_value();
  }

  /// Once a store is retired, the next one is new and another's; so it is if the wish says so.
  void end_of_a_life() {
    if (auto store = open("the last life", {.newcomer = later()})) {
      if (!went_well(store->retire(), "retire") || !went_well(store->close(), "close"))
        return;
    }
    for (const bool anew : {false, true}) {
      const auto newcomer = later();
      auto store = open("a new life", {.newcomer = newcomer, .anew = anew});
      if (!store)
        return;
      if (store->identity() != newcomer)
        return complain("a new store does not belong to the newcomer");
      const auto found = store->recover();
      if (!found || found->base || !found->entries.empty() || found->vote != ballot{})
        return complain("a new store is not empty");
      if (!went_well(store->write({.vote = ballot{{1}, newcomer.id}}), "write")
          || !went_well(store->close(), "close"))
        return;
    }
  }

  /// What is found is what was certain, and maybe some of what was told; from then on it is what
  /// there is.
  bool compare(any_store& store) {
    auto found = store.recover();
    if (!found) {
      complain("recover: " + found.error().detail);
      return false;
    }
    auto why = work_.model().complaint(*found, certain_, work_.model().told());
    if (!why.empty())
      complain(std::move(why));
    work_.go_on_from(*found);
    certain_ = work_.model().told();
    return complaint_.empty();
  }

  std::optional<any_store> open(const std::string& when, store_wish wish) {
    wish.seed = random_.next();
    auto opened = opener_(wish);
    if (opened)
      return std::move(*opened);
    complain(when + ": open: " + opened.error().detail);
    return std::nullopt;
  }

  bool went_well(const expected<void>& done, const std::string& call) {
    if (!done)
      complain(call + ": " + done.error().detail);
    return done.has_value();
  }

  node_identity later() { return {{random_.next() | 1}, random_.next()}; }

  void complain(std::string why) {
    if (complaint_.empty())
      complaint_ = std::move(why) + " (seed " + std::to_string(options_.seed) + ")";
  }

  store_opener opener_;
  conformance_options options_;
  random_stream random_;
  store_workload work_;
  store_extent certain_;
  std::string complaint_;
};

} // namespace detail

/// What is wrong with the stores that `opener` opens in one and the same place, which is empty at
/// the start; empty if nothing is.
[[nodiscard]] inline std::string check_store(store_opener opener,
                                             conformance_options options = {}) {
  return detail::store_trial{std::move(opener), std::move(options)}.run();
}

} // namespace understudy::testing
