// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The load: actors that send the requests of a feed through clients, at a steady pace.

#include <understudy/understudy.hpp>

#include "feed.hpp"
#include "measure.hpp"
#include "web_tier.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace demo {

/// What all load actors share, and the main thread steers. It lasts as long as the last of them.
struct load_control {
  /// At least `passes` over the requests.
  load_control(std::vector<logged_request> requests, std::uint64_t passes)
      : feed{std::move(requests), passes} {}

  demo::feed feed;
  score_book scores = {};
  std::atomic<double> rate_per_second{0}; ///< of each client; 0: as fast as `in_flight_max` allows
  std::atomic<std::uint64_t> open{0};     ///< requests without an answer
};

/// One client's requests. It keeps its pace while answers are late: a pause of the cluster is felt
/// by many requests, not by one. But it gives way to a machine that has become slower than it was
/// in the rehearsal, or all that is measured would be the length of its own queue.
struct load_figures {
  using client = understudy::machine_actor<web_tier>;

  static constexpr auto beat = std::chrono::milliseconds{2};
  static constexpr std::uint64_t in_flight_max = 512;      ///< at full speed
  static constexpr std::uint64_t in_flight_paced_max = 32; ///< a few beats of a quick machine

  std::shared_ptr<load_control> control = nullptr;
  client target = {};
  moment paced_since = {};
  double sent = 0; ///< since then
  std::uint64_t in_flight = 0;
  std::shared_ptr<std::atomic<std::uint64_t>> answered = nullptr;
};

struct load_beat {};

} // namespace demo

UNDERSTUDY_MESSAGES(demo_messages, demo::load_beat, demo::web_tier::hit, demo::web_tier::verdict,
                    demo::web_tier::lookup, demo::web_tier::usage, demo::web_tier::summarize,
                    demo::web_tier::summary)

namespace demo {

/// Sends until the feed is over, and ends when the last answer has come.
class load_actor : public caf::event_based_actor {
public:
  load_actor(caf::actor_config& config, std::shared_ptr<load_control> control,
             load_figures::client target, std::shared_ptr<std::atomic<std::uint64_t>> answered)
      : caf::event_based_actor(config), state_{.control = std::move(control),
                                               .target = std::move(target),
                                               .answered = std::move(answered)} {}

  caf::behavior make_behavior() override {
    state_.paced_since = std::chrono::steady_clock::now();
    understudy::post_to_self_at(*this, state_.paced_since, load_beat{});
    return {[this](load_beat) { tick(); }};
  }

private:
  void tick() {
    send_due(std::chrono::steady_clock::now());
    if (state_.control->feed.over() && state_.in_flight == 0)
      return quit();
    understudy::post_to_self_at(*this, std::chrono::steady_clock::now() + load_figures::beat,
                                load_beat{});
  }

  /// Sends what the pace calls for by now. A load that could not keep up starts anew from here, or
  /// it would send ever faster.
  void send_due(moment now) {
    const auto rate = state_.control->rate_per_second.load();
    const std::chrono::duration<double> elapsed = now - state_.paced_since;
    const auto most = rate == 0 ? load_figures::in_flight_max : load_figures::in_flight_paced_max;
    double left = rate == 0 ? load_figures::in_flight_max : elapsed.count() * rate - state_.sent;
    while (left >= 1 && state_.in_flight < most && send_one(now)) {
      left -= 1;
      state_.sent += 1;
    }
    if (rate == 0 || left >= 1 || elapsed > std::chrono::seconds{1}) {
      state_.paced_since = now;
      state_.sent = left >= 1 ? 0 : -left;
    }
  }

  bool send_one(moment now) {
    const auto* what = state_.control->feed.next();
    if (!what)
      return false;
    ++state_.in_flight;
    ++state_.control->open;
    state_.control->scores.submitted();
    understudy::ask(this, state_.target, caf::infinite, web_tier::hit{what->address, what->bytes})
        .then(
            [this, what, now](const web_tier::verdict& verdict) {
              answered();
              state_.control->scores.applied(what->address, verdict.count, now,
                                             std::chrono::steady_clock::now());
            },
            [this, now](const caf::error& error) {
              answered();
              state_.control->scores.refused(understudy::as_failure(error).code, now,
                                             std::chrono::steady_clock::now());
            });
    return true;
  }

  void answered() {
    --state_.in_flight;
    --state_.control->open;
    ++*state_.answered;
  }

  load_figures state_;
};

} // namespace demo
