// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A cluster on the bench, and an operator who gives orders.

#include <doctest/doctest.h>

#include "bench.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace membership_test {

/// Options of node `id` called `name`; 1 founds with three seats, the others know it.
[[nodiscard]] inline monitor_options named(std::uint64_t id, std::string name) {
  auto o = id == 1 ? bench::founder(1, 3) : bench::options(id, {1});
  o.self.name = std::move(name);
  return o;
}

class drill : public bench {
public:
  drill() = default;

  /// Node 1 founds with `max_voters` seats, and 2 to `n` enter; all are given their place.
  explicit drill(std::uint64_t n, std::uint32_t max_voters = 5) {
    start(founder(1, max_voters));
    run(0ms);
    enter(2, n);
  }

  /// Nodes `first` to `last` enter, one behind the other.
  void enter(std::uint64_t first, std::uint64_t last) {
    for (auto id = first; id <= last; ++id) {
      std::uint64_t seed = 0;
      for (const auto& m : content().members)
        seed = seed || m.status != standing::present ? seed : m.id.value;
      start(options(id, {seed}));
      run(100ms);
    }
    run(900ms);
    REQUIRE(content().members.back().id.value >= last);
  }

  /// An operator's order at `id`.
  void order_at(std::uint64_t id, order what, instant deadline = {}) {
    ask(id, local_order{{++orders_}, std::move(what), deadline});
  }

  void evict(std::uint64_t who, std::uint64_t at) {
    order_at(at, mark_member{{who}, standing::evicted});
  }

  /// What became of the last order of all, if it was given at `id` and answered.
  [[nodiscard]] std::optional<expected<log_index>> answer_at(std::uint64_t id) {
    for (const auto& done : node(id).orders_done)
      if (done.id == ticket{orders_})
        return done.result;
    return std::nullopt;
  }

  /// How the last order ended.
  [[nodiscard]] errc outcome_at(std::uint64_t id) {
    const auto a = answer_at(id);
    REQUIRE(a.has_value());
    return *a ? errc::none : a->error().code;
  }

  void leave(std::uint64_t id, interval limit = {}) { ask(id, leave_cluster{limit}); }

  /// How the leave of `id` ended; none if it has not.
  [[nodiscard]] std::optional<leave_outcome> end_of(std::uint64_t id) {
    const auto& ends = node(id).ends;
    return ends.empty() ? std::nullopt : std::optional{ends.back().how};
  }

  [[nodiscard]] const std::vector<member_id>& voters() { return content().voters; }
  [[nodiscard]] bool listed(std::uint64_t id) { return find(content(), {id}) != nullptr; }
  [[nodiscard]] member_id leader() { return log().leader; }

  /// How many lines of a kind the journal of `id` has.
  [[nodiscard]] int lines(std::uint64_t id, decision what) {
    const auto& all = node(id).it->journal().lines();
    return static_cast<int>(std::ranges::count(all, what, &journal_line::what));
  }

  /// The newest line of a kind.
  [[nodiscard]] std::string line(std::uint64_t id, decision what) {
    std::string text;
    for (const auto& one : node(id).it->journal().lines())
      if (one.what == what)
        text = one.text;
    return text;
  }

private:
  std::uint64_t orders_ = 0;
};

} // namespace membership_test
