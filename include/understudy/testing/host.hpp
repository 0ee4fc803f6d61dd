// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The components of one node in one place, without actors.
///
/// A host does what the actor shell does for each component: it hands over messages, tells the
/// siblings, keeps the timers and settles. Notices go round in the order in which they were told
/// until all is quiet, so one call leaves a node with nothing undone but what was put off.

#include <understudy/core/assert.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/routing.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace understudy::testing {

/// A node of the given components, in the order in which they are settled.
///
/// Every call takes a driver, which carries out what the host can not:
/// - `send(letter&&)`: a message for another node;
/// - `observed(sibling_message&&)`: a notice that no component takes, such as a `node_event`;
/// - `postponed(std::size_t component, sibling_message&)`: may take a notice away and hand it to
///   `tell_one` later, as a busy actor's mailbox would; returns whether it did. The driver keeps
///   the order of what it postpones for one component.
template <component... Components> class host {
public:
  static constexpr std::size_t size = sizeof...(Components);

  explicit host(Components... parts) : parts_{std::move(parts)...} {}

  template <class C> [[nodiscard]] C& get() { return std::get<C>(parts_); }
  template <class C> [[nodiscard]] const C& get() const { return std::get<C>(parts_); }

  /// Wakes every component for the first time.
  template <class Driver> void start(instant now, Driver& driver) {
    each([&]<std::size_t I>(index<I> i) { wake_one(i, now, driver); });
  }

  /// Hands over a message from another node. Returns whether any component takes its kind.
  template <class Driver>
  bool receive(member_id from, peer_message& what, instant now, Driver& driver) {
    bool taken = false;
    each([&]<std::size_t I>(index<I> i) {
      if (taken || !deliver(std::get<I>(parts_), from, what, now, out_))
        return;
      taken = true;
      carry_out(i, driver);
    });
    go_round(now, driver);
    return taken;
  }

  /// Tells all components that take it. Returns whether there is any.
  template <class Driver> bool tell(sibling_message what, instant now, Driver& driver) {
    if (notice_routes<Components...>[what.index()] == 0)
      return false;
    route(std::move(what), driver);
    go_round(now, driver);
    return true;
  }

  /// Hands over a notice that was postponed.
  template <class Driver>
  void tell_one(std::size_t which, sibling_message what, instant now, Driver& driver) {
    pending_.push_back({which, std::move(what)});
    go_round(now, driver);
  }

  /// Wakes the components whose time has come.
  template <class Driver> void wake(instant now, Driver& driver) {
    each([&]<std::size_t I>(index<I> i) {
      if (wakes_[I] && *wakes_[I] <= now)
        wake_one(i, now, driver);
    });
  }

  /// Settles every component that has been called since it was settled last, and again while that
  /// gives the others something to do.
  template <class Driver> void settle(instant now, Driver& driver) {
    for (int rounds = 0; unsettled_ != 0; ++rounds) {
      UNDERSTUDY_ASSERT(rounds < rounds_max, "the components of a node never come to rest");
      each([&]<std::size_t I>(index<I> i) {
        if ((unsettled_ & bit<I>) == 0)
          return;
        unsettled_ &= ~bit<I>;
        std::get<I>(parts_).settle(now, out_);
        carry_out(i, driver);
        unsettled_ &= ~bit<I>;
        go_round(now, driver);
      });
    }
  }

  [[nodiscard]] bool settled() const { return unsettled_ == 0; }

  /// When the first component wants to be woken.
  [[nodiscard]] std::optional<instant> next_wake() const {
    std::optional<instant> first;
    for (const auto& w : wakes_)
      if (w && (!first || *w < *first))
        first = w;
    return first;
  }

private:
  template <std::size_t I> using index = std::integral_constant<std::size_t, I>;
  template <std::size_t I> static constexpr std::uint32_t bit = std::uint32_t{1} << I;

  struct pending_notice {
    std::size_t component;
    sibling_message what;
  };

  /// What one event can set off inside a node is far below these. A newcomer may get all of a log
  /// at once, and have it applied entry by entry: that takes a round for each.
  static constexpr int rounds_max = 1'000'000;
  static constexpr std::size_t notices_max = 1'000'000;

  template <class F> static void each(F&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(index<I>{}), ...);
    }(std::make_index_sequence<size>{});
  }

  template <std::size_t I, class Driver> void wake_one(index<I> i, instant now, Driver& driver) {
    wakes_[I].reset();
    std::get<I>(parts_).wake(now, out_);
    carry_out(i, driver);
    go_round(now, driver);
  }

  /// Takes what component I has written into the outbox.
  template <std::size_t I, class Driver> void carry_out(index<I>, Driver& driver) {
    unsettled_ |= bit<I>;
    if (out_.wake_at && (!wakes_[I] || *out_.wake_at < *wakes_[I]))
      wakes_[I] = out_.wake_at;
    for (auto& l : out_.letters)
      driver.send(std::move(l));
    for (auto& n : out_.notices)
      route(std::move(n), driver);
    out_.clear();
    driver.stepped(I);
  }

  template <class Driver> void route(sibling_message what, Driver& driver) {
    auto mask = notice_routes<Components...>[what.index()];
    if (mask == 0)
      return driver.observed(std::move(what));
    while (mask != 0) {
      const auto which = static_cast<std::size_t>(std::countr_zero(mask));
      mask &= mask - 1;
      // Who takes a notice may move from it: all but the last get a copy.
      auto mine = mask == 0 ? std::move(what) : sibling_message{what};
      if (!driver.postponed(which, mine))
        pending_.push_back({which, std::move(mine)});
    }
  }

  template <class Driver> void go_round(instant now, Driver& driver) {
    if (going_round_)
      return;
    going_round_ = true;
    for (std::size_t next = 0; next < pending_.size(); ++next) {
      UNDERSTUDY_ASSERT(next < notices_max, "the components of a node never stop talking");
      auto notice = std::move(pending_[next]);
      each([&]<std::size_t I>(index<I> i) {
        if (notice.component == I && deliver(std::get<I>(parts_), notice.what, now, out_))
          carry_out(i, driver);
      });
    }
    pending_.clear();
    going_round_ = false;
  }

  std::tuple<Components...> parts_;
  std::array<std::optional<instant>, size> wakes_{};
  std::uint32_t unsettled_ = 0;
  bool going_round_ = false;
  std::vector<pending_notice> pending_;
  outbox out_;
};

} // namespace understudy::testing
