// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The request that is measured, the caller that sends it, and who answers it.
///
/// A caller does not know whether it asks a node of a cluster or a bare CAF actor: both have the
/// same interface and give back what they got. So all that differs between two rounds is what
/// happens between request and answer.

#include <understudy/understudy.hpp>

#include "figures.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <future>
#include <utility>
#include <vector>

namespace benchmarks {

/// 64 bytes, as a command and as its own reply.
struct parcel {
  using reply = parcel;
  std::array<std::uint8_t, 64> content = {};
  template <class Archive> void serialize(Archive& archive) { archive(content); }
};

/// The least that a machine can do: it gives back what it got, and counts.
struct parcel_counter {
  using commands = understudy::commands<parcel>;

  parcel apply(const parcel& what) {
    ++count;
    return what;
  }

  std::uint64_t count = 0;
  template <class Archive> void serialize(Archive& archive) { archive(count); }
};

} // namespace benchmarks

UNDERSTUDY_MESSAGES(benchmark_messages, benchmarks::parcel)

namespace benchmarks {

/// Whoever takes a parcel and gives it back.
using parcel_actor = caf::typed_actor<understudy::handles<parcel, parcel>>;

/// What CAF alone needs for a request and its answer.
class echo_actor : public parcel_actor::base {
public:
  using parcel_actor::base::base;

  behavior_type make_behavior() override {
    return {[](const parcel& what) { return what; }};
  }
};

/// How a round is asked.
struct load {
  std::size_t callers = 1;
  std::size_t outstanding = 1; ///< of each caller
  std::chrono::milliseconds length{100};
};

/// Keeps as many requests outstanding as it is told, for as long as it is told, and ends when the
/// last answer has come.
class load_actor : public caf::event_based_actor {
public:
  load_actor(caf::actor_config& config, parcel_actor whom, const load& what,
             std::promise<round_figures> result)
      : caf::event_based_actor(config), whom_{std::move(whom)}, load_{what},
        result_{std::move(result)} {}

  caf::behavior make_behavior() override {
    began_ = clock::now();
    for (open_ = 0; open_ < load_.outstanding; ++open_)
      send(clock::now());
    return {};
  }

private:
  using clock = std::chrono::steady_clock;

  void send(clock::time_point sent) {
    understudy::ask(this, whom_, caf::infinite, parcel{})
        .then(
            [this, sent](const parcel&) {
              const auto now = clock::now();
              figures_.waits.push_back(now - sent);
              answered(now);
            },
            [this](const caf::error& e) {
              if (figures_.failed++ == 0)
                figures_.why = understudy::as_failure(e).detail;
              answered(clock::now());
            });
  }

  void answered(clock::time_point now) {
    if (now < began_ + load_.length)
      return send(now);
    if (--open_ == 0)
      result_.set_value(std::move(figures_));
  }

  parcel_actor whom_;
  load load_;
  std::promise<round_figures> result_;
  round_figures figures_;
  clock::time_point began_ = {};
  std::size_t open_ = 0;
};

/// One round of new callers.
[[nodiscard]] inline round_figures ask_parcels(caf::actor_system& system, const parcel_actor& whom,
                                               const load& what) {
  round_figures all;
  std::vector<std::future<round_figures>> parts;
  const auto began = std::chrono::steady_clock::now();
  const auto cpu_before = std::clock();
  for (std::size_t i = 0; i < what.callers; ++i) {
    std::promise<round_figures> promise;
    parts.push_back(promise.get_future());
    system.spawn<load_actor>(whom, what, std::move(promise));
  }
  for (auto& waiting : parts) {
    auto part = waiting.get();
    all.waits.insert(all.waits.end(), part.waits.begin(), part.waits.end());
    all.failed += part.failed;
    if (all.why.empty())
      all.why = std::move(part.why);
  }
  all.took = std::chrono::steady_clock::now() - began;
  all.cpu = seconds{static_cast<double>(std::clock() - cpu_before) / CLOCKS_PER_SEC};
  return all;
}

} // namespace benchmarks
