// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <benchmark/benchmark.h>

#include <exception>

namespace benchmarks {

/// Runs a benchmark whose failure is a text, and not the end of all others.
template <class Measure> void guarded(benchmark::State& state, const Measure& measure) {
  try {
    measure();
  } catch (const std::exception& e) {
    state.SkipWithError(e.what());
  }
}

} // namespace benchmarks
