// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A CAF system whose threads and clock belong to the test.

#include <understudy/actors/config.hpp>

#if !UNDERSTUDY_CAF_1

#include <caf/scheduler/test_coordinator.hpp>

#include <cstddef>

namespace test_support {

/// Nothing runs but in `run` and `pass`, on the test's own thread. Detached actors and blocking
/// ones are outside of its control. A test ends its actors before it ends.
class deterministic_system {
public:
  deterministic_system() : system{prepared(config_)} {}

  /// Until no actor has anything to do. Returns how many times an actor was run.
  std::size_t run() { return scheduler().run(); }

  /// Lets time pass in small steps: an actor that sets its timer anew each time gets each turn.
  void pass(understudy::interval length) {
    constexpr understudy::interval step = std::chrono::milliseconds{1};
    run();
    for (; length > understudy::interval{0}; length -= step) {
      scheduler().advance_time(step);
      run();
    }
  }

  /// Lets time pass until `condition()` holds, at most `limit`. Returns whether it does.
  template <class Condition> bool pass_until(Condition condition, understudy::interval limit) {
    run();
    for (; !condition() && limit > understudy::interval{0}; limit -= std::chrono::milliseconds{1})
      pass(std::chrono::milliseconds{1});
    return condition();
  }

private:
  understudy::config config_;

  static understudy::config& prepared(understudy::config& config) {
    config.set("scheduler.policy", caf::atom("testing"));
    return config;
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  }

public:
  caf::actor_system system;
};

} // namespace test_support

#endif
