// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A client that writes all the time, and what it noticed of what happened to the cluster.

#include <understudy/understudy.hpp>

#include "figures.hpp"
#include "parcel_store.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <iterator>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace benchmarks {

/// What the writer and whoever asks about it share.
class write_book {
public:
  using moment = std::chrono::steady_clock::time_point;

  void answered(moment sent, moment now) {
    const std::lock_guard lock{mutex_};
    writes_.push_back({sent, now});
  }

  void refused(std::string why) {
    const std::lock_guard lock{mutex_};
    if (why_.empty())
      why_ = std::move(why);
  }

  /// How many writes that were sent since `from` are answered. Throws if one was refused.
  [[nodiscard]] std::size_t answered_since(moment from) const {
    const std::lock_guard lock{mutex_};
    if (!why_.empty())
      throw std::runtime_error{"a write failed: " + why_};
    return static_cast<std::size_t>(
        std::ranges::count_if(writes_, [&](const write& w) { return w.sent >= from; }));
  }

  /// The longest time between two answers that touches `from` to `to`; there are answers before
  /// and after.
  [[nodiscard]] milliseconds longest_gap(moment from, moment to) const {
    const std::lock_guard lock{mutex_};
    milliseconds longest{0};
    for (std::size_t i = 1; i < writes_.size(); ++i)
      if (writes_[i].answered >= from && writes_[i - 1].answered <= to)
        longest = std::max<milliseconds>(longest, writes_[i].answered - writes_[i - 1].answered);
    return longest;
  }

  /// The longest that a write waited which was open at some time from `from` to `to`.
  [[nodiscard]] milliseconds longest_wait(moment from, moment to) const {
    const std::lock_guard lock{mutex_};
    milliseconds longest{0};
    for (const auto& w : writes_)
      if (w.answered >= from && w.sent <= to)
        longest = std::max<milliseconds>(longest, w.answered - w.sent);
    return longest;
  }

private:
  struct write {
    moment sent;
    moment answered;
  };

  mutable std::mutex mutex_;
  std::vector<write> writes_; ///< in the order of their answers
  std::string why_;
};

/// Sends a write every half a millisecond, unless too many are open.
class writer_actor : public caf::event_based_actor {
public:
  using target = understudy::machine_actor<parcel_store>;

  static constexpr std::chrono::microseconds beat{500};
  static constexpr std::size_t outstanding = 16;

  writer_actor(caf::actor_config& config, target whom, std::shared_ptr<write_book> book,
               std::shared_ptr<const std::atomic<bool>> over, std::promise<void> ended)
      : caf::event_based_actor(config), whom_{std::move(whom)}, book_{std::move(book)},
        over_{std::move(over)}, ended_{std::move(ended)} {}

  caf::behavior make_behavior() override {
    next_ = clock_type::now();
    understudy::post_to_self_at(*this, next_, writer_beat{});
    return {[this](writer_beat) { tick(); }};
  }

  void on_exit() override { ended_.set_value(); }

private:
  using clock_type = std::chrono::steady_clock;

  void tick() {
    if (*over_ && open_ == 0)
      return quit();
    const auto now = clock_type::now();
    if (!*over_ && open_ < outstanding)
      send(now);
    next_ = std::max(next_ + beat, now);
    understudy::post_to_self_at(*this, next_, writer_beat{});
  }

  void send(clock_type::time_point sent) {
    ++open_;
    parcel_store::put what{.first = numbers_++ % 64, .parcels = {std::string(64, 'w')}};
    understudy::ask(this, whom_, caf::infinite, std::move(what))
        .then(
            [this, sent](std::uint64_t) {
              --open_;
              book_->answered(sent, clock_type::now());
            },
            [this](const caf::error& e) {
              --open_;
              std::ostringstream why;
              why << understudy::as_failure(e);
              book_->refused(why.str());
            });
  }

  target whom_;
  std::shared_ptr<write_book> book_;
  std::shared_ptr<const std::atomic<bool>> over_;
  std::promise<void> ended_;
  clock_type::time_point next_ = {};
  std::uint64_t numbers_ = 0;
  std::size_t open_ = 0;
};

/// Writes from its beginning to its end, through a client of its own that begins at the first of
/// `nodes` and goes on at the others if that one fails it.
class steady_writer {
public:
  using moment = write_book::moment;

  steady_writer(caf::actor_system& system, const std::vector<understudy::contact>& nodes)
      : client_{checked(understudy::spawn_client<parcel_store>(system, nodes))} {
    std::promise<void> ended;
    ended_ = ended.get_future();
    system.spawn<writer_actor>(client_.actor(), book_, over_, std::move(ended));
  }
  steady_writer(const steady_writer&) = delete;
  steady_writer& operator=(const steady_writer&) = delete;

  ~steady_writer() {
    *over_ = true;
    client_.stop();
    if (ended_.valid())
      ended_.wait_for(patience);
  }

  /// Lets the open writes come to their end.
  [[nodiscard]] const write_book& finish() {
    *over_ = true;
    if (ended_.wait_for(patience) != std::future_status::ready)
      throw std::runtime_error{"a write is not answered"};
    ended_.get();
    static_cast<void>(book_->answered_since({}));
    return *book_;
  }

  /// Waits until so many writes are answered that were sent from now on.
  void await_writes(std::size_t count) const {
    const auto from = std::chrono::steady_clock::now();
    while (book_->answered_since(from) < count) {
      if (std::chrono::steady_clock::now() - from > patience)
        throw std::runtime_error{"writes are not answered any more"};
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
  }

private:
  static constexpr std::chrono::seconds patience{15};

  understudy::cluster_client<parcel_store> client_;
  std::shared_ptr<write_book> book_ = std::make_shared<write_book>();
  std::shared_ptr<std::atomic<bool>> over_ = std::make_shared<std::atomic<bool>>(false);
  std::future<void> ended_;
};

} // namespace benchmarks
