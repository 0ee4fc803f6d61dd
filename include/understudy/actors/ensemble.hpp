// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The components that share one actor.
///
/// Between components in one actor a notice costs a function call instead of a message. The raft
/// core and its log writer live together, say, where a write takes no time. Nothing here knows
/// CAF: the actor around it hands over what arrives and carries out what is left in `outside()`.

#include <understudy/core/assert.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/routing.hpp>

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

/// For each kind of notice a bit, at its place in `sibling_message`.
using notice_set = std::bitset<std::variant_size_v<sibling_message>>;

/// One or several components, driven as one.
template <component... Components> class ensemble {
public:
  explicit ensemble(Components... parts) : parts_{std::move(parts)...} {}

  /// Which notices somebody outside takes as well; the rest of what is handled inside stays inside.
  void share(notice_set taken_outside) { taken_outside_ = taken_outside; }

  /// Hands over a message from another node.
  template <class M> void receive(member_id from, M& what, instant now) {
    each([&](auto i) {
      if constexpr (handles_peer<part<i>, M>) {
        std::get<i>(parts_).on(from, what, now, out_);
        absorb<i>();
      }
    });
    go_round(now);
  }

  /// Hands over a notice, to one component or to several.
  template <class N> void tell(N& what, instant now) {
    tell_each(what, now);
    go_round(now);
  }

  /// Wakes every component for the first time.
  void begin(instant now) {
    each([&](auto i) { wake_one<i>(now); });
    go_round(now);
  }

  /// Wakes the components whose time has come.
  void wake(instant now) {
    each([&](auto i) {
      if (wishes_[i] && *wishes_[i] <= now)
        wake_one<i>(now);
    });
    go_round(now);
  }

  /// Lets every component that was called finish its batch, and again while that gives the others
  /// something to do.
  void settle(instant now) {
    for (int rounds = 0; touched_ != 0; ++rounds) {
      UNDERSTUDY_ASSERT(rounds < rounds_max, "components of one actor never come to rest");
      each([&](auto i) {
        if ((touched_ & bit<i>) == 0)
          return;
        std::get<i>(parts_).settle(now, out_);
        absorb<i>();
        touched_ &= ~bit<i>;
        go_round(now);
      });
    }
  }

  /// Calls `step(component, now, outbox)` for what is neither message nor notice.
  template <class C, class Step> void use(Step step, instant now) {
    each([&](auto i) {
      if constexpr (std::is_same_v<part<i>, C>) {
        step(std::get<i>(parts_), now, out_);
        absorb<i>();
      }
    });
    go_round(now);
  }

  /// When the first component wants to be woken.
  [[nodiscard]] std::optional<instant> next_wake() const {
    std::optional<instant> first;
    for (const auto& wish : wishes_)
      if (wish && (!first || *wish < *first))
        first = wish;
    return first;
  }

  /// What has to be carried out; the actor clears it when that is done. Its `wake_at` is not used.
  [[nodiscard]] outbox& outside() { return outside_; }

  template <class C> [[nodiscard]] const C& get() const { return std::get<C>(parts_); }
  template <class C> [[nodiscard]] C& get() { return std::get<C>(parts_); }

private:
  static constexpr std::size_t size = sizeof...(Components);
  template <std::size_t I> using part = std::tuple_element_t<I, std::tuple<Components...>>;
  template <std::size_t I> static constexpr std::uint32_t bit = std::uint32_t{1} << I;

  /// What one batch can set off is far below this.
  static constexpr int rounds_max = 10'000;

  template <class F> static void each(F&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(std::integral_constant<std::size_t, I>{}), ...);
    }(std::make_index_sequence<size>{});
  }

  template <std::size_t I> void wake_one(instant now) {
    wishes_[I].reset();
    std::get<I>(parts_).wake(now, out_);
    absorb<I>();
  }

  /// Sorts what component I has written into its outbox.
  template <std::size_t I> void absorb() {
    touched_ |= bit<I>;
    if (out_.wake_at && (!wishes_[I] || *out_.wake_at < *wishes_[I]))
      wishes_[I] = out_.wake_at;
    for (auto& l : out_.letters)
      outside_.letters.push_back(std::move(l));
    for (auto& n : out_.notices)
      sort(std::move(n));
    out_.clear();
  }

  void sort(sibling_message what) {
    const bool inside = notice_routes<Components...>[what.index()] != 0;
    if (!inside || taken_outside_[what.index()])
      outside_.notices.push_back(inside ? what : std::move(what));
    if (inside)
      inside_.push_back(std::move(what));
  }

  /// Who takes a notice may move from it: all but the last get a copy.
  template <class N> void tell_each(N& what, instant now) {
    std::size_t left = notice_receivers<N, Components...>;
    each([&](auto i) {
      if constexpr (handles_notice<part<i>, N>) {
        if (--left == 0) {
          std::get<i>(parts_).on(what, now, out_);
        } else {
          auto copy = what;
          std::get<i>(parts_).on(copy, now, out_);
        }
        absorb<i>();
      }
    });
  }

  /// Delivers what the components have told each other, in that order, until there is no more.
  void go_round(instant now) {
    for (std::size_t next = 0; next < inside_.size(); ++next) {
      auto notice = std::move(inside_[next]);
      each([&](auto i) { offer(typename part<i>::notices{}, i, notice, now); });
    }
    inside_.clear();
  }

  /// Gives it to component I, if that takes this kind; a copy, if others may want it too.
  template <std::size_t I, class... Ns>
  void offer(type_list<Ns...>, std::integral_constant<std::size_t, I>, sibling_message& notice,
             [[maybe_unused]] instant now) {
    (give<I>(std::get_if<Ns>(&notice), now), ...);
  }

  template <std::size_t I, class N> void give(N* what, instant now) {
    if (!what)
      return;
    if constexpr (notice_receivers<N, Components...> == 1) {
      std::get<I>(parts_).on(*what, now, out_);
    } else {
      auto copy = *what;
      std::get<I>(parts_).on(copy, now, out_);
    }
    absorb<I>();
  }

  std::tuple<Components...> parts_;
  std::array<std::optional<instant>, size> wishes_{};
  std::uint32_t touched_ = 0;
  notice_set taken_outside_;
  std::vector<sibling_message> inside_;
  outbox out_;
  outbox outside_;
};

} // namespace understudy
