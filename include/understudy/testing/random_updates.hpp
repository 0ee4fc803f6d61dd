// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What is random about the builds of a run: which version of the machine each process knows, and
/// which the cluster is told to use.

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/core/roster_change.hpp>
#include <understudy/replica/replica.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/simulation.hpp>
#include <understudy/testing/workload.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

namespace understudy::testing {

/// Draws the build of each process that starts. None knows less than its own log shows to be used:
/// such a one would not start. It may meet more than it knows before long, though.
class random_updates {
public:
  /// In a run without updates there is one version, and nothing is drawn. `may_lag`: whether the
  /// cluster can do without a node, for it may start as too old a build.
  random_updates(bool wanted, simulation<tally>& run, random_stream random,
                 std::function<bool(member_id)> may_lag)
      : run_{run}, random_{random}, may_lag_{std::move(may_lag)} {
    if (wanted)
      run_.build = [this](member_id id, const recovered_state& kept) {
        return next_build(id, newest_configuration(kept).content.get());
      };
  }

  random_updates(const random_updates&) = delete;
  random_updates& operator=(const random_updates&) = delete;

  /// Whoever is started from now on is of the newest build.
  void stop() { over_ = true; }

  /// A newer version is to be used, whether all know it or not.
  void order_one(member_id at) {
    run_.give_order(at, use_machine_version{random_.between(2u, newest)});
  }

  /// Whether a node that runs has met what it does not know: its machine has stopped.
  [[nodiscard]] bool is_outdated(member_id id) const {
    return run_.runs(id) && known_to(id) < used();
  }

  /// Whether the roster shows a node that runs as another build than it is.
  [[nodiscard]] bool is_misrepresented(const member& shown) const {
    return shown.machine_version != known_to(shown.id);
  }

private:
  static constexpr std::uint32_t newest = 3;

  [[nodiscard]] std::uint32_t known_to(member_id id) const {
    return run_.part<replica<tally>>(id).knows();
  }

  /// The version that the first cluster uses for certain.
  [[nodiscard]] std::uint32_t used() const {
    const auto& clusters = run_.rules().clusters();
    if (clusters.empty())
      return 1;
    const auto& committed = run_.rules().past(clusters.front()).configurations();
    return committed.empty() ? 1 : committed.back().content->machine_version;
  }

  [[nodiscard]] std::uint32_t next_build(member_id id, const configuration* remembered) {
    if (run_.rules().clusters().empty())
      return random_.between(1u, newest - 1); // so that there is something to be updated to
    if (over_ || random_.chance(0.7))
      return newest;
    std::uint32_t least = 1;
    const auto raise
        = [&](const configuration* in) { least = std::max(least, in ? in->machine_version : 1); };
    raise(remembered);
    if (!may_lag_(id))
      for (const auto other : run_.nodes())
        raise(run_.look(other).newest.content);
    return random_.between(least, newest);
  }

  simulation<tally>& run_;
  random_stream random_;
  std::function<bool(member_id)> may_lag_;
  bool over_ = false;
};

} // namespace understudy::testing
