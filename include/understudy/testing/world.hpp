// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Hosts on one timeline, joined by one network: a whole cluster in one thread.
///
/// Everything that happens is an event on the timeline, and everything that is drawn comes from one
/// seed, so a run can be repeated bit for bit. What runs are the components themselves; only what
/// lies around them is made up.

#include <understudy/core/assert.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/testing/host.hpp>
#include <understudy/testing/network.hpp>
#include <understudy/testing/pace.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/timeline.hpp>
#include <understudy/testing/trace.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace understudy::testing {

/// Timeline, network and hosts of the kinds `Hosts`. `Self` derives from it and has
/// - `stepped(party&, std::size_t component, std::span<const letter>)`: called after every call of
///   a component, with what it sent; throws to end the run;
/// - `postponed(party&, const sibling_message&)`: called when a component gets a notice later;
/// - `observed(party&, sibling_message&&)`: called with each notice that no component takes.
template <class Self, class... Hosts> class world {
public:
  /// One host and its surroundings.
  struct party {
    member_id id = {};
    std::string name = {};
    bool alive = true;
    bool paused = false;
    class pace pace = {};
    std::variant<std::unique_ptr<Hosts>...> parts = {};

    /// The host, if it is of this kind and has not crashed.
    template <class Host> [[nodiscard]] Host* as() const {
      const auto* held = std::get_if<std::unique_ptr<Host>>(&parts);
      return held ? held->get() : nullptr;
    }

  private:
    friend world;
    std::optional<instant> timer = {};
    bool batch_open = false;
    std::vector<instant> mailboxes = {}; ///< until when each component is busy
    std::vector<std::function<void()>> backlog = {};
  };

  /// `events_kept`: how many of the last events the trace can show.
  world(network_options links, std::uint64_t seed, std::size_t events_kept)
      : trace_{events_kept}, random_{random_stream{seed}.fork("world")},
        network_{links, random_stream{seed}.fork("network")} {}

  world(const world&) = delete;
  world& operator=(const world&) = delete;

  [[nodiscard]] instant now() const { return timeline_.now(); }
  [[nodiscard]] network& net() { return network_; }
  [[nodiscard]] const class trace& trace() const { return trace_; }
  [[nodiscard]] const std::vector<std::unique_ptr<party>>& parties() const { return parties_; }

  /// Adds a host, and wakes it for the first time. Under an id whose process has ended, it is what
  /// lives there from now on.
  template <class Host> party& add(member_id id, std::string name, Host what, class pace speed) {
    auto p = std::make_unique<party>();
    p->id = id;
    p->name = std::move(name);
    p->pace = std::move(speed);
    p->mailboxes.resize(Host::size);
    p->parts = std::make_unique<Host>(std::move(what));
    UNDERSTUDY_ASSERT(!find(id) || !find(id)->alive, "one process for each id");
    places_[id] = parties_.size();
    parties_.push_back(std::move(p));
    auto& added = *parties_.back();
    trace_.add({now(), step::fault, id, {}, {.name = "starts"}});
    act(added, [](auto& parts, instant at, auto& driver) { parts.start(at, driver); });
    return added;
  }

  [[nodiscard]] party* find(member_id id) {
    const auto at = places_.find(id);
    return at == places_.end() ? nullptr : parties_[at->second].get();
  }

  /// The end of a process: all it had is gone. Others notice with a probability, each by itself.
  void kill(party& p, double noticed) {
    UNDERSTUDY_ASSERT(p.alive, "nobody dies twice");
    trace_.add({now(), step::fault, p.id, {}, {.name = "crashes"}});
    p.alive = p.paused = false;
    p.backlog.clear();
    std::visit([](auto& parts) { parts.reset(); }, p.parts);
    for (const auto& other : parties_)
      if (other->alive && random_.chance(noticed))
        notify(*other, peer_lost{p.id, true},
               random_.between(interval{0}, network_.options().delay_max));
  }

  /// The process stands still: nothing is lost, all is late.
  void pause(party& p) {
    trace_.add({now(), step::fault, p.id, {}, {.name = "pauses"}});
    p.paused = true;
  }

  void resume(party& p) {
    trace_.add({now(), step::fault, p.id, {}, {.name = "resumes"}});
    p.paused = false;
    // What is told from now on must not overtake what comes out of the backlog.
    for (auto& busy_until : p.mailboxes)
      busy_until = std::max(busy_until, now());
    for (auto& late : std::exchange(p.backlog, {}))
      timeline_.add(now(), action{std::move(late)});
  }

  /// A component of a party takes nothing for so long: a disk that hangs, a machine that computes.
  void stall(party& p, std::size_t component, interval how_long) {
    trace_.add({now(), step::fault, p.id, {}, {.name = "stalls"}, std::to_string(component)});
    auto& busy_until = p.mailboxes.at(component);
    busy_until = std::max(busy_until, now() + how_long);
  }

  /// Does something to the clock of a party; its timers are set anew.
  template <class Change> void change_clock(party& p, Change change) {
    trace_.add({now(), step::fault, p.id, {}, {.name = "clock changes"}});
    change(p.pace);
    p.timer.reset();
    if (p.alive)
      arm(p);
  }

  /// Tells a party something, as its driver.
  void tell(party& p, sibling_message what) {
    trace_.add({now(), step::notice, p.id, {}, summary_of(what)});
    if (!runs(p, [this, &p, what] { tell(p, what); }))
      return;
    act(p, [&](auto& parts, instant at, auto& driver) {
      static_cast<void>(parts.tell(std::move(what), at, driver));
    });
  }

  /// The same, later.
  void notify(party& p, sibling_message what, interval after) {
    schedule(after, [this, &p, what = std::move(what)] { tell(p, what); });
  }

  /// Does something later.
  void schedule(interval after, std::function<void()> what) {
    timeline_.add(now() + after, action{std::move(what)});
  }

  /// Lets what is held, and `about` says yes to, travel on.
  void release(const network::predicate& about) {
    network_.release(about, now(), [&](instant when, in_flight letter) {
      const auto* meant = find(letter.to);
      timeline_.add(when, arrival{std::move(letter), meant});
    });
  }

  /// Puts a message on the network as if `from` had sent it.
  void forge(member_id from, member_id to, peer_message what) {
    post(from, letter{to, std::move(what)});
  }

  /// Writes a line of one's own into the trace.
  void note(member_id who, std::string_view name, std::string text = {}) {
    trace_.add({now(), step::fault, who, {}, {.name = name}, std::move(text)});
  }

  /// Lets the next event happen. Returns false if there is none.
  bool advance() {
    if (timeline_.empty())
      return false;
    auto next = timeline_.take();
    std::visit([this](auto& what) { this->happen(what); }, next);
    return true;
  }

  /// Lets everything happen that is due until `when`.
  void advance_until(instant when) {
    while (!timeline_.empty() && timeline_.next() <= when)
      advance();
    timeline_.pass_until(when);
  }

  /// Lets things happen until `done`, for at most `limit`. Returns whether it was done.
  template <class Predicate> bool advance_until(Predicate done, interval limit) {
    const auto end = now() + limit;
    while (!done()) {
      if (timeline_.empty() || timeline_.next() > end)
        return false;
      advance();
    }
    return true;
  }

private:
  struct arrival {
    in_flight letter;
    const party* meant; ///< who lived there when it was sent
  };
  struct late_notice {
    party* to;
    std::size_t component;
    sibling_message what;
  };
  struct timer {
    party* of;
  };
  struct batch_end {
    party* of;
  };
  struct action {
    std::function<void()> run;
  };
  using event = std::variant<arrival, late_notice, timer, batch_end, action>;

  /// What a host needs of the world while one event is handled.
  struct surroundings {
    world& around;
    party& who;
    std::size_t seen = 0; ///< letters that were looked at

    void send(letter&& what) { around.sent_.push_back(std::move(what)); }
    void observed(sibling_message&& what) {
      around.trace_.add({around.now(), step::event, who.id, {}, summary_of(what)});
      static_cast<Self&>(around).observed(who, std::move(what));
    }
    void stepped(std::size_t component) {
      auto& sent = around.sent_;
      static_cast<Self&>(around).stepped(who, component,
                                         std::span<const letter>{sent}.subspan(seen));
      seen = sent.size();
    }
    bool postponed(std::size_t component, sibling_message& what) {
      return around.postpone(who, component, what);
    }
  };

  /// How fine timers are; also keeps a component that always asks for "now" from stopping time.
  static constexpr interval timer_resolution = std::chrono::microseconds{10};

  /// Runs `what` in a party, and then does all that follows from it.
  template <class F> void act(party& p, F&& what) {
    sent_.clear();
    surroundings d{*this, p, 0};
    const auto at = p.pace.local(now());
    std::visit(
        [&](auto& parts) {
          what(*parts, at, d);
          if (p.batch_open)
            return;
          if (const auto batch = p.pace.batch(random_); batch > interval{0}) {
            p.batch_open = true;
            timeline_.add(now() + batch, batch_end{&p});
          } else {
            parts->settle(at, d);
          }
        },
        p.parts);
    arm(p);
    for (auto& letter : sent_)
      post(p.id, std::move(letter));
    sent_.clear();
  }

  void post(member_id from, letter what) {
    const auto* meant = find(what.to);
    network_.post({from, what.to, std::move(what.what)}, now(),
                  [&](instant when, in_flight letter) {
                    timeline_.add(when, arrival{std::move(letter), meant});
                  });
  }

  void arm(party& p) {
    const auto wish = std::visit([](const auto& parts) { return parts->next_wake(); }, p.parts);
    if (!wish)
      return;
    const auto when = std::max(p.pace.global(*wish), now() + timer_resolution);
    if (p.timer && *p.timer <= when)
      return;
    const auto fires = when + p.pace.lateness(random_);
    p.timer = fires;
    timeline_.add(fires, timer{&p});
  }

  /// A busy component gets what it is told later, in order.
  bool postpone(party& p, std::size_t component, sibling_message& what) {
    auto& busy_until = p.mailboxes[component];
    const auto delay = p.pace.mailbox(component, random_);
    if (busy_until < now() && delay == interval{0})
      return false;
    busy_until = std::max(busy_until, now() + delay);
    static_cast<Self&>(*this).postponed(p, what);
    timeline_.add(busy_until, late_notice{&p, component, std::move(what)});
    return true;
  }

  /// Whether a party can act now. If it only stands still, `later` is done when it goes on.
  template <class F> bool runs(party& p, F&& later) {
    if (!p.alive)
      return false;
    if (p.paused)
      p.backlog.push_back(std::forward<F>(later));
    return !p.paused;
  }

  void happen(arrival& a) {
    auto* to = find(a.letter.to);
    const auto from = a.letter.from;
    const bool too_late = to != a.meant && std::holds_alternative<requests>(a.letter.what);
    const bool arrives = to && to->alive && !too_late && network_.admits(a.letter);
    trace_.add({now(), arrives ? step::arrival : step::lost, a.letter.to, from,
                summary_of(a.letter.what)});
    if (!arrives)
      return;
    if (to->paused) {
      to->backlog.push_back([this, late = std::move(a)]() mutable { happen(late); });
      return;
    }
    act(*to, [&](auto& parts, instant at, auto& d) {
      static_cast<void>(parts.receive(from, a.letter.what, at, d));
    });
  }

  void happen(late_notice& n) {
    if (!runs(*n.to, [this, copy = n]() mutable { happen(copy); }))
      return;
    trace_.add({now(), step::notice, n.to->id, {}, summary_of(n.what)});
    act(*n.to, [&](auto& parts, instant at, auto& d) {
      parts.tell_one(n.component, std::move(n.what), at, d);
    });
  }

  void happen(timer& t) {
    auto& p = *t.of;
    if (!p.alive || p.timer != now())
      return; // an earlier wish has replaced this one
    if (!runs(p, [this, copy = t]() mutable {
          copy.of->timer = now();
          happen(copy);
        }))
      return;
    p.timer.reset();
    trace_.add({now(), step::wake, p.id, {}, {}});
    act(p, [](auto& parts, instant at, auto& d) { parts.wake(at, d); });
  }

  void happen(batch_end& b) {
    auto& p = *b.of;
    if (!runs(p, [this, copy = b]() mutable { happen(copy); }))
      return;
    trace_.add({now(), step::settle, p.id, {}, {}});
    p.batch_open = false;
    act(p, [](auto& parts, instant at, auto& d) { parts.settle(at, d); });
  }

  void happen(action& a) { a.run(); }

  class trace trace_;
  random_stream random_;
  network network_;
  timeline<event> timeline_;
  std::vector<std::unique_ptr<party>> parties_;
  std::unordered_map<member_id, std::size_t> places_;
  std::vector<letter> sent_;
};

} // namespace understudy::testing
