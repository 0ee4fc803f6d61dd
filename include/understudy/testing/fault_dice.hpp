// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>
#include <understudy/core/time.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/simulation.hpp>
#include <understudy/testing/workload.hpp>

#include <chrono>
#include <utility>

namespace understudy::testing {

/// What the faults of a random run have in common: whom they strike, for how long, and that they
/// end.
class fault_dice {
public:
  /// `patience`: the longest election timeout of the group.
  fault_dice(simulation<tally>& run, interval patience, random_stream random)
      : run_{run}, patience_{patience}, random_{random} {}

  fault_dice(const fault_dice&) = delete;
  fault_dice& operator=(const fault_dice&) = delete;

  /// Nothing that was to happen later happens any more.
  void stop() { over_ = true; }
  [[nodiscard]] bool over() const { return over_; }

  [[nodiscard]] random_stream& random() { return random_; }
  [[nodiscard]] interval patience() const { return patience_; }

  /// A node that runs; the leader more often than others, since there is most to lose.
  [[nodiscard]] member_id somebody() {
    const auto nodes = run_.nodes();
    const auto any = random_.pick(nodes);
    const auto leader = run_.leader();
    return leader && random_.chance(0.3) ? leader : any;
  }

  /// How long something lasts: mostly about as long as nodes are patient, at times far longer.
  [[nodiscard]] interval some_time() {
    const auto much = random_.chance(0.2) ? (random_.chance(0.2) ? 40 : 8) : 2;
    return random_.between(std::chrono::milliseconds{1}, patience_ * much);
  }

  /// Later, unless all faults are over by then: who ended them has seen to it.
  template <class F> void later(interval after, F what) {
    run_.schedule(after, [this, what = std::move(what)] {
      if (!over_)
        what();
    });
  }

private:
  simulation<tally>& run_;
  interval patience_;
  random_stream random_;
  bool over_ = false;
};

} // namespace understudy::testing
