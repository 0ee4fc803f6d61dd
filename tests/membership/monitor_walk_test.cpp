// SPDX-License-Identifier: BSL-1.0

/// \file
/// Monitors in random histories: nodes enter, leave, crash, fall silent and come back, operators
/// evict and pin, and leadership changes hands, through loss and delay. A majority always lives.

#include <understudy/core/random.hpp>
#include <understudy/membership/monitor.hpp>
#include <understudy/roster/seats.hpp>

#include <doctest/doctest.h>

#include "drill.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace monitor_walk_test {

using namespace understudy;
using namespace std::chrono_literals;
using membership_test::drill;

namespace {

class history {
public:
  explicit history(std::uint64_t seed) : random_{seed} {
    const auto t = static_cast<std::uint32_t>(1 + random_.below(6));
    b_.start(drill::founder(1, t));
    b_.run(0ms);
    alive_.insert({1});
    b_.delay_max = 5ms;
    b_.loses = [this](const letter&) { return random_.below(10) < loss_; };
    for (auto n = random_.below(5); n > 0; --n)
      enter();
  }

  void step() {
    if (over())
      return;
    switch (random_.below(12)) {
    case 0:
    case 1:
      enter();
      break;
    case 2:
      crash();
      break;
    case 3:
      leave();
      break;
    case 4:
      fall_silent();
      break;
    case 5:
    case 6:
      come_back();
      break;
    case 7:
      lead();
      break;
    case 8:
      order();
      break;
    default:
      loss_ = random_.below(4) == 0 ? 5 : 0;
      break;
    }
    b_.run(random_.between(interval{0}, random_.below(3) == 0 ? interval{6s} : interval{200ms}));
    retire();
    if (!alive_.contains(b_.leader()) || b_.silent.contains(b_.leader()))
      elect();
  }

  /// Nothing happens any more.
  void calm_down() {
    loss_ = 0;
    while (!b_.silent.empty())
      come_back();
    for (int i = 0; i < 8 && !over(); ++i) {
      b_.run(10s);
      retire();
      if (!over() && !alive_.contains(b_.leader()))
        elect();
    }
    check_log();
    if (!over())
      check_end();
  }

  [[nodiscard]] std::size_t changes() { return b_.log().entries.size(); }

private:
  [[nodiscard]] member_id pick() {
    auto at = alive_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(alive_.size())));
    return *at;
  }

  /// A majority of the voters lives and answers, also without `id`.
  [[nodiscard]] bool is_spare(member_id id) {
    const auto& voters = b_.log().newest().content->voters;
    const auto living = std::ranges::count_if(voters, [&](member_id v) {
      return v != id && alive_.contains(v) && !b_.silent.contains(v);
    });
    return 2 * static_cast<std::size_t>(living) > voters.size();
  }

  void enter() {
    if (over() || alive_.size() >= 9)
      return;
    const auto id = ++newest_;
    b_.start(drill::options(id, {pick().value, pick().value}));
    alive_.insert({id});
  }

  void crash() {
    const auto id = pick();
    if (!is_spare(id))
      return;
    alive_.erase(id);
    b_.silent.erase(id);
    b_.crash(id.value);
  }

  void leave() {
    if (alive_.size() > 1)
      b_.leave(pick().value, interval{30s});
  }

  void fall_silent() {
    const auto id = pick();
    if (!is_spare(id))
      return;
    b_.silent.insert(id);
    b_.show_all();
  }

  void come_back() {
    if (!b_.silent.empty())
      b_.silent.erase(b_.silent.begin());
    b_.show_all();
  }

  void order() {
    const auto who = pick();
    const auto at = pick().value;
    if (random_.below(2) == 0)
      b_.order_at(at, pin_member{who, random_.below(3) == 0});
    else if (random_.below(3) == 0 && is_spare(who))
      b_.evict(who.value, at);
    else
      b_.order_at(at, transfer_leadership{who});
  }

  /// Any member may win: a listener, too (S5).
  void lead() {
    const auto id = pick();
    if (!over() && !b_.silent.contains(id) && b_.state(id.value) == membership::member)
      b_.lead(id.value);
  }

  void elect() {
    for (auto id : b_.content().voters)
      if (!over() && alive_.contains(id) && !b_.silent.contains(id))
        return b_.lead(id.value);
  }

  /// Those that have left, or were sent away, end.
  void retire() {
    for (auto id : std::vector<member_id>{alive_.begin(), alive_.end()}) {
      const auto end = b_.end_of(id.value);
      const bool gone = b_.state(id.value) == membership::failed && !find(b_.content(), id);
      last_member_ |= end == leave_outcome::last_member;
      // Not so if it left before it knew that it had been taken in: then it is found dead.
      const bool entered = b_.lines(id.value, decision::leave) == 5;
      if (end == leave_outcome::left && entered && find(b_.content(), id))
        FAIL("a member has left, and is in the roster");
      if ((!end && !gone) || (end == leave_outcome::timed_out && !is_spare(id)))
        continue;
      alive_.erase(id);
      b_.silent.erase(id);
      b_.crash(id.value);
    }
  }

  /// The last member has left, or was about to.
  [[nodiscard]] bool over() const { return last_member_ || alive_.empty(); }

  /// No id comes back, no mark is taken back, no voter in line loses its seat, and every
  /// configuration is sound.
  void check_log() {
    std::set<member_id> departed;
    const auto& all = b_.log().entries;
    for (std::size_t i = 1; i < all.size(); ++i) {
      const auto& from = *all[i - 1].content;
      const auto& to = *all[i].content;
      REQUIRE(complaints(to).empty());
      for (const auto& m : to.members) {
        REQUIRE_FALSE(departed.contains(m.id));
        if (const auto* before = find(from, m.id))
          REQUIRE(before->status <= m.status);
      }
      for (const auto& m : from.members)
        if (!find(to, m.id)) {
          departed.insert(m.id);
          REQUIRE(m.status != standing::present);
        }
      if (!from.joint() && to.joint())
        for (auto id : detail::sitting(from))
          REQUIRE(detail::is_among(to.voters, id));
    }
  }

  /// Everybody who lives has the place that the seats call for.
  void check_end() {
    const auto now = b_.content();
    const auto picture = [&] {
      std::ostringstream text;
      text << "leader " << b_.leader()
           << (b_.log().commit < b_.log().newest().index ? " uncommitted" : "");
      for (const auto& m : now.members)
        text << "; " << m.id
             << (m.status == standing::present   ? ""
                 : m.status == standing::leaving ? " leaving"
                                                 : " evicted")
             << (m.pinned ? " pinned" : "") << (has_vote(now, m.id) ? " votes" : "")
             << (alive_.contains(m.id) ? "" : " dead");
      if (alive_.contains(b_.leader()))
        text << "; plan " << b_.plan_of(b_.leader().value).reason << ' '
             << b_.plan_of(b_.leader().value).detail;
      return text.str();
    }();
    CAPTURE(picture);
    for (const auto& m : now.members)
      if (!alive_.contains(m.id)) {
        REQUIRE(m.status != standing::present);
        REQUIRE(has_vote(now, m.id)); // kept by the floor, else it would be dropped
      }
    for (auto id : alive_) // those that know dead seeds only can not enter
      REQUIRE((b_.state(id.value) != membership::member || find(now, id) != nullptr
               || b_.end_of(id.value).has_value()));
    REQUIRE(open_seats(now) == 0);
    if (now.voters.size() > now.rules.min_voters)
      for (auto id : now.voters)
        REQUIRE(alive_.contains(id));
    if (alive_.contains(b_.leader()))
      REQUIRE((has_vote(now, b_.leader()) || !is_at_rest(b_.plan_of(b_.leader().value).reason)));
  }

  drill b_;
  random_source random_;
  std::set<member_id> alive_ = {};
  std::uint64_t newest_ = 1;
  std::uint64_t loss_ = 0;
  bool last_member_ = false;
};

} // namespace

TEST_CASE("in random histories everybody gets its place, and nobody comes back") {
  std::size_t changes = 0;
  const auto from = membership_test::first_seed();
  const auto count = membership_test::cases(2'000);
  for (auto seed = from; seed < from + count; ++seed) {
    CAPTURE(seed);
    history run{seed};
    for (int i = 0; i < 40; ++i)
      run.step();
    run.calm_down();
    changes += run.changes();
  }
  if (count > 1)
    CHECK(changes > 10 * count); // else the walks lead nowhere
}

} // namespace monitor_walk_test
